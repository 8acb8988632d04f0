using System.Diagnostics;
using System.Globalization;
using Migrate.Kvm.Handles;
using Migrate.Kvm.State;
using Migrate.Kvm.Vmm;
using Migrate.LabGuest.Programs;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Preflight;
using Migrate.Transfer.Agent;
using Migrate.Transfer.Handover;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Send;

namespace Migrate.LabGuest.Jobs;

/// <summary>
/// A running VM moves from one kernel to another over TCP and goes on; what it counted shows whether anything was lost (<see cref="Traveller"/>). Where both
/// kernels have the SMCCC filter, PSCI and SDEI are the VMM's, the handler of an event runs during the move, and calls that nobody has are forwarded.
/// </summary>
internal static class MoveJob
{
    /// <summary>Under emulation everything takes its time.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>From one sign of the source to the next: it may have to measure its host first.</summary>
    private static readonly TimeSpan ArrivalPatience = TimeSpan.FromMinutes(10);

    public static void Destination(JobContext context)
    {
        using var system = KvmSystem.Open();
        var profile = MeasuredHost.Report().Profile;
        var directory = Directory.CreateTempSubdirectory("move-").FullName;
        var socket = Path.Combine(directory, "incoming.sock");
        Arrival? place = null;
        var input = new ConsoleInput();
        using var server = MachineServer.ServeIncoming(socket, "incoming", description =>
            place = new Arrival(new LiveIncoming(system, description, TravellerMachine.Options(context, profile, input))));
        var sign = Stopwatch.StartNew();
        var options = new AgentOptions
        {
            Listen = new(System.Net.IPAddress.Any, PairJob.Port),
            Insecure = true,
            GreetingTimeout = Patience,
            IdleTimeout = Patience,
            Report = line =>
            {
                sign.Restart();
                context.Note(line);
            },
        };
        using var agent = new RestoreAgent(options, new StateDirectory(Path.Combine(directory, "state")), new KnownProfile(profile), new AttachedIncoming(socket), new KvmScratchHost(system));
        context.Listening();
        if (!context.Case("a VM arrives and runs", () =>
        {
            while (server.Status.State != LifecycleState.Running)
            {
                CheckFailedException.That(sign.Elapsed < ArrivalPatience, $"it is {server.Status.State}, {sign.Elapsed.TotalSeconds:F0} s after the last sign of the source");
                Thread.Sleep(50);
            }
        })) return;
        using var client = MachineClient.Connect(socket);
        client.ReplyTimeout = Patience;
        var (before, after) = (default(MachineState), default(MachineState));
        var (hasEvent, ran) = (false, TimeSpan.Zero);
        var arrived = place!.Machine!;
        context.Case("it goes on: it writes, its timer fires, its vCPUs interrupt each other", () =>
        {
            before = client.Describe().State;
            ran = place!.SinceCounter;
            hasEvent = before.Vm.Handlers.Contains("sdei");
            CheckFailedException.That(TravellerChecks.IsReady(before, hasEvent), TravellerChecks.Words(before));
            var last = LastTyped(client);
            // One character ends the event's handler, the next lets vCPU 2 take its interrupts.
            if (hasEvent)
            {
                last = Type(input, last);
                Until(() => TravellerChecks.X(client.Describe().State, 2, 29) == 1, "the end of the event");
            }
            Type(input, last);
            Thread.Sleep(3000);
            client.Pause();
            after = arrived.Capture();
            TravellerChecks.WentOn(before, after);
        });
        context.Case("its time went on from where it stood still", () => TravellerChecks.Time(place.Counter, before!, ran, profile.CounterFrequency));
        context.Case("its memory is as if it had never moved", () => TravellerChecks.Memory(arrived, after!));
        context.Case("no register, answer, vector or character was ever wrong, and time never went backwards", () => TravellerChecks.Compared(after!));
        context.Case("no interrupt between vCPUs was lost", () => TravellerChecks.Pings(after!));
        context.Case("the SGI, the timer interrupt, the LPI and the event that were in flight came once", () => TravellerChecks.InFlight(after!, hasEvent));
        context.Case("what was off is off, what waited waits", () => TravellerChecks.Power(after!));
        context.Note($"{after!.Vm.Features}, handlers {string.Join(" ", after.Vm.Handlers)}; after the move: {TravellerChecks.Words(after)}; {string.Join(", ", arrived.Counters.Select(c => $"{c.Key} {c.Value}"))}");
    }

