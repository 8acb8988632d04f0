using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Ports;
using Migrate.Model.Registers;

namespace Migrate.Model.Encoding.Definitions;

/// <summary>Every kind of step, one line each in <see cref="Step"/>, and the answers to them.</summary>
internal static class Steps
{
    public static Shape<RestoreStep> Step { get; } = new UnionShape<RestoreStep>("RestoreStep", "One primitive act on a fresh VM.")
        .With("create-vm", One<CreateVm, VmType>("CreateVm", "KVM_CREATE_VM.", "type", VmDescriptions.Type, s => s.Type, "The argument.", v => new(v)))
        .With("set-attribute", One<SetAttribute, VmAttribute>("SetAttribute", "Gives the VM an attribute of its description.",
            "attribute", VmDescriptions.Attribute, s => s.Attribute, "Which.", v => new(v)))
        .With("map-memory", One<MapMemory, MemorySlot>("MapMemory", "KVM_SET_USER_MEMORY_REGION over fresh memory.",
            "slot", VmDescriptions.Slot, s => s.Slot, "Which.", v => new(v)))
        .With("create-vcpu", CreateVcpu())
        .With("create-gic", One<CreateGic, GicDescription>("CreateGic", "Creates the interrupt controller.",
            "gic", VmDescriptions.Gic, s => s.Gic, "Which, and where.", v => new(v)))
        .With("finalize-sve", One<FinalizeSve, int>("FinalizeSve", "KVM_ARM_VCPU_FINALIZE(SVE).",
            "vcpu", Rules.VcpuIndex, s => s.Vcpu, "Which vCPU.", v => new(v)))
        .With("install-filter", One<InstallFilter, SmcccFilterRange>("InstallFilter", "Installs one range of the SMCCC filter.",
            "range", VmDescriptions.FilterRange, s => s.Range, "The range.", v => new(v)))
        .With("configure-pmu", One<ConfigurePmu, VmAttribute>("ConfigurePmu", "Gives the performance monitors what KVM does not give back.",
            "attribute", VmDescriptions.Attribute, s => s.Attribute, "Which.", v => new(v)))
        .With("write-register", WriteRegister())
        .With("leave-out", LeaveOut())
        .With("write-device", One<WriteDevice, DeviceState>("WriteDevice", "Writes one device's attributes in order.",
            "state", MachineStates.Device, s => s.Device, "The device and its attributes.", v => new(v), oneLine: false))
        .With("restore-handler", One<RestoreHandler, HandlerState>("RestoreHandler", "Gives a user-space handler its state.",
            "state", MachineStates.Handler, s => s.State, "The state.", v => new(v)))
        .With("set-counter-offset", One<SetCounterOffset, ulong>("SetCounterOffset",
            "KVM_ARM_SET_COUNTER_OFFSET, so that both counters of every vCPU go on from one value.",
            "guestCounter", Shapes.Hex64, s => s.GuestCounter, "What the guest's counters read as at this moment.", v => new(v)))
        .With("set-events", SetEvents())
        .With("set-mp-state", SetMpState());

    public static Shape<StepAnswer> StepAnswer { get; } = DefineStepAnswer();

    public static Shape<ReadAnswer> ReadAnswer { get; } = DefineReadAnswer();

    private static Shape<S> One<S, V>(
        string title, string description, string name, Shape<V> shape, Func<S, V> get, string memberDescription, Func<V, S> make, bool oneLine = true)
    {
        var r = new RecordShape<S>(title, description);
        if (oneLine) r.OneLine();
        var value = r.Required(name, shape, get, memberDescription);
        return r.Build(v => make(v.Get(value)));
    }

    private static Shape<CreateVcpu> CreateVcpu()
    {
        var r = new RecordShape<CreateVcpu>("CreateVcpu",
            "KVM_CREATE_VCPU and KVM_ARM_VCPU_INIT with the host's preferred target.").OneLine();
        var vcpu = r.Required("vcpu", Rules.VcpuIndex, s => s.Vcpu, "Its number.");
        var features = r.Required("features", VmDescriptions.Features, s => s.Features, "Its features.");
        return r.Build(v => new CreateVcpu(v.Get(vcpu), v.Get(features)));
    }

