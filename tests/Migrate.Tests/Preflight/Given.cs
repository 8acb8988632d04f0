using Migrate.Model;
using Migrate.Model.Firmware;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Migrate.Preflight;

namespace Migrate.Tests.Preflight;

/// <summary>Hand-made hosts and machines. A host lists only what it is given; answers are typed in, not derived from any kernel.</summary>
internal static class Given
{
    public static readonly RegisterId X0 = RegisterId.Core(0, 8);
    public static readonly RegisterId Pstate = RegisterId.Core(8 * 33, 8);
    public static readonly RegisterId Mpidr = RegisterId.System(3, 0, 0, 0, 5);
    public static readonly RegisterId Pfr0 = RegisterId.System(3, 0, 0, 4, 0);
    public static readonly RegisterId Pfr1 = RegisterId.System(3, 0, 0, 4, 1);
    public static readonly RegisterId Mmfr1 = RegisterId.System(3, 0, 0, 7, 1);
    public static readonly RegisterId Mmfr3 = RegisterId.System(3, 0, 0, 7, 3);
    public static readonly RegisterId Vbar = RegisterId.System(3, 0, 12, 0, 0);
    public static readonly RegisterId Tcr2 = RegisterId.System(3, 0, 2, 0, 3);
    public static readonly RegisterId Clidr = RegisterId.System(3, 1, 0, 0, 1);
    public static readonly RegisterId CntvCtl = RegisterId.System(3, 3, 14, 3, 1);
    public static readonly RegisterId Cntvct = RegisterId.System(3, 3, 14, 3, 2);
    public static readonly RegisterId CntpCtl = RegisterId.System(3, 3, 14, 2, 1);
    public static readonly RegisterId Vls = RegisterId.Of(RegisterClass.Sve, 0xffff, 64);

    public const ulong Psci10 = 0x10000;
    public const ulong Psci11 = 0x10001;
    public const ulong Psci13 = 0x10003;

    public static VcpuFeatures Features => VcpuFeatures.Psci02;

    /// <summary>A small complete host: PSCI up to 1.1, bitmaps 0 to 2, a mitigated CPU.</summary>
    public static HostProfile Host(params RegisterAcceptance[] replacedOrAdded) => Profile([.. Base().Where(b => replacedOrAdded.All(r => r.Id != b.Id)), .. replacedOrAdded]);

    public static HostProfile HostWithout(params RegisterId[] removed) => Profile(Base().Where(b => !removed.Contains(b.Id)));

    public static HostProfile Profile(IEnumerable<RegisterAcceptance> registers, VcpuFeatures? features = null) => new()
    {
        Boot = new BootIdentity { BootId = "b", HostName = "host", KernelRelease = "9.9.9", PageSize = 4096 },
        Evidence = Evidence.Measured,
        IpaSizes = [32, 36, 40, 44, 48],
        HasSmcccFilter = true,
        CounterFrequency = 1_000_000_000,
        Shapes = [new HostShape { Features = features ?? Features, Registers = registers.ToEquatableArray() }],
    };

    public static IEnumerable<RegisterAcceptance> Base() =>
    [
        Any(X0), Any(Pstate),
        Exactly(FirmwareRegisters.PsciVersion, Psci11, Psci11, Psci10) with { Scope = RegisterScope.Vm },
        Level(FirmwareRegisters.Workaround1, 1), Level(FirmwareRegisters.Workaround2, 3), Level(FirmwareRegisters.Workaround3, 1),
        Bits(FirmwareRegisters.Standard.Id, 1), Bits(FirmwareRegisters.StandardHypervisor.Id, 1), Bits(FirmwareRegisters.VendorHypervisor.Id, 3),
        Any(Mpidr) with { Reset = new RegisterValue(0x8000_0000) },
        Fields(Pfr0, 0x1100_0000_0000_0011, (60, 0b11), (56, 0b11)),
        Fields(Pfr1, 0x20, (4, 0b111)),
        Fields(Mmfr1, 0, (60, 0b1)),
        Fields(Mmfr3, 0),
        Any(Vbar), Any(CntvCtl),
        Any(Cntvct) with { Stored = StoredAs.Counting },
    ];

