using Migrate.Kvm.Handles;
using Migrate.Kvm.Native;
using Migrate.Kvm.Vmm;
using Migrate.Linux;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Ports;

namespace Migrate.Kvm.State;

/// <summary>Whose a VM is that a plan builds.</summary>
/// <param name="Name">For people.</param>
/// <param name="Id">Kept across moves: 32 lowercase hexadecimal digits.</param>
public sealed record KvmIdentity(string Name, string Id);

/// <summary>Executes a plan on a real VM of this host. Its memory is fresh: it takes address space and nothing else.</summary>
/// <remarks>Used from one thread at a time. A refusal is an answer; only a broken host is an exception.</remarks>
public sealed unsafe class KvmTarget : IScratchTarget
{
    private readonly KvmSystem _system;
    private readonly bool _isScratch;
    private readonly KvmIdentity? _identity;
    private readonly List<UntriedPart> _untried = [];
    private KvmMachine? _machine;

    /// <summary>A VM that does not exist yet.</summary>
    /// <param name="system">Where it is to be; outlives the target.</param>
    /// <param name="isScratch">Whether its memory stays empty: then nothing is done that would take what is in it for the guest's.</param>
    public KvmTarget(KvmSystem system, bool isScratch = false) => (_system, _isScratch) = (system, isScratch);

    /// <summary>A VM that does not exist yet and is to live: its memory can be handed to others by descriptor.</summary>
    /// <param name="system">Where it is to be; outlives the target.</param>
    /// <param name="identity">Whose it is.</param>
    public KvmTarget(KvmSystem system, KvmIdentity identity) => (_system, _identity) = (system, identity);

    /// <summary>Names of VM attributes that a plan for this target may carry.</summary>
    public static IReadOnlyList<string> KnownAttributes { get; } = [.. AttributeTable.All.Select(a => a.Name)];

    /// <summary>Those of them that a VM of this VMM can live with.</summary>
    public static IReadOnlyList<string> ServedAttributes { get; } = [.. AttributeTable.All.Where(a => a.IsServed).Select(a => a.Name)];

    /// <summary>Names of the handlers that machines of this VMM have or can have.</summary>
    public static IReadOnlyList<string> KnownHandlers { get; } = [.. HandlerTable.All.Select(kind => kind.Name)];

    /// <summary>What was built so far; null before the VM is there.</summary>
    public KvmMachine? Machine => _machine;

