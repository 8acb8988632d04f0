using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Migrate.Kvm.Handles;
using Migrate.Kvm.Scratch;
using Migrate.Kvm.State;
using Migrate.Model.Machines;
using Migrate.Model.Registers;

namespace Migrate.LabGuest.Jobs;

/// <summary>A VM that counts in its memory, while something else is done on the host: it must neither stop nor change.</summary>
internal sealed class Neighbour : IDisposable
{
    private const ulong Counter = ScratchMachine.MemoryBase + 0x8_0000;
    private const ulong Pattern = ScratchMachine.MemoryBase + 0x10_0000;
    private const int PatternBytes = 0x10_0000;
    private const ulong Code = 0x1000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly RegisterId X19 = RegisterId.Core(8 * 19, 8);
    private static readonly RegisterId Pc = RegisterId.Core(8 * 32, 8);

    private static readonly uint[] Guest =
    [
        .. A64.Load(9, ScratchMachine.ReportPage), .. A64.Load(10, ScratchGuests.Ready), A64.Store(10, 9),
        .. A64.Load(9, Counter), A64.Add(19, 19, 1), A64.Store(19, 9), A64.Branch(-2),
    ];

    private readonly ScratchMachine _machine;
    private readonly MachineState _before;

    public Neighbour(KvmSystem system)
    {
        _machine = ScratchMachine.Create(system, new ScratchOptions { HasGic = true });
        new Random(3).NextBytes(Memory(Pattern, PatternBytes));
        _machine.Load(0, Code, Guest);
        _machine.Start();
        CheckFailedException.Equal(ScratchGuests.Ready, _machine.Next(Patience).Value, "the neighbour's report");
        // It has reported, and may stand anywhere before its loop still.
        WaitUntilItCounts();
        _machine.Stop();
        _before = KvmCapture.Capture(_machine.Machine);
        _machine.Start();
        WaitUntilItCounts();
    }

    /// <summary>How far it has counted.</summary>
    public ulong Count => Volatile.Read(ref MemoryMarshal.Cast<byte, ulong>(Memory(Counter, 8))[0]);

    /// <summary>Fails unless it counts on from here.</summary>
    public void WaitUntilItCounts()
    {
        var (from, since) = (Count, Stopwatch.GetTimestamp());
        while (Count == from)
        {
            CheckFailedException.That(Stopwatch.GetElapsedTime(since) < Patience, $"the neighbour stands still at {from}");
            Thread.Sleep(1);
        }
    }

    /// <summary>Stops it and fails unless it is what it was, the count apart.</summary>
    public void CheckUndisturbed()
    {
        _machine.Stop();
        var after = KvmCapture.Capture(_machine.Machine);
        var count = BinaryPrimitives.ReadUInt64LittleEndian(Memory(Counter, 8));
        CheckFailedException.Equal(_before.Vm, after.Vm, "description");
        foreach (var (id, value) in after.Vcpus[0].Registers)
        {
            CheckFailedException.That(_before.Vcpus[0].Registers.TryGet(id, out var was), $"{RegisterCatalog.Name(id)} is new");
            if (id == X19) CheckFailedException.That(value.Low - count <= 1 && value.Low > was.Low, $"X19 went from {was.Low} to {value.Low}, memory has {count}");
            else if (id == Pc)
            {
                var loop = ScratchMachine.MemoryBase + Code + 4 * (ulong)(Guest.Length - 3);
                CheckFailedException.That(value.Low >= loop && value.Low < loop + 12, $"the PC is 0x{value.Low:x}");
            }
            else if (!IsClock(id) && value != was) throw new CheckFailedException($"{RegisterCatalog.Name(id)} went from {was} to {value}");
        }
        CheckFailedException.Equal(_before.Vcpus[0].Registers.Count, after.Vcpus[0].Registers.Count, "registers");
        CheckFailedException.Equal(_before.Devices, after.Devices, "state of devices");
        var pattern = new byte[PatternBytes];
        new Random(3).NextBytes(pattern);
        CheckFailedException.That(Memory(Pattern, PatternBytes).SequenceEqual(pattern), "its memory changed");
        _machine.Start();
        WaitUntilItCounts();
    }

    public void Dispose() => _machine.Dispose();

    private Span<byte> Memory(ulong at, int bytes) => _machine.Machine.Memory(at, bytes);

    private static bool IsClock(RegisterId id) => RegisterCatalog.Name(id) is "CNTVCT_EL0" or "CNTPCT_EL0" or "CNTV_CTL_EL0" or "CNTP_CTL_EL0";
}
