using System.Buffers.Binary;
using Migrate.Kvm.Handles;
using Migrate.Kvm.Scratch;
using Migrate.Kvm.State;
using Migrate.Model.Machines;

namespace Migrate.LabGuest.Jobs;

/// <summary>An ITS that is programmed through its registers, as a guest would: the tables must be in the copy, the LPI pending there too.</summary>
/// <remarks>Commands: GIC architecture specification, IHI 0069, chapter 5.3. Register offsets: chapter 12.</remarks>
internal static class ItsJob
{
    private const uint Redistributor = 5;
    private const uint ItsRegisters = 8;
    private const ulong Valid = 1UL << 63;

    private const ulong Base = ScratchMachine.MemoryBase;
    private const ulong DeviceTable = Base + 0x10_0000;
    private const ulong CollectionTable = Base + 0x11_0000;
    private const ulong Commands = Base + 0x12_0000;
    private const ulong Properties = Base + 0x13_0000;
    private const ulong Pending = Base + 0x14_0000;
    private const ulong InterruptTable = Base + 0x15_0000;

    private const uint Device = 7;
    private const uint Event = 3;

    /// <summary>The interrupt that becomes pending.</summary>
    public const uint Lpi = 8192 + 5;

    public static void Run(KvmSystem system, Func<ScratchMachine, KvmMachine> roundTrip)
    {
        using var source = ScratchMachine.Create(system, new ScratchOptions { Features = VcpuFeatures.Psci02, HasGic = true, HasIts = true });
        Program(source.Machine);
        using var copy = roundTrip(source);
        // roundTrip saved the tables of both.
        foreach (var (name, at, bytes) in new[] { ("device table", DeviceTable, 0x1_0000), ("collection table", CollectionTable, 0x1_0000),
            ("interrupt table", InterruptTable, 0x1_0000), ("pending table", Pending, 0x2000) })
        {
            var here = source.Machine.Memory(at, bytes);
            var there = copy.Memory(at, bytes);
            CheckFailedException.That(here.ContainsAnyExcept((byte)0), $"{name}: nothing was saved");
            CheckFailedException.That(here.SequenceEqual(there), $"{name}: differs first at 0x{here.CommonPrefixLength(there):x}");
        }
        CheckFailedException.That((copy.Memory(Pending + Lpi / 8, 1)[0] & 1 << (int)(Lpi % 8)) != 0, "the LPI is not pending");
    }

    /// <summary>Maps a device and makes an LPI pending at a vCPU.</summary>
    public static void Program(KvmMachine machine, int vcpu = 0)
    {
        var (gic, its) = (machine.Gic!, machine.Its!);
        // Enabled, priority 0xa0.
        machine.Memory(Properties + Lpi - 8192, 1)[0] = 0xa1;
        // 16 bits of interrupt number.
        var redistributor = (ulong)vcpu << 32;
        Set32(gic, redistributor | 0x70, (uint)Properties | 15);
        Set32(gic, redistributor | 0x78, (uint)Pending);
        Set32(gic, redistributor, 1);
        Set64(its, 0x100, Valid | DeviceTable);
        Set64(its, 0x108, Valid | CollectionTable);
        Set64(its, 0x80, Valid | Commands);
        Set64(its, 0x0, 1);
        ulong[][] commands =
        [
            [0x08 | (ulong)Device << 32, 4, Valid | InterruptTable, 0],
            [0x09, 0, Valid | (ulong)vcpu << 16, 0],
            [0x0a | (ulong)Device << 32, Event | (ulong)Lpi << 32, 0, 0],
            [0x03 | (ulong)Device << 32, Event, 0, 0],
        ];
        for (var i = 0; i < commands.Length; i++)
            for (var word = 0; word < 4; word++)
                BinaryPrimitives.WriteUInt64LittleEndian(machine.Memory(Commands + (ulong)(i * 32 + word * 8), 8), commands[i][word]);
        Set64(its, 0x88, (ulong)commands.Length * 32);
        CheckFailedException.Equal(0, its.TryGetAttribute64(ItsRegisters, 0x90, out var read), "GITS_CREADR");
        CheckFailedException.Equal((ulong)commands.Length * 32, read, "GITS_CREADR after the commands");
    }

    private static void Set32(KvmDevice device, ulong offset, uint value) =>
        CheckFailedException.Equal(0, device.TrySetAttribute32(Redistributor, offset, value), $"GICR + 0x{offset:x} = 0x{value:x}");

    private static void Set64(KvmDevice device, ulong offset, ulong value) =>
        CheckFailedException.Equal(0, device.TrySetAttribute64(ItsRegisters, offset, value), $"GITS + 0x{offset:x} = 0x{value:x}");
}
