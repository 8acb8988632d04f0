using Migrate.Model.Firmware;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Migrate.Preflight.Baselines;
using static Migrate.Tests.Preflight.Given;

namespace Migrate.Tests.Preflight.Baselines;

/// <summary>Baselines of hosts that the lab measured, and of those that the converter assumes of captures.</summary>
public class RecordedHostsTests
{
    private static readonly RegisterId Dfr0 = RegisterId.System(3, 0, 0, 5, 0);
    private static readonly RegisterId Clidr = RegisterId.System(3, 1, 0, 0, 1);

    [Fact]
    public void One_baseline_serves_measured_kernels_of_one_cpu_in_every_direction()
    {
        var report = Fleet.Baseline(Fleet.MeasuredN1);
        Assert.Equal(Verdict.Yes, report.Verdict);
        report.Holds(Fleet.MeasuredN1);
        var pool = Assert.Single(report.Pools);
        Assert.Equal(Evidence.Measured, pool.Config.Evidence);
        Assert.True(pool.Config.Features.Has(VcpuFeatures.PmuV3));
        Assert.Equal(48, pool.Config.Type.IpaBits);
        Assert.Equal(62_500_000UL, pool.Config.CounterFrequency);
        Assert.Equal((6UL, 0xfUL), (pool.Setting(Dfr0).Value.Low, pool.Setting(Dfr0).Mask));
        Assert.Equal(Psci11, pool.Setting(FirmwareRegisters.PsciVersion).Value.Low);
        Assert.Equal(3UL, pool.Setting(Clidr).Value.Low & 7);
        Assert.Contains(pool.GivenUp, g => g.Subject == "PSCI_VERSION" && g.Own == "1.3" && g.Hosts.SequenceEqual(["7.2.neoverse-n1"]) && g.Witness.Source == "7.2.neoverse-n1");
        Assert.Equal(3, pool.Config.Expected.Count);
    }

    [Fact]
    public void Registers_that_two_kernels_freeze_at_different_values_are_proven_and_need_two_pools()
    {
        var hosts = Fleet.Every("neoverse-n1");
        var report = Fleet.Baseline(hosts);
        report.Holds(hosts);
        Assert.Equal((Verdict.No, 2, true), (report.Verdict, report.Pools.Count, report.IsExact));
        Assert.All(report.Proofs, p =>
        {
            Assert.Equal(["5.10.neoverse-n1", "6.1.neoverse-n1"], p.Hosts);
            Assert.Equal(("ID_AA64DFR0_EL1.DebugVer", Dfr0), (p.Subject, p.Register));
            Assert.Equal(["only 8", "only 6"], p.Holdings.Select(h => h.Values));
        });
        Assert.Equal(2, report.Proofs.Select(p => p.Features).Distinct().Count());
        Assert.Contains(report.Pools, p => p.Hosts.Count == 3);
    }

    [Fact]
    public void An_old_kernel_takes_hypercall_services_from_the_others_one_by_one()
    {
        BaselineHost[] hosts = [Fleet.Assumed("5.10.neoverse-n1"), Fleet.Assumed("6.12.neoverse-n1"), Fleet.Assumed("7.2.neoverse-n1")];
        var report = Fleet.Baseline(hosts);
        report.Holds(hosts);
        var pool = Assert.Single(report.Pools);
        Assert.Equal(Verdict.Unproven, report.Verdict);
        // Stolen time is not among them: 5.10 serves it, and a measured 5.10 says so.
        Assert.Equal(["TRNG", "PTP", "FUNC_FEAT"], pool.GivenUp.Where(g => g.Subject.Contains("_BMAP")).Select(g => g.Subject.Split('.')[1]));
        Assert.DoesNotContain(pool.Config.Settings, s => s.Id == FirmwareRegisters.VendorHypervisor2.Id);
    }

    [Fact]
    public void The_most_different_kernels_of_one_cpu_need_three_pools()
    {
        var hosts = Fleet.Every("max");
        var report = Fleet.Baseline(hosts);
        report.Holds(hosts);
        Assert.Equal([1, 1, 2], report.Pools.Select(p => p.Hosts.Count).Order());
        Assert.Contains(report.Proofs, p => p.Subject == "ID_AA64MMFR1_EL1.HCX");
    }

    [Fact]
    public void Different_cpus_are_told_by_what_names_them()
    {
        BaselineHost[] hosts = [Fleet.Measured("7.2.neoverse-n1"), Fleet.Measured("7.2.max")];
        var report = Fleet.Baseline(hosts);
        report.Holds(hosts);
        Assert.Equal(2, report.Pools.Count);
        Assert.NotEmpty(report.Proofs);
    }

