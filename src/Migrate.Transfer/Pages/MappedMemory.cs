using System.Runtime.InteropServices;
using Migrate.Linux.Memory;
using Migrate.Model.Errors;
using Migrate.Model.Machines;

namespace Migrate.Transfer.Pages;

/// <summary>One slot of guest memory in this process.</summary>
/// <param name="Slot">Which.</param>
/// <param name="File">The memory behind it.</param>
/// <param name="Mapping">At least the slot's size.</param>
public readonly record struct MappedSlot(MemorySlot Slot, MemFd File, MemoryMapping Mapping);

/// <summary>All guest memory of one machine, mapped from the descriptors that its VMM gave.</summary>
public sealed class MappedMemory : IDisposable
{
    /// <summary>Most slots of one machine.</summary>
    public const int MaxSlots = 512;

    private readonly MappedSlot[] _slots;

    private MappedMemory(MappedSlot[] slots) => _slots = slots;

    /// <summary>The slots, in the order of the description.</summary>
    public IReadOnlyList<MappedSlot> Slots => _slots;

    /// <summary>Bytes of guest memory.</summary>
    public ulong Bytes
    {
        get
        {
            var sum = 0UL;
            foreach (var slot in _slots) sum += slot.Slot.Size;
            return sum;
        }
    }

    /// <summary>Takes over descriptors and maps them, once each is proven to be sealed and large enough.</summary>
    /// <param name="slots">The slots.</param>
    /// <param name="descriptors">One a slot; owned from here on, also when this throws.</param>
    /// <param name="access">Reading for a source, writing for a destination.</param>
    /// <param name="machine">The machine's name, for messages.</param>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Refused"/>: a descriptor is not what it must be; <see cref="ErrorCode.Malformed"/>: slots that cannot be.</exception>
    public static MappedMemory Adopt(IReadOnlyList<MemorySlot> slots, IReadOnlyList<SafeHandle> descriptors, MappingAccess access, string machine)
    {
        var mapped = new List<MappedSlot>(slots.Count);
        try
        {
            if (slots.Count != descriptors.Count || slots.Count > MaxSlots)
                throw new MigrateException(ErrorCode.Malformed, $"{machine} has {slots.Count} memory slots and {descriptors.Count} descriptors; at most {MaxSlots} are possible");
            for (var i = 0; i < slots.Count; i++)
            {
                var slot = slots[i];
                if (slot.Size is 0 or > long.MaxValue / 2)
                    throw new MigrateException(ErrorCode.Malformed, $"memory slot {slot.Slot} of {machine} claims {slot.Size} bytes");
                if (mapped.Exists(other => other.Slot.Slot == slot.Slot))
                    throw new MigrateException(ErrorCode.Malformed, $"{machine} has memory slot {slot.Slot} twice");
                var file = MemFd.Adopt(descriptors[i], (long)slot.Size, $"slot {slot.Slot} of {machine}");
                try
                {
                    mapped.Add(new MappedSlot(slot, file, file.Map(access)));
                }
                catch
                {
                    file.Dispose();
                    throw;
                }
            }
            return new MappedMemory([.. mapped]);
        }
        catch
        {
            foreach (var descriptor in descriptors) descriptor.Dispose();
            Unmap(mapped);
            throw;
        }
    }

    /// <summary>Finds a slot by its number.</summary>
    public bool TryFind(int slot, out MappedSlot found)
    {
        foreach (var candidate in _slots)
            if (candidate.Slot.Slot == slot)
            {
                found = candidate;
                return true;
            }
        found = default;
        return false;
    }

    /// <summary>Unmaps and closes everything; nothing may use the memory any more.</summary>
    public void Dispose() => Unmap(_slots);

    private static void Unmap(IEnumerable<MappedSlot> slots)
    {
        foreach (var slot in slots)
        {
            slot.Mapping.Dispose();
            slot.File.Dispose();
        }
    }
}