    /// <inheritdoc/>
    /// <remarks>Nothing where the guest's memory is there.</remarks>
    public IReadOnlyList<UntriedPart> Untried => _untried;

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
            if (_machine is null || !_machine.Vcpus.TryGetValue(vcpu, out var handle)) answers[i] = new(KvmErrno.ENOEXEC, null);
            else answers[i] = handle.TryGet(id, out var value) is var errno and not 0 ? new(errno, null) : new(0, value);
        }
        return answers;
    }

    /// <summary>Throws the VM away.</summary>
    public void Dispose() => _machine?.Dispose();

    /// <summary>Takes the VM, which then is the caller's to close.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public KvmMachine Take()
    {
        var machine = _machine ?? throw new InvalidOperationException("no VM was built");
        _machine = null;
        return machine;
    }

    internal StepAnswer Do(CreateVm step)
    {
        if (_machine is not null) return new(KvmErrno.EEXIST, "the VM exists");
        var errno = _system.TryCreateVm(step.Type.Raw, out var vm);
        if (vm is not null) _machine = _identity is null ? new KvmMachine(vm, step.Type) : new KvmMachine(vm, step.Type) { Name = _identity.Name, Id = _identity.Id };
        return new(errno);
    }

    internal StepAnswer Do(SetAttribute step) => Give(step.Attribute, typeof(SetAttribute));

    internal StepAnswer Do(ConfigurePmu step) => Give(step.Attribute, typeof(ConfigurePmu));

    internal StepAnswer Do(SetCounterOffset step) => AttributeTable.OffsetCounters(_machine!, step.GuestCounter);

    internal StepAnswer Do(MapMemory step)
    {
        var slot = step.Slot;
        if (slot.Slot < 0 || slot.Size is 0 or > long.MaxValue) return new(KvmErrno.EINVAL, $"slot {slot.Slot} of {slot.Size} bytes");
        SlotMemory memory;
        try
        {
            memory = _identity is null ? SlotMemory.Untouched(slot) : SlotMemory.Shared(slot);
        }
        catch (LinuxException e)
        {
            return new(e.Errno, e.Message);
        }
        var errno = _machine!.Vm.TrySetMemory(slot, memory.Region.Pointer);
        if (errno == 0) _machine.Add(memory);
        else memory.Dispose();
        return new(errno);
    }

    internal StepAnswer Do(CreateVcpu step)
    {
        if (_machine!.Vcpus.ContainsKey(step.Vcpu)) return new(KvmErrno.EEXIST, $"vCPU {step.Vcpu} exists");
        var errno = _machine.Vm.TryCreateVcpu(step.Vcpu, out var vcpu);
        if (vcpu is null) return new(errno, "KVM_CREATE_VCPU");
        // Never the target of the source: kernels before 6.7 take their own CPU's and no other (kvm_vcpu_set_target).
        errno = vcpu.TryInitialise(_machine.Vm.PreferredTarget(), step.Features);
        _machine.Add(vcpu);
        if (errno == 0) _machine.Features = step.Features.Shape;
        return new(errno, errno == 0 ? "" : $"KVM_ARM_VCPU_INIT with {step.Features}");
    }

    internal StepAnswer Do(FinalizeSve step) => With(step.Vcpu, vcpu => new(vcpu.TryFinalizeSve()));

    internal StepAnswer Do(CreateGic step) => GicCreation.Create(_machine!, step.Gic);

    internal StepAnswer Do(InstallFilter step)
    {
        var errno = _machine!.Vm.TryInstallFilter(step.Range);
        // A kernel without device attributes on VMs answers EINVAL (seen on 6.1), one without this attribute ENXIO.
        var absent = errno != 0 && _machine.Vm.HasAttribute(VmControl.SmcccControl, VmControl.SmcccFilter) != 0;
        return new(errno, absent ? "this kernel has no SMCCC filter" : "");
    }

    internal StepAnswer Do(WriteRegister step) => With(step.Vcpu, vcpu => new(vcpu.TrySet(step.Id, step.Value)));

    internal StepAnswer Do(WriteDevice step)
    {
        foreach (var attribute in step.Device.Attributes)
        {
            if (attribute.Value.Size > KvmHandle.LargestAttribute)
                return new(KvmErrno.EINVAL, $"an attribute of {attribute.Value.Size} bytes");
            var (device, number) = Find(step.Device.Kind, attribute.Attribute);
            if (device is null) return new(KvmErrno.ENODEV, $"the VM has no {step.Device.Kind}");
            if (_isScratch && !IsTriable(step, attribute)) continue;
            var errno = device.TrySetAttribute(attribute.Group, number, attribute.Value.ToArray());
            if (errno != 0)
                return new(errno, $"{device.Subject} group {attribute.Group} attribute 0x{number:x} = {attribute.Value.ToShortString()}");
        }
        return StepAnswer.Ok;
    }

    internal StepAnswer Do(RestoreHandler step)
    {
        if (HandlerTable.Find(step.State.Handler) is null) return new(KvmErrno.ENOENT, $"no handler {step.State.Handler} here");
        return _machine!.Handlers.Restore(step.State) is { } problem ? new(KvmErrno.EINVAL, problem) : StepAnswer.Ok;
    }

    internal StepAnswer Do(SetEvents step) => With(step.Vcpu, vcpu => new(vcpu.TrySetEvents(step.Events)));

    internal StepAnswer Do(SetMpState step) => With(step.Vcpu, vcpu => new(vcpu.TrySetMpState(step.State)));

    private StepAnswer Execute(RestoreStep step)
    {
        if (StateTable.Of(step) is not { } part) return step is LeaveOut ? StepAnswer.Ok : new(KvmErrno.EINVAL, $"no such step: {step.GetType().Name}");
        if (_machine is null && step is not CreateVm) return new(KvmErrno.EINVAL, "there is no VM yet");
        return part.Restore(this, step);
    }

    /// <summary>Whether a scratch VM may do it. A command is nothing but what it reads; a register that reads on top of being written is written.</summary>
    private bool IsTriable(WriteDevice step, DeviceAttribute attribute)
    {
        if (StateTable.ReadingBlock(step.Device.Kind, attribute) is not { } block) return true;
        var isCommand = block.Use == AttributeUse.Command;
        var part = new UntriedPart(step, $"{step.Device.Kind} {block.Name}", isCommand
            ? $"needs the guest's memory: it reads the {block.Reads} there"
            : $"written, but needs the guest's memory to mean anything: it reads the {block.Reads} there");
        // Of every vCPU the same.
        if (!_untried.Contains(part)) _untried.Add(part);
        return !isCommand;
    }

    private StepAnswer Give(VmAttribute attribute, Type step)
    {
        if (AttributeTable.Find(attribute.Name, step) is not { } part) return new(KvmErrno.EINVAL, $"attribute {attribute.Name} is not known here");
        return VmAttributes.Problem(attribute) is { } problem ? new(KvmErrno.EINVAL, problem) : part.Restore(_machine!, attribute);
    }

    private (KvmHandle? Device, ulong Attribute) Find(string kind, ulong attribute) => kind switch
    {
        "gicv3" when _machine!.GicDescription.Kind == GicKind.GicV3 => (_machine.Gic, attribute),
        "its" => (_machine!.Its, attribute),
        "vcpu" => (_machine!.Vcpus.GetValueOrDefault(VcpuAttributeTable.VcpuOf(attribute)), VcpuAttributeTable.AttributeOf(attribute)),
        _ => (null, attribute),
    };

    private StepAnswer With(int vcpu, Func<KvmVcpu, StepAnswer> act) =>
        _machine!.Vcpus.TryGetValue(vcpu, out var handle) ? act(handle) : new(KvmErrno.ENOEXEC, $"there is no vCPU {vcpu}");
}