    public static void Source(JobContext context)
    {
        using var system = KvmSystem.Open();
        var profile = MeasuredHost.Report().Profile;
        var directory = Directory.CreateTempSubdirectory("move-").FullName;
        var socket = Path.Combine(directory, "source.sock");
        var options = new SendOptions
        {
            MachineSocket = socket,
            Host = context.Peer.Address.ToString(),
            Port = context.Peer.Port,
            State = new StateDirectory(Path.Combine(directory, "state")),
            MaxDowntime = TimeSpan.FromSeconds(2),
            Timeout = Patience,
            // The destination compiles its half of the talk when it is first spoken to.
            ConnectTimeout = Patience,
            ReplyTimeout = Patience,
            StopTimeout = Patience,
            Verify = true,
        };
        var there = new AgentClient(options.Host, options.Port) { Timeout = Patience }.Profile();
        Refusals.Try(context, system, profile, there, options);
        var input = new ConsoleInput();
        LiveMachine? machine = null;
        if (!context.Case("a VM of the pair's baseline is created", () => machine = TravellerMachine.Create(context, system, profile, there, input))) return;
        machine!.Resume();
        using var server = MachineServer.Serve(socket, machine);
        using var typing = new Typing(input);
        if (!context.Case("it has everything in flight", () =>
        {
            var hasEvent = machine.Describe().State.Vm.Handlers.Contains("sdei");
            Until(() => TravellerChecks.IsReady(machine.Describe().State, inEvent: false), "the guest's beginning", () => TravellerChecks.Words(machine.Describe().State));
            typing.Start();
            Until(() => TravellerChecks.X(machine.Describe().State, 2, 19) > Traveller.Characters, "the console's characters");
            if (!hasEvent) return;
            using var client = MachineClient.Connect(socket);
            client.InjectEvent(TravellerMachine.EventVcpu, TravellerMachine.Event);
            Until(() => TravellerChecks.IsReady(machine.Describe().State, inEvent: true), "the handler of the event");
        })) return;
        context.Case("the verdict before is yes", () =>
        {
            var plan = Planner.Plan(machine.Describe().State, there, new PlanOptions(), profile);
            CheckFailedException.Equal(Verdict.Yes, plan.Verdict, "verdict");
            context.Note($"verdict {plan.Verdict}, {plan.Evidence}: {plan.Steps.Count} steps");
        });
        context.Case("it moves while it runs, and while someone types", () =>
        {
            var report = Sender.Send(options);
            CheckFailedException.That(report.Verified, "memory was not compared");
            context.Note(Words(report));
        });
        context.Case("it is gone here", () => CheckFailedException.Equal(LifecycleState.Destroyed, server.Status.State, "state"));
    }

    /// <summary>How long it took and stood still, for people.</summary>
    internal static string Words(SendReport report)
    {
        var d = report.Downtime;
        return string.Create(CultureInfo.InvariantCulture,
            $"moved in {report.Milliseconds} ms, {report.Rounds} rounds, {report.Pages} pages; stood still for {d.Total / 1000.0:F0} ms: last round {d.LastRound / 1000.0:F0}, capture {d.Capture / 1000.0:F0}, send {d.Send / 1000.0:F0}, apply {d.Apply / 1000.0:F0}, start {d.Start / 1000.0:F0}");
    }

    /// <summary>The last character typed at the source: nothing more comes, and vCPU 2 has read what its UART brought along.</summary>
    private static ulong LastTyped(MachineClient client)
    {
        var read = ulong.MaxValue;
        Until(() =>
        {
            var before = read;
            Thread.Sleep(1000);
            read = TravellerChecks.X(client.Describe().State, 2, 19);
            return read == before;
        }, "an end of what was typed");
        return TravellerChecks.X(client.Describe().State, 2, 25);
    }

    private static ulong Type(ConsoleInput input, ulong last)
    {
        CheckFailedException.Equal(1, input.TrySend([(byte)(Typing.After(last) | Traveller.Advance)]), "characters taken");
        return Typing.After(last);
    }

    private static void Until(Func<bool> condition, string what, Func<string>? words = null)
    {
        var since = Stopwatch.StartNew();
        while (!condition())
        {
            CheckFailedException.That(since.Elapsed < Patience, $"no sign of {what} after {since.Elapsed.TotalSeconds:F0} s {words?.Invoke()}");
            Thread.Sleep(50);
        }
    }
}
