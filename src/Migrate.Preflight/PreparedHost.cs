using System.Collections.Concurrent;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Registers;

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

    internal PreparedShape? Shape(VcpuFeatures features, GicKind gic) => _shapes.GetOrAdd((features.Shape, gic),
        static (key, profile) => profile.Shape(key.Features, key.Gic) is { } shape ? new PreparedShape(shape) : null, Profile);
}

/// <summary>A shape by register: acceptance, place in a restore, and whether others depend on it.</summary>
internal sealed class PreparedShape
{
    private readonly Dictionary<RegisterId, StepPlace> _places;
    private readonly HashSet<RegisterId> _controllers;

    public PreparedShape(HostShape shape)
    {
        Index = new ShapeIndex(shape);
        _places = new Dictionary<RegisterId, StepPlace>(shape.Registers.Count);
        foreach (var register in shape.Registers) _places.TryAdd(register.Id, StepOrder.PlaceOf(register.Id, register));
        _controllers = [.. shape.Registers.SelectMany(r => r.When).Select(w => w.Controller)];
    }

    /// <summary>The shape as recorded, by register.</summary>
    public ShapeIndex Index { get; }

    /// <summary>Whether answers about other registers depend on this one.</summary>
    public bool IsController(RegisterId id) => _controllers.Contains(id);

    /// <summary>Where a register is written.</summary>
    public StepPlace PlaceOf(RegisterId id) => _places.TryGetValue(id, out var place) ? place : StepOrder.PlaceOf(id, null);
}
