using System.Numerics;
using System.Runtime.InteropServices;
using Migrate.Linux.Memory;
using Migrate.Model.Ports;
using Migrate.Transfer.Pages;

namespace Migrate.Transfer.Machines;

/// <summary>The dirty bitmap that a source session's client maps: written here, and never trusted, since the client could write it too.</summary>
internal sealed class SharedBitmap : IDisposable
{
    private readonly MemoryMapping _mapping;
    private readonly DirtyBitmap _layout;

    public SharedBitmap(IReadOnlyList<GuestMemory> memory, int pageSize)
    {
        _layout = new DirtyBitmap([.. memory.Select(m => m.Slot)], pageSize);
        File = MemFd.Create("dirty-bitmap", Math.Max(_layout.Bytes, sizeof(ulong)));
        _mapping = File.Map(MappingAccess.ReadWrite);
    }

    public MemFd File { get; }

    /// <summary>The words of the slot at an index.</summary>
    public Span<ulong> Slot(int index) =>
        MemoryMarshal.Cast<byte, ulong>(_mapping.Slice(_layout.OffsetOf(index), _layout.Slot(index).Length * sizeof(ulong)));

    public void Clear()
    {
        for (var i = 0; i < _layout.SlotCount; i++) Slot(i).Clear();
    }

    public long Count()
    {
        var count = 0L;
        for (var i = 0; i < _layout.SlotCount; i++)
            foreach (var word in Slot(i)) count += BitOperations.PopCount(word);
        return count;
    }

    public void Dispose()
    {
        _mapping.Dispose();
        File.Dispose();
    }
}
