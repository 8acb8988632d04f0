using System.Text.Json;
using Migrate.Model.Errors;
using Migrate.Model.Firmware;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Migrate.Preflight;
using Migrate.Preflight.Baselines;
using static Migrate.Tests.Preflight.Baselines.Fleet;
using static Migrate.Tests.Preflight.Given;

namespace Migrate.Tests.Preflight.Baselines;

/// <summary>Choice of values, pools and proofs on made-up hosts.</summary>
public class BaselineTests
{
    private const int Rounds = 25;

    private static ulong Field(BaselinePool pool, int shift = 60) => pool.Setting(Mmfr1).Value.Low >> shift;

    [Fact]
    public void Accepted_sets_are_no_intervals_and_the_best_common_value_is_chosen()
    {
        BaselineHost[] hosts = [Taking("a", 0, 2, 5), Taking("b", 0, 2, 4)];
        var report = Fleet.Baseline(hosts);
        report.Holds(hosts);
        var pool = Assert.Single(report.Pools);
        Assert.Equal(2UL, Field(pool));
        Assert.Equal([("ID_AA64MMFR1_EL1.ECBHB", "4"), ("ID_AA64MMFR1_EL1.ECBHB", "5")], pool.GivenUp.Select(g => (g.Subject, g.Own)).Order());
    }

    [Fact]
    public void A_special_value_that_every_host_takes_is_not_taken_for_a_rich_one()
    {
        BaselineHost[] hosts = [new("a", Host(Fields(Mmfr1, 2UL << 60, (60, 0b1000_0000_0000_0111)))), new("b", Host(Fields(Mmfr1, 1UL << 60, (60, 0b1000_0000_0000_0011))))];
        Assert.Equal(1UL, Field(Assert.Single(Fleet.Baseline(hosts).Pools)));
    }

    [Fact]
    public void A_signed_field_is_ordered_as_the_architecture_orders_it()
    {
        // ID_AA64PFR0_EL1.FP: 0xf is "none" and below 0.
        BaselineHost[] hosts = [new("a", Host(Fields(Pfr0, 0, (16, 0x8001)))), new("b", Host(Fields(Pfr0, 0xfUL << 16, (16, 0x8001))))];
        Assert.Equal(0UL, Assert.Single(Fleet.Baseline(hosts).Pools).Setting(Pfr0).Value.Low);
    }

    [Fact]
    public void A_promise_that_a_host_does_not_make_by_itself_is_given_up_although_it_takes_the_value()
    {
        BaselineHost[] hosts = [new("a", Host(Fields(Pfr0, 1UL << 56, (56, 0b11)))), new("b", Host(Fields(Pfr0, 0, (56, 0b11))))];
        var report = Fleet.Baseline(hosts);
        report.Holds(hosts);
        var given = Assert.Single(Assert.Single(report.Pools).GivenUp);
        Assert.Equal(("ID_AA64PFR0_EL1.CSV2", "b"), (given.Subject, given.Witness.Destination));
    }

    [Fact]
    public void Sharing_a_pool_is_not_transitive()
    {
        BaselineHost[] hosts = [Taking("a", 1), Taking("b", 1, 2), Taking("c", 2)];
        var report = Fleet.Baseline(hosts);
        report.Holds(hosts);
        Assert.Equal((2, true), (report.Pools.Count, report.IsExact));
        var proof = Assert.Single(report.Proofs);
        Assert.Equal(["a", "c"], proof.Hosts);
        Assert.Equal(["only 1", "only 2"], proof.Holdings.Select(h => h.Values));
    }

    [Fact]
    public void Three_hosts_may_disagree_although_every_two_of_them_agree()
    {
        BaselineHost[] hosts = [Taking("a", 1, 2), Taking("b", 2, 3), Taking("c", 1, 3)];
        var report = Fleet.Baseline(hosts);
        report.Holds(hosts);
        Assert.Equal(2, report.Pools.Count);
        var proof = Assert.Single(report.Proofs);
        Assert.Equal(["a", "b", "c"], proof.Hosts);
        Assert.Equal(["1, 2", "2, 3", "1, 3"], proof.Holdings.Select(h => h.Values));
    }

    [Fact]
    public void Of_two_divisions_into_equally_many_pools_the_richer_is_chosen()
    {
        BaselineHost[] hosts = [Taking("a", 0), Taking("b", 0, 5), Taking("c", 5)];
        var report = Fleet.Baseline(hosts);
        Assert.Equal(["b", "c"], Assert.Single(report.Pools, p => p.Hosts.Count == 2).Hosts);
    }

