using Migrate.Model.Firmware;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using static Migrate.Tests.Preflight.Given;

namespace Migrate.Tests.Preflight;

public class RegisterRulesTests
{
    private static readonly RegisterId Bmap2 = FirmwareRegisters.VendorHypervisor2.Id;

    [Fact]
    public void A_plan_for_an_equal_host_is_yes_and_keeps_everything()
    {
        var plan = Plan(Machine(), Host());
        Assert.Equal((Verdict.Yes, Evidence.Measured), (plan.Verdict, plan.Evidence));
        Assert.Empty(plan.Findings);
        Assert.DoesNotContain(plan.Steps, s => s is LeaveOut);
    }

    [Fact]
    public void A_register_unknown_there_is_refused()
    {
        var finding = Plan(Machine(), HostWithout(Vbar)).Only(FindingCode.RegisterUnknown);
        Assert.Equal(("VBAR_EL1", "ENOENT", Severity.Refused), (finding.Subject, finding.Answer, finding.Severity));
    }

    [Fact]
    public void A_refused_id_register_is_told_by_field()
    {
        var finding = Plan(Machine().With(Mmfr1, 1UL << 60), Host()).Only(FindingCode.ValueRefused);
        Assert.Equal(("ID_AA64MMFR1_EL1.ECBHB", "1", "0 (accepted: 0)", "EINVAL"), (finding.Subject, finding.Here, finding.There, finding.Answer));
    }

    [Fact]
    public void An_id_field_within_the_accepted_values_is_kept()
    {
        var plan = Plan(Machine().With(Mmfr1, 1UL << 60), Host(Fields(Mmfr1, 0, (60, 0b11))));
        Assert.Equal(Verdict.Yes, plan.Verdict);
    }

    [Fact]
    public void Every_refused_field_of_every_register_is_reported()
    {
        var state = Machine().With(Mmfr1, 1UL << 60 | 1UL << 44).With(Pfr1, 0x21).With(FirmwareRegisters.PsciVersion, Psci13);
        var subjects = Plan(state, Host()).Stopping().Select(f => f.Subject).ToHashSet();
        Assert.Equal(["PSCI_VERSION", "ID_AA64PFR1_EL1.BT", "ID_AA64MMFR1_EL1.ECBHB", "ID_AA64MMFR1_EL1.AFP"], subjects);
    }

    [Fact]
    public void A_silently_changed_id_register_is_unsafe_and_names_the_field()
    {
        var host = Host(Any(Mmfr1) with { Stored = StoredAs.Always(0) });
        var finding = Plan(Machine().With(Mmfr1, 1UL << 60), host).Only(FindingCode.SilentlyChanged);
        Assert.Equal(("ID_AA64MMFR1_EL1.ECBHB", "1", "0", "reads back 0", Severity.Unsafe),
            (finding.Subject, finding.Here, finding.There, finding.Answer, finding.Severity));
    }

    [Fact]
    public void A_change_that_the_guest_cannot_tell_is_a_note()
    {
        const ulong gic = 1UL << 24;
        var host = Host(Fields(Pfr0, 0x1100_0000_0000_0011, (24, 0b11)) with { Stored = new StoredAs { Keep = ~gic } });
        var plan = Plan(Machine().With(Pfr0, 0x1100_0000_0100_0011), host);
        Assert.Equal((Verdict.Yes, Severity.Note), (plan.Verdict, plan.Only(FindingCode.SilentlyChanged).Severity));
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(2, false)]
    public void A_feature_register_of_aarch32_means_something_only_to_a_cpu_that_has_it(ulong el0, bool isLeftOut)
    {
        var debug = RegisterId.System(3, 0, 0, 1, 2);
        foreach (var there in new[] { Fields(debug, 4 << 24), Any(debug, 4 << 24) with { Stored = StoredAs.Always(4 << 24) } })
        {
            var plan = Plan(Machine(Host(Fields(debug, 0))).With(Pfr0, 0x1100_0000_0000_0010 | el0), Host(there, Fields(Pfr0, 0x1100_0000_0000_0010 | el0)));
            Assert.Equal(isLeftOut ? Verdict.Yes : Verdict.No, plan.Verdict);
            if (isLeftOut) Assert.Contains("AArch32", plan.LeftOut(debug).Why);
            else Assert.All(plan.Stopping(), f => Assert.StartsWith("ID_DFR0_EL1", f.Subject));
        }
    }

