using Migrate.Model;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Ports;
using Migrate.Model.Registers;

namespace Migrate.Simulation.Hosts;

/// <summary>One VM of a <see cref="SimulatedHost"/>: answers every restore step with the errno that KVM would give. Used from one thread at a time.</summary>
public sealed class SimulatedTarget : IScratchTarget
{
    internal const int MaximumVcpus = 512;

    private static readonly RegisterId VectorLengths = RegisterId.Of(RegisterClass.Sve, 0xffff, 64);
    private static readonly VcpuFeatures KnownFeatures = new(VcpuFeatures.Known.Aggregate(0UL, (bits, f) => bits | 1UL << f.Bit));

    private readonly HostProfile _profile;
    private readonly RegisterStore _registers;
    private readonly MemorySlotRules _memory;
    private readonly SmcccFilterRules _filter = new();
    private readonly SortedDictionary<int, Vcpu> _vcpus = [];
    private readonly List<WriteDevice> _devices = [];
    private readonly List<HandlerState> _handlers = [];
    private VmType? _type;
    private VcpuFeatures _features;
    private GicDescription _gic;
    private bool _hasRun;

    internal SimulatedTarget(HostProfile profile)
    {
        _profile = profile;
        _registers = new RegisterStore(profile.CounterFrequency);
        _memory = new MemorySlotRules(PageSizeOf(profile));
    }

    /// <summary>Gives a slot its memory once it is validated; a refusal is the step's answer. None: a slot has no memory behind it.</summary>
    internal Func<MemorySlot, StepAnswer>? OnMap { get; init; }

    internal HostProfile Profile => _profile;

    internal VmType? Type => _type;

    internal IReadOnlyList<MemorySlot> Slots => _memory.Slots;

    internal GicDescription Gic => _gic;

    internal VcpuFeatures Features => _features;

    internal int VcpuCount => _vcpus.Count;

    /// <summary>The numbers of the vCPUs.</summary>
    internal IEnumerable<int> Vcpus => _vcpus.Keys;

    internal MpState PowerOf(int vcpu) => _vcpus[vcpu].Power;

    /// <summary>Bytes of a page of a host; 4096 where the profile does not know.</summary>
    internal static int PageSizeOf(HostProfile profile) => profile.Boot.PageSize == 0 ? 4096 : profile.Boot.PageSize;

    /// <inheritdoc/>
    /// <remarks>The state of devices: a simulated host keeps it and understands nothing of it.</remarks>
    public IReadOnlyList<UntriedPart> Untried =>
        [.. _devices.Select(d => new UntriedPart(d, d.Device.Kind, "a simulated host keeps a device's state without judging it"))];

    /// <summary>Nothing of a scratch VM is left: a simulated one has no memory and no descriptor.</summary>
    public void Dispose()
    {
    }

    /// <summary>KVM_RUN on one vCPU: what is frozen at first run is frozen from here on.</summary>
    /// <returns>ENOEXEC without such a vCPU, EPERM before KVM_ARM_VCPU_FINALIZE(SVE).</returns>
    public StepAnswer Run(int vcpu)
    {
        if (!_vcpus.TryGetValue(vcpu, out var state)) return NoVcpu(vcpu);
        if (NeedsFinalize(state)) return new(Errno.EPERM, "SVE is not finalized");
        _hasRun = true;
        return StepAnswer.Ok;
    }

    /// <inheritdoc/>
    public IReadOnlyList<StepAnswer> Execute(IReadOnlyList<RestoreStep> steps)
    {
        var answers = new StepAnswer[steps.Count];
        for (var i = 0; i < answers.Length; i++) answers[i] = Execute(steps[i]);
        return answers;
    }

    /// <inheritdoc/>
    public IReadOnlyList<ReadAnswer> Read(IReadOnlyList<RegisterAddress> registers)
    {
        var answers = new ReadAnswer[registers.Count];
        for (var i = 0; i < answers.Length; i++)
        {
            var (vcpu, id) = registers[i];
            if (!_vcpus.TryGetValue(vcpu, out var state)) answers[i] = new(Errno.ENOEXEC, null);
            else if (IsEarlySve(id) && NeedsFinalize(state)) answers[i] = new(Errno.EPERM, null);
            else answers[i] = _registers.Read(vcpu, id);
        }
        return answers;
    }

