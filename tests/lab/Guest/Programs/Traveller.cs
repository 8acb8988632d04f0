using Migrate.Kvm.Scratch;
using Migrate.Kvm.Vmm;
using Migrate.LabGuest.Jobs;

namespace Migrate.LabGuest.Programs;

/// <summary>What the guest of a move may count on.</summary>
/// <param name="HasSve">Vectors of every length, else those of floating point.</param>
/// <param name="HasSdei">vCPU 2 registers an event, in whose handler it waits for something to be typed.</param>
/// <param name="Forwarded">A function that the VMM gets and does not know, which vCPU 0 calls by HVC and by SMC; 0 for none.</param>
internal sealed record TravellerOptions(bool HasSve, bool HasSdei, uint Forwarded);

/// <summary>
/// The guest that moves: four programs that keep count of everything that could be lost, in registers that a capture shows.
/// vCPU 0 writes pages and vectors, takes timer interrupts and pings vCPU 3 with an IPI at each; it switches the others on by PSCI. vCPU 1 was on and is
/// off. vCPU 2 has an SGI, a timer interrupt and an LPI pending and reads the console, on which every character must be the one after the last: they come
/// without end, so that one is lost or comes twice where a read that had left the guest is not completed before the VM is captured. vCPU 3
/// waits in WFI, answers each ping and writes a page for it.
/// </summary>
internal static class Traveller
{
    /// <summary>Where each program lies; vectors at its beginning.</summary>
    public static ulong Code(int vcpu) => ScratchMachine.MemoryBase + (ulong)vcpu * 0x10000;

    /// <summary>
    /// Set in a character that is typed for vCPU 2: if it handles an event it ends that, else it unmasks its interrupts. The bits below count from 1, and
    /// from <see cref="Characters"/> - 1 to 0.
    /// </summary>
    public const byte Advance = 0x80;

    /// <summary>Different characters that follow each other.</summary>
    public const byte Characters = 0x80;

    /// <summary>Pages of 4 KiB that vCPU 0 writes in turn.</summary>
    public const ulong Pages = 1024;

    /// <summary>And vCPU 3.</summary>
    public const ulong FewPages = 16;

    /// <summary>What the handler of the event finds in X1.</summary>
    public const ulong EventArgument = 0x5de1;

    private const int Entry = 0x800;
    private const int EventEntry = 0xc00;
    private const uint Ping = 1, Pong = 2, Own = 5, Timer = 27;

    /// <summary>First address that a vCPU writes.</summary>
    public static ulong Window(int vcpu) => ScratchMachine.MemoryBase + (vcpu == 0 ? 4UL << 20 : 12UL << 20);

    /// <summary>Where vCPU 0 begins; it starts the others.</summary>
    public static ulong Start => Code(0) + Entry;

    /// <summary>The program of a vCPU, to be put at <see cref="Code"/>.</summary>
    public static uint[] Program(int vcpu, TravellerOptions options) => vcpu switch
    {
        0 => Working(options),
        1 => Visitor(),
        2 => Pending(options),
        _ => Answering(),
    };

