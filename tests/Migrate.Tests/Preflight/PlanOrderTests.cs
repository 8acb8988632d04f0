using Migrate.Model;
using Migrate.Model.Firmware;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using static Migrate.Tests.Preflight.Given;

namespace Migrate.Tests.Preflight;

public class PlanOrderTests
{
    private static readonly RegisterId Pmcr = RegisterId.System(3, 3, 9, 12, 0);
    private static readonly RegisterId PmInterrupts = RegisterId.System(3, 0, 9, 14, 1);
    private static readonly RegisterId Z0 = RegisterId.Of(RegisterClass.Sve, 0, 256);

    /// <summary>What must come before what, stated apart from the planner's own table: each is a rule of the kernel.</summary>
    private static readonly (string Name, Func<RestoreStep, bool> First, Func<RestoreStep, bool> Then)[] Constraints =
    [
        ("VM first", s => s is CreateVm, s => s is not CreateVm),
        ("attributes before vCPUs", s => s is SetAttribute, s => s is CreateVcpu),
        ("vCPUs before the GIC", s => s is CreateVcpu, s => s is CreateGic),
        ("vCPUs before the PMU", s => s is CreateVcpu, s => s is ConfigurePmu),
        ("PMU before its interrupt and init", s => s is ConfigurePmu, s => s is WriteDevice),
        ("PMU chosen before PMCR", s => s is ConfigurePmu, s => Writes(s, Pmcr)),
        ("PMU chosen before its counters", s => Configures(s, VmAttributes.PmuName), s => Configures(s, VmAttributes.PmuCounters)),
        ("PMU chosen before its filter", s => Configures(s, VmAttributes.PmuName), s => Configures(s, VmAttributes.PmuFilter)),
        ("ring before its bitmap", s => Sets(s, VmAttributes.DirtyRing), s => Sets(s, VmAttributes.DirtyRingWithBitmap)),
        ("bitmap before memory", s => Sets(s, VmAttributes.DirtyRingWithBitmap), s => s is MapMemory),
        ("stolen time after memory", s => s is MapMemory, s => s is WriteDevice { Device.Kind: "vcpu" }),
        ("vCPUs before registers", s => s is CreateVcpu, s => s is WriteRegister),
        ("lengths before finalize", s => Writes(s, Vls), s => s is FinalizeSve),
        ("finalize before SVE data", s => s is FinalizeSve, s => Writes(s, Z0)),
        ("PFR1 before WORKAROUND_2", s => Writes(s, Pfr1), s => Writes(s, FirmwareRegisters.Workaround2)),
        ("PMCR before counter masks", s => Writes(s, Pmcr), s => Writes(s, PmInterrupts)),
        ("PSTATE last of core", s => s is WriteRegister w && w.Id.Class == RegisterClass.Core && w.Id != Pstate, s => Writes(s, Pstate)),
        ("registers before devices", s => s is WriteRegister w && w.Id != Cntvct, s => s is WriteDevice),
        ("devices before the counter", s => s is WriteDevice, s => Writes(s, Cntvct)),
        ("registers before events", s => s is WriteRegister, s => s is SetEvents),
        ("events before power state", s => s is SetEvents, s => s is SetMpState),
        ("prepare before apply", s => s.Phase == StepPhase.Prepare, s => s.Phase == StepPhase.Apply),
    ];

    [Fact]
    public void Every_order_that_the_kernel_asks_for_is_kept()
    {
        var plan = Full();
        Assert.Empty(Broken(plan.Steps));
        Assert.All(Constraints, c => Assert.True(plan.Steps.Any(c.First) && plan.Steps.Any(c.Then), $"{c.Name} is not exercised"));
    }

    [Fact]
    public void A_plan_with_workaround_2_before_pfr1_is_caught() =>
        Assert.Equal(["PFR1 before WORKAROUND_2"], Broken(Swapped(Full(), s => Writes(s, Pfr1), s => Writes(s, FirmwareRegisters.Workaround2))));

    [Fact]
    public void A_plan_that_filters_events_before_it_chooses_the_pmu_is_caught()
    {
        var steps = Full().Steps.Where(s => !Configures(s, VmAttributes.PmuCounters));
        Assert.Equal(["PMU chosen before its filter"], Broken(Swapped(steps, s => Configures(s, VmAttributes.PmuName), s => Configures(s, VmAttributes.PmuFilter))));
    }

    [Fact]
    public void A_plan_with_pstate_before_x0_is_caught() =>
        Assert.Contains("PSTATE last of core", Broken(Swapped(Full(), s => Writes(s, X0), s => Writes(s, Pstate))));

