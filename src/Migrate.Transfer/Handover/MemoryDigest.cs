using System.Buffers.Binary;
using System.Security.Cryptography;
using Migrate.Model;
using Migrate.Transfer.Pages;

namespace Migrate.Transfer.Handover;

/// <summary>SHA-256 over the guest memory of a stopped machine: over each block that is not all zeros, its guest address and its bytes.</summary>
/// <remarks>Holes are not touched, and equal zeros: two hosts agree whatever their page sizes are.</remarks>
internal static class MemoryDigest
{
    private const int Block = 4096;

    public static EquatableArray<byte> Of(MappedMemory memory)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> address = stackalloc byte[sizeof(ulong)];
        foreach (var slot in memory.Slots)
        {
            var size = (long)slot.Slot.Size;
            for (var at = 0L; at < size && slot.File.TryFindData(at, out var start, out var end); at = end)
            {
                end = Math.Min(end, size);
                for (var block = start; block < end; block += Block)
                {
                    var bytes = slot.Mapping.View(block, (int)Math.Min(Block, end - block));
                    if (!bytes.ContainsAnyExcept((byte)0)) continue;
                    BinaryPrimitives.WriteUInt64LittleEndian(address, slot.Slot.GuestAddress + (ulong)block);
                    hash.AppendData(address);
                    hash.AppendData(bytes);
                }
            }
        }
        return EquatableArray.Create<byte>(hash.GetHashAndReset());
    }
}
