using System.Collections.Concurrent;
using Migrate.Model;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Registers;
using Migrate.Preflight.Rules;

namespace Migrate.Preflight;

/// <summary>A destination that many plans are made for: what they would each work out again is worked out once. Safe from several threads.</summary>
public sealed class PreparedHost
{
    private readonly ConcurrentDictionary<(VcpuFeatures Features, GicKind Gic), PreparedShape?> _shapes = [];

    /// <summary>Prepares nothing yet: each shape when it is first asked for.</summary>
    /// <param name="profile">What the destination accepts.</param>
    public PreparedHost(HostProfile profile) => Profile = profile;

    /// <summary>The profile.</summary>
    public HostProfile Profile { get; }

    /// <summary>What the host answers to a VM of these features with this GIC; null where it was not measured.</summary>
    public ShapeIndex? Answers(VcpuFeatures features, GicKind gic) => Shape(features, gic)?.Index;

    internal PreparedShape? Shape(VcpuFeatures features, GicKind gic) => _shapes.GetOrAdd((features.Shape, gic),
        static (key, profile) => profile.Shape(key.Features, key.Gic) is { } shape ? new PreparedShape(shape) : null, Profile);
}

/// <summary>A shape with all that plans need of each register.</summary>
internal sealed class PreparedShape
{
    private readonly PreparedRegister[] _registers;
    private readonly Dictionary<RegisterId, int> _index;
    private readonly bool _isEachOnce;

    public PreparedShape(HostShape shape)
    {
        Index = new ShapeIndex(shape);
        Controllers = [.. shape.Registers.SelectMany(r => r.When).Select(w => w.Controller).Distinct()];
        _index = new Dictionary<RegisterId, int>(shape.Registers.Count);
        _registers = new PreparedRegister[shape.Registers.Count];
        for (var i = 0; i < _registers.Length; i++)
        {
            var register = shape.Registers[i];
            _registers[i] = new PreparedRegister(register, StepOrder.PlaceOf(register.Id, register), RuleTable.Concerning(register.Id));
            _index.TryAdd(register.Id, i);
        }
        _isEachOnce = _index.Count == _registers.Length;
    }

    /// <summary>The shape as recorded, by register.</summary>
    public ShapeIndex Index { get; }

    /// <summary>The registers on which answers about others depend: a handful.</summary>
    public EquatableArray<RegisterId> Controllers { get; }

    /// <summary>A register by its place in the shape.</summary>
    public PreparedRegister this[int place] => _registers[place];

    /// <summary>A register; null where the shape does not have it.</summary>
    public PreparedRegister? Find(RegisterId id) => Find(id, -1) is >= 0 and var place ? _registers[place] : null;

    /// <summary>Where a register stands in the shape; negative where the shape does not have it.</summary>
    /// <param name="id">The register.</param>
    /// <param name="after">Where the one stood that was looked for before it: kernels list in nearly the same order, so that the next is nearly always the one.</param>
    public int Find(RegisterId id, int after)
    {
        var next = after + 1;
        if (_isEachOnce && next < _registers.Length && _registers[next].There.Id == id) return next;
        return _index.TryGetValue(id, out var place) ? place : -1;
    }
}

/// <summary>A register of a shape.</summary>
/// <param name="There">What the destination says about it.</param>
/// <param name="Place">Where it is written.</param>
/// <param name="Rules">The rules that it may be a subject of.</param>
internal sealed record PreparedRegister(RegisterAcceptance There, StepPlace Place, RuleSet Rules);
