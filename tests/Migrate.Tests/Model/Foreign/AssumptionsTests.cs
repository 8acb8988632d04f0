using Migrate.Model.Foreign;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Registers;

namespace Migrate.Tests.Model.Foreign;

/// <summary>Rules of which the recorded answers have no case.</summary>
public class AssumptionsTests
{
    private const int EInval = 22;

    [Theory]
    [InlineData("7.2", 0x1UL, 0, 0UL)]
    [InlineData("7.2", 0x3UL, EInval, 0UL)]
    public void A_workaround_reads_back_as_the_host_has_it(string kernel, ulong written, int errno, ulong reads) =>
        Answers(Host(kernel, ("SMCCC_ARCH_WORKAROUND_2", 0UL), ("ID_AA64PFR1_EL1", 0x20UL)), "SMCCC_ARCH_WORKAROUND_2", written, errno, reads);

    [Theory]
    [InlineData(0x0UL, 0, 3UL)]
    [InlineData(0x2UL, 0, 3UL)]
    [InlineData(0x12UL, 0, 3UL)]
    [InlineData(0x13UL, EInval, 0UL)]
    [InlineData(0x10UL, EInval, 0UL)]
    [InlineData(0x4UL, EInval, 0UL)]
    public void Workaround_2_has_two_levels_and_a_bit(ulong written, int errno, ulong reads) =>
        Answers(Host("6.1", ("SMCCC_ARCH_WORKAROUND_2", 3UL)), "SMCCC_ARCH_WORKAROUND_2", written, errno, reads);

    [Fact]
    public void Without_ssbs_the_level_of_workaround_2_is_not_known()
    {
        var shape = Host("6.12", ("SMCCC_ARCH_WORKAROUND_2", 0UL), ("ID_AA64PFR1_EL1", 0x20UL));
        Assert.Equal(AnswerKind.Kept, shape.Predict(Id("SMCCC_ARCH_WORKAROUND_2"), new RegisterValue(0)).Kind);
        var hidden = shape.Predict(Id("SMCCC_ARCH_WORKAROUND_2"), new RegisterValue(0), id => id == Id("ID_AA64PFR1_EL1") ? new RegisterValue(0) : null);
        Assert.Equal(AnswerKind.Unproven, hidden.Kind);
    }

    [Theory]
    [InlineData("5.10", 0x10000UL, 0)]
    [InlineData("5.10", 0x10001UL, EInval)]
    [InlineData("6.1", 0x10001UL, 0)]
    [InlineData("6.12", 0x10002UL, EInval)]
    [InlineData("6.13", 0x10003UL, 0)]
    [InlineData("7.2", 0x10004UL, EInval)]
    [InlineData("7.2", 0x1UL, EInval)]
    public void A_psci_version_is_taken_from_the_kernel_that_brought_it(string kernel, ulong written, int errno) =>
        Answers(Host(kernel, ("PSCI_VERSION", 0x10000UL)), "PSCI_VERSION", written, errno, written);

    [Fact]
    public void Without_the_feature_there_is_only_psci_0_1()
    {
        var shape = Host("7.2", default(VcpuFeatures), ("PSCI_VERSION", 1UL));
        Answers(shape, "PSCI_VERSION", 1, 0, 1);
        Answers(shape, "PSCI_VERSION", 2, EInval, 0);
    }

    [Theory]
    [InlineData("VENDOR_HYP_BMAP", 3UL, 1UL, 0)]
    [InlineData("VENDOR_HYP_BMAP", 3UL, 4UL, EInval)]
    [InlineData("VENDOR_HYP_BMAP", 1UL, 2UL, EInval)]
    [InlineData("VENDOR_HYP_BMAP_2", 0UL, 3UL, 0)]
    [InlineData("VENDOR_HYP_BMAP_2", 0UL, 4UL, EInval)]
    public void A_bitmap_takes_any_of_the_services_offered(string bitmap, ulong reset, ulong written, int errno)
    {
        var shape = Host("7.2", (bitmap, reset));
        Answers(shape, bitmap, written, errno, written);
        Assert.True(shape.Find(Id(bitmap)) is { FrozenAfterRun: true, Scope: RegisterScope.Vm });
    }

