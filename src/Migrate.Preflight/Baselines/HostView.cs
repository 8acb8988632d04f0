using Migrate.Model;
using Migrate.Model.Errors;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Registers;

namespace Migrate.Preflight.Baselines;

/// <summary>One host as a search sees it: its answers for one set of features, and the VM that it creates of them by default.</summary>
internal sealed class HostView
{
    /// <summary>Its own interrupt controller, as far as a move compares it.</summary>
    private readonly EquatableArray<DeviceState> _gic;

    private HostView(BaselineHost host, HostShape shape, GicKind gic)
    {
        Name = host.Name;
        Profile = host.Profile;
        Index = new ShapeIndex(shape);
        Default = DefaultMachine.Of(host.Profile, shape.Features, 1, gic);
        _gic = gic == GicKind.GicV3 ? ConfiguredGic.Devices(host.Profile, null) : [];
        Dependents = [.. shape.Registers.Where(r => r.When.Count > 0).Select(r => r.Id)];
    }

    public string Name { get; }

    public HostProfile Profile { get; }

    public ShapeIndex Index { get; }

    /// <summary>The VM in its reset state, one vCPU.</summary>
    public MachineState Default { get; }

    /// <summary>Registers that are there, or take other values, depending on another.</summary>
    public IReadOnlyList<RegisterId> Dependents { get; }

    public RegisterSet Own => Default.Vcpus[0].Registers;

    /// <summary>The host with these features; null where it does not create such a VM or nobody measured whether it does.</summary>
    public static HostView? Of(BaselineHost host, VcpuFeatures features, GicKind gic) =>
        host.Profile.Shape(features, gic) is { Errno: 0 } shape ? new HostView(host, shape, gic) : null;

    /// <summary>What is accepted for a register under the current values of its controllers, and what is kept of it; null where the register is not there then.</summary>
    public (Acceptance Accepts, StoredAs Stored)? InForce<TValues>(RegisterId id, TValues current) where TValues : IRegisterValues
    {
        if (Index.Find(id) is not { } register) return null;
        foreach (var conditional in register.When)
        {
            ulong controller;
            if (current.TryGet(conditional.Controller, out var known)) controller = known.Low;
            else if (Index.Find(conditional.Controller)?.Reset is { } reset) controller = reset.Low;
            else return (Acceptance.Unproven, StoredAs.Unchanged);
            var field = (int)(controller >> conditional.Shift) & ((1 << conditional.Width) - 1);
            if ((conditional.Values >> field & 1) == 0) continue;
            return conditional.Accepts is { } accepts ? (accepts, conditional.Stored) : null;
        }
        return (register.Accepts, register.Stored);
    }

    /// <summary>The VM of a configuration in the state in which this host creates it; null with the reason where it does not.</summary>
    public MachineState? Create(VmConfig config, out CreationRefusal? refusal)
    {
        refusal = Outside(config);
        if (refusal is not null) return null;
        var values = new CreatedValues(Own);
        foreach (var setting in config.Settings)
        {
            refusal = Write(setting, values, out _);
            if (refusal is not null) return null;
        }
        foreach (var promise in config.Expected)
        {
            if (!values.TryGet(promise.Id, out var own) || own == promise.Value) continue;
            refusal = Refused(promise.Id, promise.Value, RegisterText.Describe(promise.Id, own), 0);
            return null;
        }
        var gone = Dependents.Where(id => Own.Contains(id) && InForce(id, values) is null).ToHashSet();
        return Default with
        {
            Vm = Default.Vm with { Type = config.Type },
            Devices = config.Gic != GicKind.GicV3 ? [] : config.GicRevision is null ? _gic : ConfiguredGic.Devices(Profile, config.GicRevision),
            Vcpus = [Default.Vcpus[0] with { Registers = values.Over(Own, gone) }],
        };
    }

    /// <summary>The full values that a VMM writes here for a configuration, in order; what is not there, or is so anyway, is left out.</summary>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Refused"/>: the host does not take it.</exception>
    public List<Register> Writes(VmConfig config)
    {
        var values = new CreatedValues(Own);
        var writes = new List<Register>();
        foreach (var setting in config.Settings)
        {
            if (Write(setting, values, out var written) is { } refusal)
                throw new MigrateException(ErrorCode.Refused, $"{Name} does not create this VM: {refusal}") { Stage = Stage.Plan };
            if (written is { } value) writes.Add(new Register(setting.Id, value));
        }
        return writes;
    }

    private CreationRefusal? Outside(VmConfig config)
    {
        if (Profile.IpaSizes.Count > 0 && !Profile.IpaSizes.Contains(config.Type.IpaBits))
            return new CreationRefusal("IPA size", null, $"{config.Type.IpaBits} bits", $"at most {Profile.IpaSizes.Max()} bits", 22);
        if (config.Gic == GicKind.GicV3 && ConfiguredGic.Refusal(Profile, config.GicRevision) is { } controller) return controller;
        return config.CounterFrequency != 0 && Profile.CounterFrequency != 0 && config.CounterFrequency != Profile.CounterFrequency
            ? new CreationRefusal("CNTFRQ_EL0", null, $"{config.CounterFrequency} Hz", $"{Profile.CounterFrequency} Hz", 0) : null;
    }

    private CreationRefusal? Write(RegisterSetting setting, CreatedValues values, out RegisterValue? written)
    {
        written = null;
        var id = setting.Id;
        if (InForce(id, values) is null || !values.TryGet(id, out var own))
            return setting.Value.IsZero ? null : Refused(id, setting.Value, "no such register", 2);
        var wanted = setting.Apply(own);
        if (wanted == own) return null;
        var answer = Index.Predict(id, wanted, values);
        if (answer.Kind == AnswerKind.Unproven) return Refused(id, wanted, "not measured", 0);
        if (!answer.IsAccepted) return Refused(id, wanted, RegisterText.Describe(id, own), answer.Errno);
        if (answer.ReadsBack is { } reads && setting.Apply(reads) != reads)
            return Refused(id, wanted, $"reads back {RegisterText.Describe(id, reads)}", 0);
        values.Set(id, answer.ReadsBack ?? wanted);
        written = wanted;
        return null;
    }

    private static CreationRefusal Refused(RegisterId id, RegisterValue wanted, string there, int errno) =>
        new(RegisterCatalog.Name(id), id, RegisterText.Describe(id, wanted), there, errno);
}

/// <summary>The registers of a VM under creation: the host's own until they are written.</summary>
internal sealed class CreatedValues(RegisterSet own) : IRegisterValues
{
    private readonly Dictionary<RegisterId, RegisterValue> _written = [];

    public bool TryGet(RegisterId id, out RegisterValue value) => _written.TryGetValue(id, out value) || own.TryGet(id, out value);

    public void Set(RegisterId id, RegisterValue value) => _written[id] = value;

    public RegisterSet Over(RegisterSet set, HashSet<RegisterId> gone) => _written.Count == 0 && gone.Count == 0 ? set
        : new RegisterSet(set.Where(r => !gone.Contains(r.Id)).Select(r => _written.TryGetValue(r.Id, out var value) ? new Register(r.Id, value) : r));
}