    [Fact]
    public void More_profiles_than_can_be_divided_exactly_are_divided_one_by_one_and_it_says_so()
    {
        BaselineHost[] hosts = [.. Enumerable.Range(0, Migrate.Preflight.Baselines.Baseline.ExactUpTo + 1).Select(i => new BaselineHost($"h{i:d2}", Host(Exactly(Vbar, (ulong)i / 2, (ulong)i / 2), Any(CntvCtl, (ulong)i))))];
        var report = Fleet.Baseline(hosts);
        report.Holds(hosts);
        Assert.Equal((false, 9, 17), (report.IsExact, report.Pools.Count, report.Profiles));
    }

    [Fact]
    public void A_large_fleet_shares_what_the_poorest_of_it_takes()
    {
        BaselineHost[] hosts = [.. Enumerable.Range(0, 40).Select(i => new BaselineHost($"h{i:d2}", Host(Any(CntvCtl, (ulong)i), Fields(Mmfr1, 9UL << 60, (60, i == 30 ? 0b10_0001_0000 : 0b10_0011_0000))) with { IpaSizes = i == 20 ? [40] : [40, 48] })), Taking("other", 1)];
        hosts[30] = Taking("h30", 4);
        var report = Fleet.Baseline(hosts);
        report.Holds(hosts);
        Assert.Equal((2, 40, false), (report.Pools.Count, report.Pools[0].Hosts.Count, report.IsExact));
        Assert.Equal((4UL, 40), (Field(report.Pools[0]), report.Pools[0].Config.Type.IpaBits));
        Assert.All(report.Proofs, p => Assert.Contains("other", p.Hosts));
        Assert.Equal((Verdict.Yes, 1, true), Fleet.Baseline(hosts[..40]) is var one ? (one.Verdict, one.Pools.Count, one.IsExact) : default);
    }

    [Fact]
    public void Hosts_of_one_profile_are_one()
    {
        BaselineHost[] hosts = [Taking("a", 1, 2), Taking("b", 1, 2), Taking("c", 1)];
        var report = Fleet.Baseline(hosts);
        report.Holds(hosts);
        Assert.Equal((3, 2), (report.Hosts, report.Profiles));
        Assert.Equal(["a", "b"], Assert.Single(Assert.Single(report.Pools).GivenUp).Hosts);
    }

    [Fact]
    public void Whatever_rests_on_assumptions_is_unproven_unless_they_are_accepted()
    {
        var host = Taking("a", 1, 2);
        var guess = host with { Name = "b", Profile = host.Profile with { Evidence = Evidence.Assumed, Shapes = [host.Profile.Shapes[0] with { Evidence = Evidence.Assumed }] } };
        Assert.Equal(Verdict.Unproven, Fleet.Baseline(host, guess).Verdict);
        Assert.Equal(Verdict.Yes, Migrate.Preflight.Baselines.Baseline.Of([host, guess], null, new PlanOptions { AcceptAssumed = true }).Verdict);
    }

    [Fact]
    public void The_address_size_is_the_largest_that_every_host_has()
    {
        var (wide, narrow) = (Taking("wide", 1), Taking("narrow", 1));
        narrow = narrow with { Profile = narrow.Profile with { IpaSizes = [32, 36, 40, 44] } };
        var report = Fleet.Baseline(wide, narrow);
        report.Holds(wide, narrow);
        var pool = Assert.Single(report.Pools);
        Assert.Equal(44, pool.Config.Type.IpaBits);
        Assert.Equal(("IPA size", "48 bits", "narrow"), Assert.Single(pool.GivenUp) is var g ? (g.Subject, g.Own, g.Witness.Destination) : default);
    }

    [Fact]
    public void Hosts_without_a_common_address_size_share_no_pool()
    {
        var (a, b) = (Taking("a", 1), Taking("b", 1));
        a = a with { Profile = a.Profile with { IpaSizes = [32, 36] } };
        b = b with { Profile = b.Profile with { IpaSizes = [40] } };
        var proof = Assert.Single(Fleet.Baseline(a, b).Proofs);
        Assert.Equal("IPA size", proof.Subject);
    }

    [Fact]
    public void Another_counter_frequency_is_a_proof_although_no_kernel_objects()
    {
        var (a, b) = (Taking("a", 1), Taking("b", 1));
        b = b with { Profile = b.Profile with { CounterFrequency = 25_000_000 } };
        var report = Fleet.Baseline(a, b);
        Assert.Equal(2, report.Pools.Count);
        Assert.Equal("CNTFRQ_EL0", Assert.Single(report.Proofs).Subject);
    }

    [Fact]
    public void Another_workaround_level_is_a_proof_for_no_write_is_kept()
    {
        BaselineHost[] hosts = [new("a", Host(Level(FirmwareRegisters.Workaround1, 2))), new("b", Host(Level(FirmwareRegisters.Workaround1, 1)))];
        var report = Fleet.Baseline(hosts);
        report.Holds(hosts);
        var proof = Assert.Single(report.Proofs);
        Assert.Equal(FirmwareRegisters.Workaround1, proof.Register);
        Assert.Equal(["only not-required", "only available"], proof.Holdings.Select(h => h.Values));
    }

