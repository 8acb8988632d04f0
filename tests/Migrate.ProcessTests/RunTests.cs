using Migrate.ProcessTests.Harness;

namespace Migrate.ProcessTests;

/// <summary>The process of a machine: its name, its socket, its end.</summary>
public sealed class RunTests : IDisposable
{
    private readonly Vmmigrate _host = new();

    public void Dispose() => _host.Dispose();

    [Fact]
    public void The_stale_socket_of_a_killed_machine_is_taken_over_by_the_next_of_its_name()
    {
        _host.StartMachine("vm").Kill();
        Assert.True(File.Exists(Path.Combine(_host.Machines, "vm.sock")));
        Assert.Contains("dead", _host.Run("ps").Exited(0).Out);
        var next = _host.StartMachine("vm");
        Assert.Equal(next.Pid, Assert.Single(_host.Ask()).Pid);
    }

    [Fact]
    public void The_name_of_a_live_machine_is_refused_and_that_machine_lives_on()
    {
        var first = _host.StartMachine("vm");
        var second = _host.Run("run", "--simulate", "--name", "vm", "--memory", "8M").Exited(1);
        Assert.Contains("vm.sock", second.Error);
        Assert.Equal(first.Pid, Assert.Single(_host.Ask()).Pid);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_signal_ends_it_with_0_and_its_socket_is_gone(bool terminate)
    {
        var machine = _host.StartMachine("vm");
        if (terminate) machine.Terminate();
        else machine.Interrupt();
        machine.Wait().Exited(0);
        Assert.Empty(Directory.GetFiles(_host.Machines, "*.sock"));
    }

    [Fact]
    public void It_ends_when_its_standard_input_ends()
    {
        var machine = _host.StartMachine("vm");
        machine.EndInput();
        machine.Wait().Exited(0);
    }

    [Fact]
    public void Pause_stops_the_program_and_resume_lets_it_go_on()
    {
        _host.StartMachine("vm");
        _host.Run("pause", "vm").Exited(0);
        var paused = Watch.Steps(Assert.Single(_host.Ask()));
        _host.Run("pause", "vm").Exited(1);
        Assert.Equal(paused, Watch.Steps(Assert.Single(_host.Ask())));
        _host.Run("resume", "vm").Exited(0);
        while (Watch.Steps(Assert.Single(_host.Ask())) == paused) Thread.Sleep(5);
    }

    [Fact]
    public void A_machine_that_is_not_there_exits_2_and_says_where_it_was_looked_for()
    {
        var asked = _host.Run("status", "nobody").Exited(2);
        Assert.Contains("no machine 'nobody'", asked.Error);
    }
}
