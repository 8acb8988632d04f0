using Migrate.Kvm.Vmm;
using Migrate.Model.Errors;
using Migrate.Model.Machines;

namespace Migrate.Tests.Kvm.Vmm;

public class MachineHandlersTests
{
    private readonly List<bool> _line = [];

    private MachineHandlers Machine(params string[] promised)
    {
        var handlers = new MachineHandlers(_ => new Pl011(Board.Console, _line.Add));
        handlers.Promise(promised);
        return handlers;
    }

    [Fact]
    public void A_console_that_nobody_was_told_of_or_used_does_not_have_to_move()
    {
        var machine = Machine();
        Assert.Empty(machine.Promised);
        Assert.Empty(machine.Capture());
        Assert.Single(machine.Mmio);
    }

    [Fact]
    public void One_that_is_used_moves_and_so_does_one_that_was_promised()
    {
        var used = Machine();
        used.Mmio.Single().Write(Board.Console + 0x38, 0x10);
        Assert.Equal(["pl011"], used.Capture().Select(h => h.Handler));

        var promised = Machine("pl011");
        Assert.Equal(["pl011"], promised.Promised);
        Assert.Equal(["pl011"], promised.Capture().Select(h => h.Handler));

        var there = Machine();
        Assert.Null(there.Restore(used.Capture().Single()));
        Assert.Equal(used.Capture(), there.Capture());
    }

    /// <summary>A plan's steps come before the description is promised: the handler they filled must be the one that stays.</summary>
    [Fact]
    public void What_was_restored_before_the_promise_stays()
    {
        var source = Machine("pl011");
        source.Mmio.Single().Write(Board.Console + 0x38, 0x10);
        var there = new MachineHandlers(_ => new Pl011(Board.Console, _line.Add));
        Assert.Null(there.Restore(source.Capture().Single()));
        there.Promise(["pl011"]);
        Assert.Equal(source.Capture(), there.Capture());
    }

    [Theory]
    [InlineData("pl011 psci sdei", false, null)]
    [InlineData("pl011 sdei-of-another", false, "a handler sdei-of-another, which")]
    [InlineData("sdei", false, "needs the handler psci")]
    [InlineData("psci sdei", true, "the VM has EL2")]
    public void A_machine_whose_promises_cannot_be_kept_is_refused_before_it_is_built(string handlers, bool hasEl2, string? words)
    {
        var vm = Migrate.Tests.Transfer.Machines.Machines.Description() with
        {
            Handlers = [.. handlers.Split(' ')],
            Features = hasEl2 ? VcpuFeatures.Psci02 | VcpuFeatures.El2 : VcpuFeatures.Psci02,
        };
        if (words is null)
        {
            Assert.Null(MachineHandlers.Obstacle(vm));
            return;
        }
        // Before it asks KVM for anything.
        var refused = Assert.Throws<MigrateException>(() => new LiveIncoming(null!, vm, new VmmOptions()));
        Assert.Equal(ErrorCode.Refused, refused.Code);
        Assert.Contains(words, refused.Message);
    }

    [Fact]
    public void What_is_not_there_and_what_is_no_state_is_refused_in_words()
    {
        var machine = Machine();
        Assert.Equal("no handler novel here", machine.Restore(new HandlerState("novel", 1, [])));
        Assert.Equal("handler pl011, version 9: this build reads version 1", machine.Restore(new HandlerState("pl011", 9, [])));
        Assert.Contains("0 bytes", machine.Restore(new HandlerState("pl011", 1, [])));
        Assert.Empty(machine.Capture());
    }

    [Fact]
    public void Input_reaches_it_only_while_the_machine_runs()
    {
        var (machine, input) = (Machine("pl011"), new ConsoleInput());
        Assert.Equal(0, input.TrySend("x"u8));
        machine.Connect(new VmmOptions { Input = input });
        Assert.Equal(0, input.TrySend("x"u8));
        machine.Thaw();
        Assert.Equal(1, input.TrySend("x"u8));
        machine.Freeze();
        Assert.Equal(0, input.TrySend("x"u8));
    }

    [Fact]
    public void The_table_has_a_handler_once_and_calls_it_what_the_handler_calls_itself()
    {
        Assert.Equal(HandlerTable.All.Count, HandlerTable.All.Select(k => k.Name).Distinct().Count());
        Assert.Equal(HandlerTable.All.Select(k => k.Name), Migrate.Kvm.State.KvmTarget.KnownHandlers);
    }
}
