using Migrate.Kvm.Handles;
using Migrate.Kvm.Vmm;
using Migrate.LabGuest.Programs;
using Migrate.Transfer.Conformance;
using Migrate.Transfer.Machines;

namespace Migrate.LabGuest.Jobs;

/// <summary>The promises of the machine socket, tried on the reference VMM: a running VM, and a place that it is handed over to in the end.</summary>
internal static class ConformanceJob
{
    public static void Run(JobContext context)
    {
        using var system = KvmSystem.Open();
        var profile = MeasuredHost.Report().Profile;
        var directory = Directory.CreateTempSubdirectory("conformance-").FullName;
        var (socket, place) = (Path.Combine(directory, "machine.sock"), Path.Combine(directory, "place.sock"));
        var machine = TravellerMachine.Create(context, system, profile, profile, new ConsoleInput());
        machine.Resume();
        using var server = MachineServer.Serve(socket, machine);
        using var waiting = MachineServer.ServeIncoming(place, "place", description => new LiveIncoming(system, description, TravellerMachine.Options(context, profile, new ConsoleInput())));
        // As the process that owns a machine ends with it.
        foreach (var ended in new[] { server, waiting }) ended.Destroyed.ContinueWith(_ => ended.Dispose(), TaskScheduler.Default);
        SpinWait.SpinUntil(() => TravellerChecks.IsReady(machine.Describe().State, inEvent: false), TimeSpan.FromMinutes(2));
        var report = ConformanceRun.Run(socket, new ConformanceOptions
        {
            Incoming = place,
            MayEndMachine = true,
            Slow = true,
            Patience = TimeSpan.FromMinutes(2),
            Watch = TimeSpan.FromSeconds(1),
            Activity = TimeSpan.FromMinutes(1),
        });
        foreach (var result in report.Results)
            context.Case(result.Promise.Name, () => CheckFailedException.That(result.Outcome == Outcome.Kept, $"{result.Outcome}: {result.Detail}"));
    }
}
