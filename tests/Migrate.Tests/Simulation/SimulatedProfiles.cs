using System.Globalization;
using Migrate.Model;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;

namespace Migrate.Tests.Simulation;

/// <summary>Profiles made from real register lists with simple acceptance rules: enough to answer every kind of step.</summary>
internal static class SimulatedProfiles
{
    public static readonly RegisterId Psci = RegisterId.Firmware(0);
    public static readonly RegisterId Workaround1 = RegisterId.Firmware(1);
    public static readonly RegisterId StandardBitmap = RegisterId.FirmwareBitmap(0);
    public static readonly RegisterId Pfr0 = RegisterId.System(3, 0, 0, 4, 0);
    public static readonly RegisterId Mmfr3 = RegisterId.System(3, 0, 0, 7, 3);
    public static readonly RegisterId Tcr2 = RegisterId.System(3, 0, 2, 0, 3);
    public static readonly RegisterId Mpidr = RegisterId.System(3, 0, 0, 0, 5);
    public static readonly RegisterId TpidrEl0 = RegisterId.System(3, 3, 13, 0, 2);
    public static readonly RegisterId Count = RegisterId.System(3, 3, 14, 3, 2);
    public static readonly RegisterId VectorLengths = RegisterId.Of(RegisterClass.Sve, 0xffff, 64);

    public static HostProfile WithSve { get; } = Of("7.2.max.all.txt", "7.2.max.min.txt");

    public static HostProfile Plain { get; } = Of("6.1.neoverse-n1.min.txt");

    public static ulong ResetOf(RegisterId id) => WithSve.Shape(VcpuFeatures.Psci02, GicKind.None)!.Find(id)!.Reset!.Value.Low;

    /// <summary>The same host without a register.</summary>
    public static HostProfile Without(this HostProfile host, RegisterId id) =>
        host with { Shapes = host.Shapes.Select(s => s with { Registers = s.Registers.Where(r => r.Id != id).ToEquatableArray() }).ToEquatableArray() };

    /// <summary>The same host, of which nothing was measured.</summary>
    public static HostProfile Assumed(this HostProfile host) =>
        host with { Evidence = Evidence.Assumed, Shapes = host.Shapes.Select(s => s with { Evidence = Evidence.Assumed }).ToEquatableArray() };

    private static HostProfile Of(params string[] captures) => new()
    {
        Boot = new BootIdentity { HostName = "simulated", KvmMode = "simulated", PageSize = 4096 },
        Evidence = Evidence.Measured,
        IpaSizes = [36, 40, 48],
        HasSmcccFilter = true,
        Capabilities = [new("arm-mte", 1), new("arm-system-suspend", 0), new("arm-inject-serror-esr", 1),
            new("pmu.armv8_pmuv3_0", 1), new("vcpu-attr.pmu-set-pmu", 1), new("vcpu-attr.pmu-filter", 1), new("vcpu-attr.pmu-set-counters", 0)],
        Handlers = ["psci"],
        CounterFrequency = 62_500_000,
        Shapes = captures.Select(Shape).Append(new HostShape { Features = VcpuFeatures.Psci02 | VcpuFeatures.El2, Errno = 22, RefusedAt = "vcpu_init" })
            .ToEquatableArray(),
    };

    private static HostShape Shape(string capture)
    {
        var features = default(VcpuFeatures);
        var registers = new List<RegisterAcceptance>();
        foreach (var line in File.ReadLines(Repository.Data("captures", capture)))
        {
            var words = line.Split(' ');
            if (words[0] == "F") Assert.True(VcpuFeatures.TryParse(words[1], out features));
            if (words[0] != "R" || !RegisterValue.TryParse(words[2], out var reset)) continue;
            registers.Add(Accept(new RegisterId(ulong.Parse(words[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture)), reset));
        }
        if (registers.TrueForAll(r => r.Id != Tcr2)) registers.Add(Accept(Tcr2, new RegisterValue(0)));
        return new HostShape { Features = features, Registers = registers.ToEquatableArray() };
    }

    /// <summary>Each bit that is set can be cleared, no other can be set: a hypercall bitmap.</summary>
    private static Acceptance BitsOf(RegisterValue reset) => Acceptance.PerField(
        0, Enumerable.Range(0, 64).Where(bit => (reset.Low >> bit & 1) != 0).Select(bit => new FieldAcceptance(bit, 1, 3)));

    private static RegisterAcceptance Accept(RegisterId id, RegisterValue reset)
    {
        var common = new RegisterAcceptance { Id = id, Reset = reset, Accepts = Acceptance.Any };
        if (id == Psci) return common with { Scope = RegisterScope.Vm, Accepts = Acceptance.OneOf(new(2), new(0x10000), reset) };
        if (id == Workaround1)
            return common with { Scope = RegisterScope.Vm, Accepts = Acceptance.OneOf(new(0), reset), Stored = StoredAs.Always(reset.Low) };
        if (id == VectorLengths) return common with { Accepts = Acceptance.Exactly(reset) };
        if (id == Count) return common with { Stored = StoredAs.Counting };
        if (id == Tcr2)
            return common with { When = [new Conditional(Mmfr3, 0, 4, 1, null, StoredAs.Unchanged)] };
        if (id.Class == RegisterClass.FirmwareBitmap)
            return common with { Scope = RegisterScope.Vm, FrozenAfterRun = true, Accepts = BitsOf(reset) };
        if (id == Mmfr3)
            return common with { Scope = RegisterScope.Vm, FrozenAfterRun = true, Accepts = Acceptance.PerField(reset.Low & ~0xfUL, [new(0, 4, 3)]) };
        var identification = id.Class == RegisterClass.System && id.Index is >= 0xc008 and <= 0xc03f;
        return identification ? common with { Scope = RegisterScope.Vm, FrozenAfterRun = true, Accepts = Acceptance.Exactly(reset) } : common;
    }
}
