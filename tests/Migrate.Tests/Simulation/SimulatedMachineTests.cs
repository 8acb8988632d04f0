using System.Diagnostics;
using Migrate.Model.Errors;
using Migrate.Model.Machines;
using Migrate.Model.Registers;
using Migrate.Simulation.Machines;
using Migrate.Simulation.Verification;
using static Migrate.Tests.Simulation.SimulatedProfiles;

namespace Migrate.Tests.Simulation;

public class SimulatedMachineTests
{
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    internal static MachineOptions Options { get; } = new() { Id = new string('a', 32), MemoryBytes = 16 << 20, Vcpus = 3, Steps = 100_000, Slots = 2 };

    [Fact]
    public void Ends_the_same_whatever_the_timing_and_the_pauses()
    {
        var random = new Random(7);
        using var straight = SimulatedMachine.Create(WithSve, Options);
        using var paused = SimulatedMachine.Create(WithSve, Options);

        straight.Resume();
        paused.Resume();
        while (!paused.WaitUntilHalted(TimeSpan.FromMilliseconds(random.Next(4))))
        {
            paused.Quiesce();
            paused.Throttle(random.Next(0, 60));
            paused.Resume();
        }
        Assert.True(straight.WaitUntilHalted(Patience));

        Assert.Equal(Digest(straight), Digest(paused));
        Assert.Equal(300_000UL, Counter(paused, "steps"));
        Assert.Equal(1UL, Counter(paused, "halted"));
        Assert.Equal(3UL, Counter(paused, "finished-vcpus"));
    }

    [Theory]
    [InlineData("seed")]
    [InlineData("steps")]
    [InlineData("locality")]
    public void Ends_differently_when_it_was_started_differently(string what)
    {
        var other = what switch
        {
            "seed" => Options with { Seed = 2 },
            "steps" => Options with { Steps = Options.Steps + 1 },
            _ => Options with { HotWrites = 0.5 },
        };
        Assert.NotEqual(Ran(Options).Memory, Ran(other).Memory);
    }

    [Fact]
    public void Nothing_is_written_after_quiesce()
    {
        using var machine = SimulatedMachine.Create(WithSve, Options with { Steps = 0 });
        for (var i = 0; i < 5; i++)
        {
            machine.Resume();
            Assert.True(machine.IsRunning);
            WaitForSteps(machine, Counter(machine, "steps") + 20_000);
            machine.Quiesce();
            Assert.False(machine.IsRunning);
            var before = (Digest(machine), Counter(machine, "steps"));
            Thread.Yield();
            Assert.Equal(before, (Digest(machine), Counter(machine, "steps")));
        }
    }

    [Fact]
    public void The_log_of_a_stopped_machine_stays_empty_after_the_last_harvest()
    {
        using var machine = SimulatedMachine.Create(WithSve, Options with { Steps = 0 });
        machine.StartDirtyLog();
        machine.Resume();
        WaitForSteps(machine, 20_000);
        machine.Quiesce();
        var bitmap = new ulong[64];
        machine.CollectDirty(0, bitmap);
        Assert.Contains(bitmap, word => word != 0);
        bitmap.AsSpan().Clear();
        machine.CollectDirty(0, bitmap);
        Assert.DoesNotContain(bitmap, word => word != 0);
    }

    [Fact]
    public void The_vmms_own_writes_are_in_the_log()
    {
        using var machine = SimulatedMachine.Create(WithSve, Options with { Slots = 1, Vcpus = 1, Steps = 255 });
        machine.StartDirtyLog();
        machine.Resume();
        Assert.True(machine.WaitUntilHalted(Patience));
        var console = (int)((Options.MemoryBytes - MachineOptions.MemoryUnit) / 4096);
        Assert.Equal(0UL, ConsoleBits(machine, console));

        using var longer = SimulatedMachine.Create(WithSve, Options with { Slots = 1, Vcpus = 1, Steps = 256 });
        longer.StartDirtyLog();
        longer.Resume();
        Assert.True(longer.WaitUntilHalted(Patience));
        Assert.Equal(3UL, ConsoleBits(longer, console));
        Assert.Equal(1UL, Counter(longer, "console-exits"));
    }

