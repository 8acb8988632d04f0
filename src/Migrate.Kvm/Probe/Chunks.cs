using Migrate.Model.Hosts;
using Migrate.Model.Registers;

namespace Migrate.Kvm.Probe;

/// <summary>A register's bits in pieces of at most four, along its architectural fields where they are known, else along nibbles.</summary>
internal static class Chunks
{
    private const int Widest = 4;

    /// <summary>Every bit of the register once, lowest first. The masks are empty.</summary>
    public static IReadOnlyList<FieldAcceptance> Of(RegisterId id)
    {
        var bits = id.Size * 8;
        var owner = new int[bits];
        var fields = RegisterCatalog.Find(id)?.Fields ?? [];
        for (var i = 0; i < fields.Count; i++)
            for (var bit = fields[i].Shift; bit < Math.Min(bits, fields[i].Shift + fields[i].Width); bit++) owner[bit] = i + 1;

        var chunks = new List<FieldAcceptance>();
        for (var start = 0; start < bits;)
        {
            var end = start + 1;
            while (end < bits && end - start < Widest && owner[end] == owner[start] && (owner[start] != 0 || end % Widest != 0)) end++;
            chunks.Add(new FieldAcceptance(start, end - start, 0));
            start = end;
        }
        return chunks;
    }
}