    [Fact]
    public void What_is_frozen_at_first_run_or_belongs_to_the_vm_is_prepared_and_the_rest_applied()
    {
        var frozen = Any(RegisterId.System(3, 0, 10, 3, 0)) with { FrozenAfterRun = true };
        var plan = Plan(Machine(Host(frozen)), Host(frozen));
        RegisterId[] prepared = [frozen.Id, Mpidr, Mmfr1, FirmwareRegisters.PsciVersion, FirmwareRegisters.Standard.Id];
        RegisterId[] applied = [X0, Pstate, Vbar, CntvCtl, Cntvct];
        Assert.All(prepared, id => Assert.Equal(StepPhase.Prepare, plan.Write(id).When));
        Assert.All(applied, id => Assert.Equal(StepPhase.Apply, plan.Write(id).When));
    }

    private static RestorePlan Full()
    {
        var features = Features | VcpuFeatures.Sve | VcpuFeatures.PmuV3;
        var host = Profile([Any(PmInterrupts), .. Base(), Any(Pmcr)], features) with
        {
            KnownAttributes = [VmAttributes.DirtyRing, VmAttributes.DirtyRingWithBitmap, VmAttributes.PmuName, VmAttributes.PmuCounters, VmAttributes.PmuFilter],
            Capabilities = [new("pmu.p", 1), new("dirty-log-ring-acq-rel", 1 << 20), new("dirty-log-ring-with-bitmap", 1),
                new("vcpu-attr.pmu-set-pmu", 1), new("vcpu-attr.pmu-set-counters", 1), new("vcpu-attr.pmu-filter", 1), new("vcpu-attr.stolen-time", 1)],
        };
        var state = Migrate.Preflight.DefaultMachine.Of(host, features, 2);
        var wide = new[] { new Register(Vls, new RegisterValue(new byte[64])), new Register(Z0, new RegisterValue(new byte[256])) };
        state = state with
        {
            Vm = state.Vm with
            {
                // In no order that the kernel would take.
                Attributes =
                [
                    VmAttributes.Filter([new(0, 1, PmuFilterAction.Deny)]), VmAttributes.Number(VmAttributes.PmuCounters, 2), VmAttributes.Text(VmAttributes.PmuName, "p"),
                    VmAttributes.Flag(VmAttributes.DirtyRingWithBitmap), VmAttributes.Number(VmAttributes.DirtyRing, 65536),
                ],
            },
            Vcpus = state.Vcpus.Select(v => v with
            {
                Events = new VcpuEvents(true, false, 0, false),
                Registers = v.Registers.With(wide)
            }).ToEquatableArray(),
            Devices = [new DeviceState("vcpu", [new DeviceAttribute(2, 0, new RegisterValue(0x4000_0000))]), new DeviceState("gicv3", [])],
        };
        var shape = host.Shapes[0];
        return Plan(state, host with
        {
            Shapes = [shape with { Registers = [.. shape.Registers,
            .. wide.Select(w => new RegisterAcceptance { Id = w.Id, Accepts = Acceptance.Any })] }]
        });
    }

    private static bool Writes(RestoreStep step, RegisterId id) => step is WriteRegister write && write.Id == id;

    private static bool Configures(RestoreStep step, string name) => step is ConfigurePmu configure && configure.Attribute.Name == name;

    private static bool Sets(RestoreStep step, string name) => step is SetAttribute set && set.Attribute.Name == name;

    private static List<RestoreStep> Swapped(RestorePlan plan, Func<RestoreStep, bool> one, Func<RestoreStep, bool> other) => Swapped(plan.Steps, one, other);

    private static List<RestoreStep> Swapped(IEnumerable<RestoreStep> plan, Func<RestoreStep, bool> one, Func<RestoreStep, bool> other)
    {
        var steps = plan.ToList();
        var (a, b) = (steps.FindIndex(s => one(s)), steps.FindIndex(s => other(s)));
        (steps[a], steps[b]) = (steps[b], steps[a]);
        return steps;
    }

    /// <summary>Names of the constraints for which some "then" step comes before some "first" step.</summary>
    private static IEnumerable<string> Broken(IReadOnlyList<RestoreStep> steps) => Constraints
        .Where(c => steps.Select((s, i) => c.First(s) ? i : -1).Max() is var last && steps.Where((s, i) => i < last && c.Then(s)
            && !c.First(s)).Any())
        .Select(c => c.Name);
}
