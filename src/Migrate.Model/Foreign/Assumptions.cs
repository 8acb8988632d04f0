using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Registers;

namespace Migrate.Model.Foreign;

/// <summary>What is known of a host when one of its registers is judged.</summary>
/// <param name="Version">The kernel's generation.</param>
/// <param name="Features">The VM's features.</param>
/// <param name="Values">What the host gives a new VM of these features.</param>
internal sealed record AssumedHost(KernelVersion Version, VcpuFeatures Features, IReadOnlyDictionary<RegisterId, RegisterValue> Values)
{
    /// <summary>A register's value in a new VM; 0 where the host does not list it.</summary>
    public ulong Value(RegisterId id) => Values.TryGetValue(id, out var value) ? value.Low : 0;
}

/// <summary>What a host that nobody asked accepts: one table of register kind and kernel generation, and the function that knows the rule.</summary>
/// <remarks>
/// The only place where a kernel version decides anything. A kernel between two rows gets the older one; a row begins where its sources say, and where they say "about"
/// the side was taken that refuses or warns more (the SET and CLR registers from 6.7 on). Facts that a capture cannot show (the hardware's own
/// value of a field that KVM hides, whether a mitigation is a workaround or the CPU's) are taken for the answer that refuses more.
/// Sources stand at the rules.
/// </remarks>
internal static class Assumptions
{
    /// <summary>Judges a register.</summary>
    /// <param name="host">The host.</param>
    /// <param name="id">The register.</param>
    /// <param name="reset">Its value in a new VM.</param>
    internal delegate RegisterAcceptance Rule(AssumedHost host, RegisterId id, RegisterValue reset);

    private readonly record struct Row(RegisterKind Kind, int Major, int Minor, Rule Rule);

    private static readonly Row[] Rows =
    [
        new(RegisterKind.Raw, 0, 0, RawRules.Any),
        new(RegisterKind.FeatureId, 0, 0, IdentificationRules.ExactButCsv2),
        new(RegisterKind.FeatureId, 6, 1, IdentificationRules.ExactButCsv2And3),
        new(RegisterKind.FeatureId, 6, 7, IdentificationRules.ByField),
        new(RegisterKind.FeatureId32, 0, 0, IdentificationRules.Exact),
        new(RegisterKind.FeatureId32, 6, 1, IdentificationRules.ExactOrIgnored),
        new(RegisterKind.FeatureId32, 6, 7, IdentificationRules.ByFieldOrIgnored),
        new(RegisterKind.ImplementationId, 0, 0, IdentificationRules.Exact),
        new(RegisterKind.ImplementationId, 6, 15, IdentificationRules.ExactAndFrozen),
        new(RegisterKind.CacheType, 0, 0, IdentificationRules.Exact),
        new(RegisterKind.CacheType, 6, 12, IdentificationRules.ByField),
        new(RegisterKind.CacheLevels, 0, 0, CacheRules.Exact),
        new(RegisterKind.CacheLevels, 6, 3, CacheRules.FabricatedLevels),
        new(RegisterKind.CacheSize, 0, 0, CacheRules.Exact),
        new(RegisterKind.CacheSize, 6, 3, CacheRules.FabricatedSize),
        new(RegisterKind.Affinity, 0, 0, RawRules.Any),
        new(RegisterKind.PsciVersion, 0, 0, FirmwareRules.PsciUpTo10),
        new(RegisterKind.PsciVersion, 6, 1, FirmwareRules.PsciUpTo11),
        new(RegisterKind.PsciVersion, 6, 13, FirmwareRules.PsciUpTo13),
        new(RegisterKind.Workaround, 0, 0, FirmwareRules.Workaround),
        new(RegisterKind.Workaround2, 0, 0, FirmwareRules.Workaround2OfHost),
        new(RegisterKind.Workaround2, 6, 7, FirmwareRules.Workaround2OfVm),
        new(RegisterKind.HypercallBitmap, 0, 0, FirmwareRules.Bitmap),
        new(RegisterKind.VectorLengths, 0, 0, RawRules.VectorLengths),
        new(RegisterKind.Counter, 0, 0, RawRules.Counting),
        new(RegisterKind.TimerControl, 0, 0, RawRules.Counting),
        new(RegisterKind.TimerControl, 7, 2, RawRules.TimerControlWithoutStatus),
        new(RegisterKind.OsLockStatus, 0, 0, RawRules.OsLock),
        new(RegisterKind.PmuControl, 0, 0, RawRules.Any),
        new(RegisterKind.PmuControl, 6, 7, PmuRules.Control),
        new(RegisterKind.PmuSet, 0, 0, RawRules.Any),
        new(RegisterKind.PmuSet, 6, 7, PmuRules.SetAdds),
        new(RegisterKind.PmuSet, 6, 15, PmuRules.Masked),
        new(RegisterKind.PmuClear, 0, 0, RawRules.Any),
        new(RegisterKind.PmuClear, 6, 7, PmuRules.ClearRemoves),
        new(RegisterKind.PmuClear, 6, 15, PmuRules.Masked),
        new(RegisterKind.PmuSoftwareIncrement, 0, 0, RawRules.Any),
        new(RegisterKind.PmuSoftwareIncrement, 6, 1, RawRules.Ignored),
        new(RegisterKind.PmuEventCounter, 0, 0, RawRules.Any),
        new(RegisterKind.PmuEventCounter, 6, 1, PmuRules.Counter32),
        new(RegisterKind.PmuEventCounter, 6, 12, PmuRules.CounterByVersion),
        new(RegisterKind.Tcr2, 0, 0, RawRules.Any),
        new(RegisterKind.Tcr2, 6, 13, DependentRules.Tcr2),
        new(RegisterKind.PermissionIndirection, 0, 0, RawRules.Any),
        new(RegisterKind.PermissionIndirection, 6, 13, DependentRules.PermissionIndirection),
        new(RegisterKind.PermissionOverlay, 0, 0, DependentRules.PermissionOverlay),
        new(RegisterKind.Sctlr2, 0, 0, DependentRules.Sctlr2),
        new(RegisterKind.FloatingPointMode, 0, 0, DependentRules.FloatingPointMode),
    ];

    /// <summary>The acceptance of a register whose value in a new VM is known.</summary>
    public static RegisterAcceptance Of(AssumedHost host, RegisterId id, RegisterValue reset) => Find(RegisterKinds.Of(id), host.Version)(host, id, reset);

    /// <summary>The acceptance of a register that the kernel reads and the tool left out of its file: known where the rule does not ask for the value.</summary>
    /// <remarks>PC and the counters are such. A new VM has zero in them (arch/arm64/kvm/reset.c <c>kvm_reset_vcpu</c>) or counts from its creation.</remarks>
    public static RegisterAcceptance OfUnrecorded(AssumedHost host, RegisterId id) => RegisterKinds.Of(id) is RegisterKind.Raw or RegisterKind.Counter
        ? Of(host, id, new RegisterValue(new byte[id.Size]))
        : new RegisterAcceptance { Id = id, Accepts = Acceptance.Unproven };

    /// <summary>The rule of a kind for a generation: its last row that is not newer.</summary>
    private static Rule Find(RegisterKind kind, KernelVersion version)
    {
        Rule? rule = null;
        foreach (var row in Rows)
            if (row.Kind == kind && new KernelVersion(row.Major, row.Minor).CompareTo(version) <= 0) rule = row.Rule;
        return rule ?? throw new InvalidOperationException($"the table of assumptions has no row for {kind}");
    }
}
