using Migrate.Model.Firmware;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Migrate.Preflight;
using Migrate.Tests.Model.Foreign;
using static Migrate.Tests.Preflight.Given;

namespace Migrate.Tests.Preflight;

/// <summary>Plans between the recorded kernels, with the profiles that the converter assumes for them.</summary>
public class RealHostsTests
{
    [Fact]
    public void A_capture_returns_to_its_own_host_with_everything_kept()
    {
        foreach (var capture in Captures.All.Values)
        {
            var (state, host) = (capture.ToState(), Captures.Hosts[$"{capture.KernelRelease}.{capture.HostName}"]);
            var plan = Plan(state, host);
            Assert.Empty(plan.Stopping());
            Assert.All(plan.Steps.OfType<LeaveOut>(), l => Assert.Matches("^PM.*CLR_EL", RegisterCatalog.Name(l.Id)));
            Assert.Equal(0, Reports.Of(plan, state, host, false).Changed);
        }
    }

    [Fact]
    public void Strict_refuses_exactly_the_registers_that_the_kernels_refused()
    {
        var pairs = 0;
        var falselyUnsafe = File.ReadLines(Repository.Data("captures", "false-unsafe.txt")).Select(line => string.Join(' ',
            line.Split(' ').Take(3))).ToHashSet();
        foreach (var pair in RecordedAnswers.Read())
        {
            var plan = Plan(Captures.All[pair.Source].ToState(), Captures.Hosts[pair.Host], Policy.Strict);
            if (pair.RefusedAt is not null)
            {
                Assert.Equal(FindingCode.VcpuFeatures, Assert.Single(plan.Stopping()).Code);
                continue;
            }
            pairs++;
            var refused = plan.Findings.Where(f => f.Severity == Severity.Refused).Select(f => f.Register!.Value).Distinct()
                .Where(id => !falselyUnsafe.Contains($"{pair.Source} {pair.Host} {RegisterCatalog.Name(id)}")).Order();
            Assert.Equal(pair.Refused.Keys.Order(), refused);
        }
        Assert.True(pairs > 100, $"only {pairs} pairs were compared");
    }

    [Fact]
    public void Our_plan_never_stops_where_strict_goes_through_and_serves_more_pairs()
    {
        var (ours, strict) = (0, 0);
        foreach (var capture in Captures.All.Values)
        {
            foreach (var host in Captures.Hosts.Values)
            {
                var (mine, theirs) = (Plan(capture.ToState(), host).Verdict != Verdict.No, Plan(capture.ToState(), host,
                    Policy.Strict).Verdict != Verdict.No);
                Assert.True(mine || !theirs);
                ours += mine ? 1 : 0;
                strict += theirs ? 1 : 0;
            }
        }
        Assert.True(ours > strict, $"{ours} against {strict}");
    }

    [Fact]
    public void A_new_kernels_vm_moves_to_an_old_one_once_its_psci_version_is_pinned()
    {
        var host = Captures.Hosts.Single(h => h.Key.StartsWith("6.12", StringComparison.Ordinal) && h.Key.EndsWith("neoverse-n1",
            StringComparison.Ordinal)).Value;
        var state = Captures.All["7.2.neoverse-n1.all"].ToState();
        Assert.Equal("PSCI_VERSION", Assert.Single(Plan(state, host).Stopping()).Subject);
        var pinned = Plan(state.With(FirmwareRegisters.PsciVersion, Psci11), host);
        Assert.Empty(pinned.Stopping());
        pinned.LeftOut(FirmwareRegisters.VendorHypervisor2.Id);
    }

    [Fact]
    public void Qemu_moves_from_old_to_new_where_the_newer_kernel_hides_registers_of_an_absent_feature()
    {
        var host = Captures.Hosts.Single(h => h.Key.StartsWith("7.2", StringComparison.Ordinal) && h.Key.EndsWith("neoverse-n1",
            StringComparison.Ordinal)).Value;
        var state = Captures.All["6.12.neoverse-n1.min"].ToState();
        var plan = Plan(state, host, Policy.Qemu);
        Assert.Empty(plan.Stopping());
        Assert.Equal(["TCR2_EL1", "PIRE0_EL1", "PIR_EL1"], plan.Steps.OfType<LeaveOut>().Select(l => RegisterCatalog.Name(l.Id)));
    }
}