    [Theory]
    [InlineData("5.10", 0x1000000000000000UL, 0x1100000000000000UL, EInval)]
    [InlineData("5.10", 0x1100000000000000UL, 0x1000000000000000UL, 0)]
    [InlineData("5.10", 0x1100000000000000UL, 0x0100000000000000UL, EInval)]
    [InlineData("6.1", 0x1100000000000000UL, 0x0000000000000000UL, 0)]
    [InlineData("6.1", 0x1100000000000000UL, 0x1200000000000000UL, EInval)]
    [InlineData("6.6", 0x1000000000000021UL, 0x1000000000000011UL, EInval)]
    [InlineData("6.7", 0x1000000000000021UL, 0x1000000000000011UL, 0)]
    [InlineData("6.12", 0x0000000020000011UL, 0x0000000010000011UL, EInval)]
    [InlineData("7.2", 0x0000000020000011UL, 0x0000000010000011UL, 0)]
    [InlineData("6.12", 0x0000000000000011UL, 0x0000000000000010UL, 0)]
    [InlineData("7.2", 0x0000000000000011UL, 0x0000000000000010UL, EInval)]
    public void Processor_features_may_be_given_up_as_the_generation_allows(string kernel, ulong reset, ulong written, int errno) =>
        Answers(Host(kernel, ("ID_AA64PFR0_EL1", reset)), "ID_AA64PFR0_EL1", written, errno, written);

    [Theory]
    [InlineData(0x606UL, 0, 0x606UL)]
    [InlineData(0xf06UL, 0, 0x006UL)]
    [InlineData(0x605UL, EInval, 0UL)]
    [InlineData(0x607UL, 0, 0x607UL)]
    [InlineData(0x609UL, EInval, 0UL)]
    [InlineData(0x706UL, EInval, 0UL)]
    public void The_debug_register_refuses_old_debug_and_drops_an_unknown_pmu(ulong written, int errno, ulong reads) =>
        Answers(Host("6.12", ("ID_AA64DFR0_EL1", 0x608UL)), "ID_AA64DFR0_EL1", written, errno, reads);

    [Theory]
    [InlineData(0x03000006UL, 0, 0x03000006UL)]
    [InlineData(0x02000006UL, EInval, 0UL)]
    [InlineData(0x0f000006UL, 0, 0x00000006UL)]
    [InlineData(0x00000005UL, EInval, 0UL)]
    public void The_32_bit_debug_register_refuses_what_is_no_pmu_v3(ulong written, int errno, ulong reads) =>
        Answers(Host("6.12", ("ID_DFR0_EL1", 0x06000006UL), ("ID_AA64PFR0_EL1", 0x12UL)), "ID_DFR0_EL1", written, errno, reads);

    [Theory]
    [InlineData("5.10", EInval, 0UL)]
    [InlineData("6.1", 0, 0UL)]
    [InlineData("7.2", 0, 0UL)]
    public void Without_aarch32_its_identification_is_ignored(string kernel, int errno, ulong reads) =>
        Answers(Host(kernel, ("ID_PFR0_EL1", 0UL), ("ID_AA64PFR0_EL1", 0x11UL)), "ID_PFR0_EL1", 0x131, errno, reads);