    [Fact]
    public void A_feature_that_one_host_lacks_is_given_up_by_those_that_have_it()
    {
        var plain = Taking("plain", 1);
        var shape = plain.Profile.Shapes[0];
        var rich = plain with { Name = "rich", Profile = plain.Profile with { Shapes = [shape, shape with { Features = shape.Features | VcpuFeatures.Sve }] } };
        plain = plain with { Profile = plain.Profile with { Shapes = [shape, new HostShape { Features = shape.Features | VcpuFeatures.Sve, Errno = 22, RefusedAt = "vcpu_init" }] } };
        var given = Assert.Single(Assert.Single(Fleet.Baseline(plain, rich).Pools).GivenUp);
        Assert.Equal(("sve", new Witness("rich", "plain", $"refuses {shape.Features | VcpuFeatures.Sve} with EINVAL at vcpu_init")), (given.Own, given.Witness));
        var refused = Assert.Throws<MigrateException>(() => Migrate.Preflight.Baselines.Baseline.Of([plain, rich], shape.Features | VcpuFeatures.Sve, new PlanOptions()));
        Assert.Equal(ErrorCode.NotFound, refused.Code);
    }

    [Fact]
    public void A_name_for_two_hosts_and_no_host_at_all_are_refused()
    {
        Assert.Equal(ErrorCode.Usage, Assert.Throws<MigrateException>(() => Fleet.Baseline()).Code);
        Assert.Equal(ErrorCode.Usage, Assert.Throws<MigrateException>(() => Fleet.Baseline(Taking("a", 1), Taking("a", 2))).Code);
    }

    [Fact]
    public void Random_fleets_have_pools_whose_pairs_all_succeed_and_whose_witnesses_all_fail()
    {
        var (shared, divided, given) = (0, 0, 0);
        for (var seed = 0; seed < Rounds; seed++)
        {
            var hosts = Random(seed);
            var report = Fleet.Baseline(hosts);
            report.Holds(hosts);
            Assert.Equal(report, Fleet.Baseline([.. hosts.Reverse()]));
            if (report.Pools.Count == 1) shared++;
            else divided++;
            given += report.Pools.Sum(p => p.GivenUp.Count);
        }
        Assert.True(shared > 3 && divided > 3 && given > 10, $"{shared} shared, {divided} divided, {given} given up");
    }

    [Fact]
    public void A_host_that_does_not_take_a_configuration_is_refused_by_the_register()
    {
        var config = Assert.Single(Fleet.Baseline(Taking("a", 2, 1), Taking("b", 1)).Pools).Config;
        Assert.Equal([new Register(Mmfr1, new RegisterValue(1UL << 60))], ConfiguredMachine.Writes(Taking("a", 2, 1).Profile, config));
        var refused = Assert.Throws<MigrateException>(() => ConfiguredMachine.Of(Taking("c", 2, 3).Profile, config));
        Assert.Contains("ID_AA64MMFR1_EL1", refused.Message);
        refused = Assert.Throws<MigrateException>(() => ConfiguredMachine.Of(Host() with { CounterFrequency = 1 }, config));
        Assert.Contains("CNTFRQ_EL0", refused.Message);
        refused = Assert.Throws<MigrateException>(() => ConfiguredMachine.Of(Host(Fields(Mmfr1, 1UL << 60, (60, 0b10)), Level(FirmwareRegisters.Workaround3, 2)), config));
        Assert.Contains("WORKAROUND_3", refused.Message);
    }

    [Fact]
    public void A_register_that_a_setting_takes_away_is_not_in_the_vm_and_stands_in_nobodys_way()
    {
        var tcr2 = RegisterId.System(3, 0, 2, 0, 3);
        var dependent = Any(tcr2, 7) with { When = [new Conditional(Mmfr3, 0, 4, 0b1, null, StoredAs.Unchanged)] };
        var (newer, older) = (new BaselineHost("newer", Host(Fields(Mmfr3, 1, (0, 0b11)), dependent)), new BaselineHost("older", Host(Fields(Mmfr3, 0))));
        var report = Fleet.Baseline(newer, older);
        report.Holds(newer, older);
        var pool = Assert.Single(report.Pools);
        Assert.Equal("ID_AA64MMFR3_EL1.TCRX", Assert.Single(pool.GivenUp).Subject);
        Assert.False(ConfiguredMachine.Of(newer.Profile, pool.Config).Vcpus[0].Registers.Contains(tcr2));
        Assert.True(ConfiguredMachine.Of(newer.Profile, pool.Config with { Settings = [] }).Vcpus[0].Registers.Contains(tcr2));
    }