    /// <summary>Everything of a vCPU; the registers in list order.</summary>
    internal VcpuState Capture(int vcpu)
    {
        var unreadable = new List<UnreadableRegister>();
        return new VcpuState
        {
            Index = vcpu,
            Registers = new RegisterSet(_registers.List(vcpu, unreadable)),
            MpState = _vcpus[vcpu].Power,
            Events = _vcpus[vcpu].Events,
            Unreadable = unreadable.ToEquatableArray(),
        };
    }

    internal EquatableArray<DeviceState> Devices => _devices.Select(d => d.Device).ToEquatableArray();

    internal EquatableArray<HandlerState> Handlers => _handlers.ToEquatableArray();

    private StepAnswer Execute(RestoreStep step) => step switch
    {
        CreateVm create => Create(create.Type),
        _ when _type is null => new(Errno.EINVAL, "there is no VM yet"),
        SetAttribute set => Set(set.Attribute),
        MapMemory map => Map(map.Slot),
        CreateVcpu create => CreateVcpu(create.Vcpu, create.Features),
        CreateGic create => CreateGic(create.Gic),
        FinalizeSve finalize => Finalize(finalize.Vcpu),
        InstallFilter install => _filter.Install(install.Range, _profile.HasSmcccFilter, _hasRun),
        ConfigurePmu configure => Configure(configure.Attribute),
        WriteRegister write => Write(write),
        LeaveOut => StepAnswer.Ok,
        WriteDevice write => Write(write),
        RestoreHandler restore => Restore(restore.State),
        SetCounterOffset set => SetOffset(set.GuestCounter),
        SetEvents set => Set(set.Vcpu, set.Events),
        SetMpState set => Set(set.Vcpu, set.State),
        _ => new(Errno.EINVAL, $"no such step: {step.GetType().Name}"),
    };

    private StepAnswer Create(VmType type)
    {
        if (_type is not null) return new(Errno.EEXIST, "the VM exists");
        // kvm_init_ipa_range: bits 7:0 are the size; of the others only bit 31 means anything, and only under pKVM.
        if ((type.Raw & ~(0xffUL | 1UL << 31)) != 0) return new(Errno.EINVAL, $"unknown bits in the VM type 0x{type.Raw:x}");
        if (type.IsProtected && _profile.Boot.KvmMode != "protected") return new(Errno.EINVAL, "the host has no protected VMs");
        if (type.IpaBits is < 32 or > 52 || (_profile.IpaSizes.Count != 0 && !_profile.IpaSizes.Contains(type.IpaBits)))
            return new(Errno.EINVAL, $"{type.IpaBits} address bits");
        _type = type;
        return StepAnswer.Ok;
    }

    private StepAnswer Set(VmAttribute attribute)
    {
        var isCapability = attribute.Name.StartsWith("cap.", StringComparison.Ordinal);
        if (!_profile.KnownAttributes.Contains(attribute.Name) && !(isCapability && Capability(attribute.Name[4..]) > 0))
            return new(Errno.EINVAL, $"attribute {attribute.Name} is not known here");
        // kvm_vm_ioctl_enable_cap: MTE and writable implementation ids only while there is no vCPU.
        if (isCapability && _vcpus.Count != 0) return new(Errno.EINVAL, "capabilities come before the first vCPU");
        return StepAnswer.Ok;
    }

