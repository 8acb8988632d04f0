using System.Numerics;
using Migrate.Model;
using Migrate.Model.Hosts;
using Migrate.Model.Registers;

namespace Migrate.Kvm.Probe;

/// <summary>Measures what one register of a scratch VM takes and what becomes of it.</summary>
/// <remarks>
/// Limits. Fields are tried one at a time with all others at the reset value; two combinations at the end look for fields that depend on each other, and such a register
/// is noted. A register that takes zeros, ones, two alternating patterns and one flipped bit is said to take everything.
/// </remarks>
internal sealed class RegisterProbe(ScratchPool pool, ProbeNotes notes)
{
    private const int WidestMapping = 6;

    /// <summary>Measures a register and leaves <see cref="ScratchPool.Vm"/> as it was, or asks for a new one.</summary>
    /// <param name="id">A register that the VM lists.</param>
    /// <param name="reset">Its value in a new VM.</param>
    /// <param name="moves">Whether it was seen to change by itself.</param>
    public Measured Measure(RegisterId id, RegisterValue reset, bool moves)
    {
        if (id.Size > 8) return Wide(id, reset);
        if (FirmwareProbe.Values(id) is { } values) return OneOf(id, reset, values);
        if (id.Class == RegisterClass.FirmwareBitmap) return Bitmap(id, reset);

        RegisterValue[] patterns = [reset, .. Patterns(id, reset)];
        var samples = patterns.Select(value => WriteFrom(id, reset, value)).ToList();
        moves |= samples.Exists(s => s.Moved);
        var restored = Restore(id, reset);
        if (moves)
        {
            if (!samples.Exists(s => s.Errno != 0)) return new(Acceptance.Any, StoredAs.Counting, Samples.Others(samples, reset));
            return Unproven(id, "it moves by itself and refuses some values");
        }
        if (!restored) samples = patterns.Select(value => WriteFresh(id, value)).ToList();
        if (samples.Exists(s => s.Errno != 0))
            return restored ? ByFields(id, reset, samples) : Unproven(id, "it refuses some values, and what was written cannot be undone");
        return Taken(id, reset, samples, restored);
    }

    /// <summary>KVM_SET_ONE_REG and, where it is accepted, two reads.</summary>
    public Sample Write(RegisterId id, RegisterValue value)
    {
        var errno = pool.Vm.Set(0, id, value);
        if (errno != 0) return new(value, errno, default);
        errno = pool.Vm.Get(0, id, out var first);
        if (errno != 0) return new(value, errno, default);
        return pool.Vm.Get(0, id, out var second) == 0 ? new(value, 0, first, first != second) : new(value, 0, first);
    }

    /// <summary>Writes the value of a new VM; where that does not bring it back the VM is replaced.</summary>
    /// <returns>Whether it came back.</returns>
    public bool Restore(RegisterId id, RegisterValue reset)
    {
        if (pool.Vm.Set(0, id, reset) == 0 && pool.Vm.Get(0, id, out var now) == 0 && now == reset) return true;
        if (pool.Vm.Get(0, id, out now) == 0 && now == reset) return true;
        pool.Renew();
        return false;
    }

    /// <summary>The same from the value of a new VM: some registers ignore a value, and then read whatever they had.</summary>
    private Sample WriteFrom(RegisterId id, RegisterValue reset, RegisterValue value)
    {
        pool.Vm.Set(0, id, reset);
        return Write(id, value);
    }

    private Sample WriteFresh(RegisterId id, RegisterValue value)
    {
        pool.Renew();
        var sample = Write(id, value);
        pool.Renew();
        return sample;
    }

    private static RegisterValue[] Patterns(RegisterId id, RegisterValue reset)
    {
        var all = id.Size == 8 ? ulong.MaxValue : (1UL << (id.Size * 8)) - 1;
        return [.. new[] { 0UL, all, 0x5555_5555_5555_5555 & all, 0xaaaa_aaaa_aaaa_aaaa & all, reset.Low ^ 1 }.Select(v => new RegisterValue(v, id.Size))];
    }

    /// <summary>A register that takes every pattern: what does it make of them?</summary>
    private Measured Taken(RegisterId id, RegisterValue reset, List<Sample> samples, bool restored)
    {
        var stored = Samples.BitByBit(samples, out var undecided);
        if (undecided != 0 && !restored) return Unproven(id, "what it reads back as depends on what was written before");
        while (undecided != 0)
        {
            var (shift, width) = Mapping(id, BitOperations.TrailingZeroCount(undecided));
            var bits = ((1UL << width) - 1) << shift;
            var mapping = new List<(ulong, ulong)>();
            for (var value = 0UL; value < 1UL << width; value++)
            {
                var sample = WriteFrom(id, reset, new RegisterValue((reset.Low & ~bits) | value << shift, id.Size));
                if (sample.Errno != 0) return Unproven(id, "it takes some values of a field together with others only");
                samples.Add(sample);
                mapping.Add((value, (sample.Read.Low & bits) >> shift));
            }
            if (Samples.With(stored, shift, width, mapping) is not { } refined) break;
            stored = refined;
            undecided &= ~bits;
        }
        Restore(id, reset);
        return Samples.Explains(stored, samples)
            ? new(Acceptance.Any, stored, Samples.Others(samples, reset))
            : Unproven(id, "what it reads back as follows no rule that a profile can express");
    }