    [Fact]
    public void A_vm_that_was_moved_moves_on_to_every_host()
    {
        foreach (var hosts in new[] { Fleet.MeasuredN1, [Fleet.Measured("6.12.max"), Fleet.Measured("7.2.max")] })
        {
            var config = Assert.Single(Fleet.Baseline(hosts).Pools).Config;
            foreach (var (first, second) in hosts.SelectMany(a => hosts.Select(b => (a, b))))
            {
                var moved = Fleet.Moved(ConfiguredMachine.Of(first.Profile, config), second);
                foreach (var third in hosts)
                    Assert.True(!Plan(moved, third.Profile).Stopping().Any(),
                        $"{first.Name} -> {second.Name} -> {third.Name}: {string.Join("; ", Plan(moved, third.Profile).Stopping().Select(f => $"{f.Subject} {f.Here} {f.There} {f.Answer}"))}");
            }
        }
    }

    [Fact]
    public void The_order_of_the_hosts_does_not_matter()
    {
        BaselineHost[] hosts = [.. Fleet.MeasuredN1, Fleet.Assumed("5.10.neoverse-n1"), Fleet.Measured("7.2.max")];
        var expected = Fleet.Baseline(hosts);
        for (var seed = 0; seed < 3; seed++)
        {
            var shuffled = hosts.ToArray();
            new Random(seed).Shuffle(shuffled);
            Assert.Equal(expected, Fleet.Baseline(shuffled));
        }
    }

    [Fact]
    public void The_kernel_version_does_not_matter()
    {
        var blank = Fleet.MeasuredN1.Select(h => h with { Profile = h.Profile with { Boot = new BootIdentity { PageSize = h.Profile.Boot.PageSize } } }).ToArray();
        Assert.Equal(Fleet.Baseline(Fleet.MeasuredN1), Fleet.Baseline(blank));
    }

    [Fact]
    public void A_host_that_lacks_one_value_lowers_the_baseline_by_just_that()
    {
        var before = Assert.Single(Fleet.Baseline(Fleet.MeasuredN1).Pools).Config;
        var mutant = Fleet.MeasuredN1[2].With(FirmwareRegisters.PsciVersion, r => r with
        {
            Accepts = Acceptance.OneOf([.. r.Accepts.Values.Where(v => v.Low is not Psci11)]),
        });
        BaselineHost[] hosts = [.. Fleet.MeasuredN1[..2], mutant];
        var report = Fleet.Baseline(hosts);
        report.Holds(hosts);
        var pool = Assert.Single(report.Pools);
        Assert.Equal(Psci10, pool.Setting(FirmwareRegisters.PsciVersion).Value.Low);
        Assert.Equal(before.Settings.Where(s => s.Id != FirmwareRegisters.PsciVersion), pool.Config.Settings.Where(s => s.Id != FirmwareRegisters.PsciVersion));
    }

    [Fact]
    public void A_host_that_freezes_one_field_elsewhere_falls_out_and_the_proof_names_the_field()
    {
        var mutant = Fleet.MeasuredN1[2].With(Dfr0, r => r with { Reset = new RegisterValue(r.Reset!.Value.Low & ~0xfUL | 7), Accepts = Frozen(r, 7) });
        BaselineHost[] hosts = [.. Fleet.MeasuredN1[..2], mutant];
        var report = Fleet.Baseline(hosts);
        report.Holds(hosts);
        Assert.Equal(2, report.Pools.Count);
        Assert.All(report.Proofs, p => Assert.Equal("ID_AA64DFR0_EL1.DebugVer", p.Subject));
        Assert.Contains(report.Proofs, p => p.Holdings.Select(h => h.Values).SequenceEqual(["only 6", "only 7"]));

        static Acceptance Frozen(RegisterAcceptance register, ulong value) => Acceptance.PerField(register.Accepts.Rest & ~0xfUL | value, register.Accepts.Fields.Where(f => f.Shift != 0));
    }

    [Fact]
    public void Vector_lengths_are_those_that_every_host_has()
    {
        var id = RegisterId.Of(RegisterClass.Sve, 0xffff, 64);
        var few = Fleet.Measured("7.2.max").With(id, r => r with { Accepts = Acceptance.OneOf([.. r.Accepts.Values.Where(v => v.Low <= 0xf)]), Reset = Value(0xf) });
        BaselineHost[] hosts = [Fleet.Measured("6.12.max"), few];
        var report = Fleet.Baseline(hosts);
        report.Holds(hosts);
        var pool = Assert.Single(report.Pools);
        Assert.Equal(Value(0xf), pool.Setting(id).Value);
        Assert.Contains("sve512=on", QemuOptions.Of(pool.Config).Text);
        Assert.Contains(FirecrackerTemplate.Of(pool.Config).NotExpressed, m => m.StartsWith("SVE_VLS", StringComparison.Ordinal));

        static RegisterValue Value(byte lengths) => new([lengths, .. new byte[63]]);
    }
}