    // kvm_arm_pmu_v3_set_attr; an attribute that the kernel does not have is ENXIO.
    private StepAnswer Configure(VmAttribute attribute)
    {
        if (_vcpus.Count == 0) return new(Errno.ENOEXEC, "there is no vCPU");
        if (!_features.Has(VcpuFeatures.PmuV3)) return new(Errno.ENODEV, "the vCPUs have no PMU");
        if (VmAttributes.Problem(attribute) is { } problem) return new(Errno.EINVAL, problem);
        var (needs, isThere) = attribute.Name switch
        {
            VmAttributes.PmuName => ("vcpu-attr.pmu-set-pmu", Capability("pmu." + VmAttributes.TextOf(attribute)) > 0),
            VmAttributes.PmuCounters => ("vcpu-attr.pmu-set-counters", true),
            VmAttributes.PmuFilter => ("vcpu-attr.pmu-filter", true),
            _ => ("", false),
        };
        if (Capability(needs) <= 0 || !isThere) return new(Errno.ENXIO, $"the host has no {attribute.Name} {VmAttributes.Describe(attribute)}");
        return _hasRun ? new(Errno.EBUSY, "a vCPU has run") : StepAnswer.Ok;
    }

    // kvm_vm_ioctl_set_counter_offset; a kernel without it answers EINVAL to the unknown ioctl (kvm_arch_vm_ioctl).
    private StepAnswer SetOffset(ulong guestCounter)
    {
        if (Capability(VmAttributes.CounterOffset) == 0) return new(Errno.EINVAL, "the host has no counter offset");
        if (_vcpus.Count == 0) return new(Errno.ENOEXEC, "there is no vCPU to read the host's counter through");
        _registers.OffsetCounters(guestCounter);
        return StepAnswer.Ok;
    }

    private StepAnswer Map(MemorySlot slot)
    {
        var answer = _memory.Check(slot, _type!.Value);
        if (answer.Succeeded && OnMap is not null) answer = OnMap(slot);
        if (answer.Succeeded) _memory.Add(slot);
        return answer;
    }

    private StepAnswer CreateVcpu(int vcpu, VcpuFeatures features)
    {
        if (vcpu is < 0 or >= MaximumVcpus) return new(Errno.EINVAL, $"vCPU numbers end at {MaximumVcpus - 1}");
        if (_vcpus.ContainsKey(vcpu)) return new(Errno.EEXIST, $"vCPU {vcpu} exists");
        // kvm_arch_vcpu_precreate: none once the interrupt controller is initialised, which writing its state implies.
        if (_devices.Count != 0) return new(Errno.EBUSY, "the interrupt controller is initialised");
        if (features.Except(KnownFeatures).Bits != 0) return new(Errno.ENOENT, $"unknown features: {features.Except(KnownFeatures)}");
        if (_vcpus.Count != 0 && features.Shape != _features) return new(Errno.EINVAL, $"the VM's vCPUs have {_features}");
        if (_profile.Shape(features, _gic.Kind) is not { } shape) return new(Errno.EINVAL, $"the profile has no shape {features.Shape}");
        if (shape.Errno != 0 && shape.RefusedAt != "finalize") return new(shape.Errno, shape.RefusedAt);
        _features = features.Shape;
        _registers.Shape ??= new ShapeIndex(shape);
        _registers.AddVcpu(vcpu);
        _vcpus.Add(vcpu, new Vcpu { Power = features.Has(VcpuFeatures.PowerOff) ? MpState.Stopped : MpState.Runnable });
        return StepAnswer.Ok;
    }

    private StepAnswer CreateGic(GicDescription gic)
    {
        if (_gic.Kind != GicKind.None) return new(Errno.EEXIST, "there is an interrupt controller");
        if (_hasRun) return new(Errno.EBUSY, "a vCPU has run");
        var answer = GicRules.Check(gic, _type!.Value);
        if (!answer.Succeeded) return answer;
        if (_vcpus.Count != 0 && _profile.Shape(_features, gic.Kind) is { } shape && shape != _registers.Shape!.Shape)
        {
            if (shape.Errno != 0) return new(shape.Errno, shape.RefusedAt);
            _registers.Shape = new ShapeIndex(shape);
        }
        _gic = gic;
        return StepAnswer.Ok;
    }