    private static (int Shift, int Width) Mapping(RegisterId id, int bit)
    {
        foreach (var field in RegisterCatalog.Find(id)?.Fields ?? [])
            if ((field.Mask >> bit & 1) != 0 && field.Width <= WidestMapping) return (field.Shift, field.Width);
        return (bit & ~3, 4);
    }

    /// <summary>All values of each field while the others are as in a new VM.</summary>
    private Measured ByFields(RegisterId id, RegisterValue reset, List<Sample> patterns)
    {
        var own = patterns[0];
        var samples = new List<Sample>(patterns);
        var chunks = new List<FieldAcceptance>();
        var replaced = new List<(FieldAcceptance Chunk, List<(ulong Written, ulong Reads)> Values)>();
        foreach (var chunk in Chunks.Of(id))
        {
            var mask = 0;
            var reads = new List<(ulong Written, ulong Reads)>();
            for (var value = 0; value < 1 << chunk.Width; value++)
            {
                var whole = new RegisterValue((reset.Low & ~chunk.Bits) | (ulong)value << chunk.Shift, id.Size);
                var sample = whole == reset ? own : Write(id, whole);
                // Taken and ignored: then it reads what was written before.
                if (sample.Errno == 0 && ((sample.Read.Low ^ whole.Low) & ~chunk.Bits) != 0) sample = WriteFrom(id, reset, whole);
                if (whole != reset) samples.Add(sample);
                if (sample.Errno != 0) continue;
                mask |= 1 << value;
                reads.Add(((ulong)value, (ulong)chunk.Extract(sample.Read.Low)));
            }
            chunks.Add(chunk with { Mask = (ushort)mask });
            if (reads.Exists(r => r.Written != r.Reads)) replaced.Add((chunk, reads));
        }
        var movedAside = !Restore(id, reset);
        var resetOnly = (FieldAcceptance c) => c.Mask == (own.Errno == 0 ? 1 << c.Extract(reset.Low) : 0);
        var free = chunks.Where(c => !resetOnly(c)).ToList();
        var errno = Samples.Errno(samples);
        var refused = Samples.Refused(samples);
        if (movedAside) return Unproven(id, "what was written cannot be undone");
        if (free.Count == 0)
        {
            var exact = own.Errno == 0 ? Acceptance.Exactly(reset) : Acceptance.OneOf();
            return Samples.Explains(StoredAs.Unchanged, samples)
                ? new(exact with { Errno = errno }, StoredAs.Unchanged, default, refused)
                : Unproven(id, "a new VM's own value is taken and reads back as another");
        }
        if (own.Errno != 0 && free.Count > 1) return Unproven(id, "a new VM's own value is refused while others are taken");

        var stored = StoredAs.Unchanged;
        foreach (var (chunk, values) in replaced)
            stored = Replaced(stored, chunk, values);
        if (samples.TrueForAll(s => s.Errno != 0 || s.Read == reset)) stored = StoredAs.Always(reset.Low);
        if (!Samples.Explains(stored, samples)) return Unproven(id, "a field that is written changes another field");

        var accepts = Acceptance.PerField(reset.Low & ~free.Aggregate(0UL, (bits, c) => bits | c.Bits), free) with { Errno = errno };
        Together(id, reset, accepts, stored, patterns);
        return new(accepts, stored, Samples.Others(samples, reset), refused);
    }

    private static StoredAs Replaced(StoredAs stored, FieldAcceptance chunk, List<(ulong Written, ulong Reads)> values)
    {
        var fields = stored.Fields.ToList();
        foreach (var (written, reads) in values)
            if (written != reads) fields.Add(new StoredField(chunk.Shift, chunk.Width, (ushort)written, (ushort)reads));
        return stored with { Fields = fields.ToEquatableArray() };
    }