    [Fact]
    public void A_refused_mpam_field_is_written_as_zero()
    {
        var plan = Plan(Machine().With(Pfr0, 0x1100_0100_0000_0011), Host());
        var write = plan.Write(Pfr0);
        Assert.Equal(Verdict.Yes, plan.Verdict);
        Assert.Equal((0x1100_0000_0000_0011UL, 0x1100_0100_0000_0011UL), (write.Value.Low, write.Captured!.Value.Low));
        Assert.Contains("MPAM", write.Why);
    }

    [Fact]
    public void A_refused_mpam_field_beside_a_real_difference_is_refused()
    {
        var plan = Plan(Machine().With(Pfr0, 0x1100_0101_0000_0011), Host());
        Assert.Equal(["ID_AA64PFR0_EL1.SVE", "ID_AA64PFR0_EL1.MPAM"], plan.Stopping().Select(f => f.Subject));
    }

    [Fact]
    public void Every_missing_hypercall_service_is_named()
    {
        var host = Host(Bits(FirmwareRegisters.VendorHypervisor.Id, 0), Bits(FirmwareRegisters.Standard.Id, 0));
        var subjects = Plan(Machine(), host).Findings.Where(f => f.Code == FindingCode.HypercallBitmap).Select(f => f.Subject);
        Assert.Equal(["STD_BMAP.TRNG", "VENDOR_HYP_BMAP.FUNC_FEAT", "VENDOR_HYP_BMAP.PTP"], subjects);
    }

    [Fact]
    public void A_masked_hypercall_bitmap_moves_to_a_host_without_the_service()
    {
        var plan = Plan(Machine().With(FirmwareRegisters.VendorHypervisor.Id, 1), Host(Bits(FirmwareRegisters.VendorHypervisor.Id, 1)));
        Assert.Equal(Verdict.Yes, plan.Verdict);
    }

    [Fact]
    public void A_bitmap_of_no_services_is_left_out_where_it_is_unknown()
    {
        var plan = Plan(Machine(Host(Bits(Bmap2, 3))).With(Bmap2, 0), Host());
        Assert.Equal(Verdict.Yes, plan.Verdict);
        Assert.Equal(Severity.Note, plan.Only(FindingCode.LeftOut).Severity);
        Assert.True(plan.LeftOut(Bmap2).Captured.IsZero);
    }

    [Fact]
    public void A_bitmap_with_services_is_refused_where_it_is_unknown()
    {
        var plan = Plan(Machine(Host(Bits(Bmap2, 3))), Host());
        Assert.Equal(["VENDOR_HYP_BMAP_2.DISCOVER_IMPL_VER", "VENDOR_HYP_BMAP_2.DISCOVER_IMPL_CPUS"], plan.Stopping().Select(f => f.Subject));
    }

