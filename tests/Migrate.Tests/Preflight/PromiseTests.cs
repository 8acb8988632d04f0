using Migrate.Model.Firmware;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Migrate.Preflight;
using Migrate.Preflight.Explain;
using static Migrate.Tests.Preflight.Given;

namespace Migrate.Tests.Preflight;

/// <summary>What KVM would accept and the guest would suffer from: every case is a state whose registers the destination takes, and a twin that may move.</summary>
public class PromiseTests
{
    private static readonly RegisterId Midr = RegisterId.System(3, 0, 0, 0, 0);
    private static readonly RegisterId Revidr = RegisterId.System(3, 0, 0, 0, 6);
    private static readonly RegisterId Isar1 = RegisterId.System(3, 0, 0, 6, 1);
    private static readonly RegisterId Isar2 = RegisterId.System(3, 0, 0, 6, 2);
    private static readonly RegisterId Ctr = RegisterId.System(3, 3, 0, 0, 1);
    private static readonly RegisterId Pmcr = RegisterId.System(3, 3, 9, 12, 0);
    private static readonly VcpuFeatures WithPmu = Features | VcpuFeatures.PmuV3;
    private const ulong N1 = 0x413f_d0c1;
    private const ulong Altra = 0xc03f_ac31;
    private const uint Sdei = 0x8400_0020;

    private sealed record Case(FindingCode Code, Severity Severity, string Subject, MachineState Guest, HostProfile Breaks, HostProfile Keeps, HostProfile? Source = null, bool Acceptable = true);

