using Migrate.Model.Machines;
using Migrate.Model.Registers;
using Migrate.Simulation.Machines;
using Migrate.Simulation.Sabotage;
using Migrate.Simulation.Verification;
using static Migrate.Tests.Simulation.SimulatedMachineTests;
using static Migrate.Tests.Simulation.SimulatedProfiles;

namespace Migrate.Tests.Simulation;

public class MoveTests
{
    /// <summary>Three seconds of work at its own pace: it is still at it when it is moved.</summary>
    private static readonly MachineOptions Slow = Options with { WritesPerSecond = 100_000 };

    private static readonly Lazy<MachineDigest> Twin = new(() =>
    {
        using var machine = SimulatedMachine.Create(WithSve, Slow);
        machine.FullSpeed = true;
        machine.Resume();
        Assert.True(machine.WaitUntilHalted(Patience));
        return Digest(machine);
    });

    [Fact]
    public void A_moved_machine_ends_as_the_one_that_never_moved() => Assert.Equal(Twin.Value, MovedAndRan(null));

    [Fact]
    public void A_machine_that_is_moved_after_it_halted_is_the_same_machine()
    {
        using var source = SimulatedMachine.Create(WithSve, Slow);
        source.FullSpeed = true;
        source.Resume();
        Assert.True(source.WaitUntilHalted(Patience));
        using var moved = Mover.Move(source, WithSve);
        Assert.Equal(Twin.Value, Digest(moved));
        Assert.Empty(FinalState.DifferentRegisters(source.Capture(), moved.Capture()));
    }

    [Fact]
    public void A_vcpu_without_sve_is_moved_with_its_vectors()
    {
        var options = Options with { Vcpus = 1, Slots = 1, Steps = 40_000 };
        using var twin = SimulatedMachine.Create(Plain, options);
        twin.Resume();
        using var source = SimulatedMachine.Create(Plain, options);
        source.Resume();
        using var moved = Mover.Move(source, Plain);
        moved.Resume();
        Assert.True(moved.WaitUntilHalted(Patience) && twin.WaitUntilHalted(Patience));
        Assert.Equal(Digest(twin), Digest(moved));
    }

    public static TheoryData<string> Names => [.. Sabotages.All.Select(s => s.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_sabotage_changes_the_end(string name) => Assert.NotEqual(Twin.Value, MovedAndRan(Sabotages.Named(name)));

    public static TheoryData<string> UsedRegisters => [.. Used.Keys];

    private static readonly Dictionary<string, RegisterId> Used = new()
    {
        ["x0"] = RegisterId.Core(0, 8),
        ["x3"] = RegisterId.Core(24, 8),
        ["x5"] = RegisterId.Core(40, 8),
        ["x6"] = RegisterId.Core(48, 8),
        ["pc"] = RegisterId.Core(256, 8),
        ["tpidr_el0"] = TpidrEl0,
        ["z7"] = RegisterId.Of(RegisterClass.Sve, 7 << 5, 256),
    };

    [Theory]
    [MemberData(nameof(UsedRegisters))]
    public void Every_register_that_the_program_uses_shows_in_memory_when_it_is_lost(string name) =>
        Assert.NotEqual(Twin.Value.Memory, MovedAndRan(null, Used[name]).Memory);

    [Fact]
    public void A_vcpu_that_is_off_stays_off()
    {
        var incoming = new SimulatedIncoming(WithSve);
        var vm = Built(incoming);
        incoming.Execute([new Migrate.Model.Plans.SetMpState(0, MpState.Stopped)]);
        using var machine = (SimulatedMachine)incoming.Complete(vm);
        machine.Resume();
        Assert.True(machine.WaitUntilHalted(Patience));
        machine.Quiesce();
        Assert.Equal(0UL, Counter(machine, "faults"));
        Assert.Equal(MpState.Stopped, machine.Capture().Vcpus[0].MpState);
    }

    internal static VmDescription Built(SimulatedIncoming incoming)
    {
        var vm = new VmDescription
        {
            Name = "m",
            Id = new string('b', 32),
            Type = default,
            Features = VcpuFeatures.Psci02,
            VcpuCount = 1,
            Memory = [new MemorySlot(0, 0x4000_0000, 1 << 20)],
        };
        var answers = incoming.Execute([new Migrate.Model.Plans.CreateVm(vm.Type), new Migrate.Model.Plans.MapMemory(vm.Memory[0]), new Migrate.Model.Plans.CreateVcpu(0, vm.Features)]);
        Assert.All(answers, answer => Assert.True(answer.Succeeded));
        return vm;
    }

    private static MachineDigest MovedAndRan(SabotageKind? sabotage, RegisterId? lost = null)
    {
        using var source = SimulatedMachine.Create(WithSve, Slow);
        source.Resume();
        using var moved = Mover.Move(source, WithSve, sabotage, afterRound: _ => WaitForSteps(source, Counter(source, "steps") + 2000), lost: lost);
        moved.FullSpeed = true;
        moved.Resume();
        Assert.True(moved.WaitUntilHalted(Patience));
        return Digest(moved);
    }
}
