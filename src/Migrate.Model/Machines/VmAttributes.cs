using System.Buffers.Binary;

namespace Migrate.Model.Machines;

/// <summary>The attributes of a VM that this build understands, by name: what KVM was told and does not give back.</summary>
/// <remarks>
/// What travels is never a number of the source host's own: a counter offset is a flag (its value is made again at the destination), a PMU is its
/// name in /sys/bus/event_source/devices (its perf type differs from boot to boot).
/// </remarks>
public static class VmAttributes
{
    /// <summary>What stands before a capability's name (<c>cap.arm-system-suspend</c>): KVM_ENABLE_CAP, its argument as a number or none as a flag.</summary>
    public const string CapabilityPrefix = "cap.";

    /// <summary>Memory tagging. Its tags lie beside guest memory and are not carried, so a VM that has it is refused.</summary>
    public const string MemoryTags = "cap.arm-mte";

    /// <summary>MIDR_EL1, REVIDR_EL1 and AIDR_EL1 may be written.</summary>
    public const string WritableImplementation = "cap.arm-writable-imp-id-regs";

    /// <summary>PSCI SYSTEM_SUSPEND leaves to user space.</summary>
    public const string SystemSuspend = "cap.arm-system-suspend";

    /// <summary>An access that no syndrome describes leaves to user space instead of failing KVM_RUN.</summary>
    public const string NoSyndromeToUser = "cap.arm-nisv-to-user";

    /// <summary>A synchronous external abort of the guest leaves to user space.</summary>
    public const string ExternalAbortToUser = "cap.arm-sea-to-user";

    /// <summary>Dirty pages are told through a ring of so many bytes a vCPU. The guest cannot tell; a destination without it logs otherwise.</summary>
    public const string DirtyRing = "cap.dirty-log-ring-acq-rel";

    /// <summary>Beside the ring a bitmap takes the pages that no vCPU writes.</summary>
    public const string DirtyRingWithBitmap = "cap.dirty-log-ring-with-bitmap";

    /// <summary>KVM_ARM_SET_COUNTER_OFFSET was used: virtual and physical counter have one offset, and writes of their registers are ignored.</summary>
    public const string CounterOffset = "counter-offset";

    /// <summary>The PMU that KVM_ARM_VCPU_PMU_V3_SET_PMU chose, by its name in /sys/bus/event_source/devices.</summary>
    public const string PmuName = "pmu.name";

    /// <summary>How many event counters KVM_ARM_VCPU_PMU_V3_SET_NR_COUNTERS left the guest: 0 to 31.</summary>
    public const string PmuCounters = "pmu.counters";

    /// <summary>The ranges of KVM_ARM_VCPU_PMU_V3_FILTER in the order of their installation, 8 bytes each: see <see cref="PmuFilterRange"/>.</summary>
    public const string PmuFilter = "pmu.filter";

    /// <summary>How the guest was told to make its firmware calls: <see cref="ConduitHvc"/> or <see cref="ConduitSmc"/>; without it HVC, or SMC where the guest has EL2. Nothing is given to KVM for it.</summary>
    public const string Conduit = "smccc.conduit";

    /// <summary>By HVC.</summary>
    public const string ConduitHvc = "hvc";

    /// <summary>By SMC.</summary>
    public const string ConduitSmc = "smc";

    private const ulong MostCounters = 31;

    /// <summary>Every name and the type of its value.</summary>
    public static IReadOnlyDictionary<string, AttributeType> Known { get; } = new Dictionary<string, AttributeType>
    {
        [MemoryTags] = AttributeType.Flag,
        [WritableImplementation] = AttributeType.Flag,
        [SystemSuspend] = AttributeType.Flag,
        [NoSyndromeToUser] = AttributeType.Flag,
        [ExternalAbortToUser] = AttributeType.Flag,
        [DirtyRing] = AttributeType.Number,
        [DirtyRingWithBitmap] = AttributeType.Flag,
        [CounterOffset] = AttributeType.Flag,
        [PmuName] = AttributeType.Text,
        [PmuCounters] = AttributeType.Number,
        [PmuFilter] = AttributeType.Bytes,
        [Conduit] = AttributeType.Text,
    };

    /// <summary>A flag.</summary>
    public static VmAttribute Flag(string name, bool required = true) => new(name, AttributeType.Flag, required, []);