    /// <summary>
    /// X19 pages written, X23 timer interrupts, X28 steps back in time, X29 pings, X30 pongs, X18 wrong vectors, X15 wrong answers of PSCI_VERSION,
    /// X14 wrong answers of a forwarded call.
    /// </summary>
    private static uint[] Working(TravellerOptions options)
    {
        uint[] arm = [.. A64.Load(24, 500_000), A64.WriteSystem(24, 3, 3, 14, 3, 0), .. A64.Load(24, 1), A64.WriteSystem(24, 3, 3, 14, 3, 1)];
        var program = new Assembly()
            .At(0x280).Do(A64.ReadSystem(25, 3, 0, 12, 12, 0))
            .Load(24, Timer).IfEqual(25, 24, "timer")
            .Load(24, Pong).IfEqual(25, 24, "pong")
            .Branch("end")
            .Label("pong").Do(A64.Add(30, 30, 1)).Branch("end")
            .Label("timer").Do(A64.Add(23, 23, 1), A64.Isb, A64.ReadSystem(27, 3, 3, 14, 0, 2), A64.Compare(27, 26), A64.IncrementIfLower(28)).Copy(26, 27)
            .Do(arm)
            // A ping that is not answered is the last.
            .IfEqual(29, 30, "ping").Branch("end")
            .Label("ping").Do(A64.Add(29, 29, 1)).Load(24, (ulong)Ping << 24 | 1 << 3).Do(A64.WriteSystem(24, 3, 0, 12, 11, 5))
            .Label("end").Do(A64.WriteSystem(25, 3, 0, 12, 12, 1), A64.Eret);
        program.At(Entry).EnableVectors(options.HasSve).Do(ScratchGuests.InterruptsOn(0)).Load(10, Code(0)).Do(A64.WriteSystem(10, 3, 0, 12, 0, 0));
        Version(program).Copy(16, 0);
        for (var i = 1; i < 4; i++) program.Load(0, 0xc400_0003).Load(1, (ulong)i).Load(2, Code(i) + Entry).Load(3, 0x100 + (ulong)i).Hvc().IfNotZero(0, "failed");
        // vCPU 1 goes off by itself.
        program.Label("wait").Load(0, 0xc400_0004).Load(1, 1).Load(2, 0).Hvc().Load(9, 1).IfEqual(0, 9, "off").Branch("wait").Label("off");
        program.Load(20, Window(0)).Load(21, Pages - 1).Do(arm).Do(A64.Isb, A64.UnmaskInterrupts)
            .Label("loop").Do(A64.Add(19, 19, 1));
        foreach (var vector in new[] { 0, 7, 15, 30 }) program.ToVector(vector, 19, options.HasSve);
        program.Do(A64.And(22, 19, 21), A64.AddShifted(22, 20, 22, 12), A64.Store(19, 22));
        foreach (var vector in new[] { 0, 7, 15, 30 }) program.CountIfVectorDiffers(18, vector, 19, options.HasSve);
        program.Load(9, 0xff).Do(A64.And(9, 19, 9)).IfNotZero(9, "loop");
        Version(program).CountIfDifferent(15, 0, 16);
        if (options.Forwarded != 0)
        {
            program.Load(10, ulong.MaxValue);
            program.Load(0, options.Forwarded).Hvc().CountIfDifferent(14, 0, 10);
            program.Load(0, options.Forwarded).Smc().CountIfDifferent(14, 0, 10);
        }
        return program.Branch("loop").Label("failed").Load(19, 0).Branch("failed").ToArray();
    }

    /// <summary>X19 = 1 and off again.</summary>
    private static uint[] Visitor() => new Assembly().At(Entry).Do(A64.Add(19, 19, 1)).Load(0, 0x8400_0002).Hvc().Label("still").Do(A64.Add(19, 19, 1)).Branch("still").ToArray();

