using System.Numerics;
using Migrate.Linux.Memory;
using Migrate.Model.Machines;
using Migrate.Simulation.Machines;
using Migrate.Simulation.Program;
using static Migrate.Tests.Simulation.SimulatedMachineTests;
using static Migrate.Tests.Simulation.SimulatedProfiles;

namespace Migrate.Tests.Simulation;

public class DirtyLogTests
{
    /// <summary>A log that cannot take the mark stops the writer at the mark: what is in memory then was written before it.</summary>
    [Fact]
    public unsafe void The_program_writes_before_it_marks()
    {
        using var ram = new GuestRam(4096);
        ram.Add(new MemorySlot(0, 0, 1 << 20));
        var state = new ProgramState { Generator = 1, PartitionSize = 1 << 20 };
        Assert.True(PartitionWindow.TryCreate(ram, state, out var window));
        window = new PartitionWindow { Pointer = window.Pointer, Pages = window.Pages, SlotOffset = 1UL << 40, Dirty = window.Dirty };

        Assert.Throws<IndexOutOfRangeException>(() => RunOne(state, window));
        Assert.True(ram.Slots[0].Mapping.View(0, 1 << 20).ContainsAnyExcept((byte)0));
    }

    /// <summary>The interleaving that the order is there for: the collector comes between the two acts.</summary>
    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void Marking_first_loses_a_page_and_writing_first_does_not(bool writeFirst, bool lost)
    {
        var log = new DirtyBitmap(4096, 12);
        var page = 0;
        var copy = 0;
        void Write() => page++;
        void Mark() => log.Mark(0);
        void Collect()
        {
            Span<ulong> bitmap = stackalloc ulong[1];
            log.CollectInto(bitmap);
            if (bitmap[0] != 0) copy = page;
        }

        if (writeFirst) Write();
        else Mark();
        Collect();
        if (writeFirst) Mark();
        else Write();
        Collect();

        Assert.Equal(lost, copy != page);
    }

    [Fact]
    public void A_page_that_is_collected_while_it_is_written_is_never_lost()
    {
        // One vCPU in two pages and a collector without a pause: every interleaving comes up.
        using var machine = SimulatedMachine.Create(Plain, Options with { MemoryBytes = 2 << 16, Vcpus = 1, Slots = 1, Steps = 400_000, HotPages = 0.1, HotWrites = 1 });
        using var memory = ((MemFd)machine.Memory[0].Handle).Map(MappingAccess.Read);
        var copy = memory.View(0, 2 << 16).ToArray();
        var bitmap = new ulong[1];
        machine.StartDirtyLog();
        machine.Resume();
        for (var last = false; ; last = machine.IsHalted)
        {
            if (last) machine.Quiesce();
            bitmap[0] = 0;
            machine.CollectDirty(0, bitmap);
            for (var page = 0; page < 32; page++)
                if ((bitmap[0] >> page & 1) != 0) memory.View(page * 4096, 4096).CopyTo(copy.AsSpan(page * 4096));
            if (last) break;
        }
        Assert.True(memory.View(0, 2 << 16).SequenceEqual(copy));
    }

    /// <summary>A writer and a collector in the same words of the log: every page is marked once an episode, so every mark that is lost is seen.</summary>
    [Fact]
    public void A_mark_is_never_lost_to_a_harvest_of_its_word()
    {
        const int Episodes = 300;
        const int Pages = 4096;
        var log = new DirtyBitmap(Pages * 4096, 12);
        int episode = 0, done = 0;
        var writer = new Thread(() =>
        {
            for (var i = 1; i <= Episodes; i++)
            {
                WaitFor(ref episode, i);
                for (var page = 0UL; page < Pages; page++) log.Mark(page * 4096);
                Volatile.Write(ref done, i);
            }
        });
        writer.Start();
        var lost = 0;
        var bitmap = new ulong[log.Words];
        for (var i = 1; i <= Episodes; i++)
        {
            bitmap.AsSpan().Clear();
            Volatile.Write(ref episode, i);
            while (Volatile.Read(ref done) != i) log.CollectInto(bitmap);
            log.CollectInto(bitmap);
            lost += Pages - bitmap.Sum(BitOperations.PopCount);
        }
        writer.Join();
        Assert.Equal(0, lost);
    }

    [Theory]
    [InlineData(12)]
    [InlineData(14)]
    [InlineData(16)]
    public void A_bit_stands_for_a_page_of_the_host(int shift)
    {
        var log = new DirtyBitmap(1 << 20, shift);
        log.Mark((1UL << shift) * 3 + 5);
        var bitmap = new ulong[log.Words];
        bitmap[0] = 1;
        log.CollectInto(bitmap);
        Assert.Equal(0b1001UL, bitmap[0]);
        Assert.Equal((((1 << 20) >> shift) + 63) / 64, log.Words);
    }

    private static void WaitFor(ref int value, int wanted)
    {
        var spin = default(SpinWait);
        while (Volatile.Read(ref value) != wanted) spin.SpinOnce(sleep1Threshold: -1);
    }

    private static void RunOne(ProgramState state, in PartitionWindow window) => GuestProgram.Run(ref state, window, default, 1);
}