    private StepAnswer Finalize(int vcpu)
    {
        if (!_vcpus.TryGetValue(vcpu, out var state)) return NoVcpu(vcpu);
        if (!_features.Has(VcpuFeatures.Sve)) return new(Errno.EINVAL, "the vCPU has no SVE");
        if (state.IsFinalized) return new(Errno.EPERM, "finalized before");
        if (_registers.Shape!.Shape is { Errno: not 0 and var errno }) return new(errno, "finalize");
        state.IsFinalized = true;
        return StepAnswer.Ok;
    }

    private StepAnswer Write(WriteRegister write)
    {
        if (!_vcpus.TryGetValue(write.Vcpu, out var state)) return NoVcpu(write.Vcpu);
        // Without SVE the shape does not list the register, and the answer is ENOENT.
        if (write.Id == VectorLengths && state.IsFinalized) return new(Errno.EPERM, "SVE is finalized");
        if (IsEarlySve(write.Id) && NeedsFinalize(state)) return new(Errno.EPERM, "SVE is not finalized");
        return _registers.Write(write.Vcpu, write.Id, write.Value, _hasRun);
    }

    private StepAnswer Write(WriteDevice step)
    {
        var present = step.Device.Kind switch
        {
            "vcpu" => _vcpus.Count != 0,
            "gicv3" => _gic.Kind == GicKind.GicV3,
            "gicv2" => _gic.Kind == GicKind.GicV2,
            "its" => _gic.Kind == GicKind.GicV3 && _gic.Its != 0,
            _ => false,
        };
        if (!present) return new(Errno.ENODEV, $"the VM has no {step.Device.Kind}");
        if (step.Device.Kind == "gicv3" && GicV3Rules.Refused(_profile, step.Device) is { } refused) return new(Errno.EINVAL, refused);
        _devices.Add(step);
        return StepAnswer.Ok;
    }

    private StepAnswer Restore(HandlerState state)
    {
        if (!_profile.Handlers.Contains(state.Handler)) return new(Errno.ENOENT, $"no handler {state.Handler} here");
        if (state.Version < 1) return new(Errno.EINVAL, $"handler state of version {state.Version}");
        _handlers.RemoveAll(h => h.Handler == state.Handler);
        _handlers.Add(state);
        return StepAnswer.Ok;
    }

    private StepAnswer Set(int vcpu, VcpuEvents events)
    {
        if (!_vcpus.TryGetValue(vcpu, out var state)) return NoVcpu(vcpu);
        // __kvm_arm_vcpu_set_events: a syndrome needs RAS and has no more than the 25 bits of ISS.
        if (events.SErrorPending && events.SErrorHasEsr && (events.SErrorEsr >> 25 != 0 || Capability("arm-inject-serror-esr") == 0))
            return new(Errno.EINVAL, $"the SError syndrome 0x{events.SErrorEsr:x}");
        state.Events = events;
        return StepAnswer.Ok;
    }

    private StepAnswer Set(int vcpu, MpState power)
    {
        if (!_vcpus.TryGetValue(vcpu, out var state)) return NoVcpu(vcpu);
        if (!Enum.IsDefined(power) || (power == MpState.Suspended && Capability("arm-system-suspend") == 0))
            return new(Errno.EINVAL, $"power state {(int)power}");
        state.Power = power;
        return StepAnswer.Ok;
    }

    private static bool IsEarlySve(RegisterId id) => id.Class == RegisterClass.Sve && id != VectorLengths;

    private bool NeedsFinalize(Vcpu state) => _features.Has(VcpuFeatures.Sve) && !state.IsFinalized;

    private static StepAnswer NoVcpu(int vcpu) => new(Errno.ENOEXEC, $"there is no vCPU {vcpu}");

    /// <summary>What KVM_CHECK_EXTENSION returned; -1 where the profile does not say.</summary>
    private long Capability(string name) => _profile.Capability(name) ?? -1;

    private sealed class Vcpu
    {
        public bool IsFinalized { get; set; }

        public MpState Power { get; set; }

        public VcpuEvents Events { get; set; }
    }
}
