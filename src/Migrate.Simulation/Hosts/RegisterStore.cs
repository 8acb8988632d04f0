using System.Diagnostics;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Ports;
using Migrate.Model.Registers;

namespace Migrate.Simulation.Hosts;

/// <summary>The register values of one VM: those of VM scope once, all others once a vCPU. What was never written has a new VM's value.</summary>
/// <remarks>Acceptance is <see cref="ShapeIndex.Predict{TValues}(RegisterId, RegisterValue, TValues)"/>; this class adds storage, scope and what a VM that has run refuses.</remarks>
internal sealed class RegisterStore(ulong counterFrequency)
{
    // KVM_REG_ARM_TIMER_CNT (whose id is CNTV_CVAL_EL0's encoding) and KVM_REG_ARM_PTIMER_CNT; arch/arm64/include/uapi/asm/kvm.h.
    private static readonly RegisterId VirtualCount = RegisterId.System(3, 3, 14, 3, 2);
    private static readonly RegisterId PhysicalCount = RegisterId.System(3, 3, 14, 0, 1);
    private static readonly RegisterId Mpidr = RegisterId.System(3, 0, 0, 0, 5);
    private const ulong DefaultFrequency = 62_500_000;

    private readonly Dictionary<RegisterId, Stored> _shared = [];
    private readonly Dictionary<int, Dictionary<RegisterId, Stored>> _own = [];
    private readonly long _created = Stopwatch.GetTimestamp();
    private readonly double _ticksPerSecond = counterFrequency == 0 ? DefaultFrequency : counterFrequency;
    private Stored? _offset;

    /// <summary>The shape that answers. Set with the first vCPU, and again when an interrupt controller changes it.</summary>
    public ShapeIndex? Shape { get; set; }

    public void AddVcpu(int vcpu) => _own.Add(vcpu, []);

    /// <summary>KVM_SET_ONE_REG.</summary>
    public StepAnswer Write(int vcpu, RegisterId id, RegisterValue value, bool hasRun)
    {
        if (Shape is null) return new(Errno.ENOEXEC);
        if (value.Size != id.Size) return new(Errno.EINVAL, $"the register has {id.Size} bytes, the value {value.Size}");
        var answer = Shape.Predict(id, value, new View(this, vcpu));
        if (hasRun && Shape.Find(id) is { FrozenAfterRun: true } && answer.Kind != AnswerKind.Unknown
            // kvm_arm_set_fw_reg_bmap looks at unsupported bits before it looks whether the VM has run.
            && !(id.Class == RegisterClass.FirmwareBitmap && answer.Kind == AnswerKind.Refused))
            return Current(vcpu, id) == value ? StepAnswer.Ok : new(Errno.EBUSY, "frozen since the first run");
        if (answer.Kind == AnswerKind.Unproven)
        {
            Put(vcpu, id, value);
            return new(0, "nobody asked this host");
        }
        if (!answer.IsAccepted) return new(answer.Errno);
        // kvm_arm_timer_set_reg: success, and nothing happens.
        if (_offset is not null && IsCounter(id)) return StepAnswer.Ok;
        Put(vcpu, id, answer.ReadsBack ?? value);
        return StepAnswer.Ok;
    }

    /// <summary>KVM_ARM_SET_COUNTER_OFFSET: both counters of every vCPU go on from one value; writes of them are ignored from now on.</summary>
    public void OffsetCounters(ulong guestCounter) => _offset = new Stored(new RegisterValue(guestCounter), Stopwatch.GetTimestamp());

    /// <summary>KVM_GET_ONE_REG. A register that the profile could not read is answered EINVAL.</summary>
    public ReadAnswer Read(int vcpu, RegisterId id)
    {
        if (Shape is null) return new(Errno.ENOEXEC, null);
        if (!Exists(vcpu, id)) return new(Errno.ENOENT, null);
        return Current(vcpu, id) is { } value ? new(0, value) : new(Errno.EINVAL, null);
    }

    /// <summary>The registers of a vCPU as KVM_GET_REG_LIST would list them now, without those that cannot be read.</summary>
    public IEnumerable<Register> List(int vcpu, List<UnreadableRegister> unreadable)
    {
        foreach (var listed in Shape!.Shape.Registers.Span.ToArray())
        {
            var answer = Read(vcpu, listed.Id);
            if (answer.Value is { } value) yield return new Register(listed.Id, value);
            else if (answer.Errno != Errno.ENOENT) unreadable.Add(new(listed.Id, answer.Errno));
        }
    }

    private bool Exists(int vcpu, RegisterId id)
    {
        if (Shape!.Find(id) is not { } register) return false;
        if (register.When.Count == 0) return true;
        var some = Current(vcpu, id) ?? new RegisterValue(new byte[id.Size]);
        return Shape.Predict(id, some, new View(this, vcpu)).Kind != AnswerKind.Unknown;
    }

    private RegisterValue? Current(int vcpu, RegisterId id)
    {
        if (_offset is { } offset && IsCounter(id)) return Counted(offset.Value, offset.At);
        if (TryStored(vcpu, id, out var stored)) return IsCounter(id) ? Counted(stored.Value, stored.At) : stored.Value;
        if (Shape!.Find(id)?.Reset is not { } reset) return null;
        if (id == Mpidr) return new RegisterValue(AffinityOf(vcpu, reset.Low));
        return IsCounter(id) ? Counted(reset, _created) : reset;
    }

    private bool TryStored(int vcpu, RegisterId id, out Stored stored) =>
        (IsShared(id) ? _shared : _own[vcpu]).TryGetValue(id, out stored);

    private void Put(int vcpu, RegisterId id, RegisterValue value) =>
        (IsShared(id) ? _shared : _own[vcpu])[id] = new Stored(value, Stopwatch.GetTimestamp());

    private bool IsShared(RegisterId id) => Shape!.Find(id)?.Scope == RegisterScope.Vm;

    private static bool IsCounter(RegisterId id) => id == VirtualCount || id == PhysicalCount;

    private RegisterValue Counted(RegisterValue from, long since) =>
        new(from.Low + (ulong)(Stopwatch.GetElapsedTime(since).TotalSeconds * _ticksPerSecond));

    // reset_mpidr: sixteen vCPUs in Aff0, for the sake of ICC_SGI1R's target list, the rest in Aff1 and Aff2.
    private static ulong AffinityOf(int vcpu, ulong reset) =>
        (reset & ~0xff_ffffUL) | (uint)(vcpu & 0xf) | (uint)((vcpu >> 4) & 0xff) << 8 | (uint)((vcpu >> 12) & 0xff) << 16;

    private readonly record struct Stored(RegisterValue Value, long At);

    private readonly struct View(RegisterStore store, int vcpu) : IRegisterValues
    {
        public bool TryGet(RegisterId id, out RegisterValue value)
        {
            var known = store.TryStored(vcpu, id, out var stored);
            value = stored.Value;
            return known;
        }
    }
}
