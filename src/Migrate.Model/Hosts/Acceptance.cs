using Migrate.Model.Registers;

namespace Migrate.Model.Hosts;

/// <summary>How a set of accepted values is written down.</summary>
public enum AcceptanceKind
{
    /// <summary>Every value.</summary>
    Any = 1,

    /// <summary>One of <see cref="Acceptance.Values"/>; a single one is "exact".</summary>
    OneOf = 2,

    /// <summary>Each field by its own mask; all other bits must equal <see cref="Acceptance.Rest"/>.</summary>
    Fields = 3,

    /// <summary>Not known: everything that depends on it is unproven.</summary>
    Unproven = 4,
}

/// <summary>The accepted values of one field.</summary>
/// <param name="Shift">Lowest bit.</param>
/// <param name="Width">1 to 4 bits; a wider field is several entries.</param>
/// <param name="Mask">Bit n set: the value n is accepted. Accepted sets are not intervals.</param>
public readonly record struct FieldAcceptance(int Shift, int Width, ushort Mask)
{
    /// <summary>The field's value in a register value.</summary>
    public int Extract(ulong value) => (int)(value >> Shift) & ((1 << Width) - 1);

    /// <summary>The field's bits in the register.</summary>
    public ulong Bits => ((1UL << Width) - 1) << Shift;

    /// <summary>Whether the field's value in a register value is accepted.</summary>
    public bool Accepts(ulong value) => (Mask >> Extract(value) & 1) != 0;
}

/// <summary>The set of values that KVM_SET_ONE_REG takes for a register, and the errno that all others get.</summary>
public sealed record Acceptance
{
    /// <summary>Which of the four ways.</summary>
    public required AcceptanceKind Kind { get; init; }

    /// <summary>The accepted values, for <see cref="AcceptanceKind.OneOf"/>.</summary>
    public EquatableArray<RegisterValue> Values { get; init; }

    /// <summary>The fields, for <see cref="AcceptanceKind.Fields"/>; they do not overlap.</summary>
    public EquatableArray<FieldAcceptance> Fields { get; init; }

    /// <summary>What the bits outside all fields must be, for <see cref="AcceptanceKind.Fields"/>.</summary>
    public ulong Rest { get; init; }

    /// <summary>The positive errno of a refusal: EINVAL (22) unless the host says otherwise.</summary>
    public int Errno { get; init; } = 22;

    /// <summary>Every value is accepted.</summary>
    public static Acceptance Any { get; } = new() { Kind = AcceptanceKind.Any };

    /// <summary>Nobody asked.</summary>
    public static Acceptance Unproven { get; } = new() { Kind = AcceptanceKind.Unproven };

    /// <summary>Only this value.</summary>
    public static Acceptance Exactly(RegisterValue value) => new() { Kind = AcceptanceKind.OneOf, Values = [value] };

    /// <summary>Only these values.</summary>
    public static Acceptance OneOf(params ReadOnlySpan<RegisterValue> values) =>
        new() { Kind = AcceptanceKind.OneOf, Values = EquatableArray.Create(values) };

    /// <summary>Field by field.</summary>
    public static Acceptance PerField(ulong rest, IEnumerable<FieldAcceptance> fields) =>
        new() { Kind = AcceptanceKind.Fields, Rest = rest, Fields = fields.ToEquatableArray() };

    /// <summary>Whether a value is accepted; null where unproven.</summary>
    public bool? Accepts(RegisterValue value)
    {
        switch (Kind)
        {
            case AcceptanceKind.Any:
                return true;
            case AcceptanceKind.OneOf:
                foreach (var accepted in Values)
                    if (accepted == value) return true;
                return false;
            case AcceptanceKind.Fields:
                var rest = value.Low ^ Rest;
                foreach (var field in Fields)
                {
                    if (!field.Accepts(value.Low)) return false;
                    rest &= ~field.Bits;
                }
                return rest == 0;
            default:
                return null;
        }
    }
}

/// <summary>What a register reads back as after an accepted write.</summary>
public sealed record StoredAs
{
    /// <summary>Bits that are kept as written.</summary>
    public ulong Keep { get; init; } = ulong.MaxValue;

    /// <summary>Bits that read as one whatever was written; disjoint from <see cref="Keep"/>.</summary>
    public ulong Set { get; init; }

    /// <summary>The register moves by itself (counters): no read-back proves anything.</summary>
    public bool Volatile { get; init; }

    /// <summary>Single field values that the kernel replaces (AA64PFR0.MPAM at the hardware's value reads 0).</summary>
    public EquatableArray<StoredField> Fields { get; init; }

    /// <summary>Reads back as written.</summary>
    public static StoredAs Unchanged { get; } = new();

    /// <summary>Counts by itself.</summary>
    public static StoredAs Counting { get; } = new() { Volatile = true };

    /// <summary>Accepted and ignored: always reads as this (workaround levels read the host's).</summary>
    public static StoredAs Always(ulong value) => new() { Keep = 0, Set = value };

    /// <summary>What a written value reads back as.</summary>
    public RegisterValue Of(RegisterValue written)
    {
        if (written.Size > 8 || (Keep == ulong.MaxValue && Set == 0 && Fields.Count == 0)) return written;
        var value = (written.Low & Keep) | Set;
        foreach (var field in Fields)
        {
            var mask = ((1UL << field.Width) - 1) << field.Shift;
            if ((written.Low & mask) == (ulong)field.Written << field.Shift) value = (value & ~mask) | (ulong)field.Reads << field.Shift;
        }
        return new RegisterValue(written.Size == 8 ? value : value & ((1UL << (written.Size * 8)) - 1), written.Size);
    }
}

/// <summary>One replaced field value.</summary>
/// <param name="Shift">Lowest bit.</param>
/// <param name="Width">1 to 16 bits.</param>
/// <param name="Written">The value that is replaced.</param>
/// <param name="Reads">What it reads back as.</param>
public readonly record struct StoredField(int Shift, int Width, ushort Written, ushort Reads);