    /// <summary>A number of 8 bytes.</summary>
    public static VmAttribute Number(string name, ulong value, bool required = true)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        return new(name, AttributeType.Number, required, new EquatableArray<byte>(bytes));
    }

    /// <summary>A text.</summary>
    public static VmAttribute Text(string name, string value, bool required = true) =>
        new(name, AttributeType.Text, required, new EquatableArray<byte>(System.Text.Encoding.UTF8.GetBytes(value)));

    /// <summary>The ranges of a PMU filter as the attribute <see cref="PmuFilter"/>.</summary>
    public static VmAttribute Filter(IReadOnlyList<PmuFilterRange> ranges)
    {
        var bytes = new byte[ranges.Count * PmuFilterRange.Bytes];
        for (var i = 0; i < ranges.Count; i++) ranges[i].Write(bytes.AsSpan(i * PmuFilterRange.Bytes));
        return new(PmuFilter, AttributeType.Bytes, true, new EquatableArray<byte>(bytes));
    }

    /// <summary>The number of a flag or a number: 0 for a flag. Bytes beyond 8 are not looked at.</summary>
    public static ulong NumberOf(VmAttribute attribute)
    {
        Span<byte> bytes = stackalloc byte[8];
        bytes.Clear();
        attribute.Value.Span[..Math.Min(8, attribute.Value.Count)].CopyTo(bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }

    /// <summary>The text of a text.</summary>
    public static string TextOf(VmAttribute attribute) => System.Text.Encoding.UTF8.GetString(attribute.Value.Span);

    /// <summary>The ranges of a filter that <see cref="Problem"/> has nothing against.</summary>
    public static IReadOnlyList<PmuFilterRange> FilterOf(VmAttribute attribute)
    {
        var ranges = new PmuFilterRange[attribute.Value.Count / PmuFilterRange.Bytes];
        for (var i = 0; i < ranges.Length; i++) ranges[i] = PmuFilterRange.Read(attribute.Value.Span[(i * PmuFilterRange.Bytes)..]);
        return ranges;
    }

    /// <summary>What is wrong with an attribute's value; null for nothing, and for a name that is not known here.</summary>
    public static string? Problem(VmAttribute attribute)
    {
        if (!Known.TryGetValue(attribute.Name, out var type)) return null;
        if (attribute.Type != type) return $"{attribute.Name} is a {KebabCase.Of(type.ToString())}";
        return attribute.Name switch
        {
            PmuName when !IsDeviceName(TextOf(attribute)) => $"{attribute.Name} is no name of a device",
            PmuCounters when NumberOf(attribute) > MostCounters => $"{attribute.Name} is {NumberOf(attribute)}; at most {MostCounters} are possible",
            PmuFilter => FilterProblem(attribute),
            Conduit when TextOf(attribute) is not (ConduitHvc or ConduitSmc) => $"{attribute.Name} is neither {ConduitHvc} nor {ConduitSmc}",
            _ => null,
        };
    }

    /// <summary>The value for people; empty for a flag.</summary>
    public static string Describe(VmAttribute attribute) => attribute.Type switch
    {
        AttributeType.Flag => "",
        AttributeType.Number => $"{NumberOf(attribute)}",
        AttributeType.Text => TextOf(attribute),
        _ when attribute.Name == PmuFilter && Problem(attribute) is null => string.Join(", ", FilterOf(attribute)),
        _ => Convert.ToHexStringLower(attribute.Value.Span),
    };

    /// <summary>One component of a path and nothing that leads out of its directory.</summary>
    private static bool IsDeviceName(string name) =>
        name.Length is > 0 and <= 64 && name[0] != '.' && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_');

    private static string? FilterProblem(VmAttribute attribute)
    {
        var bytes = attribute.Value.Span;
        if (bytes.Length == 0 || bytes.Length % PmuFilterRange.Bytes != 0)
            return $"{attribute.Name} has {bytes.Length} bytes, no multiple of {PmuFilterRange.Bytes}";
        for (var at = 0; at < bytes.Length; at += PmuFilterRange.Bytes)
        {
            var range = PmuFilterRange.Read(bytes[at..]);
            if (!Enum.IsDefined(range.Action)) return $"{attribute.Name} has the action {(int)range.Action} at byte {at + 4}";
            if (range.Base + range.Count > PmuFilterRange.Events) return $"{attribute.Name} has a range beyond event 0xffff at byte {at}";
            if (bytes.Slice(at + 5, 3).ContainsAnyExcept((byte)0)) return $"{attribute.Name} has padding that is not zero at byte {at + 5}";
        }
        return null;
    }
}

/// <summary>What a PMU event filter does with a range of events.</summary>
/// <remarks>Source: arch/arm64/include/uapi/asm/kvm.h, KVM_PMU_EVENT_ALLOW and DENY.</remarks>
public enum PmuFilterAction
{
    /// <summary>The events may be counted; as the first range: and no others.</summary>
    Allow = 0,

    /// <summary>The events are not counted; as the first range: all others are.</summary>
    Deny = 1,
}

/// <summary>One range of the PMU event filter: struct kvm_pmu_event_filter. The first one decides about all events that no range names.</summary>
/// <param name="Base">First event.</param>
/// <param name="Count">How many.</param>
/// <param name="Action">What happens to them.</param>
public readonly record struct PmuFilterRange(ushort Base, ushort Count, PmuFilterAction Action)
{
    /// <summary>Bytes of one: base and count of 2 bytes each, action of 1, three of padding; little-endian.</summary>
    public const int Bytes = 8;

    /// <summary>Events that a PMU of ARMv8.1 and later numbers; an earlier one takes 1024 of them (kvm_pmu_event_mask).</summary>
    public const int Events = 0x1_0000;

    /// <summary>Reads one.</summary>
    public static PmuFilterRange Read(ReadOnlySpan<byte> from) => new(
        BinaryPrimitives.ReadUInt16LittleEndian(from), BinaryPrimitives.ReadUInt16LittleEndian(from[2..]), (PmuFilterAction)from[4]);

    /// <summary>Writes it.</summary>
    public void Write(Span<byte> to)
    {
        to[..Bytes].Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(to, Base);
        BinaryPrimitives.WriteUInt16LittleEndian(to[2..], Count);
        to[4] = (byte)Action;
    }

    /// <summary><c>deny 0x11</c>, <c>allow 0x0-0x3f</c>.</summary>
    public override string ToString() =>
        $"{KebabCase.Of(Action.ToString())} {(Count == 0 ? "none" : Count == 1 ? $"0x{Base:x}" : $"0x{Base:x}-0x{Base + Count - 1:x}")}";
}