    [Theory]
    [InlineData("6.1", 0x84448004UL, EInval)]
    [InlineData("6.12", 0x8444c003UL, 0)]
    [InlineData("6.12", 0x8444c005UL, EInval)]
    [InlineData("6.12", 0x84448004UL, EInval)]
    [InlineData("6.12", 0x9444c004UL, EInval)]
    [InlineData("6.12", 0xa444c004UL, EInval)]
    [InlineData("7.2", 0x8444c004UL, 0)]
    [InlineData("7.2", 0x84448004UL, 0)]
    [InlineData("7.2", 0x84440004UL, EInval)]
    [InlineData("7.2", 0x85448004UL, EInval)]
    public void The_cache_type_may_promise_less(string kernel, ulong written, int errno) =>
        Answers(Host(kernel, ("CTR_EL0", 0x8444c004UL)), "CTR_EL0", written, errno, written);

    [Theory]
    [InlineData("6.1", 0x8444c004UL, 0x0a200023UL, EInval)]
    [InlineData("6.12", 0x8444c004UL, 0x0a200023UL, 0)]
    [InlineData("6.12", 0x8444c004UL, 0x02200023UL, EInval)]
    [InlineData("6.12", 0x8444c004UL, 0x08200023UL, EInval)]
    [InlineData("6.12", 0x9444c004UL, 0x00000023UL, 0)]
    [InlineData("6.12", 0x9444c004UL, 0x800000000023UL, EInval)]
    public void Cache_levels_may_not_promise_a_coherence_that_is_not_there(string kernel, ulong type, ulong written, int errno) =>
        Answers(Host(kernel, ("CTR_EL0", type), ("CLIDR_EL1", 0x0a200123UL)), "CLIDR_EL1", written, errno, written);

    [Theory]
    [InlineData("6.1", 0x701fe01bU, EInval)]
    [InlineData("6.12", 0x701fe01bU, 0)]
    [InlineData("6.12", 0x701fe019U, EInval)]
    [InlineData("6.12", 0xffffffffU, 0)]
    public void A_cache_line_may_not_be_shorter_than_the_hosts(string kernel, uint written, int errno)
    {
        var shape = Host(kernel, ("CTR_EL0", 0x84448004UL), ("CCSIDR[0]", 0x1aUL));
        var answer = shape.Predict(Id("CCSIDR[0]"), new RegisterValue(written, 4));
        Assert.Equal((errno == 0 ? AnswerKind.Kept : AnswerKind.Refused, errno), (answer.Kind, answer.Errno));
    }

    [Theory]
    [InlineData(0x9UL, 0)]
    [InlineData(0x1UL, 0)]
    [InlineData(0x3UL, 0)]
    [InlineData(0xbUL, 0)]
    [InlineData(0x8UL, EInval)]
    [InlineData(0xfUL, EInval)]
    [InlineData(0x0UL, EInval)]
    public void Vector_lengths_are_the_hosts_up_to_any_of_them(ulong written, int errno)
    {
        var shape = Host("6.12", ("SVE_VLS", written is 0x9 ? 0x9UL : 0xbUL));
        var answer = shape.Predict(CoreRegisters.SveLengths, Lengths(written));
        Assert.Equal((errno == 0 ? AnswerKind.Kept : AnswerKind.Refused, errno), (answer.Kind, answer.Errno));
        Assert.True(shape.Find(CoreRegisters.SveLengths)!.FrozenAfterRun);
    }

    [Theory]
    [InlineData(0xaUL, 0)]
    [InlineData(0x8UL, 0)]
    [InlineData(0x9UL, EInval)]
    public void The_os_lock_alone_may_differ(ulong written, int errno) => Answers(Host("6.1", ("OSLSR_EL1", 0x8UL)), "OSLSR_EL1", written, errno, written);

    [Theory]
    [InlineData("6.1", 0x410130acUL, 0x410130acUL)]
    [InlineData("6.12", 0x410130ecUL, 0x30ecUL)]
    [InlineData("6.12", 0x410110acUL, 0x10acUL)]
    [InlineData("6.12", 0x4101f8acUL, 0x30acUL)]
    public void A_number_of_counters_above_the_hosts_is_silently_replaced(string kernel, ulong written, ulong reads) =>
        Answers(Host(kernel, ("PMCR_EL0", 0x3000UL), ("ID_AA64PFR0_EL1", 0x12UL)), "PMCR_EL0", written, 0, reads);