    private static readonly Dictionary<string, Case> Cases = new()
    {
        ["workaround 1 lowered"] = Lowered(FirmwareRegisters.Workaround1, 1, 0),
        ["workaround 2 lowered"] = Lowered(FirmwareRegisters.Workaround2, 3, 2),
        ["workaround 3 lowered"] = Lowered(FirmwareRegisters.Workaround3, 2, 1),
        ["workaround 3 has no register"] = new(FindingCode.WorkaroundLevel, Severity.Refused, "SMCCC_ARCH_WORKAROUND_3", Machine(), HostWithout(FirmwareRegisters.Workaround3), Host()),
        ["CSV2 lowered"] = new(FindingCode.WorkaroundLevel, Severity.Unsafe, "ID_AA64PFR0_EL1.CSV2", Machine(), Csv(0x1000_0000_0000_0011), Host()),
        ["CSV3 lowered"] = new(FindingCode.WorkaroundLevel, Severity.Unsafe, "ID_AA64PFR0_EL1.CSV3", Machine(), Csv(0x0100_0000_0000_0011), Host()),
        ["another counter frequency"] = new(FindingCode.CounterFrequency, Severity.Unsafe, "CNTFRQ_EL0", Machine(), Host() with { CounterFrequency = 25_000_000 }, Host()),
        ["another CPU that the kernel lets the guest not see"] = Kept(Midr, N1, Altra, FindingCode.ImplementationId, "MIDR_EL1"),
        ["another revision of the CPU"] = Kept(Midr, N1, N1 + 1, FindingCode.ImplementationId, "MIDR_EL1"),
        ["another REVIDR"] = Kept(Revidr, 1, 0, FindingCode.ImplementationId, "REVIDR_EL1"),
        ["QARMA5 there is another variant"] = Kept(Isar1, 1 << 4, 5 << 4, FindingCode.PointerAuthentication, "ID_AA64ISAR1_EL1.APA"),
        ["QARMA5 is gone"] = Kept(Isar1, 1 << 24, 0, FindingCode.PointerAuthentication, "ID_AA64ISAR1_EL1.GPA"),
        ["QARMA3 is gone"] = Kept(Isar2, 1 << 12, 0, FindingCode.PointerAuthentication, "ID_AA64ISAR2_EL1.APA3"),
        ["the maker's own algorithm, another maker"] = new(FindingCode.PointerAuthentication, Severity.Unsafe, "pointer authentication",
            // Told to be the destination's CPU all along: only its hardware says who signed the pointers.
            Machine(Maker(N1)).With(Midr, Altra), Maker(Altra), Maker(N1), Maker(N1)),
        ["DIC claimed"] = Kept(Ctr, 1UL << 29 | 4, 4, FindingCode.CacheClaim, "CTR_EL0.DIC"),
        ["IDC claimed"] = Kept(Ctr, 1UL << 28 | 4, 4, FindingCode.CacheClaim, "CTR_EL0.IDC"),
        ["longer data lines claimed"] = Kept(Ctr, 5 << 16, 4 << 16, FindingCode.CacheClaim, "CTR_EL0.DminLine"),
        ["longer instruction lines claimed"] = Kept(Ctr, 5, 4, FindingCode.CacheClaim, "CTR_EL0.IminLine"),
        ["a smaller write-back granule claimed"] = Kept(Ctr, 4 << 24, 5 << 24, FindingCode.CacheClaim, "CTR_EL0.CWG"),
        ["PIPT claimed"] = Kept(Ctr, 3 << 14, 2 << 14, FindingCode.CacheClaim, "CTR_EL0.L1Ip"),
        ["TRNG is gone with its register"] = Gone(FirmwareRegisters.Standard.Id, "STD_BMAP.TRNG", "trng"),
        ["stolen time is gone with its register"] = Gone(FirmwareRegisters.StandardHypervisor.Id, "STD_HYP_BMAP.PV_TIME", "pv-time"),
        ["PTP is gone with its register"] = Gone(FirmwareRegisters.VendorHypervisor.Id, "VENDOR_HYP_BMAP.PTP", "ptp", "func-feat"),
        ["stolen time was answered without a register"] = Service("pv-time", "pv-time", FirmwareRegisters.StandardHypervisor.Id, FindingCode.HypercallBitmap),
        ["a mitigation was answered without a register"] = Service("workaround-1-available", "workaround-1-not-required", FirmwareRegisters.Workaround1, FindingCode.WorkaroundLevel),
        ["SDEI is forwarded and nobody is named"] = new(FindingCode.HandlerMissing, Severity.Unsafe, "handler sdei",
            Machine().WithVm(vm => vm with { SmcccFilter = [new SmcccFilterRange(Sdei, 0x20, SmcccAction.ForwardToUser)] }), Host(), Host() with { Handlers = ["sdei"] }),
        ["PSCI is forwarded and nobody is named"] = new(FindingCode.HandlerMissing, Severity.Unsafe, "handler psci",
            Machine().WithVm(vm => vm with { SmcccFilter = [new SmcccFilterRange(0xc400_0003, 1, SmcccAction.ForwardToUser)] }), Host(), Host() with { Handlers = ["psci"] }),
        ["a handler is named and missing"] = new(FindingCode.HandlerMissing, Severity.Refused, "handler sdei",
            Machine().WithVm(vm => vm with { Handlers = ["sdei"] }), Host() with { Handlers = ["psci"] }, Host() with { Handlers = ["psci", "sdei"] }),
        ["SMC is answered with -1"] = new(FindingCode.SmcConduit, Severity.Unsafe, "SMCCC conduit", BySmc(),
            Host() with { Services = ["smc-not-supported"] }, Host() with { Services = ["smc"], HasSmcccFilter = false }),
        ["fewer event counters, the number ignored"] = Counters(HostOf(WithPmu, Any(Pmcr, 4 << 11) with { Stored = new StoredAs { Keep = 0xff, Set = 4 << 11 } })),
        ["fewer event counters, any number kept"] = Counters(HostOf(WithPmu, Any(Pmcr, 4 << 11))),
        ["no stolen time"] = new(FindingCode.VcpuAttribute, Severity.Refused, "stolen time", Machine() with { Devices = [new DeviceState("vcpu", [new DeviceAttribute(2, 0, new RegisterValue(0x5000_0000))])] },
            Host() with { Capabilities = [new HostCapability("vcpu-attr.stolen-time", 0)] }, Host() with { Capabilities = [new HostCapability("vcpu-attr.stolen-time", 1)] }),
        ["memory tagging"] = new(FindingCode.MemoryTags, Severity.Refused, "ID_AA64PFR1_EL1.MTE", Machine().With(Pfr1, 0x220), Host(Any(Pfr1, 0x220)), Host(), Acceptable: false),
        ["a physical count of its own"] = new(FindingCode.CounterOffset, Severity.Lossy, "attribute counter-offset",
            Machine().WithVm(vm => vm with { Attributes = [VmAttributes.Flag(VmAttributes.CounterOffset)] }), Offset(0), Offset(1)),
        ["a physical timer in use"] = new(FindingCode.RegisterUnknown, Severity.Lossy, "CNTP_CTL_EL0", Machine(Host(Any(CntpCtl, 1))), Host(), Host(Any(CntpCtl))),
    };