    /// <summary>
    /// X19 characters read, X25 the last one, X21 characters that did not follow the last, X22 stages reached; after the last character X23 SGIs, X24 timer
    /// interrupts, X26 LPIs, X27 others; X28 events, X29 events completed, X20 wrong registers in and after an event. The handler of an event gives X0 to X17
    /// back when it ends.
    /// </summary>
    private static uint[] Pending(TravellerOptions options)
    {
        var program = new Assembly()
            .At(0x280).Do(A64.ReadSystem(10, 3, 0, 12, 12, 0))
            .Load(11, Own).IfEqual(10, 11, "sgi").Load(11, Timer).IfEqual(10, 11, "timer").Load(11, ItsJob.Lpi).IfEqual(10, 11, "lpi")
            .Do(A64.Add(27, 27, 1)).Branch("end")
            .Label("sgi").Do(A64.Add(23, 23, 1)).Branch("end")
            .Label("lpi").Do(A64.Add(26, 26, 1)).Branch("end")
            .Label("timer").Do(A64.Add(24, 24, 1)).Load(11, 0).Do(A64.WriteSystem(11, 3, 3, 14, 3, 1), A64.Isb)
            .Label("end").Do(A64.WriteSystem(10, 3, 0, 12, 12, 1), A64.Eret);
        program.At(Entry).Do(ScratchGuests.InterruptsOn(2)).Load(10, Code(2)).Do(A64.WriteSystem(10, 3, 0, 12, 0, 0))
            .Load(10, (ulong)Own << 24 | 1 << 2).Do(A64.WriteSystem(10, 3, 0, 12, 11, 5))
            .Load(10, 1).Do(A64.WriteSystem(10, 3, 3, 14, 3, 2), A64.WriteSystem(10, 3, 3, 14, 3, 1), A64.Isb);
        if (options.HasSdei)
        {
            program.Load(0, 0xc400_0021).Load(1, 0x4000_0000).Load(2, Code(2) + EventEntry).Load(3, EventArgument).Load(4, 0).Hvc().IfNotZero(0, "failed")
                .Load(0, 0xc400_0022).Load(1, 0x4000_0000).Hvc().IfNotZero(0, "failed")
                // PE_UNMASK by the other conduit.
                .Load(0, 0xc400_002c).Smc().IfNotZero(0, "failed");
        }
        // Enabled with both directions and RTS, FIFOs on, no interrupt. X5 is what an event must give back.
        program.Load(12, Board.Console).Load(9, 0x10).Load(10, 0xb01).Do(A64.Add(11, 12, 0x2c), A64.Store32(9, 11), A64.Add(11, 12, 0x30), A64.Store32(10, 11))
            .Load(5, 0x1234_5678_9abc_def0).Load(6, 0x1234_5678_9abc_def0).Load(25, 0).Do(A64.Add(22, 22, 1))
            .Label("poll").CountIfDifferent(20, 5, 6);
        ReadUntilAdvance(program, "poll")
            .Do(A64.Add(22, 22, 1), A64.UnmaskInterrupts).Label("rest").Do(A64.Wfi).Branch("rest")
            .Label("failed").Load(22, 0xdead).Branch("failed");
        if (options.HasSdei)
        {
            program.At(EventEntry).Load(9, EventArgument).CountIfDifferent(20, 1, 9).Do(A64.Add(28, 28, 1)).Load(5, 0).Load(12, Board.Console).Label("inner");
            ReadUntilAdvance(program, "inner").Do(A64.Add(29, 29, 1)).Load(0, 0xc400_0025).Load(1, 0).Hvc().Branch("failed");
        }
        return program.ToArray();
    }

    /// <summary>X19 = X23 pings answered.</summary>
    private static uint[] Answering() => new Assembly()
        .At(0x280).Do(A64.ReadSystem(25, 3, 0, 12, 12, 0), A64.Add(23, 23, 1), A64.Add(19, 19, 1))
        .Do(A64.And(22, 19, 21), A64.AddShifted(22, 20, 22, 12), A64.Store(19, 22))
        .Load(24, (ulong)Pong << 24 | 1).Do(A64.WriteSystem(24, 3, 0, 12, 11, 5))
        .Do(A64.WriteSystem(25, 3, 0, 12, 12, 1), A64.Eret)
        .At(Entry).Copy(17, 0).Do(ScratchGuests.InterruptsOn(3)).Load(10, Code(3)).Do(A64.WriteSystem(10, 3, 0, 12, 0, 0))
        .Load(20, Window(3)).Load(21, FewPages - 1).Do(A64.Isb, A64.UnmaskInterrupts)
        .Label("rest").Do(A64.Wfi).Branch("rest").ToArray();

    /// <summary>Reads the console, whose address is in X12, up to a character that has <see cref="Advance"/>. Nearly all the time an MMIO read is half done.</summary>
    private static Assembly ReadUntilAdvance(Assembly program, string label) =>
        program.Do(A64.Add(11, 12, 0x18)).ReadWord(10, 11).Load(9, 1 << 4).Do(A64.And(10, 10, 9)).IfNotZero(10, label)
            .ReadWord(11, 12).Load(9, Characters - 1).Do(A64.Add(19, 19, 1), A64.Add(25, 25, 1), A64.And(25, 25, 9), A64.And(10, 11, 9)).CountIfDifferent(21, 10, 25).Copy(25, 10)
            .Load(9, Advance).Do(A64.And(10, 11, 9)).IfZero(10, label);

    private static Assembly Version(Assembly program) => program.Load(0, 0x8400_0000).Hvc();
}
