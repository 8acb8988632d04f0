using Migrate.Model;
using Migrate.Model.Explanations;
using Migrate.Model.Firmware;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Migrate.Preflight.Registers;
using Migrate.Preflight.Rules;

namespace Migrate.Preflight.Explain;

/// <summary>What is to be said about one rule.</summary>
/// <param name="Rule">Its class.</param>
/// <param name="Codes">The kinds of finding that it emits.</param>
/// <param name="Says">What it looks at and decides.</param>
/// <param name="Speaks">The registers that are its subject; null: none, it looks at the description of the machine.</param>
internal sealed record RuleText(Type Rule, FindingCode[] Codes, string Says, Func<RegisterId, bool>? Speaks = null)
{
    private const string Suffix = "Rule";

    /// <summary>What people read: the class, unless it has another job besides.</summary>
    public string Name { get; init; } = KebabCase.Of(Rule.Name.EndsWith(Suffix, StringComparison.Ordinal) ? Rule.Name[..^Suffix.Length] : Rule.Name);

    /// <summary>As documents have it.</summary>
    public RuleExplanation ToExplanation() => new(Name, Says, Codes.ToEquatableArray(), Speaks == RuleTexts.Every);
}

/// <summary>Every class that emits findings about a machine or a register, explained; those with a subject of their own before the general ones.</summary>
internal static class RuleTexts
{
    private static readonly RegisterId[] Hidden =
    [
        KnownRegisters.Pfr0, KnownRegisters.Pfr1, KnownRegisters.Pfr2, KnownRegisters.AArch32Pfr1, KnownRegisters.Mmfr2,
        KnownRegisters.Dfr0, KnownRegisters.AArch32Dfr0, KnownRegisters.Pmcr,
    ];

    private static readonly RegisterId[] OfFeatures =
        [KnownRegisters.Tcr2, KnownRegisters.Sctlr2, KnownRegisters.Pir, KnownRegisters.Pire0, KnownRegisters.Por0, KnownRegisters.Por1];

    public static Func<RegisterId, bool> Every { get; } = _ => true;