    [Fact]
    public void The_long_cycle_counter_is_fixed_without_aarch32() =>
        Answers(Host("7.2", ("PMCR_EL0", 0x3040UL), ("ID_AA64PFR0_EL1", 0x11UL)), "PMCR_EL0", 0x3000, 0, 0x3040);

    [Theory]
    [InlineData("6.1", "PMCNTENSET_EL0", 0x0UL, 0x0UL)]
    [InlineData("6.12", "PMCNTENSET_EL0", 0x0UL, 0x8000001eUL)]
    [InlineData("6.7", "PMCNTENSET_EL0", 0x0UL, 0x8000001eUL)]
    [InlineData("6.12", "PMCNTENSET_EL0", 0xffUL, 0x8000003fUL)]
    [InlineData("6.12", "PMCNTENCLR_EL0", 0x0UL, 0x8000001eUL)]
    [InlineData("6.12", "PMCNTENCLR_EL0", 0x8000001eUL, 0x0UL)]
    [InlineData("6.12", "PMCNTENCLR_EL0", 0x6UL, 0x80000018UL)]
    [InlineData("7.2", "PMCNTENSET_EL0", 0x0UL, 0x0UL)]
    [InlineData("7.2", "PMCNTENCLR_EL0", 0xffUL, 0x3fUL)]
    public void Set_and_clear_registers_do_what_their_generation_makes_of_them(string kernel, string register, ulong written, ulong reads) =>
        Answers(Host(kernel, ("PMCR_EL0", 0x3000UL), (register, 0x8000001eUL)), register, written, 0, reads);

    [Theory]
    [InlineData(0x506UL, 0xdbadc0deUL)]
    [InlineData(0x606UL, 0x1de7ec7edbadc0deUL)]
    [InlineData(0xf06UL, 0xdbadc0deUL)]
    public void An_event_counter_is_as_wide_as_the_vms_pmu(ulong debug, ulong reads) =>
        Answers(Host("7.2", ("ID_AA64DFR0_EL1", debug), ("PMEVCNTR0_EL0", 0UL)), "PMEVCNTR0_EL0", 0x1de7ec7edbadc0de, 0, reads);

    [Theory]
    [InlineData("6.12", "TCR2_EL1", 0UL, AnswerKind.Kept)]
    [InlineData("7.2", "TCR2_EL1", 0UL, AnswerKind.Unknown)]
    [InlineData("7.2", "TCR2_EL1", 0x1UL, AnswerKind.Kept)]
    [InlineData("7.2", "PIR_EL1", 0x1UL, AnswerKind.Unknown)]
    [InlineData("7.2", "PIRE0_EL1", 0x100UL, AnswerKind.Kept)]
    [InlineData("6.12", "POR_EL0", 0x100UL, AnswerKind.Unknown)]
    [InlineData("6.12", "POR_EL1", 0x10000UL, AnswerKind.Kept)]
    [InlineData("7.2", "SCTLR2_EL1", 0x1UL, AnswerKind.Unknown)]
    [InlineData("7.2", "SCTLR2_EL1", 0x10UL, AnswerKind.Kept)]
    public void A_dependent_exists_while_its_controller_says_so(string kernel, string register, ulong controller, AnswerKind kind)
    {
        var shape = Host(kernel, ("ID_AA64MMFR3_EL1", 0x10111UL), (register, 0UL));
        Assert.Equal(kind, shape.Predict(Id(register), new RegisterValue(1), id => id == Id("ID_AA64MMFR3_EL1") ? new RegisterValue(controller) : null).Kind);
    }

    [Fact]
    public void Fpmr_exists_while_the_vm_has_it()
    {
        var shape = Host("6.12", ("ID_AA64PFR2_EL1", 1UL << 32), ("FPMR", 0UL));
        Assert.Equal(AnswerKind.Kept, shape.Predict(Id("FPMR"), new RegisterValue(1)).Kind);
        Assert.Equal(AnswerKind.Unknown, shape.Predict(Id("FPMR"), new RegisterValue(1), _ => new RegisterValue(0)).Kind);
    }

