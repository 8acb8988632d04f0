using Migrate.Kvm.Native;
using Migrate.Model.Machines;

namespace Migrate.Kvm.Handles;

/// <summary>A virtual machine. Closing it frees it once its vCPUs and devices are closed too.</summary>
public sealed unsafe class KvmVm : KvmHandle
{
    private readonly int _runBytes;

    internal KvmVm(int descriptor, KvmSystem system)
        : base(descriptor, "VM", system.Count) => _runBytes = system.RunBytes;

    /// <summary>What it was told and does not give back.</summary>
    internal VmRecord Record { get; } = new();

    /// <summary>KVM_CHECK_EXTENSION on the VM: what it can do; 0 for what it does not know.</summary>
    public int CheckExtension(Capability capability) => Math.Max(0, Call(Ioctls.CheckExtension, (nint)capability));

    /// <summary>KVM_ENABLE_CAP.</summary>
    /// <param name="capability">Which.</param>
    /// <param name="argument">args[0].</param>
    /// <returns>0 or a positive errno.</returns>
    public int TryEnable(Capability capability, ulong argument = 0)
    {
        var request = new EnableCap { Capability = (uint)capability, Argument = argument };
        var errno = Errno(Call(Ioctls.EnableCapability, &request));
        if (errno == 0) Record.Enabled(capability, argument);
        return errno;
    }

    /// <summary>KVM_SET_USER_MEMORY_REGION.</summary>
    /// <param name="slot">Number, place and size; a size of 0 takes the slot away.</param>
    /// <param name="memory">The memory behind it, which stays mapped for as long as the slot is there.</param>
    /// <param name="logsDirtyPages">Whether KVM writes down which of its pages are written; a slot that is there already starts or stops to.</param>
    /// <returns>0 or a positive errno.</returns>
    public int TrySetMemory(MemorySlot slot, void* memory, bool logsDirtyPages = false)
    {
        var request = new UserspaceMemoryRegion
        {
            Slot = (uint)slot.Slot,
            Flags = (slot.ReadOnly ? MemoryFlags.ReadOnly : 0) | (logsDirtyPages ? MemoryFlags.LogDirtyPages : 0),
            GuestAddress = slot.GuestAddress,
            Size = slot.Size,
            HostAddress = (ulong)memory,
        };
        return Errno(Call(Ioctls.SetUserMemoryRegion, &request));
    }

    /// <summary>KVM_GET_DIRTY_LOG. Clears what it gives, unless KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 is enabled: then <see cref="TryClearDirtyLog"/> does.</summary>
    /// <param name="slot">Of which slot.</param>
    /// <param name="bitmap">Overwritten: a bit a page of the host, bit 0 of word 0 for the first; as many words as hold the slot's pages.</param>
    /// <returns>0 or a positive errno; ENOENT: the slot does not log.</returns>
    public int TryGetDirtyLog(int slot, Span<ulong> bitmap)
    {
        fixed (ulong* address = bitmap)
        {
            var request = new DirtyLog { Slot = (uint)slot, Address = (ulong)address };
            return Errno(Call(Ioctls.GetDirtyLog, &request));
        }
    }

    /// <summary>KVM_CLEAR_DIRTY_LOG: the pages of the bitmap count as clean, and are protected against writing again.</summary>
    /// <param name="slot">Of which slot.</param>
    /// <param name="pages">How many pages the slot has.</param>
    /// <param name="bitmap">What <see cref="TryGetDirtyLog"/> gave.</param>
    /// <returns>0 or a positive errno.</returns>
    public int TryClearDirtyLog(int slot, uint pages, ReadOnlySpan<ulong> bitmap)
    {
        fixed (ulong* address = bitmap)
        {
            var request = new ClearDirtyLog { Slot = (uint)slot, Pages = pages, Address = (ulong)address };
            return Errno(Call(Ioctls.ClearDirtyLog, &request));
        }
    }

    /// <summary>KVM_CREATE_VCPU.</summary>
    /// <param name="index">Its number.</param>
    /// <param name="vcpu">The vCPU; null when refused.</param>
    /// <returns>0 or a positive errno.</returns>
    /// <exception cref="Linux.LinuxException">Its shared memory cannot be mapped.</exception>
    public int TryCreateVcpu(int index, out KvmVcpu? vcpu)
    {
        var answer = Call(Ioctls.CreateVcpu, index);
        vcpu = answer < 0 ? null : new KvmVcpu(answer, index, _runBytes, this);
        return Errno(answer);
    }

    /// <summary>KVM_CREATE_VCPU, where a refusal is an error.</summary>
    /// <exception cref="KvmException">KVM refused.</exception>
    public KvmVcpu CreateVcpu(int index)
    {
        var errno = TryCreateVcpu(index, out var vcpu);
        return vcpu ?? throw new KvmException(Ioctls.CreateVcpu.Name, errno, $"vCPU {index}");
    }

