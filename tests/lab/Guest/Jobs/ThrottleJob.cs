using System.Globalization;
using System.Net;
using Migrate.Kvm.Handles;
using Migrate.Kvm.State;
using Migrate.Kvm.Vmm;
using Migrate.LabGuest.Programs;
using Migrate.Model.Hosts;
using Migrate.Transfer.Agent;
using Migrate.Transfer.Handover;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Send;

namespace Migrate.LabGuest.Jobs;

/// <summary>A machine that writes faster than its pages can be sent is slowed until it can move.</summary>
internal static class ThrottleJob
{
    private const int Percent = 90;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan Sample = TimeSpan.FromSeconds(3);

    public static void Run(JobContext context)
    {
        using var system = KvmSystem.Open();
        var profile = MeasuredHost.Report().Profile;
        var directory = Directory.CreateTempSubdirectory("throttle-").FullName;
        var machine = TravellerMachine.Create(context, system, profile, profile, new ConsoleInput());
        machine.Resume();
        CheckFailedException.That(SpinWait.SpinUntil(() => TravellerChecks.IsReady(machine.Describe().State, inEvent: false), Patience), "the guest did not begin");
        context.Case($"a vCPU slowed by {Percent} % does less than half, and something", () =>
        {
            machine.StartDirtyLog();
            var free = Progress(machine);
            machine.Throttle(Percent);
            var slowed = Progress(machine);
            machine.Throttle(0);
            var again = Progress(machine);
            machine.StopDirtyLog();
            context.Note($"pages written in {Sample.TotalSeconds:F0} s: {free}, slowed {slowed}, then {again}");
            CheckFailedException.That(slowed > 0 && slowed < free / 2 && slowed < again / 2, $"{free} pages, slowed {slowed}, then {again}");
        });
        context.Case("it moves, slowed, though it writes faster than is sent", () =>
        {
            var report = Move(system, profile, machine, directory);
            context.Note(string.Create(CultureInfo.InvariantCulture,
                $"{report.Rounds} rounds, {report.Pages} pages, throttle {report.Throttle} %, stood still for {report.Downtime.Total / 1000.0:F0} ms"));
            CheckFailedException.That(report.Throttle > 0, "it was not slowed");
        });
        Directory.Delete(directory, recursive: true);
    }

    private static ulong Progress(LiveMachine machine)
    {
        var before = Written(machine);
        Thread.Sleep(Sample);
        return Written(machine) - before;
    }

    private static ulong Written(LiveMachine machine) => TravellerChecks.X(machine.Describe().State, 0, 19);

    private static SendReport Move(KvmSystem system, HostProfile profile, LiveMachine machine, string directory)
    {
        var (source, place) = (Path.Combine(directory, "source.sock"), Path.Combine(directory, "place.sock"));
        using var server = MachineServer.Serve(source, machine);
        using var waiting = MachineServer.ServeIncoming(place, "place", description => new LiveIncoming(system, description, new VmmOptions()));
        var options = new AgentOptions { Listen = new(IPAddress.Loopback, 0), GreetingTimeout = Patience, IdleTimeout = Patience };
        using var agent = new RestoreAgent(
            options, new StateDirectory(Path.Combine(directory, "agent")), new KnownProfile(profile), new AttachedIncoming(place), new KvmScratchHost(system));
        return Sender.Send(new SendOptions
        {
            MachineSocket = source,
            Host = IPAddress.Loopback.ToString(),
            Port = agent.EndPoint.Port,
            State = new StateDirectory(Path.Combine(directory, "state")),
            // What vCPU 0 writes over and over takes two seconds to send.
            Bandwidth = (long)Traveller.Pages * 4096 / 2,
            MaxDowntime = TimeSpan.FromMilliseconds(500),
            ConnectTimeout = Patience,
            ReplyTimeout = Patience,
            StopTimeout = Patience,
            Verify = true,
        });
    }
}
