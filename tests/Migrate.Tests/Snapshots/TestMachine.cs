using System.Runtime.InteropServices;
using Migrate.Linux.Memory;
using Migrate.Model;
using Migrate.Model.Machines;
using Migrate.Model.Registers;
using Migrate.Snapshots;
using Migrate.Transfer.Pages;

namespace Migrate.Tests.Snapshots;

/// <summary>A stopped machine of two slots, some of whose pages are zero.</summary>
internal sealed class TestMachine : ISnapshotSource, IDisposable
{
    private static readonly RegisterId X0 = new(0x6030_0000_0010_0000);

    public TestMachine(int pageSize = 4096, params MemorySlot[] slots)
    {
        PageSize = pageSize;
        var memory = slots.Length > 0 ? slots : [new MemorySlot(0, 0x4000_0000, 4 * (ulong)pageSize), new MemorySlot(7, 0x8000_0000, 2 * (ulong)pageSize)];
        State = new MachineState
        {
            Vm = new VmDescription
            {
                Name = "web-1",
                Id = new string('a', 32),
                Type = new VmType(40),
                Features = VcpuFeatures.Psci02,
                VcpuCount = 1,
                Memory = memory.ToEquatableArray(),
            },
            Vcpus = [new VcpuState { Index = 0, Registers = new RegisterSet([new Register(X0, new RegisterValue(0x1234))]) }],
        };
        Memory = Fresh(memory);
    }

    public MappedMemory Memory { get; }

    public int PageSize { get; }

    public MachineState State { get; init; }

    /// <summary>What was asked of it, in order.</summary>
    public List<string> Calls { get; } = [];

    public static MappedMemory Fresh(IReadOnlyList<MemorySlot> slots) => MappedMemory.Adopt(
        slots, [.. slots.Select(s => (SafeHandle)MemFd.Create($"slot-{s.Slot}", (long)s.Size))], MappingAccess.ReadWrite, "test");

    /// <summary>Fills the pages for which the function says so.</summary>
    public TestMachine Fill(Func<int, int, bool> isFilled)
    {
        for (var slot = 0; slot < Memory.Slots.Count; slot++)
            for (var page = 0; page < (int)(Memory.Slots[slot].Slot.Size / (ulong)PageSize); page++)
                if (isFilled(slot, page)) new Random(slot * 1_000_003 + page).NextBytes(Page(Memory, slot, page));
        return this;
    }

    public Span<byte> Page(MappedMemory memory, int slot, int page) => memory.Slots[slot].Mapping.Slice((long)page * PageSize, PageSize);

    public void AssertSameMemory(MappedMemory other)
    {
        for (var slot = 0; slot < Memory.Slots.Count; slot++)
            for (var page = 0; page < (int)(Memory.Slots[slot].Slot.Size / (ulong)PageSize); page++)
                Assert.True(Page(Memory, slot, page).SequenceEqual(Page(other, slot, page)), $"slot {slot}, page {page}");
    }

    public void Quiesce() => Calls.Add("quiesce");

    public MachineState Capture()
    {
        Calls.Add("capture");
        return State;
    }

    public void Resume() => Calls.Add("resume");

    public void Dispose() => Memory.Dispose();
}

/// <summary>A directory that goes away with the test.</summary>
internal sealed class TestDirectory(string? parent = null) : IDisposable
{
    public string Path { get; } = Directory.CreateDirectory(
        System.IO.Path.Combine(parent ?? System.IO.Path.GetTempPath(), $"vmmigrate-{Guid.NewGuid():n}"[..18])).FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public string[] Names => [.. new DirectoryInfo(Path).GetFileSystemInfos().Select(f => f.Name).Order()];

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