    [Fact]
    public void Collecting_allocates_nothing()
    {
        using var machine = SimulatedMachine.Create(WithSve, Options);
        machine.StartDirtyLog();
        machine.Resume();
        var bitmap = new ulong[64];
        machine.CollectDirty(0, bitmap);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) machine.CollectDirty(i % 2, bitmap);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Describes_itself_at_a_step_boundary_while_it_runs()
    {
        using var machine = SimulatedMachine.Create(WithSve, Options with { Steps = 0 });
        machine.Resume();
        for (var i = 0; i < 50; i++)
        {
            WaitForSteps(machine, Counter(machine, "steps") + 1000);
            foreach (var vcpu in machine.Describe().State.Vcpus)
            {
                // Four bytes of code a step, wrapping in its page: PC and the step counter belong to one moment.
                Assert.True(vcpu.Registers.TryGet(RegisterId.Core(8 * 3, 8), out var steps) & vcpu.Registers.TryGet(RegisterId.Core(256, 8), out var pc));
                Assert.Equal(steps.Low * 4 % 4096, pc.Low % 4096);
            }
        }
        Assert.Throws<MigrateException>(machine.Capture);
    }

    [Fact]
    public void Has_the_register_set_of_its_host()
    {
        using var machine = SimulatedMachine.Create(WithSve, Options);
        var state = machine.Capture();
        // All but TCR2_EL1, which this host does not have while ID_AA64MMFR3_EL1 says so.
        Assert.Equal(WithSve.Shapes[0].Registers.Select(r => r.Id).Where(id => id != Tcr2), state.Vcpus[2].Registers.Select(r => r.Id));
        Assert.True(state.Vcpus[0].Registers.Count > 300);
        Assert.Equal(WithSve.Boot, state.CapturedOn);
        Assert.Equal(Options.MemoryBytes, state.Vm.MemoryBytes);
        Assert.Equal(state.Vm.Memory, machine.Memory.Select(m => m.Slot));
    }

    [Fact]
    public void Keeps_the_pace_of_its_program_and_only_a_full_speed_run_ignores_it()
    {
        var slow = Options with { Vcpus = 1, Steps = 1000, WritesPerSecond = 5000 };
        using var paced = SimulatedMachine.Create(WithSve, slow);
        var start = Stopwatch.GetTimestamp();
        paced.Resume();
        Assert.True(paced.WaitUntilHalted(Patience));
        // A lower bound that no load can break: 200 ms at that pace, less what a vCPU may catch up on.
        Assert.True(Stopwatch.GetElapsedTime(start) >= TimeSpan.FromMilliseconds(140));

        using var reference = SimulatedMachine.Create(WithSve, slow);
        reference.FullSpeed = true;
        reference.Resume();
        Assert.True(reference.WaitUntilHalted(Patience));
        Assert.Equal(Digest(reference), Digest(paced));
    }

    [Fact]
    public void A_throttle_slows_a_paced_vcpu_by_its_share()
    {
        using var machine = SimulatedMachine.Create(WithSve, Options with { Vcpus = 1, Steps = 1000, WritesPerSecond = 20_000 });
        machine.Throttle(75);
        var start = Stopwatch.GetTimestamp();
        machine.Resume();
        Assert.True(machine.WaitUntilHalted(Patience));
        Assert.True(Stopwatch.GetElapsedTime(start) >= TimeSpan.FromMilliseconds(140));
    }

