using Migrate.Kvm.Scratch;
using Migrate.LabGuest.Jobs;
using Migrate.Linux.Memory;
using Migrate.Model.Machines;
using Migrate.Model.Ports;
using Migrate.Model.Registers;

namespace Migrate.LabGuest.Programs;

/// <summary>What <see cref="Traveller"/> counted, and whether anything of it is wrong.</summary>
internal static class TravellerChecks
{
    /// <summary>CNTVCT_EL0 as KVM numbers it (KVM_REG_ARM_TIMER_CNT).</summary>
    public static RegisterId Count { get; } = RegisterId.System(3, 3, 14, 3, 2);

    /// <summary>X-register of a vCPU.</summary>
    public static ulong X(MachineState state, int vcpu, int register) =>
        state.Vcpus[vcpu].Registers.TryGet(RegisterId.Core(8 * register, 8), out var value) ? value.Low : throw new CheckFailedException($"vCPU {vcpu} has no X{register}");

    /// <summary>vCPU 2 has everything pending and polls; where there are events, it is in the handler of one.</summary>
    public static bool IsReady(MachineState state, bool inEvent) => X(state, 0, 19) > Traveller.Pages && X(state, 2, 22) == 1 && (!inEvent || X(state, 2, 28) == 1);

    /// <summary>It went on from one state to the other.</summary>
    public static void WentOn(MachineState before, MachineState after)
    {
        foreach (var (vcpu, register, what) in new[] { (0, 19, "pages written"), (0, 23, "timer interrupts"), (0, 29, "pings"), (0, 30, "pongs"), (3, 23, "pings answered") })
        {
            CheckFailedException.That(X(after, vcpu, register) > X(before, vcpu, register), $"vCPU {vcpu}: {what} stayed at {X(after, vcpu, register)}");
        }
    }

    /// <summary>The guest's time went on from the count that was captured: neither back, nor further than it ran.</summary>
    /// <param name="captured">CNTVCT_EL0 when the VM was captured.</param>
    /// <param name="after">After the move.</param>
    /// <param name="ran">From when the count was written to when <paramref name="after"/> was read.</param>
    /// <param name="frequency">Hz.</param>
    public static void Time(ulong captured, MachineState after, TimeSpan ran, ulong frequency)
    {
        var now = after.Vcpus[0].Registers.TryGet(Count, out var value) ? value.Low : throw new CheckFailedException("vCPU 0 has no CNTVCT_EL0");
        CheckFailedException.That(captured > 0 && now >= captured && now - captured <= ran.TotalSeconds * frequency,
            $"CNTVCT_EL0 was {captured} when it was captured and {now} after {ran.TotalSeconds:F2} s at {frequency} Hz");
    }

    /// <summary>No interrupt between vCPUs was lost or came twice.</summary>
    public static void Pings(MachineState state)
    {
        var (pings, pongs, answered) = (X(state, 0, 29), X(state, 0, 30), X(state, 3, 23));
        CheckFailedException.That(pings - pongs <= 1 && answered >= pongs && answered <= pings, $"{pings} pings, {answered} answered, {pongs} pongs");
    }

    /// <summary>Nothing that a vCPU compares was ever different.</summary>
    public static void Compared(MachineState state)
    {
        foreach (var (vcpu, register, what) in new[]
        {
            (0, 28, "steps back in time"), (0, 18, "wrong vectors"), (0, 15, "wrong answers of PSCI_VERSION"), (0, 14, "wrong answers of a call that nobody has"),
            (2, 20, "wrong registers in an event or after it"), (2, 21, "characters out of order"),
        })
        {
            CheckFailedException.Equal(0UL, X(state, vcpu, register), $"vCPU {vcpu}: {what}");
        }
        CheckFailedException.Equal(0x103UL, X(state, 3, 17), "vCPU 3: what CPU_ON was to give it");
    }

    /// <summary>What was off is off, what waited waits.</summary>
    public static void Power(MachineState state)
    {
        CheckFailedException.Equal(MpState.Stopped, state.Vcpus[1].MpState, "vCPU 1");
        CheckFailedException.Equal(1UL, X(state, 1, 19), "vCPU 1: instructions after it switched itself off");
        CheckFailedException.Equal(MpState.Runnable, state.Vcpus[3].MpState, "vCPU 3");
    }

    /// <summary>Every interrupt that was pending came, and once.</summary>
    public static void InFlight(MachineState state, bool hadEvent)
    {
        foreach (var (register, expected, what) in new (int, ulong, string)[]
        {
            (22, 2, "stages"), (23, 1, "SGIs"), (24, 1, "timer interrupts"), (26, 1, "LPIs"), (27, 0, "other interrupts"),
            (28, hadEvent ? 1UL : 0, "events"), (29, hadEvent ? 1UL : 0, "events completed"),
        })
        {
            CheckFailedException.Equal(expected, X(state, 2, register), $"vCPU 2: {what}");
        }
    }

    /// <summary>Page p of a window holds the largest count up to X19 that is p modulo the window's pages; the newest may not be written yet.</summary>
    public static void Memory(IMachine machine, MachineState state)
    {
        using var memory = ((MemFd)machine.Memory[0].Handle).Map(MappingAccess.Read);
        foreach (var (vcpu, pages) in new[] { (0, Traveller.Pages), (3, Traveller.FewPages) })
        {
            var count = X(state, vcpu, 19);
            CheckFailedException.That(count > pages, $"vCPU {vcpu} wrote only {count} times");
            var wrong = new List<string>();
            for (var back = 0UL; back < pages; back++)
            {
                var expected = count - back;
                var offset = (long)(Traveller.Window(vcpu) - ScratchMachine.MemoryBase + expected % pages * 4096);
                var found = BitConverter.ToUInt64(memory.View(offset, 8));
                if (found != expected && !(back == 0 && found == expected - pages)) wrong.Add($"page {expected % pages} holds {found}, not {expected}");
            }
            CheckFailedException.That(wrong.Count == 0, $"vCPU {vcpu}: {wrong.Count} pages: {string.Join("; ", wrong.Take(5))}");
        }
    }

    /// <summary>For people.</summary>
    public static string Words(MachineState state) =>
        $"vCPU 0 {X(state, 0, 19)} pages, {X(state, 0, 23)} timer interrupts, {X(state, 0, 29)} pings, {X(state, 0, 30)} pongs; vCPU 3 {X(state, 3, 23)} answered; vCPU 2 stage {X(state, 2, 22)}, {X(state, 2, 19)} characters, {X(state, 2, 28)} events";
}
