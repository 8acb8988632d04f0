using Migrate.Model.Firmware;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Migrate.Preflight;
using Migrate.Preflight.Baselines;
using static Migrate.Tests.Preflight.Given;

namespace Migrate.Tests.Preflight;

/// <summary>
/// The discussion's register table (requirement PSCI-2) on hosts that the lab measured. Every kernel at hand knows PSCI_VERSION, so "new" has registers that "old" lacks:
/// the hypercall bitmaps against 5.10, and VENDOR_HYP_BMAP_2 against 6.12. "compat" is a VM of the new host that was given what the old one does anyway.
/// </summary>
public class PsciMeasuredTablesTests
{
    private static readonly RegisterId Bmap2 = FirmwareRegisters.VendorHypervisor2.Id;

    private sealed record Table(HostProfile New, HostProfile Old, MachineState OfNew, MachineState OfOld, MachineState Compat);

    private static readonly Dictionary<string, Table> Tables = new()
    {
        ["bitmaps against 5.10"] = Of("6.12.neoverse-n1", "5.10.neoverse-n1", (FirmwareRegisters.PsciVersion, Psci11),
            (FirmwareRegisters.Standard.Id, 1), (FirmwareRegisters.StandardHypervisor.Id, 1), (FirmwareRegisters.VendorHypervisor.Id, 3)),
        ["BMAP_2 against 6.12"] = Of("7.2.neoverse-n1", "6.12.neoverse-n1", (FirmwareRegisters.PsciVersion, Psci13), (Bmap2, 3)),
    };

    [Theory]
    [InlineData("bitmaps against 5.10", "new->new", Verdict.Yes, "")]
    [InlineData("bitmaps against 5.10", "old->new", Verdict.Yes, "")]
    [InlineData("bitmaps against 5.10", "new->old", Verdict.No, "PSCI_VERSION, STD_BMAP.TRNG, VENDOR_HYP_BMAP.FUNC_FEAT, VENDOR_HYP_BMAP.PTP")]
    [InlineData("bitmaps against 5.10", "compat->old", Verdict.Yes, "")]
    [InlineData("bitmaps against 5.10", "old->compat", Verdict.Yes, "")]
    [InlineData("BMAP_2 against 6.12", "new->new", Verdict.Yes, "")]
    [InlineData("BMAP_2 against 6.12", "old->new", Verdict.Yes, "")]
    [InlineData("BMAP_2 against 6.12", "new->old", Verdict.No, "PSCI_VERSION, VENDOR_HYP_BMAP_2.DISCOVER_IMPL_CPUS, VENDOR_HYP_BMAP_2.DISCOVER_IMPL_VER")]
    [InlineData("BMAP_2 against 6.12", "compat->old", Verdict.Yes, "")]
    [InlineData("BMAP_2 against 6.12", "old->compat", Verdict.Yes, "")]
    public void The_register_table_under_our_policy(string table, string row, Verdict verdict, string stops) => Holds(table, row, Policy.Vmmigrate, verdict, stops);

    [Theory]
    [InlineData("bitmaps against 5.10", "new->old", "STD_BMAP.TRNG, STD_HYP_BMAP, VENDOR_HYP_BMAP.FUNC_FEAT")]
    [InlineData("bitmaps against 5.10", "compat->old", "STD_BMAP, STD_HYP_BMAP, VENDOR_HYP_BMAP")]
    [InlineData("BMAP_2 against 6.12", "new->old", "VENDOR_HYP_BMAP_2.DISCOVER_IMPL_VER")]
    [InlineData("BMAP_2 against 6.12", "compat->old", "VENDOR_HYP_BMAP_2")]
    public void Strict_fails_compat_to_old_because_one_more_register_exists(string table, string row, string among) => Stops(table, row, Policy.Strict, among);

    [Theory]
    [InlineData("bitmaps against 5.10", "new->old", "STD_BMAP, STD_HYP_BMAP, VENDOR_HYP_BMAP")]
    [InlineData("bitmaps against 5.10", "compat->old", "STD_BMAP, STD_HYP_BMAP, VENDOR_HYP_BMAP")]
    public void Qemu_fails_compat_to_old_because_one_more_register_exists(string table, string row, string among) => Stops(table, row, Policy.Qemu, among);

    private static void Holds(string table, string row, Policy policy, Verdict verdict, string stops)
    {
        var plan = PlanOf(table, row, policy);
        Assert.Equal(stops, string.Join(", ", plan.Stopping().Select(f => f.Subject).Order(StringComparer.Ordinal)));
        Assert.Equal((verdict, Evidence.Measured), (plan.Verdict, plan.Evidence));
        Assert.All(plan.Stopping(), f => Assert.NotEmpty(f.Remedy));
    }

    private static void Stops(string table, string row, Policy policy, string among)
    {
        var plan = PlanOf(table, row, policy);
        Assert.Equal(Verdict.No, plan.Verdict);
        var subjects = plan.Stopping().Where(f => f.Answer.StartsWith("ENOENT", StringComparison.Ordinal)).Select(f => f.Subject).ToHashSet();
        Assert.Superset(among.Split(", ").ToHashSet(), subjects);
    }

    private static RestorePlan PlanOf(string table, string row, Policy policy)
    {
        var t = Tables[table];
        var (state, source, there) = row switch
        {
            "new->new" => (t.OfNew, t.New, t.New),
            "old->new" or "old->compat" => (t.OfOld, t.Old, t.New),
            "new->old" => (t.OfNew, t.New, t.Old),
            _ => (t.Compat, t.New, t.Old),
        };
        return Planner.Plan(state, there, new PlanOptions { Policy = policy }, source);
    }

    /// <summary>What the old host takes otherwise (caches, ID fields) comes from the baseline of both, so that the rows differ in what the firmware gives the guest, and in nothing else.</summary>
    private static Table Of(string fresh, string old, params (RegisterId Id, ulong Value)[] given)
    {
        var (newer, older) = (Recordings.All[fresh], Recordings.All[old]);
        var config = Assert.Single(Baseline.Of([new BaselineHost(fresh, newer), new BaselineHost(old, older)], null, new PlanOptions()).Pools).Config;
        var compat = ConfiguredMachine.Of(newer, config);
        return new Table(newer, older, given.Aggregate(compat, (state, g) => state.With(g.Id, g.Value)), ConfiguredMachine.Of(older, config), compat);
    }
}
