using System.Runtime.InteropServices;
using Migrate.Linux.Memory;
using Migrate.Model.Errors;
using Migrate.Model.Machines;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Pages;
using Migrate.Transfer.Wire;

namespace Migrate.Transfer.Conformance.Checks;

/// <summary>What the machine is said to be, and the memory that it shares.</summary>
internal static class MemoryChecks
{
    public static void Description(Bench bench)
    {
        var client = bench.Source.Connect();
        var (report, status) = (client.Describe(), client.Status());
        if (report.Undescribable.Count > 0) throw new NotTriedException($"the machine cannot be moved at all: {string.Join(", ", report.Undescribable)} cannot be described");
        var vm = report.State.Vm;
        if (vm.Name != status.Name || vm.Id != status.VmId)
            throw new BrokenPromiseException($"status says {status.Name} ({status.VmId}), describe {vm.Name} ({vm.Id})");
        if (report.State.Vcpus.Count != vm.VcpuCount || report.State.Vcpus.Where((v, i) => v.Index != i || v.Registers.Count == 0).Any())
            throw new BrokenPromiseException($"a machine of {vm.VcpuCount} vCPUs was described with {report.State.Vcpus.Count}, which must be numbered from 0 and have registers");
        foreach (var slot in vm.Memory) DirtyBitmap.PagesOf(slot, report.PageSize);
    }

    public static void Slots(Bench bench)
    {
        var client = bench.Source.Connect();
        var described = client.Describe().State.Vm.Memory;
        Open(client);
        var slots = new List<MemorySlot>();
        do
        {
            var (reply, descriptors) = Fetch(client, slots.Count);
            var count = descriptors.Count;
            Close(descriptors);
            if (reply.First != slots.Count || reply.Total != described.Count || count != reply.Slots.Count || count is 0)
                throw new BrokenPromiseException(
                    $"get-memory from index {slots.Count} of {described.Count} slots was answered with first {reply.First}, total {reply.Total}, {reply.Slots.Count} slots and {count} descriptors");
            slots.AddRange(reply.Slots);
        }
        while (slots.Count < described.Count);
        if (!slots.SequenceEqual(described)) throw new BrokenPromiseException("the slots of get-memory are not those of the description, in its order");
        Subject.Refused(ErrorCode.Protocol, $"get-memory from index {slots.Count + 1} of {slots.Count}", () => Close(Fetch(client, slots.Count + 1).Descriptors));
    }

    public static void Sealed(Bench bench)
    {
        var client = bench.Source.Connect();
        Open(client);
        for (var time = 0; time < 2; time++)
        {
            var (reply, descriptors) = Fetch(client, 0);
            try
            {
                for (var i = 0; i < reply.Slots.Count; i++) MemFd.Adopt(descriptors[i], (long)reply.Slots[i].Size, $"slot {reply.Slots[i].Slot}").Dispose();
            }
            finally
            {
                Close(descriptors);
            }
        }
    }

    public static void Shared(Bench bench)
    {
        var session = bench.Source.OpenSource();
        session.CollectWrites(bench.Source.Options.Activity);
        var before = session.Hash();
        if (!bench.Source.Until(() => session.Hash().Changed(before).Any(), within: bench.Source.Options.Activity))
            throw new BrokenPromiseException("the guest's pages are marked as written, and what get-memory gave does not change: it is not the guest's memory");
    }

    public static void BitmapSealed(Bench bench)
    {
        var client = bench.Source.Connect();
        var report = client.Describe();
        var bytes = new DirtyBitmap(report.State.Vm.Memory, report.PageSize).Bytes;
        var room = Open(client);
        MemFd.Adopt(room, Math.Max(bytes, 1), "the dirty bitmap").Dispose();
    }

    private static SafeHandle Open(MachineClient client)
    {
        List<SafeHandle> descriptors = [];
        client.AskForDescriptors(FrameKind.OpenSource, (Model.Encoding.Shape<int>?)null, 0, FrameKind.SessionOpened, MachineMessages.SessionOpened, descriptors);
        return descriptors.Count == 1 ? descriptors[0] : throw new BrokenPromiseException($"open-source was answered with {descriptors.Count} descriptors instead of one");
    }

    private static (MemoryReply Reply, List<SafeHandle> Descriptors) Fetch(MachineClient client, int first)
    {
        List<SafeHandle> descriptors = [];
        return (client.AskForDescriptors(FrameKind.GetMemory, MachineMessages.FirstSlot, first, FrameKind.Memory, MachineMessages.Memory, descriptors), descriptors);
    }

    private static void Close(List<SafeHandle> descriptors) => descriptors.ForEach(d => d.Dispose());
}
