using Migrate.Model.Errors;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Migrate.Simulation.Machines;
using static Migrate.Tests.Simulation.SimulatedMachineTests;
using static Migrate.Tests.Simulation.SimulatedProfiles;

namespace Migrate.Tests.Simulation;

public class HostileGuestTests
{
    private const ulong Base = 0x4000_0000;
    private const ulong Size = 1 << 20;

    [Theory]
    [InlineData(0UL, Size, 0UL, true)]
    [InlineData(ulong.MaxValue, ulong.MaxValue, 0UL, true)]
    [InlineData(Base + Size, 4096UL, 0UL, true)]
    [InlineData(Base - 4096, Size, 0UL, true)]
    [InlineData(Base + 8, Size, 0UL, true)]
    [InlineData(Base, 0UL, 0UL, true)]
    [InlineData(Base, 4095UL, 0UL, true)]
    [InlineData(Base, Size, Base + Size, true)]
    [InlineData(Base, Size, Base + Size - 4096, true)]
    [InlineData(Base, Size, 1UL, true)]
    [InlineData(Base, Size, ulong.MaxValue, true)]
    [InlineData(Base, ulong.MaxValue, Base + Size - 8192, false)]
    [InlineData(Base + Size - 4096, ulong.MaxValue, 0UL, false)]
    [InlineData(Base, Size, Base, false)]
    public void A_register_that_points_nowhere_stops_the_vcpu_and_nothing_else(ulong partition, ulong size, ulong console, bool faults)
    {
        var incoming = new SimulatedIncoming(WithSve);
        var vm = MoveTests.Built(incoming);
        incoming.Execute([Write(0, ulong.MaxValue), Write(1, partition), Write(2, size), Write(4, 2000), Write(6, ulong.MaxValue), Write(7, console)]);
        using var machine = (SimulatedMachine)incoming.Complete(vm);
        machine.Resume();
        if (!faults) Assert.True(machine.WaitUntilHalted(Patience));
        else Assert.True(SpinWait.SpinUntil(() => Counter(machine, "faults") == 1, Patience));
        machine.Quiesce();
        Assert.Equal(faults ? 0UL : 2000UL, Counter(machine, "steps"));
        Assert.Equal(faults ? 1UL : 0UL, Counter(machine, "faults"));
    }

    [Fact]
    public void No_vcpu_writes_a_read_only_slot()
    {
        var incoming = new SimulatedIncoming(WithSve);
        var rom = new MemorySlot(1, 0, 1 << 16, ReadOnly: true);
        var vm = MoveTests.Built(incoming);
        incoming.Execute([new MapMemory(rom), Write(0, 1), Write(1, 0), Write(2, rom.Size)]);
        using var machine = (SimulatedMachine)incoming.Complete(vm with { Memory = [vm.Memory[0], rom] });
        machine.Resume();
        Assert.True(SpinWait.SpinUntil(() => Counter(machine, "faults") == 1, Patience));
    }

    [Fact]
    public void A_step_counter_beyond_its_target_is_a_finished_program()
    {
        var incoming = new SimulatedIncoming(WithSve);
        var vm = MoveTests.Built(incoming);
        incoming.Execute([Write(1, Base), Write(2, Size), Write(3, ulong.MaxValue), Write(4, 5), Write(8, 1)]);
        using var machine = (SimulatedMachine)incoming.Complete(vm);
        machine.Resume();
        Assert.True(machine.WaitUntilHalted(Patience));
    }

    [Fact]
    public void Refuses_to_complete_what_was_not_built()
    {
        using var incoming = new SimulatedIncoming(WithSve);
        var vm = MoveTests.Built(incoming);
        foreach (var other in new[]
                 {
                     vm with { VcpuCount = 2 }, vm with { Memory = [] }, vm with { Features = default }, vm with { Type = new VmType(48) },
                     vm with { Gic = new GicDescription(GicKind.GicV3) },
                 })
            Assert.Equal(ErrorCode.WrongState, Assert.Throws<MigrateException>(() => incoming.Complete(other)).Code);
    }

    [Fact]
    public void Is_spent_once_it_is_complete()
    {
        var incoming = new SimulatedIncoming(WithSve);
        using var machine = (SimulatedMachine)incoming.Complete(MoveTests.Built(incoming));
        incoming.Dispose();
        Assert.Throws<MigrateException>(() => incoming.Execute([]));
        Assert.Single(machine.Memory);
        Assert.False(machine.Memory[0].Handle.IsClosed);
    }

    [Fact]
    public void Memory_that_the_system_cannot_give_is_an_answer()
    {
        using var incoming = new SimulatedIncoming(WithSve);
        var answers = incoming.Execute([new CreateVm(new VmType(48)), new MapMemory(new MemorySlot(0, 0, 1UL << 47))]);
        Assert.Equal(22, answers[1].Errno);
        Assert.Empty(incoming.Memory);
    }

    private static WriteRegister Write(int x, ulong value) => new(0, RegisterId.Core(8 * x, 8), new RegisterValue(value), null, StepPhase.Apply);
}
