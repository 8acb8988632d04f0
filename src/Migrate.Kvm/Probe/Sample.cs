using Migrate.Kvm.Native;
using Migrate.Model;
using Migrate.Model.Hosts;
using Migrate.Model.Registers;

namespace Migrate.Kvm.Probe;

/// <summary>One write, its answer, and what the register read afterwards.</summary>
/// <param name="Written">The value written.</param>
/// <param name="Errno">0, or the positive errno of the refusal.</param>
/// <param name="Read">What it read back as; meaningless for a refusal.</param>
/// <param name="Moved">Two reads after the write differed.</param>
internal readonly record struct Sample(RegisterValue Written, int Errno, RegisterValue Read, bool Moved = false);

/// <summary>What one register was measured to do.</summary>
/// <param name="Accepts">Which values it takes.</param>
/// <param name="Stored">What they read back as.</param>
/// <param name="Others">A few accepted values that read back unlike a new VM's; empty where there is none.</param>
/// <param name="Refused">A refused value; null where none was found.</param>
internal sealed record Measured(Acceptance Accepts, StoredAs Stored, EquatableArray<RegisterValue> Others = default, RegisterValue? Refused = null)
{
    /// <summary>The first of <see cref="Others"/>.</summary>
    public RegisterValue? Other => Others.Count > 0 ? Others[0] : null;

    /// <summary>Nothing can be said.</summary>
    public static Measured Nothing { get; } = new(Acceptance.Unproven, StoredAs.Unchanged);
}

/// <summary>From samples to the model's words.</summary>
internal static class Samples
{
    private const int MostStoredFields = 256;
    private const int MostOthers = 4;

    /// <summary>The errno of most refusals; EINVAL where there was none.</summary>
    public static int Errno(IEnumerable<Sample> samples) =>
        samples.Where(s => s.Errno != 0).GroupBy(s => s.Errno).OrderByDescending(g => g.Count()).ThenBy(g => g.Key).FirstOrDefault()?.Key ?? KvmErrno.EINVAL;

    /// <summary>The first few accepted values after which the register read something else than in a new VM.</summary>
    public static EquatableArray<RegisterValue> Others(IEnumerable<Sample> samples, RegisterValue reset) =>
        samples.Where(s => s.Errno == 0 && s.Read != reset).Select(s => s.Written).Take(MostOthers).ToEquatableArray();

    /// <summary>The first refused value.</summary>
    public static RegisterValue? Refused(IEnumerable<Sample> samples)
    {
        foreach (var sample in samples)
            if (sample.Errno != 0) return sample.Written;
        return null;
    }

    /// <summary>Whether every accepted sample reads back as the description says.</summary>
    public static bool Explains(StoredAs stored, IEnumerable<Sample> samples) => samples.All(s => s.Errno != 0 || stored.Of(s.Written) == s.Read);

    /// <summary>
    /// Bit by bit what a write leaves: kept, always one, always zero, or inverted (a register whose ones clear).
    /// </summary>
    /// <param name="samples">Accepted writes of at most 8 bytes in which each bit was once 0 and once 1.</param>
    /// <param name="undecided">Bits that do not depend on the bit written alone.</param>
    public static StoredAs BitByBit(IReadOnlyList<Sample> samples, out ulong undecided)
    {
        ulong zeroReadsZero = 0, zeroReadsOne = 0, oneReadsZero = 0, oneReadsOne = 0;
        foreach (var sample in samples)
        {
            var (written, read) = (sample.Written.Low, sample.Read.Low);
            zeroReadsZero |= ~written & ~read;
            zeroReadsOne |= ~written & read;
            oneReadsZero |= written & ~read;
            oneReadsOne |= written & read;
        }
        undecided = (zeroReadsZero & zeroReadsOne) | (oneReadsZero & oneReadsOne);
        var decided = ~undecided;
        var inverted = new List<StoredField>();
        for (var bit = 0; bit < 64; bit++)
            if ((zeroReadsOne & ~oneReadsOne & decided) >> bit is var rest && (rest & 1) != 0) inverted.Add(new StoredField(bit, 1, 0, 1));
        var size = samples[0].Written.Size;
        var keep = oneReadsOne & ~zeroReadsOne & decided;
        var all = size == 8 ? ulong.MaxValue : (1UL << (size * 8)) - 1;
        var stored = new StoredAs { Keep = keep == all ? ulong.MaxValue : keep, Set = oneReadsOne & zeroReadsOne & decided & all, Fields = inverted.ToEquatableArray() };
        return stored == StoredAs.Unchanged ? StoredAs.Unchanged : stored;
    }

    /// <summary>Adds what single values of a field read back as; the field's bits are no longer kept.</summary>
    public static StoredAs? With(StoredAs stored, int shift, int width, IEnumerable<(ulong Written, ulong Reads)> values)
    {
        var bits = ((1UL << width) - 1) << shift;
        var fields = new List<StoredField>();
        foreach (var field in stored.Fields)
            if ((((1UL << field.Width) - 1) << field.Shift & bits) == 0) fields.Add(field);
        foreach (var (written, reads) in values)
            if (reads != 0) fields.Add(new StoredField(shift, width, (ushort)written, (ushort)reads));
        return fields.Count > MostStoredFields ? null : stored with { Keep = stored.Keep & ~bits, Set = stored.Set & ~bits, Fields = fields.ToEquatableArray() };
    }
}
