using Migrate.Model.Registers;

namespace Migrate.Model.Plans;

/// <summary>How strong the ground of a verdict is.</summary>
public enum Evidence
{
    /// <summary>Derived from sources and kernel generation; nobody asked the host.</summary>
    Assumed = 1,

    /// <summary>The host answered a probe of this boot.</summary>
    Measured = 2,

    /// <summary>This very plan was executed on a scratch VM of the host.</summary>
    Tried = 3,
}

/// <summary>What a finding means for the guest.</summary>
public enum Severity
{
    /// <summary>Worth knowing; nothing is lost.</summary>
    Note = 1,

    /// <summary>Something is lost that a guest may use.</summary>
    Lossy = 2,

    /// <summary>KVM would accept it and the guest would suffer.</summary>
    Unsafe = 3,

    /// <summary>The host refuses.</summary>
    Refused = 4,
}

/// <summary>The stable kinds of finding. The kebab-case name is printed, accepted by <c>--accept</c>, and never changes.</summary>
public enum FindingCode
{
    /// <summary>The destination does not list the register (ENOENT).</summary>
    RegisterUnknown = 1,

    /// <summary>The destination refuses the value (EINVAL).</summary>
    ValueRefused = 2,

    /// <summary>The destination accepts the value and stores another.</summary>
    SilentlyChanged = 3,

    /// <summary>The destination's KVM does not offer the guest's PSCI version.</summary>
    PsciVersion = 4,

    /// <summary>A hypercall service that the guest was given is missing.</summary>
    HypercallBitmap = 5,

    /// <summary>A mitigation that the guest was promised is weaker or gone.</summary>
    WorkaroundLevel = 6,

    /// <summary>The VM type (IPA size) is not accepted, or memory lies beyond it.</summary>
    IpaSize = 7,

    /// <summary>Memory or a device does not fit the VM's address space, overlaps or is misaligned.</summary>
    MemoryLayout = 8,

    /// <summary>The destination does not create a vCPU of these features.</summary>
    VcpuFeatures = 9,

    /// <summary>Vector lengths differ.</summary>
    SveLengths = 10,

    /// <summary>The SMCCC filter cannot be installed.</summary>
    SmcccFilter = 11,

    /// <summary>A user-space handler that the guest relies on is missing.</summary>
    HandlerMissing = 12,

    /// <summary>A required VM attribute that the destination does not know, or whose value is none of its kind.</summary>
    AttributeUnknown = 13,

    /// <summary>A left-out register: its value is what the destination does anyway.</summary>
    LeftOut = 14,

    /// <summary>The destination's counter runs at another frequency.</summary>
    CounterFrequency = 15,

    /// <summary>The shape, or a register of it, was never measured.</summary>
    Unproven = 16,

    /// <summary>A register that was listed but could not be read at the source: its value is lost.</summary>
    Unreadable = 17,

    /// <summary>The destination's page size cannot hold the guest's memory slots.</summary>
    PageSize = 18,

    /// <summary>Part of the machine cannot be described (VFIO, vhost, an unknown device).</summary>
    Undescribable = 19,

    /// <summary>The destination has no counter offset: the guest's physical counter becomes the host's own.</summary>
    CounterOffset = 20,

    /// <summary>The performance monitors cannot be configured as the guest's were: another PMU, no event filter, no choice of counters.</summary>
    Pmu = 21,

    /// <summary>The guest has memory tagging, whose tags are not carried.</summary>
    MemoryTags = 22,

    /// <summary>A capability of KVM that the VM was created with is missing at the destination.</summary>
    CapabilityMissing = 23,

    /// <summary>An attribute of vCPUs (an interrupt, the place of stolen time) that the destination does not have.</summary>
    VcpuAttribute = 24,

    /// <summary>The destination refused a step that no other kind names (a device's state, pending events, a power state); for most of them only a dry run finds it.</summary>
    StepRefused = 25,

    /// <summary>Pointers that the guest signed would fail their check: another algorithm, or another maker's own.</summary>
    PointerAuthentication = 26,

    /// <summary>The guest was told of caches that need less maintenance than the destination's.</summary>
    CacheClaim = 27,

    /// <summary>Another CPU than the one by which the guest chose its workarounds for errata, whether the kernel shows it or not.</summary>
    ImplementationId = 28,

    /// <summary>The guest makes its firmware calls by SMC, which the destination's kernel answers with -1.</summary>
    SmcConduit = 29,
}

/// <summary>One thing that stands between a state and a destination, or that is worth knowing.</summary>
public sealed record Finding
{
    /// <summary>What kind.</summary>
    public required FindingCode Code { get; init; }

    /// <summary>How bad.</summary>
    public required Severity Severity { get; init; }

    /// <summary>How it is known.</summary>
    public required Evidence Evidence { get; init; }

    /// <summary>What it is about: a register or field by its architectural name, or a part of the description.</summary>
    public required string Subject { get; init; }

    /// <summary>The register, where the finding is about one.</summary>
    public RegisterId? Register { get; init; }

    /// <summary>The vCPUs it holds for; empty: the whole VM.</summary>
    public EquatableArray<int> Vcpus { get; init; }

    /// <summary>What the source has, for people.</summary>
    public string Here { get; init; } = "";

    /// <summary>What the destination has or accepts, for people.</summary>
    public string There { get; init; } = "";

    /// <summary>What the host would answer, or did where the evidence is <see cref="Evidence.Tried"/>: <c>EINVAL</c>, <c>ENOENT</c>, <c>reads back 0x3</c>;
    /// empty where it would not object.</summary>
    public string Answer { get; init; } = "";

    /// <summary>What the plan expected where the host, tried, answered otherwise: prediction and host disagree. Empty where they do not.</summary>
    public string Predicted { get; init; } = "";

    /// <summary>What to do about it, one sentence; empty where nothing can be done.</summary>
    public string Remedy { get; init; } = "";

    /// <summary>Whether the operator accepted it by name (<c>--accept</c>): it no longer stops the move.</summary>
    public bool Accepted { get; init; }

    /// <summary>Whether it stops the move.</summary>
    public bool Stops => !Accepted && Severity >= Severity.Lossy;
}