    public static TheoryData<string> Names => [.. Cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_broken_promise_is_found_with_a_remedy_and_the_kept_one_is_not(string name)
    {
        var it = Cases[name];
        var plan = Plan(it, it.Breaks);
        Assert.Equal(Verdict.No, plan.Verdict);
        var finding = Assert.Single(plan.Stopping(), f => f.Subject == it.Subject);
        Assert.Equal((it.Code, it.Severity), (finding.Code, finding.Severity));
        Assert.NotEmpty(finding.Remedy);
        Assert.All(plan.Stopping(), f => Assert.Equal(it.Code, f.Code));
        // The twin: the same guest where the promise is kept. Memory tagging has no such place.
        if (it.Code == FindingCode.MemoryTags) return;
        var kept = Plan(it, it.Keeps);
        Assert.True(kept.Verdict == Verdict.Yes, string.Join("; ", kept.Findings.Select(f => $"{f.Code} {f.Subject}")));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_broken_promise_is_lifted_by_its_own_name_alone(string name)
    {
        var it = Cases[name];
        var others = Enum.GetValues<FindingCode>().Where(c => c != it.Code).ToHashSet();
        Assert.Equal(Verdict.No, Planner.Plan(it.Guest, it.Breaks, new PlanOptions { Accept = others, AcceptAssumed = true }, it.Source).Verdict);
        var lifted = Planner.Plan(it.Guest, it.Breaks, new PlanOptions { Accept = new HashSet<FindingCode> { it.Code } }, it.Source);
        Assert.Equal(it.Acceptable ? Verdict.Yes : Verdict.No, lifted.Verdict);
        Assert.Equal(it.Acceptable, lifted.Findings.Any(f => f.Accepted && f.Code == it.Code));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_broken_promise_is_explained_with_its_severity_and_the_words_of_a_VMM(string name)
    {
        var text = FindingTexts.Of(Cases[name].Code);
        Assert.Contains(Cases[name].Severity, text.Severities);
        var explained = Explainer.Of(Cases[name].Code.Text());
        Assert.NotEmpty(explained.Findings[0].Rules.ToArray());
        // Neither knows of a filter's handlers, and the counter's offset is no property of theirs.
        if (Cases[name].Code is not (FindingCode.HandlerMissing or FindingCode.CounterOffset)) Assert.NotEqual("", text.Qemu + text.Firecracker);
    }

    [Fact]
    public void A_broken_promise_stops_under_every_policy()
    {
        foreach (var (name, it) in Cases)
            foreach (var policy in Enum.GetValues<Policy>())
                Assert.True(Planner.Plan(it.Guest, it.Breaks, new PlanOptions { Policy = policy }, it.Source).Verdict == Verdict.No, $"{name} under {policy}");
    }

    [Fact]
    public void A_promise_beside_a_field_that_is_written_otherwise_is_not_forgotten()
    {
        var guest = Machine().With(Pfr0, 0x1100_0100_0000_0011);
        Assert.Equal(Verdict.Yes, Given.Plan(guest, Host()).Verdict);
        Assert.Equal("ID_AA64PFR0_EL1.CSV2", Assert.Single(Given.Plan(guest, Csv(0x1000_0000_0000_0011)).Stopping()).Subject);
    }

    [Fact]
    public void A_promise_that_the_sources_hardware_does_not_keep_either_is_a_note()
    {
        var it = Cases["another CPU that the kernel lets the guest not see"];
        var plan = Planner.Plan(it.Guest, it.Breaks, new PlanOptions(), it.Breaks);
        Assert.Equal((Verdict.Yes, Severity.Note), (plan.Verdict, plan.Only(FindingCode.ImplementationId).Severity));
    }

    [Fact]
    public void Writable_implementation_ids_are_written_where_the_host_has_them_and_remain_a_broken_promise()
    {
        var guest = Machine(Host(Exactly(Midr, N1, N1))).WithVm(vm => vm with { Attributes = [VmAttributes.Flag(VmAttributes.WritableImplementation)] });
        var there = Host(Exactly(Midr, Altra, Altra)) with { KnownAttributes = [VmAttributes.WritableImplementation], Capabilities = [new HostCapability("arm-writable-imp-id-regs", 1)] };
        var plan = Given.Plan(guest, there);
        Assert.Equal(Severity.Unsafe, plan.Only(FindingCode.ImplementationId).Severity);
        Assert.Equal(N1, plan.Write(Midr).Value.Low);
        Assert.Equal(Verdict.Unproven, Accepting(guest, there, FindingCode.ImplementationId).Verdict);
        // Without the capability at either side the kernel refuses, by the same name.
        var refused = Given.Plan(Machine(Host(Exactly(Midr, N1, N1))), there);
        Assert.All(refused.Stopping(), f => Assert.Equal((FindingCode.ImplementationId, Severity.Refused), (f.Code, f.Severity)));
        Assert.Equal(Verdict.No, refused.Verdict);
    }

    [Theory]
    [InlineData(true, Verdict.Yes)]
    [InlineData(false, Verdict.Unproven)]
    [InlineData(null, Verdict.Unproven)]
    public void A_host_that_was_not_asked_about_SMC_is_unproven_unless_it_has_the_filter_that_tells_the_two_apart(bool? filter, Verdict verdict) =>
        Assert.Equal(verdict, Given.Plan(BySmc(), Host() with { HasSmcccFilter = filter }).Verdict);

    [Fact]
    public void A_guest_with_EL2_calls_by_SMC_whatever_the_description_says()
    {
        var features = Features | VcpuFeatures.El2;
        var host = Profile(Base(), features) with { Services = ["smc-not-supported"] };
        Assert.Equal(Verdict.No, Given.Plan(Machine(host), host).Verdict);
        Assert.Equal(Verdict.Yes, Given.Plan(Machine(host), host with { Services = ["smc"] }).Verdict);
    }

    [Fact]
    public void What_nobody_asked_the_host_about_a_promise_is_unproven()
    {
        var stolen = Cases["no stolen time"].Guest;
        Assert.Equal(Verdict.Unproven, Given.Plan(stolen, Host()).Verdict);
        var service = Cases["stolen time was answered without a register"];
        Assert.Equal(Verdict.Unproven, Planner.Plan(service.Guest, service.Breaks with { Services = [] }, new PlanOptions(), service.Source).Verdict);
        Assert.Equal(Verdict.Unproven, Given.Plan(Machine(Maker(N1)), Host(Any(Isar1, 1 << 8), Any(Midr) with { Reset = null })).Verdict);
    }

    [Fact]
    public void A_physical_timer_never_set_moves_and_the_count_that_jumps_is_said()
    {
        var (cval, count) = (RegisterId.System(3, 3, 14, 2, 2), RegisterId.System(3, 3, 14, 0, 1));
        var source = Host(Any(CntpCtl), Any(cval), Any(count, 77) with { Stored = StoredAs.Counting });
        var plan = Given.Plan(Machine(source), Host());
        Assert.Equal(Verdict.Yes, plan.Verdict);
        var note = plan.Only(FindingCode.CounterOffset);
        Assert.Equal((Severity.Note, "CNTPCT_EL0"), (note.Severity, note.Subject));
        Assert.Contains("jumps", note.There);
        Assert.Contains("never set", plan.LeftOut(cval).Why);
        // A compare value that was set once is a timer in use.
        Assert.Equal(Verdict.No, Given.Plan(Machine(source).With(cval, 5), Host()).Verdict);
    }

    [Fact]
    public void A_source_that_cannot_read_the_physical_timer_is_said_and_one_that_can_is_not()
    {
        var cval = Any(RegisterId.System(3, 3, 14, 0, 2));
        Assert.Equal(Severity.Note, Given.Plan(Machine(Host(cval)), Host(cval)).Only(FindingCode.CounterOffset).Severity);
        var whole = Host(cval, Any(CntpCtl));
        Assert.Empty(Given.Plan(Machine(whole), whole).Findings.ToArray());
    }

    [Fact]
    public void An_accepted_refusal_changes_the_refused_fields_alone_and_says_why()
    {
        var host = Host(Fields(Mmfr1, 0x20, (60, 0b1), (4, 0b111)));
        var guest = Machine().With(Mmfr1, 1UL << 60 | 0x10);
        Assert.Equal(Verdict.No, Given.Plan(guest, host).Verdict);
        var write = Accepting(guest, host, FindingCode.ValueRefused).Write(Mmfr1);
        Assert.Equal((0x10UL, 1UL << 60 | 0x10), (write.Value.Low, write.Captured!.Value.Low));
        Assert.Contains("value-refused", write.Why);
    }

    [Fact]
    public void An_accepted_loss_of_one_service_gives_the_guest_no_other_that_it_never_had()
    {
        var id = FirmwareRegisters.VendorHypervisor.Id;
        var guest = Machine(Host(Bits(id, 7))).With(id, 0b110);
        var write = Accepting(guest, Host(Bits(id, 3)), FindingCode.HypercallBitmap).Write(id);
        Assert.Equal(0b010UL, write.Value.Low);
    }

    [Fact]
    public void A_remedy_is_not_one_that_the_sources_kernel_rules_out()
    {
        var there = Host(Fields(Mmfr1, 0, (60, 0b1)));
        string Remedy(HostProfile? source) => Planner.Plan(Machine().With(Mmfr1, 1UL << 60), there, new PlanOptions(), source).Only(FindingCode.ValueRefused).Remedy;
        Assert.Equal("create the VM with ID_AA64MMFR1_EL1.ECBHB=0, where the source's kernel lets it be set", Remedy(null));
        Assert.Equal("create the VM with ID_AA64MMFR1_EL1.ECBHB=0", Remedy(Host(Fields(Mmfr1, 1UL << 60, (60, 0b11)))));
        Assert.StartsWith("choose a destination", Remedy(Host(Fields(Mmfr1, 1UL << 60, (60, 0b10)))));
    }

    private static RestorePlan Plan(Case it, HostProfile there) => Planner.Plan(it.Guest, there, new PlanOptions(), it.Source);

    private static HostProfile HostOf(VcpuFeatures features, params RegisterAcceptance[] more) => Profile([.. Base(), .. more], features);

    private static MachineState BySmc() =>
        Machine().WithVm(vm => vm with { Attributes = [VmAttributes.Text(VmAttributes.Conduit, VmAttributes.ConduitSmc, required: false)] });

    private static HostProfile Csv(ulong own) => Host(Fields(Pfr0, own, (60, 0b11), (56, 0b11)));

    private static HostProfile Maker(ulong midr) => Host(Any(Midr, midr), Any(Isar1, 1 << 8));

    private static HostProfile Offset(long value) => Host() with
    {
        KnownAttributes = [VmAttributes.CounterOffset],
        Capabilities = [new HostCapability(VmAttributes.CounterOffset, value)],
    };

    private static Case Lowered(RegisterId id, ulong here, ulong there) => new(FindingCode.WorkaroundLevel, Severity.Unsafe, RegisterCatalog.Name(id),
        Machine(Host(Level(id, here))), Host(Any(id) with { Scope = RegisterScope.Vm, Stored = StoredAs.Always(there) }), Host(Level(id, here)));

    /// <summary>A register that the destination keeps as written although its hardware is another.</summary>
    private static Case Kept(RegisterId id, ulong here, ulong there, FindingCode code, string subject) =>
        new(code, Severity.Unsafe, subject, Machine(Host(Any(id, here))), Host(Any(id, there)), Host(Any(id, here)));

    private static Case Gone(RegisterId id, string subject, params string[] answered) =>
        new(FindingCode.HypercallBitmap, Severity.Refused, subject, Machine(), HostWithout(id), HostWithout(id) with { Services = [.. answered] });

    private static Case Service(string word, string asGood, RegisterId register, FindingCode code) => new(code, Severity.Unsafe, $"service {word}",
        Machine(HostWithout(register)), Host() with { Services = ["psci-1.1"] }, Host() with { Services = ["psci-1.1", asGood] }, HostWithout(register) with { Services = ["psci-1.1", word] });

    private static Case Counters(HostProfile there) =>
        new(FindingCode.Pmu, Severity.Lossy, "PMCR_EL0.N", Machine(HostOf(WithPmu, Any(Pmcr, 6 << 11))), there, HostOf(WithPmu, Any(Pmcr, 6 << 11)));
}