    /// <summary>Values that change many fields at once: the lowest and the highest accepted value of every free field, and the patterns tried before.</summary>
    private void Together(RegisterId id, RegisterValue reset, Acceptance accepts, StoredAs stored, IReadOnlyList<Sample> patterns)
    {
        var (low, high) = (reset.Low, reset.Low);
        foreach (var field in accepts.Fields)
        {
            var others = (uint)field.Mask & ~(1u << field.Extract(reset.Low));
            if (others == 0) continue;
            low = (low & ~field.Bits) | (ulong)BitOperations.TrailingZeroCount(others) << field.Shift;
            high = (high & ~field.Bits) | (ulong)BitOperations.Log2(others) << field.Shift;
        }
        Sample[] all = [.. patterns, Write(id, new RegisterValue(low, id.Size)), Write(id, new RegisterValue(high, id.Size))];
        foreach (var sample in all)
        {
            if (sample.Errno != 0 != accepts.Accepts(sample.Written)) continue;
            notes.Add(RegisterCatalog.Name(id), sample.Errno == 0
                ? $"its fields depend on each other: {sample.Written.ToShortString()} is taken although a field of it is refused alone"
                : $"its fields depend on each other: {sample.Written.ToShortString()} is refused although each field of it is taken alone",
                "a dry run on the destination decides");
        }
        foreach (var sample in all)
            if (sample.Errno == 0 && sample.Read != stored.Of(sample.Written))
                notes.Add(RegisterCatalog.Name(id), $"its fields change together: {sample.Written.ToShortString()} reads back as {sample.Read.ToShortString()}",
                    "a dry run on the destination decides");
        Restore(id, reset);
    }

    /// <summary>A register whose values are listed: PSCI versions, workaround levels.</summary>
    private Measured OneOf(RegisterId id, RegisterValue reset, IReadOnlyList<ulong> values)
    {
        var samples = values.Append(reset.Low).Distinct().Order().Select(v => Write(id, new RegisterValue(v))).ToList();
        if (!Restore(id, reset)) notes.Add(RegisterCatalog.Name(id), "the value of a new VM cannot be written back");
        var accepted = samples.Where(s => s.Errno == 0).ToList();
        var stored = StoredAs.Unchanged;
        if (accepted.Exists(s => s.Written != reset) && accepted.TrueForAll(s => s.Read == reset)) stored = StoredAs.Always(reset.Low);
        else if (!Samples.Explains(stored, accepted))
        {
            var width = 64 - BitOperations.LeadingZeroCount(values.Max());
            if (width > 16) return Unproven(id, "values are taken and read back as others");
            stored = Samples.With(stored, 0, width, accepted.Select(s => (s.Written.Low, s.Read.Low))) ?? stored;
            if (!Samples.Explains(stored, accepted)) return Unproven(id, "values are taken and read back as others");
        }
        var accepts = Acceptance.OneOf([.. accepted.Select(s => s.Written)]) with { Errno = Samples.Errno(samples) };
        return new(accepts, stored, Samples.Others(accepted, reset), Samples.Refused(samples));
    }

    /// <summary>A bitmap of services: each of its 64 bits alone.</summary>
    private Measured Bitmap(RegisterId id, RegisterValue reset)
    {
        var samples = new List<Sample> { Write(id, new RegisterValue(0)) };
        for (var bit = 0; bit < 64; bit++) samples.Add(Write(id, new RegisterValue(1UL << bit)));
        var none = samples[0].Errno == 0;
        var offered = Enumerable.Range(0, 64).Where(bit => samples[bit + 1].Errno == 0).ToList();
        if (!Restore(id, reset)) notes.Add(RegisterCatalog.Name(id), "the value of a new VM cannot be written back");
        if (!none || !Samples.Explains(StoredAs.Unchanged, samples)) return Unproven(id, "its bits are not independent");
        var accepts = Acceptance.PerField(0, offered.Select(bit => new FieldAcceptance(bit, 1, 0b11))) with { Errno = Samples.Errno(samples) };
        Together(id, reset, accepts, StoredAs.Unchanged, []);
        return new(accepts, StoredAs.Unchanged, Samples.Others(samples, reset), Samples.Refused(samples));
    }

    /// <summary>A vector register: patterns as wide as what it keeps. Bytes beyond the vector's length hold nothing and read as zero.</summary>
    private Measured Wide(RegisterId id, RegisterValue reset)
    {
        var bytes = new byte[id.Size];
        Array.Fill(bytes, (byte)0xff);
        var ones = Write(id, new RegisterValue(bytes));
        if (ones.Errno != 0)
        {
            Restore(id, reset);
            return Unproven(id, $"it refuses a value of all ones with errno {ones.Errno}");
        }
        var kept = ones.Read.ToArray().AsSpan().LastIndexOf((byte)0xff) + 1;
        var samples = new List<Sample>();
        foreach (var pattern in new byte[] { 0, 0x55, 0xaa, 0xff })
        {
            Array.Clear(bytes);
            Array.Fill(bytes, pattern, 0, kept);
            samples.Add(Write(id, new RegisterValue(bytes)));
        }
        Restore(id, reset);
        return samples.TrueForAll(s => s.Errno == 0) && Samples.Explains(StoredAs.Unchanged, samples)
            ? new(Acceptance.Any, StoredAs.Unchanged, Samples.Others(samples, reset))
            : Unproven(id, "it does not keep what its vector has room for");
    }

    private Measured Unproven(RegisterId id, string why)
    {
        notes.Add(RegisterCatalog.Name(id), why, "nothing is said about this register: a dry run on the destination decides");
        return Measured.Nothing;
    }
}