    /// <summary>KVM_ARM_PREFERRED_TARGET: the only target that KVM_ARM_VCPU_INIT takes on every host.</summary>
    /// <exception cref="KvmException">KVM refused (ENODEV: the CPU has none).</exception>
    public uint PreferredTarget()
    {
        VcpuInit answer;
        Check(Errno(Call(Ioctls.PreferredTarget, &answer)), Ioctls.PreferredTarget, Subject);
        return answer.Target;
    }

    /// <summary>KVM_CREATE_DEVICE.</summary>
    /// <param name="kind">Which.</param>
    /// <param name="device">The device; null when refused.</param>
    /// <returns>0 or a positive errno; ENODEV where the kernel has no such device.</returns>
    public int TryCreateDevice(DeviceKind kind, out KvmDevice? device)
    {
        var request = new CreateDevice { Type = (uint)kind, Descriptor = -1 };
        var errno = Errno(Call(Ioctls.CreateDevice, &request));
        device = errno == 0 ? new KvmDevice(request.Descriptor, kind, Count) : null;
        if (errno == 0) Record.Created(kind);
        return errno;
    }

    /// <summary>KVM_CREATE_DEVICE, where a refusal is an error.</summary>
    /// <exception cref="KvmException">KVM refused.</exception>
    public KvmDevice CreateDevice(DeviceKind kind)
    {
        var errno = TryCreateDevice(kind, out var device);
        return device ?? throw new KvmException(Ioctls.CreateDevice.Name, errno, kind.ToString());
    }

    /// <summary>KVM_CREATE_DEVICE with KVM_CREATE_DEVICE_TEST: whether the kernel has such a device; makes none.</summary>
    /// <returns>0 or a positive errno.</returns>
    public int TestDevice(DeviceKind kind)
    {
        var request = new CreateDevice { Type = (uint)kind, Descriptor = -1, Flags = 1 };
        return Errno(Call(Ioctls.CreateDevice, &request));
    }

    /// <summary>Installs one range of the SMCCC filter (KVM_ARM_VM_SMCCC_CTRL).</summary>
    /// <returns>0 or a positive errno; ENXIO or EINVAL where the kernel has no filter: <see cref="KvmHandle.HasAttribute"/> tells.</returns>
    public int TryInstallFilter(SmcccFilterRange range)
    {
        var filter = new SmcccFilter { Base = range.Base, Count = range.Count, Action = (byte)range.Action };
        return TrySetAttribute(VmControl.SmcccControl, VmControl.SmcccFilter, new ReadOnlySpan<byte>(&filter, SmcccFilter.Bytes));
    }

    /// <summary>KVM_IRQ_LINE of a shared interrupt.</summary>
    /// <param name="intid">From 32.</param>
    /// <param name="high">The level.</param>
    /// <returns>0 or a positive errno.</returns>
    public int TrySetSharedInterrupt(int intid, bool high)
    {
        var request = new IrqLevel { Irq = IrqField.TypeShared | (uint)intid, Level = high ? 1u : 0 };
        return Errno(Call(Ioctls.IrqLine, &request));
    }

    /// <summary>KVM_IRQ_LINE of a private interrupt.</summary>
    /// <param name="vcpu">Of which vCPU, below 256.</param>
    /// <param name="intid">16 to 31.</param>
    /// <param name="high">The level.</param>
    /// <returns>0 or a positive errno.</returns>
    public int TrySetPrivateInterrupt(int vcpu, int intid, bool high)
    {
        var request = new IrqLevel { Irq = IrqField.TypePrivate | (uint)vcpu << IrqField.VcpuShift | (uint)intid, Level = high ? 1u : 0 };
        return Errno(Call(Ioctls.IrqLine, &request));
    }

    /// <summary>KVM_ARM_SET_COUNTER_OFFSET: subtracted from the host's counters; afterwards writes of the counter registers are ignored.</summary>
    /// <returns>0 or a positive errno: EBUSY while a vCPU is in an ioctl.</returns>
    public int TrySetCounterOffset(ulong offset)
    {
        var request = new CounterOffset { Offset = offset };
        var errno = Errno(Call(Ioctls.SetCounterOffset, &request));
        if (errno == 0) Record.CounterOffsetSet();
        return errno;
    }

    /// <summary>KVM_ARM_GET_REG_WRITABLE_MASKS of the feature identification range.</summary>
    /// <param name="masks">192 masks, indexed by op1 (0, 1, 3), CRm and op2.</param>
    /// <returns>0 or a positive errno.</returns>
    public int TryGetWritableMasks(Span<ulong> masks)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(masks.Length, RegisterMaskRange.Masks);
        fixed (ulong* address = masks)
        {
            var request = new RegisterMaskRange { Address = (ulong)address };
            return Errno(Call(Ioctls.GetRegisterWritableMasks, &request));
        }
    }

    private protected override void WasSet(uint group, ulong attribute, ReadOnlySpan<byte> value) => Record.VmAttributeSet(group, attribute, value);
}
