using System.Runtime.InteropServices;
using Migrate.Linux.Memory;
using Migrate.Model.Errors;
using Migrate.Model.Machines;
using Migrate.Transfer.Pages;
using Migrate.Transfer.Wire;

namespace Migrate.Transfer.Machines;

/// <summary>Fetches the descriptors of guest memory over a session, as many frames as it takes.</summary>
internal static class SessionMemory
{
    /// <param name="client">The connection that holds the session.</param>
    /// <param name="expected">How many slots there must be; null to believe the answer.</param>
    /// <param name="access">How to map.</param>
    public static MappedMemory Fetch(MachineClient client, int? expected, MappingAccess access)
    {
        var slots = new List<MemorySlot>();
        var descriptors = new List<SafeHandle>();
        try
        {
            var total = expected ?? 0;
            do
            {
                var reply = client.AskForDescriptors(
                    FrameKind.GetMemory, MachineMessages.FirstSlot, slots.Count, FrameKind.Memory, MachineMessages.Memory, descriptors);
                if (expected is null && slots.Count == 0) total = reply.Total;
                slots.AddRange(reply.Slots);
                var advances = reply.Slots.Count > 0 || total == 0;
                if (reply.Total != total || total is < 0 or > MappedMemory.MaxSlots || !advances || slots.Count > total || slots.Count != descriptors.Count)
                    throw new MigrateException(
                        ErrorCode.Protocol, $"{client.Path} answered with {slots.Count} of {reply.Total} memory slots and {descriptors.Count} descriptors; {total} slots were expected");
            }
            while (slots.Count < total);
            return MappedMemory.Adopt(slots, descriptors, access, client.Path);
        }
        catch
        {
            foreach (var descriptor in descriptors) descriptor.Dispose();
            throw;
        }
    }
}
