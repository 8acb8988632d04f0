using Migrate.Kvm.Native;
using Migrate.Linux;
using Migrate.Linux.Memory;
using Migrate.Model.Errors;
using Migrate.Model.Machines;
using Migrate.Model.Registers;

namespace Migrate.Kvm.Handles;

/// <summary>A vCPU.</summary>
public sealed unsafe class KvmVcpu : KvmHandle
{
    /// <summary>KVM_ARM_VCPU_FINALIZE's feature: the bit number in KVM_ARM_VCPU_INIT.</summary>
    private const int SveFeature = 4;

    /// <summary>More registers than a kernel of today lists by an order of magnitude (about 400 with SVE).</summary>
    private const int MostRegisters = 8192;

    private readonly VmRecord _record;

    internal KvmVcpu(int descriptor, int index, int runBytes, KvmVm vm)
        : base(descriptor, $"vCPU {index}", vm.Count)
    {
        Index = index;
        _record = vm.Record;
        try
        {
            Run = new KvmRun(MappedRegion.OfDevice(this, $"{Subject} run", runBytes));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Its number.</summary>
    public int Index { get; }

    /// <summary>The memory through which KVM_RUN speaks.</summary>
    public KvmRun Run { get; }

    /// <summary>KVM_ARM_VCPU_INIT.</summary>
    /// <param name="target">What <see cref="KvmVm.PreferredTarget"/> gave.</param>
    /// <param name="features">Its features.</param>
    /// <returns>0 or a positive errno.</returns>
    public int TryInitialise(uint target, VcpuFeatures features)
    {
        var request = new VcpuInit { Target = target, Features = (uint)features.Bits, MoreFeatures = (uint)(features.Bits >> 32) };
        return Errno(Call(Ioctls.VcpuInitialise, &request));
    }

    /// <summary>KVM_ARM_VCPU_FINALIZE(SVE).</summary>
    /// <returns>0 or a positive errno.</returns>
    public int TryFinalizeSve()
    {
        var feature = SveFeature;
        return Errno(Call(Ioctls.VcpuFinalize, &feature));
    }

    /// <summary>KVM_GET_REG_LIST, in the kernel's order.</summary>
    /// <param name="registers">The ids; empty when refused.</param>
    /// <returns>0 or a positive errno: ENOEXEC before KVM_ARM_VCPU_INIT, EPERM before SVE is finalized.</returns>
    /// <exception cref="KvmException">The kernel claims more registers than is sane.</exception>
    public int TryListRegisters(out RegisterId[] registers)
    {
        registers = [];
        // The list grows when an ID register makes others visible between the two calls; nobody else writes to this vCPU.
        var list = new ulong[1];
        for (var attempt = 0; attempt < 3; attempt++)
        {
            int errno;
            fixed (ulong* address = list) errno = Errno(Call(Ioctls.GetRegisterList, address));
            if (errno != KvmErrno.E2BIG)
            {
                if (errno == 0) registers = Array.ConvertAll(list[1..(int)(1 + Bounded(list[0]))], id => new RegisterId(id));
                return errno;
            }
            var count = Bounded(list[0]);
            list = new ulong[1 + count];
            list[0] = count;
        }
        return KvmErrno.E2BIG;
    }

    /// <summary>KVM_GET_REG_LIST, where a refusal is an error.</summary>
    /// <exception cref="KvmException">KVM refused.</exception>
    public RegisterId[] ListRegisters()
    {
        Check(TryListRegisters(out var registers), Ioctls.GetRegisterList, Subject);
        return registers;
    }

    /// <summary>KVM_GET_ONE_REG.</summary>
    /// <param name="id">Which register; the id says how many bytes it has.</param>
    /// <param name="value">The value; default when refused.</param>
    /// <returns>0 or a positive errno; EINVAL without asking for an id that is no arm64 register id.</returns>
    public int TryGet(RegisterId id, out RegisterValue value)
    {
        value = default;
        // The size is in the id and KVM writes as much as it says.
        if (!id.IsWellFormed) return KvmErrno.EINVAL;
        var buffer = stackalloc byte[RegisterValue.MaximumSize];
        new Span<byte>(buffer, RegisterValue.MaximumSize).Clear();
        var request = new OneReg { Id = id.Value, Address = (ulong)buffer };
        var errno = Errno(Call(Ioctls.GetOneRegister, &request));
        if (errno == 0) value = new RegisterValue(new ReadOnlySpan<byte>(buffer, id.Size));
        return errno;
    }

    /// <summary>KVM_GET_ONE_REG, where a refusal is an error.</summary>
    /// <exception cref="KvmException">KVM refused.</exception>
    public RegisterValue Get(RegisterId id)
    {
        Check(TryGet(id, out var value), Ioctls.GetOneRegister, KvmException.Subject(Index, id));
        return value;
    }

    /// <summary>KVM_SET_ONE_REG.</summary>
    /// <param name="id">Which register.</param>
    /// <param name="value">As many bytes as the id says.</param>
    /// <returns>0 or a positive errno; EINVAL without asking where the sizes differ.</returns>
    public int TrySet(RegisterId id, RegisterValue value)
    {
        if (!id.IsWellFormed || value.Size != id.Size) return KvmErrno.EINVAL;
        var buffer = stackalloc byte[RegisterValue.MaximumSize];
        value.CopyTo(new Span<byte>(buffer, RegisterValue.MaximumSize));
        var request = new OneReg { Id = id.Value, Address = (ulong)buffer };
        return Errno(Call(Ioctls.SetOneRegister, &request));
    }

    /// <summary>KVM_SET_ONE_REG, where a refusal is an error.</summary>
    /// <exception cref="KvmException">KVM refused.</exception>
    public void Set(RegisterId id, RegisterValue value) =>
        Check(TrySet(id, value), Ioctls.SetOneRegister, KvmException.Subject(Index, id), value.ToShortString());

    /// <summary>KVM_GET_MP_STATE.</summary>
    /// <returns>0 or a positive errno.</returns>
    public int TryGetMpState(out MpState state)
    {
        uint answer = 0;
        var errno = Errno(Call(Ioctls.GetMpState, &answer));
        state = (MpState)answer;
        return errno;
    }

    /// <summary>KVM_SET_MP_STATE.</summary>
    /// <returns>0 or a positive errno.</returns>
    public int TrySetMpState(MpState state)
    {
        var request = (uint)state;
        return Errno(Call(Ioctls.SetMpState, &request));
    }

    /// <summary>KVM_GET_VCPU_EVENTS.</summary>
    /// <returns>0 or a positive errno.</returns>
    public int TryGetEvents(out VcpuEvents events)
    {
        var answer = default(VcpuEventsLayout);
        var errno = Errno(Call(Ioctls.GetVcpuEvents, &answer));
        events = new VcpuEvents(answer.SErrorPending != 0, answer.SErrorHasEsr != 0, answer.SErrorEsr, answer.ExternalDataAbortPending != 0);
        return errno;
    }

    /// <summary>KVM_SET_VCPU_EVENTS.</summary>
    /// <returns>0 or a positive errno.</returns>
    public int TrySetEvents(VcpuEvents events)
    {
        var request = new VcpuEventsLayout
        {
            SErrorPending = Flag(events.SErrorPending),
            SErrorHasEsr = Flag(events.SErrorHasEsr),
            ExternalDataAbortPending = Flag(events.ExternalDataAbortPending),
            SErrorEsr = events.SErrorEsr,
        };
        return Errno(Call(Ioctls.SetVcpuEvents, &request));
    }

    /// <summary>KVM_SET_GUEST_DEBUG without breakpoints. A vCPU that is debugged cannot be captured: its debugger's state is not the guest's.</summary>
    /// <param name="control">KVM_GUESTDBG_*: 1 enables, 2 single-steps; 0 ends it.</param>
    /// <returns>0 or a positive errno.</returns>
    public int TrySetGuestDebug(uint control)
    {
        var request = new GuestDebug { Control = control };
        var errno = Errno(Call(Ioctls.SetGuestDebug, &request));
        if (errno == 0) _record.GuestDebugSet(Index, control);
        return errno;
    }

    /// <summary>KVM_SET_SIGNAL_MASK: the signals that are blocked while the guest runs, in place of the thread's own.</summary>
    /// <param name="blocked">Signal 1 in bit 0.</param>
    /// <returns>0 or a positive errno.</returns>
    public int TrySetSignalMask(ulong blocked)
    {
        var request = new SignalMask { Length = SignalMask.SetBytes, LowSignals = (uint)blocked, HighSignals = (uint)(blocked >> 32) };
        return Errno(Call(Ioctls.SetSignalMask, &request));
    }

    /// <summary>KVM_RUN, once: until the guest needs user space or a signal or <see cref="KvmRun.ImmediateExit"/> ends it (EINTR).</summary>
    /// <returns>0 or a positive errno.</returns>
    public int TryRun()
    {
        Count.Add();
        return Errno(Ioctl.CallOnce(this, Ioctls.Run.Number, 0));
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) Run?.Dispose();
        base.Dispose(disposing);
    }

    private protected override void WasSet(uint group, ulong attribute, ReadOnlySpan<byte> value) => _record.VcpuAttributeSet(group, attribute, value);

    private static byte Flag(bool set) => set ? (byte)1 : (byte)0;

    private ulong Bounded(ulong count) =>
        count <= MostRegisters ? count : throw new KvmException(ErrorCode.TooLarge, $"{Subject}: KVM_GET_REG_LIST claims {count} registers");
}