    [Fact]
    public void A_bitmap_whose_services_the_destination_answers_anyway_is_left_out()
    {
        var host = HostWithout(FirmwareRegisters.StandardHypervisor.Id);
        Assert.Equal(Verdict.No, Plan(Machine(), host).Verdict);
        var plan = Plan(Machine(), host with { Services = ["pv-time"] });
        Assert.Equal(Verdict.Yes, plan.Verdict);
        plan.LeftOut(FirmwareRegisters.StandardHypervisor.Id);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_workaround_level_above_the_hosts_is_refused(int number)
    {
        var id = RegisterId.Firmware((ushort)number);
        var finding = Plan(Machine(), Host(Level(id, 0))).Only(FindingCode.WorkaroundLevel);
        Assert.Equal((Severity.Refused, "not-available", "EINVAL"), (finding.Severity, finding.There, finding.Answer));
    }

    [Fact]
    public void A_lower_workaround_level_that_the_host_accepts_is_unsafe()
    {
        var accepted = Any(FirmwareRegisters.Workaround1) with { Scope = RegisterScope.Vm, Stored = StoredAs.Always(0) };
        var plan = Plan(Machine(), Host(accepted));
        Assert.Equal(Severity.Unsafe, plan.Only(FindingCode.WorkaroundLevel).Severity);
        Assert.Equal(Verdict.No, plan.Verdict);
        Assert.Equal(Verdict.Yes, Accepting(Machine(), Host(accepted), FindingCode.WorkaroundLevel).Verdict);
    }

    [Fact]
    public void A_higher_workaround_level_is_a_note()
    {
        var plan = Plan(Machine(), Host(Level(FirmwareRegisters.Workaround1, 2)));
        Assert.Equal((Verdict.Yes, Severity.Note), (plan.Verdict, plan.Only(FindingCode.WorkaroundLevel).Severity));
    }

    [Fact]
    public void Unknown_and_not_available_promise_the_same_for_workaround_2()
    {
        var plan = Plan(Machine().With(FirmwareRegisters.Workaround2, 1), Host(Level(FirmwareRegisters.Workaround2,
            1) with
        { Stored = StoredAs.Always(0) }));
        Assert.Equal(Verdict.Yes, plan.Verdict);
    }

    [Fact]
    public void A_promised_workaround_without_a_register_at_the_destination_is_refused()
    {
        var host = HostWithout(FirmwareRegisters.Workaround3);
        var finding = Plan(Machine(), host).Only(FindingCode.WorkaroundLevel);
        Assert.Equal(("no such register", "ENOENT"), (finding.There, finding.Answer));
        Assert.Equal(Verdict.Yes, Plan(Machine().With(FirmwareRegisters.Workaround3, 0), host).Verdict);
        Assert.Equal(Verdict.Yes, Plan(Machine(), host with { Services = ["workaround-3-available"] }).Verdict);
        Assert.Equal(Verdict.No, Plan(Machine(), host with { Services = ["workaround-3-not-available"] }).Verdict);
    }

    [Theory]
    [InlineData(56, "CSV2")]
    [InlineData(60, "CSV3")]
    public void A_host_that_takes_csv_without_offering_it_is_unsafe(int shift, string field)
    {
        var weaker = Host(Fields(Pfr0, 0x1100_0000_0000_0011 & ~(0xfUL << shift), (60, 0b11), (56, 0b11)));
        var finding = Plan(Machine(), weaker).Only(FindingCode.WorkaroundLevel);
        Assert.Equal(("ID_AA64PFR0_EL1." + field, Severity.Unsafe), (finding.Subject, finding.Severity));
        Assert.Equal(Verdict.Yes, Plan(Machine(weaker), Host()).Verdict);
    }

    [Fact]
    public void A_refused_csv_field_is_a_workaround_finding()
    {
        var weaker = Host(Fields(Pfr0, 0x1000_0000_0000_0011, (60, 0b11)));
        Assert.Equal("ID_AA64PFR0_EL1.CSV2", Plan(Machine(), weaker).Only(FindingCode.WorkaroundLevel).Subject);
    }

    [Fact]
    public void A_register_of_a_feature_that_the_guest_does_not_have_is_left_out()
    {
        var source = Host(Any(Tcr2, 0x1de7_ec7e_dbad_c0de));
        Assert.Equal(Verdict.Yes, Plan(Machine(source), Host()).Verdict);
        Assert.Contains("TCRX", Plan(Machine(source), Host()).LeftOut(Tcr2).Why);
    }

    [Fact]
    public void A_register_of_a_feature_that_the_guest_has_is_refused()
    {
        var source = Host(Any(Tcr2, 1), Fields(Mmfr3, 1));
        var plan = Plan(Machine(source), Host(Fields(Mmfr3, 0, (0, 0b11))));
        Assert.Equal("TCR2_EL1", plan.Only(FindingCode.RegisterUnknown).Subject);
    }

    [Fact]
    public void A_dependent_is_judged_by_the_controllers_planned_value_not_by_the_hosts_own()
    {
        var dependent = Any(Tcr2, 0) with { When = [new Conditional(Mmfr3, 0, 4, 1 << 0, null, StoredAs.Unchanged)] };
        var host = Host(dependent, Fields(Mmfr3, 1, (0, 0b11)));
        var without = Machine(host).With(Mmfr3, 0);
        Assert.Equal(Verdict.Yes, Plan(Machine(host), host).Verdict);
        Assert.NotNull(Plan(without, host).LeftOut(Tcr2));
    }

    [Fact]
    public void Strict_judges_a_dependent_by_what_list_order_has_written_before_it()
    {
        var dependent = Level(FirmwareRegisters.Workaround2, 0) with
        {
            When = [new Conditional(Pfr1, 4, 4, 1 << 0, Acceptance.OneOf(new(0), new RegisterValue(3)), StoredAs.Always(3))],
        };
        var host = Host(Fields(Pfr1, 0x20, (4, 0b111)), dependent);
        var registers = Machine(host).With(Pfr1, 0).With(FirmwareRegisters.Workaround2, 3).Vcpus[0].Registers;
        var state = Machine(host) with { Vcpus = [Machine(host).Vcpus[0] with { Registers = new RegisterSet(registers.OrderBy(r => r.Id.Class == RegisterClass.Firmware ? 0 : 1)) }] };
        Assert.Equal(Verdict.Yes, Plan(state, host).Verdict);
        Assert.Equal("EINVAL", Plan(state, host, Policy.Strict).Only(FindingCode.WorkaroundLevel).Answer);
    }

    [Fact]
    public void The_physical_timer_is_lossy_where_it_cannot_be_restored()
    {
        var source = Host(Any(CntpCtl));
        var plan = Plan(Machine(source), Host());
        Assert.Equal(Severity.Lossy, plan.Only(FindingCode.RegisterUnknown).Severity);
        Assert.Equal(Verdict.No, plan.Verdict);
        Assert.Equal(Verdict.Yes, Accepting(Machine(source), Host(), FindingCode.RegisterUnknown).Verdict);
    }

    [Fact]
    public void Counters_are_written_once_for_the_vm_and_not_read_back()
    {
        var state = Machine(vcpus: 2);
        state = state with
        {
            Vcpus = [state.Vcpus[0], state.Vcpus[1] with { Registers = state.Vcpus[1].Registers.With(new Register(Cntvct,
            new RegisterValue(77))) }]
        };
        var plan = Plan(state, Host());
        Assert.Equal(Verdict.Yes, plan.Verdict);
        Assert.Null(plan.Write(Cntvct).ReadsBack);
        Assert.Single(plan.Steps.OfType<WriteRegister>(), w => w.Id == Cntvct);
    }

    [Fact]
    public void A_pmu_clear_register_is_left_out_because_its_twin_carries_the_mask()
    {
        var set = RegisterId.System(3, 3, 9, 12, 1);
        var clear = RegisterId.System(3, 3, 9, 12, 2);
        var host = Host(Any(set), Any(clear));
        var plan = Plan(Machine(host).With(set, 5).With(clear, 5), host);
        Assert.Equal(5UL, plan.LeftOut(clear).Captured.Low);
        Assert.Equal(5UL, plan.Write(set).Value.Low);
        Assert.NotNull(Plan(Machine(host).With(set, 5).With(clear, 4), host).Write(clear));
    }

    [Fact]
    public void Pmu_registers_of_a_guest_without_a_pmu_are_left_out_where_unknown_and_refused_with_one()
    {
        var ccnt = RegisterId.System(3, 3, 9, 13, 0);
        Assert.NotNull(Plan(Machine(Host(Any(ccnt, 9))), Host()).LeftOut(ccnt));
        var features = Features | VcpuFeatures.PmuV3;
        var plan = Plan(Machine(Profile([.. Base(), Any(ccnt, 9)], features)), Profile(Base(), features));
        Assert.Equal("PMCCNTR_EL0", plan.Only(FindingCode.RegisterUnknown).Subject);
    }

    [Theory]
    [InlineData(0x3000UL, 0x0UL, 4, Severity.Note)]
    [InlineData(0x3000UL, 0x0UL, 6, Severity.Lossy)]
    [InlineData(0x3000UL, 0x1UL, 4, Severity.Lossy)]
    [InlineData(0x0UL, 0x1UL, 6, Severity.Note)]
    public void A_change_of_counter_bits_that_the_guest_lacks_is_a_note(ulong control, ulong lost, int version, Severity severity)
    {
        var (pmcr, counter, dfr0) = (RegisterId.System(3, 3, 9, 12, 0), RegisterId.System(3, 3, 14, 8, 5), RegisterId.System(3, 0, 0, 5, 0));
        var source = Host(Any(pmcr, control), Any(counter, 0xffff_ffff_0000_0001), Any(dfr0, (ulong)version << 8));
        var there = Host(Any(pmcr, control), Any(counter) with { Stored = new StoredAs { Keep = 0xffff_ffffUL & ~lost } }, Any(dfr0));
        Assert.Equal(severity, Plan(Machine(source), there).Only(FindingCode.SilentlyChanged).Severity);
    }

    [Fact]
    public void A_nested_virtualisation_field_is_adapted_to_the_host_for_a_guest_without_el2()
    {
        var mmfr2 = RegisterId.System(3, 0, 0, 7, 2);
        var frozen = Host(Fields(mmfr2, 2UL << 24));
        var plan = Plan(Machine(Host(Fields(mmfr2, 0))), frozen);
        Assert.Equal((Verdict.Yes, 2UL << 24), (plan.Verdict, plan.Write(mmfr2).Value.Low));
        var features = Features | VcpuFeatures.El2;
        var nested = Plan(Machine(Profile([.. Base(), Fields(mmfr2, 0)], features)), Profile([.. Base(), Fields(mmfr2, 2UL << 24)], features));
        Assert.Equal("ID_AA64MMFR2_EL1.NV", Assert.Single(nested.Stopping()).Subject);
    }

    [Fact]
    public void Geometry_of_a_cache_that_the_guest_lacks_is_left_out_and_of_one_it_has_refused()
    {
        var level1Instruction = RegisterId.Of(RegisterClass.Demux, 1, 4);
        var level3 = RegisterId.Of(RegisterClass.Demux, 4, 4);
        var clidr = Any(Clidr, 0x23);
        var plan = Plan(Machine(Host(clidr, Any(level1Instruction, 1), Any(level3, 7))), Host(clidr));
        Assert.NotNull(plan.LeftOut(level3));
        Assert.Equal(level1Instruction, plan.Only(FindingCode.RegisterUnknown).Register);
    }

    [Fact]
    public void Vector_lengths_are_compared_one_by_one()
    {
        var features = Features | VcpuFeatures.Sve;
        var here = Profile([.. Base(), Lengths(0b1011)], features);
        var there = Profile([.. Base(), Lengths(0b0111)], features);
        var plan = Plan(Machine(here), there);
        Assert.Equal(["SVE_VLS.384", "SVE_VLS.512"], plan.Findings.Where(f => f.Code == FindingCode.SveLengths).Select(f => f.Subject));
        Assert.Equal(Verdict.Yes, Plan(Machine(here), here).Verdict);
        var shorter = there with { Shapes = [there.Shapes[0] with { Registers = [.. Base(), Lengths(0b0111, 0b0011, 0b0001)] }] };
        Assert.Equal(Verdict.Yes, Plan(Machine(Profile([.. Base(), Lengths(0b0011)], features)), shorter).Verdict);
    }

    [Fact]
    public void Sve_without_captured_lengths_is_unsafe()
    {
        var features = Features | VcpuFeatures.Sve;
        Assert.Equal(Severity.Unsafe, Plan(Machine(Profile(Base(), features)), Profile(Base(), features)).Only(FindingCode.SveLengths).Severity);
    }

    [Fact]
    public void A_register_that_was_not_measured_is_unproven_and_written_as_captured()
    {
        var host = Host(new RegisterAcceptance { Id = Vbar, Accepts = Acceptance.Unproven });
        var plan = Plan(Machine().With(Vbar, 5), host);
        Assert.Equal((Verdict.Unproven, Evidence.Assumed), (plan.Verdict, plan.Evidence));
        Assert.Equal(5UL, plan.Write(Vbar).Value.Low);
    }

    [Fact]
    public void A_refused_register_that_is_accepted_by_name_is_left_out()
    {
        var plan = Accepting(Machine(), HostWithout(Vbar), FindingCode.RegisterUnknown);
        Assert.Equal(Verdict.Yes, plan.Verdict);
        Assert.Contains("register-unknown", plan.LeftOut(Vbar).Why);
        Assert.Equal(Verdict.No, Accepting(Machine(), HostWithout(Vbar), FindingCode.ValueRefused).Verdict);
    }

    [Fact]
    public void Vm_wide_registers_are_written_once_and_must_agree()
    {
        var state = Machine(vcpus: 3);
        Assert.Single(Plan(state, Host()).Steps.OfType<WriteRegister>(), w => w.Id == Mmfr1);
        Assert.Equal(3, Plan(state, Host()).Steps.OfType<WriteRegister>().Count(w => w.Id == Vbar));
        var odd = state with
        {
            Vcpus = [state.Vcpus[0], state.Vcpus[1],
            state.Vcpus[2] with { Registers = state.Vcpus[2].Registers.With(new Register(Pfr1, new RegisterValue(0))) }]
        };
        var finding = Plan(odd, Host()).Only(FindingCode.ValueRefused);
        Assert.Equal(("ID_AA64PFR1_EL1", 2), (finding.Subject, Assert.Single(finding.Vcpus)));
    }

    [Fact]
    public void Equal_findings_of_several_vcpus_are_one()
    {
        var finding = Plan(Machine(vcpus: 4), HostWithout(Vbar)).Only(FindingCode.RegisterUnknown);
        Assert.Equal([0, 1, 2, 3], finding.Vcpus);
    }

    private static RegisterAcceptance Lengths(params byte[] accepted) => new()
    {
        Id = Vls,
        Reset = Length(accepted[0]),
        Accepts = Acceptance.OneOf([.. accepted.Select(Length)]),
    };

    private static RegisterValue Length(byte lengths)
    {
        var bytes = new byte[64];
        bytes[0] = lengths;
        return new RegisterValue(bytes);
    }
}
