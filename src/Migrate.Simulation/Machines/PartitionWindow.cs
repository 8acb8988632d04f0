using Migrate.Simulation.Program;

namespace Migrate.Simulation.Machines;

/// <summary>The part of guest memory that one vCPU's program writes, proven to lie inside a slot.</summary>
internal readonly unsafe struct PartitionWindow
{
    /// <summary>First byte in this process.</summary>
    public required byte* Pointer { get; init; }

    /// <summary>Whole program pages, 1 to 2^32 - 1.</summary>
    public required ulong Pages { get; init; }

    /// <summary>Where the partition begins in its slot, in bytes.</summary>
    public required ulong SlotOffset { get; init; }

    /// <summary>Where its writes are noted.</summary>
    public required DirtyBitmap Dirty { get; init; }

    /// <summary>Checks what the registers claim: they come from outside. The base must be a page of a slot that may be written; the size is cut to what the slot has.</summary>
    public static bool TryCreate(GuestRam ram, in ProgramState state, out PartitionWindow window)
    {
        window = default;
        if (state.PartitionBase % GuestProgram.Page != 0 || !ram.TryTranslate(state.PartitionBase, out var slot, out var offset, out var rest)
            || slot.Region.ReadOnly)
            return false;
        var pages = Math.Min(Math.Min(state.PartitionSize, rest) / GuestProgram.Page, uint.MaxValue);
        if (pages == 0) return false;
        window = new PartitionWindow { Pointer = slot.Mapping.Pointer + offset, Pages = pages, SlotOffset = offset, Dirty = slot.Vcpus };
        return true;
    }
}