    private static Shape<WriteRegister> WriteRegister()
    {
        var r = new RecordShape<WriteRegister>("WriteRegister", "KVM_SET_ONE_REG.").OneLine();
        var vcpu = r.Required("vcpu", Rules.VcpuIndex, s => s.Vcpu, "Through which vCPU.");
        r.Hint("name", s => RegisterCatalog.Name(s.Id), Registers.NameDescription);
        var id = r.Required("id", Registers.Id, s => s.Id, "KVM's id.");
        var value = r.Required("value", Shapes.RegisterValue, s => s.Value, "What is written.");
        var readsBack = r.Optional("readsBack", Shapes.OptionalValue(Shapes.RegisterValue), s => s.ReadsBack, null,
            "What must be read back at the end; absent where no read-back proves anything.");
        var phase = r.Required("phase", Shapes.Enum<StepPhase>(), s => s.When, "prepare: before the first page; apply: after the stop.");
        var captured = r.Optional("captured", Shapes.OptionalValue(Shapes.RegisterValue), s => s.Captured, null,
            "The captured value where another is written.");
        var why = r.Optional("why", Shapes.Text, s => s.Why, "", "Why another value is written.");
        r.Rule(s => Rules.Size(s.Id, s.Value) ?? Rules.Size(s.Id, s.ReadsBack) ?? Rules.Size(s.Id, s.Captured));
        return r.Build(v => new WriteRegister(v.Get(vcpu), v.Get(id), v.Get(value), v.Get(readsBack), v.Get(phase), v.Get(captured), v.Get(why)));
    }

    private static Shape<LeaveOut> LeaveOut()
    {
        var r = new RecordShape<LeaveOut>("LeaveOut", "A captured register that is deliberately not written.").OneLine();
        var vcpu = r.Required("vcpu", Rules.VcpuIndex, s => s.Vcpu, "Of which vCPU.");
        r.Hint("name", s => RegisterCatalog.Name(s.Id), Registers.NameDescription);
        var id = r.Required("id", Registers.Id, s => s.Id, "KVM's id.");
        var captured = r.Required("captured", Shapes.RegisterValue, s => s.Captured, "Its captured value.");
        var why = r.Required("why", Shapes.Text, s => s.Why, "Why the guest cannot tell.");
        var phase = r.Required("phase", Shapes.Enum<StepPhase>(), s => s.When, "When it would have been written.");
        r.Rule(s => Rules.Size(s.Id, s.Captured));
        return r.Build(v => new LeaveOut(v.Get(vcpu), v.Get(id), v.Get(captured), v.Get(why), v.Get(phase)));
    }

    private static Shape<SetEvents> SetEvents()
    {
        var r = new RecordShape<SetEvents>("SetEvents", "KVM_SET_VCPU_EVENTS, after all registers.").OneLine();
        var vcpu = r.Required("vcpu", Rules.VcpuIndex, s => s.Vcpu, "Which vCPU.");
        var events = r.Required("events", MachineStates.Events, s => s.Events, "Its events.");
        return r.Build(v => new SetEvents(v.Get(vcpu), v.Get(events)));
    }

    private static Shape<SetMpState> SetMpState()
    {
        var r = new RecordShape<SetMpState>("SetMpState", "KVM_SET_MP_STATE, last.").OneLine();
        var vcpu = r.Required("vcpu", Rules.VcpuIndex, s => s.Vcpu, "Which vCPU.");
        var state = r.Required("state", Shapes.Enum<MpState>(), s => s.State, "Its power state.");
        return r.Build(v => new SetMpState(v.Get(vcpu), v.Get(state)));
    }

    private static Shape<StepAnswer> DefineStepAnswer()
    {
        var r = new RecordShape<StepAnswer>("StepAnswer", "What a target answered to a step.").OneLine();
        var errno = r.Required("errno", Rules.ErrnoOrZero, v => v.Errno, "0, or the positive errno.");
        var note = r.Optional("note", Shapes.Text, v => v.Note ?? "", "", "More words where errno alone does not say it.");
        return r.Build(v => new StepAnswer(v.Get(errno), v.Get(note)));
    }

    private static Shape<ReadAnswer> DefineReadAnswer()
    {
        var r = new RecordShape<ReadAnswer>("ReadAnswer", "What reading a register gave.").OneLine();
        var errno = r.Required("errno", Rules.ErrnoOrZero, v => v.Errno, "0, or the positive errno.");
        var value = r.Optional("value", Shapes.OptionalValue(Shapes.RegisterValue), v => v.Value, null,
            "The value; absent when it could not be read.");
        r.Rule(v => v.Errno == 0 == v.Value.HasValue ? null : "a value goes with errno 0, and only with it");
        return r.Build(v => new ReadAnswer(v.Get(errno), v.Get(value)));
    }
}