    public static IReadOnlyList<RuleText> All { get; } =
    [
        new(typeof(VcpuFeaturesRule), [FindingCode.VcpuFeatures, FindingCode.Unproven], "The destination must create a vCPU of the guest's features; a combination that nobody measured is unproven."),
        new(typeof(IpaSizeRule), [FindingCode.IpaSize, FindingCode.Unproven], "The destination must accept the guest's physical address size; protected VMs cannot be moved."),
        new(typeof(MemoryLayoutRule), [FindingCode.MemoryLayout, FindingCode.IpaSize], "Memory and the interrupt controller must be aligned, must not overlap, and must fit the address space."),
        new(typeof(InterruptControllerRule), [FindingCode.StepRefused], "The destination must have the guest's interrupt controller, with as many interrupts."),
        new(typeof(InterruptControllerStateRule), [FindingCode.StepRefused, FindingCode.SilentlyChanged, FindingCode.Unproven], "The guest's GICv3 must be of a revision that the destination takes and keeps, with no more priority and identifier bits than its CPU interface has."),
        new(typeof(PageSizeRule), [FindingCode.PageSize, FindingCode.Unproven], "Memory slots must be whole pages of the destination."),
        new(typeof(SmcccFilterRule), [FindingCode.SmcccFilter, FindingCode.Unproven], "The SMCCC filter is validated as the kernel would, and the destination must have one."),
        new(typeof(HandlerRule), [FindingCode.HandlerMissing], "The destination's VMM must implement every handler that the guest relies on; a forwarded range of PSCI or SDEI relies on one even where the description names none."),
        new(typeof(AttributeRule), [FindingCode.AttributeUnknown, FindingCode.Pmu, FindingCode.Unproven], "The destination's VMM must know every required attribute of the VM and its kernel must have what the attribute needs; a PMU goes by its name."),
        new(typeof(AttributeTable), [FindingCode.CapabilityMissing, FindingCode.Pmu, FindingCode.CounterOffset], "Which attribute needs which capability of the destination, and what its absence is called."),
        new(typeof(VcpuAttributeRule), [FindingCode.VcpuAttribute, FindingCode.LeftOut, FindingCode.Unproven], "The destination must have the attributes of vCPUs that the guest relies on; those of EL2 are left out for a guest without EL2."),
        new(typeof(PendingEventsRule), [FindingCode.StepRefused], "A pending SError with a syndrome needs a CPU with RAS, and a syndrome that fits."),
        new(typeof(PowerStateRule), [FindingCode.CapabilityMissing], "A vCPU that waits in SYSTEM_SUSPEND needs a destination that knows that power state."),
        new(typeof(MemoryTagsRule), [FindingCode.MemoryTags], "A guest with memory tagging is refused: tags are not carried.", id => id == KnownRegisters.Pfr1),
        new(typeof(UndescribableRule), [FindingCode.Undescribable], "Every part of the machine must be one that can be made again."),
        new(typeof(CounterFrequencyRule), [FindingCode.CounterFrequency], "Both counters must run at the same frequency; KVM itself never asks."),
        new(typeof(PsciVersionRule), [FindingCode.PsciVersion],
            "The guest's PSCI version must be one that the destination offers; where the kernel has no such register and offers just that version, it is left out.",
            id => id == FirmwareRegisters.PsciVersion),
        new(typeof(HypercallBitmapRule), [FindingCode.HypercallBitmap],
            "Every service that the guest was given must be there, bit by bit; a bitmap that the kernel lacks is left out when it is empty or the services are answered all the same.",
            id => FirmwareRegisters.Bitmap(id) is not null),
        new(typeof(WorkaroundLevelRule), [FindingCode.WorkaroundLevel],
            "A mitigation level is a promise: a lower one at the destination stops the move even where KVM would accept it.",
            id => id == FirmwareRegisters.Workaround1 || id == FirmwareRegisters.Workaround2 || id == FirmwareRegisters.Workaround3),
        new(typeof(SveLengthsRule), [FindingCode.SveLengths], "Up to the guest's longest vector, the destination must offer exactly the lengths that the guest was given.",
            id => id == KnownRegisters.SveLengths),
        new(typeof(MitigationFieldRule), [FindingCode.WorkaroundLevel], "CSV2 and CSV3 are promises about the hardware: the destination must offer as much by itself.",
            id => id == KnownRegisters.Pfr0),
        new(typeof(PointerAuthenticationRule), [FindingCode.PointerAuthentication, FindingCode.Unproven],
            "The algorithm of pointer authentication (APA, API, GPA, GPI, APA3, GPA3) must be the same; where it is the CPU maker's own, so must be the maker.",
            id => id == KnownRegisters.Isar1 || id == KnownRegisters.Isar2),
        new(typeof(CacheClaimRule), [FindingCode.CacheClaim], "What CTR_EL0 told the guest of caches (DIC, IDC, line sizes, granules) must hold on the destination's hardware.",
            id => id == KnownRegisters.CacheType),
        new(typeof(ImplementationRule), [FindingCode.ImplementationId, FindingCode.Unproven],
            "The CPU must be the one by which the guest chose its workarounds for errata; that a VM may be told of another (writable implementation ids) changes nothing about it.",
            KnownRegisters.IsImplementationId),
        new(typeof(ConduitRule), [FindingCode.SmcConduit, FindingCode.Unproven], "A guest that calls its firmware by SMC needs a kernel that serves it."),
        new(typeof(ServiceRule), [FindingCode.Unproven, FindingCode.PsciVersion, FindingCode.HypercallBitmap, FindingCode.WorkaroundLevel],
            "What the source's kernel answers without a register that says so, the destination's must answer too."),
        new(typeof(PromisedFieldRule), [], "A promise is judged by the hardware of the destination, whatever its kernel answers to the write.",
            id => id == KnownRegisters.Pfr0 || id == KnownRegisters.Isar1 || id == KnownRegisters.Isar2 || id == KnownRegisters.CacheType || id == KnownRegisters.Midr || id == KnownRegisters.Revidr),
        new(typeof(HiddenFieldRule), [FindingCode.ValueRefused],
            "Fields that KVM decides by itself or once showed by mistake (GIC, MPAM, NV, an IMPLEMENTATION DEFINED PMU, MTE_frac, the PMU's maker): another value is written and the guest cannot tell.",
            id => Array.IndexOf(Hidden, id) >= 0),
        new(typeof(AArch64OnlyRule), [],
            "Feature registers of AArch32 that the destination refuses or changes are left out where the guest's CPU has AArch64 alone: there they mean nothing.",
            KnownRegisters.IsAArch32Feature),
        new(typeof(AbsentFeatureRule), [],
            "A register of a feature that the guest's ID_AA64MMFR3_EL1 denies (TCRX: TCR2; SCTLRX: SCTLR2; S1PIE: PIR, PIRE0; S1POE: POR) is left out, and so is a feature register that reads as zero.",
            id => KnownRegisters.IsFeatureBlock(id) || Array.IndexOf(OfFeatures, id) >= 0),
        new(typeof(CacheGeometryRule), [], "The geometry of a cache that the guest's CLIDR_EL1 does not have is left out.",
            id => id.Class == RegisterClass.Demux || id == KnownRegisters.Clidr),
        new(typeof(PhysicalTimerRule), [FindingCode.RegisterUnknown, FindingCode.CounterOffset],
            "Kernels up to 6.1 can neither read nor restore the physical timer: a loss for a guest that uses it. A timer never set is left out; the physical count then jumps to the destination's, which is noted.",
            id => id == KnownRegisters.PhysicalCount || id == KnownRegisters.PhysicalControl || id == KnownRegisters.PhysicalCompare),
        new(typeof(OsLockRule), [], "An OS lock that the guest does not hold is left out on a kernel that does not list it.", id => id == KnownRegisters.OsLockStatus),
        new(typeof(CounterOffsetRule), [FindingCode.CounterOffset, FindingCode.Unproven],
            "The counters of a VM with one offset for both are carried by the offset; the destination must have it.", KnownRegisters.IsCounter),
        new(typeof(TimerControlRule), [], "The status bit of a timer's control changes by itself when the timer fires: no difference.", KnownRegisters.IsTimerControl),
        new(typeof(PmuRule), [FindingCode.SilentlyChanged],
            "A *CLR register is not written where its *SET twin carries the mask; PMU registers of a guest without PMU are left out; a change of counters that the guest does not have is none.",
            id => RegisterCatalog.Find(id) is { Group: RegisterGroup.Pmu }),
        new(typeof(PmuCountersRule), [FindingCode.Pmu], "The destination must have as many event counters as PMCR_EL0.N told the guest.", id => id == KnownRegisters.Pmcr),
        new(typeof(RegisterUnknownRule), [FindingCode.RegisterUnknown], "A register that the destination does not list for this VM cannot be written (ENOENT).", Every),
        new(typeof(ValueRefusedRule), [FindingCode.ValueRefused, FindingCode.ImplementationId], "A value that the destination refuses, told field by field where that can be; a refused promise goes by the promise's name.", Every),
        new(typeof(SilentlyChangedRule), [FindingCode.SilentlyChanged], "A value that the destination accepts and does not keep.", Every),
        new(typeof(UnreadableRule), [FindingCode.Unreadable], "A register that the source lists and could not read is lost.", Every),
        new(typeof(RuleTable), [FindingCode.Unproven], "A register whose answer nobody measured is unproven.", Every) { Name = "not-measured" },
        new(typeof(RegisterCase), [FindingCode.LeftOut], "A register that a rule leaves out because the guest cannot tell is noted.", Every) { Name = "left-out" },
        new(typeof(RegisterPlanner), [FindingCode.ValueRefused], "A register that the destination keeps once for the VM must have one value on all vCPUs.", Every) { Name = "one-value-for-the-vm" },
        new(typeof(AsCapturedPlanner), [FindingCode.Unproven], "Policy strict: every register is written as captured; whatever is refused or changed stops the move.", Every) { Name = "policy-strict" },
        new(typeof(QemuPlanner), [FindingCode.RegisterUnknown],
            "Policy qemu: the destination's list must have every register of the source's list but the few that QEMU tolerates; a tolerated one clears the failure of those before it.", Every) { Name = "policy-qemu" },
    ];
}
