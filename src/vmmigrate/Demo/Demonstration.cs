using System.Diagnostics;
using Migrate.Cli.Output;
using Migrate.Cli.Sources;
using Migrate.Model.Errors;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Migrate.Preflight;
using Migrate.Simulation.Machines;
using Migrate.Transfer.Machines;
using Spectre.Console;

namespace Migrate.Cli.Demo;

/// <summary>
/// Two real host profiles and the verdict both ways; then a machine with real registers moves under write load to an agent in another
/// process, and its final state is compared with that of the same program on a machine that never moved.
/// </summary>
internal sealed class Demonstration(Terminal terminal, ulong memory, string? sabotage)
{
    private const string Here = "6.12-neoverse-n1";
    private const string There = "7.2-neoverse-n1";
    private const int Vcpus = 4;
    private const ulong WritesPerSecond = 40_000;
    private const ulong StepsPerVcpu = 100_000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    public int Run()
    {
        var (here, there) = (BundledHosts.Load(Here), BundledHosts.Load(There));
        Say($"1. Will it survive? Two hosts, the same CPU, kernels {here.Boot.KernelRelease} and {there.Boot.KernelRelease}; a VM as the source makes it by default.");
        Verdict(there, here);
        Verdict(here, there);

        Say($"2. A machine of {Units.Bytes(memory)} and {Vcpus} vCPUs that writes {WritesPerSecond} pages a second moves from {Here} to {There}, each side a process of its own.");
        var state = Directory.CreateTempSubdirectory("vmmigrate-demo-").FullName;
        try
        {
            return Move(state, here, there);
        }
        finally
        {
            EndMachines(state);
            Directory.Delete(state, recursive: true);
        }
    }

    private void Verdict(HostProfile source, HostProfile destination)
    {
        var state = DefaultMachine.Of(source, null);
        ReportText.Write(terminal, Reports.Of(Planner.Plan(state, destination, new PlanOptions(), source), state, destination, includePlan: false));
        terminal.Out.WriteLine();
    }

    private int Move(string state, HostProfile here, HostProfile there)
    {
        string[] fault = sabotage is null ? [] : ["--sabotage", sabotage];
        using var machine = Child.Start(state, ["run", "--simulate", Here, "--name", "demo", "--memory", $"{memory}", "--cpus", $"{Vcpus}", "--rate", $"{WritesPerSecond}",
            "--steps", $"{StepsPerVcpu}", "--end-with-stdin", .. fault]);
        machine.WaitFor("machine demo at");
        var socket = Path.Combine(state, "machines", "demo.sock");
        // Its program is to be in full swing when it moves, however long everybody else takes to start.
        Ask(socket, client => client.Pause());
        using var agent = Child.Start(state, ["agent", "--listen", "127.0.0.1:0", "--simulate", There, "--end-with-stdin", .. fault]);
        var address = agent.WaitFor("listening on").Split(' ')[^1];
        var before = Input.Describe(socket).State;
        Ask(socket, client => client.Resume());

        var exit = Child.Run(state, "send", "demo", address, "--accept", "assumed");
        if (exit != 0)
        {
            terminal.Line($"FAILED{Named()}: the move exited {exit}", Color.Red);
            return ExitCode.Failed;
        }

        Say("3. Could the guest tell? The same program runs on a machine that never moves; then every page and register is compared.");
        using var reference = Reference(here);
        using var client = MachineClient.Connect(Moved(state));
        WaitUntilHalted(client);
        using var session = client.OpenSource();
        session.Quiesce();
        return Judge(Comparison.Differences(reference, session.Capture(), session.Memory, WhatThePlanChanged(before, there)));
    }

    private static void Ask(string socket, Action<MachineClient> what)
    {
        using var client = MachineClient.Connect(socket);
        what(client);
    }

    /// <summary>The machine that an agent started is in a session of its own and outlives everybody: here it has done its work.</summary>
    private static void EndMachines(string state)
    {
        foreach (var socket in Directory.GetFiles(Path.Combine(state, "machines"), "*.sock"))
        {
            try
            {
                using var client = MachineClient.Connect(socket);
                if (client.Status().State == LifecycleState.Running) client.Pause();
                client.Destroy();
            }
            catch (MigrateException)
            {
                // Gone already, or its process is about to be.
            }
        }
    }

    private int Judge(List<string> differences)
    {
        if (differences.Count == 0)
        {
            if (sabotage is null)
            {
                terminal.Line($"DONE: no page and no register differs; the guest could not tell. {Units.Time(_clock.Elapsed.TotalSeconds)} in all.", Color.Green);
                return ExitCode.Yes;
            }
            terminal.Line($"FAILED{Named()}: nothing was found: the comparison proves nothing", Color.Red);
            return ExitCode.Bug;
        }
        foreach (var difference in differences.Take(8)) terminal.Out.WriteLine(difference);
        if (differences.Count > 8) terminal.Out.WriteLine($"and {differences.Count - 8} more");
        terminal.Line($"FAILED{Named()}: the final state differs from that of a machine that never moved: {differences[0]}", Color.Red);
        return ExitCode.Failed;
    }

    private string Named() => sabotage is null ? "" : $" (sabotage: {sabotage})";

    private SimulatedMachine Reference(HostProfile here)
    {
        var machine = SimulatedMachine.Create(here, new MachineOptions { Name = "demo", MemoryBytes = memory, Vcpus = Vcpus, WritesPerSecond = WritesPerSecond, Steps = StepsPerVcpu });
        machine.FullSpeed = true;
        machine.Resume();
        var until = DateTime.UtcNow + Patience;
        while (!machine.IsHalted)
        {
            if (DateTime.UtcNow > until) throw new MigrateException(ErrorCode.TimedOut, "the machine that never moves did not finish its program");
            Thread.Sleep(10);
        }
        machine.Quiesce();
        return machine;
    }

    /// <summary>The socket of the machine that the agent started: the one that is not the source's.</summary>
    private static string Moved(string state)
    {
        foreach (var socket in Directory.GetFiles(Path.Combine(state, "machines"), "*.sock"))
        {
            if (Path.GetFileName(socket) == "demo.sock") continue;
            return socket;
        }
        throw new MigrateException(ErrorCode.NotFound, "the machine that moved is not there");
    }

    private static void WaitUntilHalted(MachineClient client)
    {
        var until = DateTime.UtcNow + Patience;
        while (!client.Status().Counters.Any(c => c is { Key: "halted", Value: 1 }))
        {
            if (DateTime.UtcNow > until) throw new MigrateException(ErrorCode.TimedOut, "the machine that moved did not finish its program");
            Thread.Sleep(20);
        }
    }

    /// <summary>Registers that the plan left out or changed on purpose, told in its findings: no guest of this configuration has them.</summary>
    private static HashSet<RegisterId> WhatThePlanChanged(MachineState state, HostProfile there)
    {
        var changed = new HashSet<RegisterId>();
        foreach (var step in Planner.Plan(state, there, new PlanOptions()).Steps)
        {
            if (step is LeaveOut left) changed.Add(left.Id);
            if (step is WriteRegister { ReadsBack: null } counting) changed.Add(counting.Id);
            if (step is WriteRegister write && write.ReadsBack is { } reads && reads != (write.Captured ?? write.Value)) changed.Add(write.Id);
        }
        return changed;
    }

    private void Say(string what)
    {
        terminal.Out.WriteLine(what);
        terminal.Out.WriteLine();
    }
}