    [Fact]
    public void A_throttle_slows_an_unlimited_vcpu_by_its_share()
    {
        using var machine = SimulatedMachine.Create(WithSve, Options with { Vcpus = 1, Steps = 0 });
        machine.Throttle(99);
        var start = Stopwatch.GetTimestamp();
        machine.Resume();
        WaitForSteps(machine, 20_000);
        // Steps take four nanoseconds at the very least; one hundredth of the time is left for them.
        Assert.True(Stopwatch.GetElapsedTime(start) >= TimeSpan.FromMilliseconds(8));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(100)]
    public void Refuses_a_throttle_that_is_no_share(int percent)
    {
        using var machine = SimulatedMachine.Create(WithSve, Options);
        Assert.Throws<ArgumentOutOfRangeException>(() => machine.Throttle(percent));
    }

    [Fact]
    public void Refuses_to_collect_into_too_small_a_bitmap_or_without_a_log()
    {
        using var machine = SimulatedMachine.Create(WithSve, Options);
        Assert.Equal(ErrorCode.WrongState, Assert.Throws<MigrateException>(() => machine.CollectDirty(0, new ulong[64])).Code);
        machine.StartDirtyLog();
        Assert.Throws<ArgumentOutOfRangeException>(() => machine.CollectDirty(0, new ulong[3]));
        Assert.Throws<ArgumentOutOfRangeException>(() => machine.CollectDirty(9, new ulong[64]));
    }

    [Theory]
    [InlineData(0, 1, 1, 0.5)]
    [InlineData(100_000, 1, 1, 0.5)]
    [InlineData(1 << 20, 0, 1, 0.5)]
    [InlineData(1 << 20, 513, 1, 0.5)]
    [InlineData(1 << 20, 1, 17, 0.5)]
    [InlineData(1 << 20, 1, 1, 1.5)]
    [InlineData(1 << 20, 1, 1, double.NaN)]
    [InlineData(1 << 20, 300, 1, 0.5)]
    public void Refuses_options_out_of_range(long memory, int vcpus, int slots, double fill)
    {
        var options = new MachineOptions { MemoryBytes = (ulong)memory, Vcpus = vcpus, Slots = slots, FillFraction = fill };
        Assert.Equal(ErrorCode.Usage, Assert.Throws<MigrateException>(() => SimulatedMachine.Create(WithSve, options)).Code);
    }

    [Fact]
    public void Refuses_a_machine_that_its_host_does_not_create() =>
        Assert.Equal(ErrorCode.Refused, Assert.Throws<MigrateException>(
            () => SimulatedMachine.Create(WithSve, Options with { Features = VcpuFeatures.Psci02 | VcpuFeatures.El2 })).Code);

    [Fact]
    public void Pins_a_register_before_the_first_run()
    {
        using var machine = SimulatedMachine.Create(Plain, Options with { Registers = [new Register(Psci, new RegisterValue(0x10000))] });
        machine.Capture().Vcpus[1].Registers.TryGet(Psci, out var version);
        Assert.Equal(new RegisterValue(0x10000), version);
    }

    private static MachineDigest Ran(MachineOptions options)
    {
        using var machine = SimulatedMachine.Create(WithSve, options);
        machine.Resume();
        Assert.True(machine.WaitUntilHalted(Patience));
        return Digest(machine);
    }

    internal static MachineDigest Digest(SimulatedMachine machine)
    {
        machine.Quiesce();
        return FinalState.Digest(machine);
    }

    internal static ulong Counter(SimulatedMachine machine, string name) => machine.Counters.Single(c => c.Key == name).Value;

    internal static void WaitForSteps(SimulatedMachine machine, ulong steps)
    {
        var start = Stopwatch.GetTimestamp();
        while (Counter(machine, "steps") < steps)
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < Patience);
            Thread.Yield();
        }
    }

    private static ulong ConsoleBits(SimulatedMachine machine, int page)
    {
        var bitmap = new ulong[64];
        machine.CollectDirty(0, bitmap);
        return bitmap[page / 64] >> (page % 64) & 3;
    }
}