    [Theory]
    [InlineData("6.12", "ID_AA64ISAR0_EL1", RegisterScope.Vm, true)]
    [InlineData("6.1", "ID_AA64ISAR0_EL1", RegisterScope.Vm, false)]
    [InlineData("7.2", "MIDR_EL1", RegisterScope.Vm, true)]
    [InlineData("6.12", "MIDR_EL1", RegisterScope.Vm, false)]
    [InlineData("6.12", "CTR_EL0", RegisterScope.Vm, true)]
    [InlineData("7.2", "PSCI_VERSION", RegisterScope.Vm, false)]
    [InlineData("7.2", "SMCCC_ARCH_WORKAROUND_1", RegisterScope.Vm, false)]
    [InlineData("7.2", "STD_BMAP", RegisterScope.Vm, true)]
    [InlineData("7.2", "CLIDR_EL1", RegisterScope.Vcpu, false)]
    [InlineData("7.2", "MPIDR_EL1", RegisterScope.Vcpu, false)]
    [InlineData("7.2", "X0", RegisterScope.Vcpu, false)]
    public void Every_register_has_the_scope_and_the_freeze_of_its_kind(string kernel, string register, RegisterScope scope, bool frozen)
    {
        var acceptance = Host(kernel, (register, 0UL)).Find(Id(register))!;
        Assert.Equal((scope, frozen), (acceptance.Scope, acceptance.FrozenAfterRun));
    }

    [Fact]
    public void Any_affinity_is_taken() => Answers(Host("5.10", ("MPIDR_EL1", 0x80000000UL)), "MPIDR_EL1", 0x80000003, 0, 0x80000003);

    [Fact]
    public void The_status_of_a_timer_is_dropped_when_it_is_no_longer_computed()
    {
        Answers(Host("7.2", ("CNTV_CTL_EL0", 0UL)), "CNTV_CTL_EL0", 5, 0, 1);
        Assert.Equal(AnswerKind.Volatile, Host("6.12", ("CNTV_CTL_EL0", 0UL)).Predict(Id("CNTV_CTL_EL0"), new RegisterValue(5)).Kind);
    }

    private static RegisterId Id(string name) => RegisterKinds.Id(name);

    private static RegisterValue Lengths(ulong bits)
    {
        var bytes = new byte[64];
        BitConverter.TryWriteBytes(bytes, bits);
        return new RegisterValue(bytes);
    }

    private static ShapeIndex Host(string kernel, params ReadOnlySpan<(string Name, ulong Reset)> registers) => Host(kernel, VcpuFeatures.Psci02, registers);

    private static ShapeIndex Host(string kernel, VcpuFeatures features, params ReadOnlySpan<(string Name, ulong Reset)> registers)
    {
        var listed = new List<ListedRegister>();
        foreach (var (name, reset) in registers)
            listed.Add(new ListedRegister(Id(name), Id(name).Size == 64 ? Lengths(reset) : new RegisterValue(reset, Id(name).Size)));
        var capture = new ForeignCapture { Name = "host", HostName = "host", KernelRelease = kernel, Features = features, Listed = [.. listed], Digest = [] };
        return new ShapeIndex(ForeignProfile.Assume(capture).Shape(features, GicKind.None)!);
    }

    private static void Answers(ShapeIndex shape, string register, ulong written, int errno, ulong reads)
    {
        var answer = shape.Predict(Id(register), new RegisterValue(written));
        var expected = errno != 0
            ? new PredictedAnswer(AnswerKind.Refused, errno, null)
            : new PredictedAnswer(reads == written ? AnswerKind.Kept : AnswerKind.Changed, 0, new RegisterValue(reads));
        Assert.Equal(expected, answer);
    }
}