    public static RegisterAcceptance Any(RegisterId id, ulong reset = 0) =>
        new() { Id = id, Accepts = Acceptance.Any, Reset = new RegisterValue(reset, Math.Min(id.Size, 8)) };

    public static RegisterAcceptance Exactly(RegisterId id, ulong reset, params ulong[] accepted) => new()
    {
        Id = id,
        Reset = new RegisterValue(reset, id.Size),
        Accepts = Acceptance.OneOf([.. accepted.Select(v => new RegisterValue(v, id.Size))]),
    };

    /// <summary>A workaround register as KVM has it: levels up to the host's are taken, the host's own is read.</summary>
    public static RegisterAcceptance Level(RegisterId id, ulong level) =>
        Exactly(id, level, [.. Enumerable.Range(0, (int)level + 1).Select(l => (ulong)l)]) with
        {
            Scope = RegisterScope.Vm,
            Stored = StoredAs.Always(level)
        };

    /// <summary>A bitmap: every subset of the host's bits.</summary>
    public static RegisterAcceptance Bits(RegisterId id, ulong offered) => new()
    {
        Id = id,
        Scope = RegisterScope.Vm,
        FrozenAfterRun = true,
        Reset = new RegisterValue(offered),
        Accepts = Acceptance.PerField(0, Enumerable.Range(0, 64).Where(b => (offered >> b & 1) != 0).Select(b => new FieldAcceptance(b, 1, 0b11))),
    };

    /// <summary>An ID register: each field with its mask of accepted values, the rest exact.</summary>
    public static RegisterAcceptance Fields(RegisterId id, ulong reset, params (int Shift, int Mask)[] fields)
    {
        FieldAcceptance[] accepted = [.. fields.Select(f => new FieldAcceptance(f.Shift, 4, (ushort)f.Mask))];
        var rest = accepted.Aggregate(reset, (value, field) => value & ~field.Bits);
        return new()
        {
            Id = id,
            Scope = RegisterScope.Vm,
            FrozenAfterRun = true,
            Reset = new RegisterValue(reset),
            Accepts = Acceptance.PerField(rest, accepted)
        };
    }

    public static MachineState Machine(HostProfile? on = null, int vcpus = 1) => DefaultMachine.Of(on ?? Host(),
        (on ?? Host()).Shapes[0].Features, vcpus, GicKind.None);

    public static MachineState With(this MachineState state, RegisterId id, ulong value) =>
        state with
        {
            Vcpus = state.Vcpus.Select(v => v with
            {
                Registers = v.Registers.With(new Register(id, new RegisterValue(value,
            id.Size)))
            }).ToEquatableArray()
        };

    public static MachineState WithVm(this MachineState state, Func<VmDescription, VmDescription> change) => state with { Vm = change(state.Vm) };

    public static RestorePlan Plan(MachineState state, HostProfile host, Policy policy = Policy.Vmmigrate) => Planner.Plan(state, host,
        new PlanOptions { Policy = policy });

    public static RestorePlan Accepting(MachineState state, HostProfile host, params FindingCode[] accepted) =>
        Planner.Plan(state, host, new PlanOptions { Accept = accepted.ToHashSet() });

    public static Finding Only(this RestorePlan plan, FindingCode code) => Assert.Single(plan.Findings, f => f.Code == code);

    public static IEnumerable<Finding> Stopping(this RestorePlan plan) => plan.Findings.Where(f => f.Stops);

    public static WriteRegister Write(this RestorePlan plan, RegisterId id, int vcpu = 0) =>
        Assert.Single(plan.Steps.OfType<WriteRegister>(), w => w.Id == id && w.Vcpu == vcpu);

    public static LeaveOut LeftOut(this RestorePlan plan, RegisterId id) => Assert.Single(plan.Steps.OfType<LeaveOut>(), w => w.Id == id);
}
