using System.Globalization;
using Migrate.Model;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using static Migrate.Tests.Preflight.Given;

namespace Migrate.Tests.Preflight;

/// <summary>What real kernels answered the lab's vm-state job (tests/Data/lab), held against the plan: refused is exactly what a kernel lacks.</summary>
public class RecordedVmStateTests
{
    private static readonly VcpuFeatures WithPmu = Features | VcpuFeatures.PmuV3;

    public static TheoryData<string> Hosts =>
        [.. Directory.GetFiles(Repository.Data("lab"), "vm-state.txt", SearchOption.AllDirectories).Select(f => Path.GetFileName(Path.GetDirectoryName(f)!)).Order()];

    [Theory]
    [MemberData(nameof(Hosts))]
    public void A_recorded_host_takes_what_it_has_and_refuses_the_rest_by_name(string host)
    {
        var answers = File.ReadLines(Repository.Data("lab", host, "vm-state.txt")).Select(l => l.Split(' '))
            .ToDictionary(w => w[0], w => long.Parse(w[1], CultureInfo.InvariantCulture));
        (VmAttribute Attribute, bool IsThere)[] all =
        [
            (VmAttributes.Flag(VmAttributes.WritableImplementation), answers["arm-writable-imp-id-regs"] != 0),
            (VmAttributes.Flag(VmAttributes.SystemSuspend), answers["arm-system-suspend"] != 0),
            (VmAttributes.Flag(VmAttributes.NoSyndromeToUser), answers["arm-nisv-to-user"] != 0),
            (VmAttributes.Flag(VmAttributes.ExternalAbortToUser), answers["arm-sea-to-user"] != 0),
            (VmAttributes.Text(VmAttributes.PmuName, "armv8_pmuv3"), answers["vcpu-attr.pmu-set-pmu"] != 0 && answers.ContainsKey("pmu.armv8_pmuv3")),
            (VmAttributes.Number(VmAttributes.PmuCounters, 2), answers["vcpu-attr.pmu-set-counters"] != 0),
            (VmAttributes.Filter([new(0x11, 1, PmuFilterAction.Deny)]), answers["vcpu-attr.pmu-filter"] != 0),
            (VmAttributes.Flag(VmAttributes.CounterOffset), answers["counter-offset"] != 0),
        ];
        var profile = Profile(Base(), WithPmu) with
        {
            KnownAttributes = all.Select(a => a.Attribute.Name).ToEquatableArray(),
            Capabilities = answers.Select(a => new HostCapability(a.Key, a.Value)).ToEquatableArray(),
        };
        var plan = Plan(Machine(profile).WithVm(vm => vm with { Attributes = all.Select(a => a.Attribute).ToEquatableArray() }), profile);
        Assert.Equal(all.Where(a => !a.IsThere).Select(a => $"attribute {a.Attribute.Name}").Order(), plan.Stopping().Select(f => f.Subject).Order());
        Assert.Equal(all.All(a => a.IsThere) ? Verdict.Yes : Verdict.No, plan.Verdict);
    }

    [Fact]
    public void Old_and_new_kernels_are_among_the_recorded_ones() =>
        Assert.All(["6.1.neoverse-n1", "6.12.neoverse-n1", "7.2.neoverse-n1"], host => Assert.Contains(host, Hosts.Select(h => h.Data)));
}