    /// <summary>Linux 5.10 takes its own revision of a GICv3 alone, kernels from 5.19 on two.</summary>
    [Fact]
    public void The_interrupt_controller_is_of_a_revision_that_every_host_takes()
    {
        var (older, newer) = (WithGic("older", 2, 2), WithGic("newer", 3, 2, 3));
        var report = Fleet.Baseline(older, newer);
        report.Holds(older, newer);
        var pool = Assert.Single(report.Pools);
        Assert.Equal(2, pool.Config.GicRevision);
        Assert.Equal(("GICD_IIDR", "revision 3", "newer", "older"), Assert.Single(pool.GivenUp) is var given ? (given.Subject, given.Own, given.Witness.Source, given.Witness.Destination) : default);
        Assert.Equal(0x243bUL, Assert.Single(Assert.Single(ConfiguredMachine.Devices(newer.Profile, pool.Config)).Attributes).Value.Low);
        Assert.Empty(ConfiguredMachine.Devices(older.Profile, pool.Config));
        Assert.Contains(pool.Qemu.NotExpressed, m => m.StartsWith("GICD_IIDR", StringComparison.Ordinal));
        Assert.Null(Assert.Single(Fleet.Baseline(newer, newer with { Name = "other" }).Pools).Config.GicRevision);
    }

    [Fact]
    public void Hosts_whose_interrupt_controllers_have_no_revision_in_common_share_no_pool()
    {
        var report = Fleet.Baseline(WithGic("a", 2, 2), WithGic("b", 3, 3));
        Assert.Equal(2, report.Pools.Count);
        var proof = Assert.Single(report.Proofs);
        Assert.Equal(("GICD_IIDR", Evidence.Measured), (proof.Subject, proof.Evidence));
        Assert.Equal(["revision 2", "revision 3"], proof.Holdings.Select(h => h.Values).Order());
    }

    private static BaselineHost WithGic(string name, int own, params int[] taken) => new(name, Host() with
    {
        Capabilities = [new(GicV3State.OwnIidr, 0x43b | own << 12), new(GicV3State.OwnTyper2, 0), new(GicV3State.OwnIccCtlr, 0x400), .. taken.Select(r => new HostCapability(GicV3State.TakesRevision(r), 1))],
    });

    [Fact]
    public void A_firecracker_template_has_a_character_a_bit_and_keeps_what_is_not_set()
    {
        var pool = Assert.Single(Fleet.Baseline(Taking("a", 2, 1), Taking("b", 1)).Pools);
        using var template = JsonDocument.Parse(FirecrackerTemplate.Of(pool.Config).Text);
        var modifier = Assert.Single(template.RootElement.GetProperty("reg_modifiers").EnumerateArray());
        Assert.Equal($"0x{Mmfr1.Value:x}", modifier.GetProperty("addr").GetString());
        Assert.Equal("0b0001" + new string('x', 60), modifier.GetProperty("bitmap").GetString());
    }

    [Fact]
    public void Qemu_options_say_what_they_can_and_name_what_they_cannot()
    {
        var config = new VmConfig
        {
            Type = new VmType(48),
            Features = Features | VcpuFeatures.PmuV3,
            Gic = GicKind.GicV3,
            Settings = [new(FirmwareRegisters.PsciVersion, new RegisterValue(Psci10)), new(Mmfr1, new RegisterValue(0), 0xfUL << 60)],
        };
        var options = QemuOptions.Of(config);
        Assert.Equal("-accel kvm -machine virt,gic-version=3 -cpu host,pmu=on,kvm-psci-version=1.0", options.Text);
        Assert.Contains(options.NotExpressed, m => m.StartsWith("ID_AA64MMFR1_EL1", StringComparison.Ordinal));
        Assert.DoesNotContain(options.NotExpressed, m => m.StartsWith("PSCI_VERSION", StringComparison.Ordinal));
    }

    /// <summary>Two to five hosts with random masks in three fields, random PSCI versions and services.</summary>
    private static BaselineHost[] Random(int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, 2 + random.Next(4)).Select(i => new BaselineHost($"h{i}", Host(
            Random(random, Mmfr1, 60, 4), Random(random, Mmfr3, 0, 8),
            Exactly(FirmwareRegisters.PsciVersion, Psci11, [.. new[] { Psci11, Psci10, 2UL }.Where((_, n) => n == 0 || random.Next(5) > 0)]) with { Scope = RegisterScope.Vm },
            Bits(FirmwareRegisters.VendorHypervisor.Id, (ulong)random.Next(4)))))];
    }

    private static RegisterAcceptance Random(Random random, RegisterId id, params int[] shifts)
    {
        var fields = shifts.Select(shift => (Shift: shift, Mask: random.Next(1, 16) | (random.Next(4) > 0 ? 1 : 0))).ToArray();
        return Fields(id, fields.Aggregate(0UL, (value, f) => value | (ulong)int.Log2(f.Mask) << f.Shift), fields);
    }
}
