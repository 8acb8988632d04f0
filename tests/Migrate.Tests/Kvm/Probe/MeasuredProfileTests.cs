using System.Text.RegularExpressions;
using Migrate.Model.Encoding;
using Migrate.Model.Hosts;
using Migrate.Model.Plans;
using Migrate.Tests.Model.Foreign;

namespace Migrate.Tests.Kvm.Probe;

/// <summary>What real kernels answered to the probe in the lab, against what the assumption table says of hosts of the same series and CPU.</summary>
public partial class MeasuredProfileTests
{
    /// <summary>Every difference there is: on which series (all of them where empty), what, and why.</summary>
    private static readonly (string Series, string Difference, string Cause)[] Known =
    [
        ("", "PSTATE Kept -> Refused", "set_core_reg refuses modes that the vCPU does not have; the table takes every value"),
        ("", "CNTVCT_EL0 scope Vcpu -> Vm", "one offset for the VM (up to 6.1: every vCPU's is set)"),
        ("6.12 7.2", "CNTPCT_EL0 scope Vcpu -> Vm", "as CNTVCT_EL0"),
        ("7.2", "MIDR_EL1 frozen True -> False", "set_imp_id_reg: without the capability another value is EINVAL before it could be EBUSY"),
        ("7.2", "REVIDR_EL1 frozen True -> False", "as MIDR_EL1"),
        ("7.2", "AIDR_EL1 frozen True -> False", "as MIDR_EL1"),
        ("6.12 7.2", "PMINTENSET_EL1 with PMCR_EL0", "the masks keep a bit for each counter of the VM (PMCR_EL0.N); the table knows the host's number alone"),
        ("6.12 7.2", "PMINTENCLR_EL1 with PMCR_EL0", "as PMINTENSET_EL1"),
        ("6.12 7.2", "PMCNTENSET_EL0 with PMCR_EL0", "as PMINTENSET_EL1"),
        ("6.12 7.2", "PMCNTENCLR_EL0 with PMCR_EL0", "as PMINTENSET_EL1"),
        ("6.12 7.2", "PMOVSSET_EL0 with PMCR_EL0", "as PMINTENSET_EL1"),
        ("6.12 7.2", "PMOVSCLR_EL0 with PMCR_EL0", "as PMINTENSET_EL1"),
        ("7.2", "ID_AA64MMFR2_EL1 Refused -> Changed", "set_id_aa64mmfr2_el1 takes NV at the hardware's value and stores 0; a capture does not show the hardware's value"),
    ];

    public static TheoryData<string> Hosts =>
        [.. Directory.GetDirectories(Repository.Data("lab")).Where(d => File.Exists(Path.Combine(d, "probe.profile"))).Select(d => Path.GetFileName(d)!).Order()];

    /// <summary>Those of which there are captures too, from which a profile can be assumed.</summary>
    public static TheoryData<string> Captured => [.. Hosts.Select(row => row.Data).Where(Captures.Hosts.ContainsKey)];

    [Theory]
    [MemberData(nameof(Captured))]
    public void Differs_from_the_assumed_profile_only_where_it_is_written_down(string host)
    {
        var series = Series().Match(host).Value;
        var surprises = ProfileDifferences.Of(Captures.Hosts[host], Measured(host)).Where(line => !Known.Any(k => Holds(k.Series, series) && line.StartsWith(k.Difference, StringComparison.Ordinal)));
        Assert.Empty(surprises.Distinct());
    }

    [Fact]
    public void Each_difference_that_is_written_down_was_measured()
    {
        var seen = Captured.SelectMany(row => ProfileDifferences.Of(Captures.Hosts[row.Data], Measured(row.Data))).ToHashSet();
        Assert.All(Known, known => Assert.Contains(seen, line => line.StartsWith(known.Difference, StringComparison.Ordinal)));
    }

    [Theory]
    [MemberData(nameof(Hosts))]
    public void Leaves_nothing_unproven_in_a_shape_that_is_there(string host)
    {
        var profile = Measured(host);
        Assert.Equal(Evidence.Measured, profile.Evidence);
        var created = profile.Shapes.Where(s => s.Errno == 0).ToList();
        Assert.NotEmpty(created);
        foreach (var shape in created)
        {
            Assert.True(shape.Registers.Count > 200, $"{shape.Features}: {shape.Registers.Count} registers");
            Assert.DoesNotContain(shape.Registers.ToArray(), r => r.Accepts.Kind == AcceptanceKind.Unproven);
        }
    }

    private static bool Holds(string where, string series) => where.Length == 0 || where.Split(' ').Contains(series);

    private static HostProfile Measured(string host) => Read(Repository.Data("lab", host, "probe.profile"));

    private static HostProfile Read(string path) => (HostProfile)DocumentFile.Read(File.ReadAllBytes(path), path).Value;

    [GeneratedRegex(@"\A[0-9]+\.[0-9]+")]
    private static partial Regex Series();
}
