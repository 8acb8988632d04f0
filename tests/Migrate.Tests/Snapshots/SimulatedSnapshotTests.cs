using Migrate.Model;
using Migrate.Model.Errors;
using Migrate.Model.Plans;
using Migrate.Model.Ports;
using Migrate.Preflight;
using Migrate.Simulation.Machines;
using Migrate.Simulation.Verification;
using Migrate.Snapshots;
using Migrate.Tests.Simulation;
using Migrate.Transfer.Machines;

namespace Migrate.Tests.Snapshots;

/// <summary>The whole way over machine sockets, with a machine whose program really runs.</summary>
public class SimulatedSnapshotTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly PlanOptions AnyVerdict = new() { AcceptAssumed = true };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static SimulatedMachine Running()
    {
        var options = new MachineOptions { MemoryBytes = 8 << 20, Slots = 2, Vcpus = 2, Steps = 20_000, WritesPerSecond = 20_000 };
        var machine = SimulatedMachine.Create(SimulatedProfiles.WithSve, options);
        machine.Resume();
        return machine;
    }

    private static MachineDigest End(SimulatedMachine machine)
    {
        machine.FullSpeed = true;
        Assert.True(machine.WaitUntilHalted(Patience));
        machine.Quiesce();
        return FinalState.Digest(machine);
    }

    [Fact]
    public void A_running_machine_is_taken_verified_and_restored_and_its_program_ends_the_same()
    {
        using var directory = new TestDirectory();
        var store = new SnapshotStore(directory.Path);
        var machine = Running();
        using var server = MachineServer.Serve(directory["source"], machine);
        SnapshotReport report;
        using (var client = MachineClient.Connect(server.Path)) report = store.Create("a", client, Cancellation);
        Assert.True(machine.IsRunning);

        using var snapshot = store.Open("a");
        snapshot.Verify(Cancellation);
        Assert.Equal(report.Info, snapshot.Info);
        IMachine? restored = null;
        using var incoming = Incoming(directory["incoming"], m => restored = m);
        using (var client = MachineClient.Connect(incoming.Path))
        {
            var outcome = SnapshotRestore.Run(snapshot, client, SimulatedProfiles.WithSve, AnyVerdict, Cancellation);
            Assert.True(outcome.Started, $"{outcome.Report.Verdict}: {string.Join("; ", outcome.Report.Findings)} {outcome.Prepare} {outcome.Apply}");
            Assert.Equal(LifecycleState.Running, client.Status().State);
        }

        Assert.Equal(End(machine), End((SimulatedMachine)restored!));
    }

    [Fact]
    public void A_name_that_is_taken_is_refused_before_the_machine_is_touched()
    {
        using var directory = new TestDirectory();
        var store = new SnapshotStore(directory.Path);
        File.WriteAllText(store.PathOf("a"), "");
        using var server = MachineServer.Serve(directory["source"], Running());
        using var client = MachineClient.Connect(server.Path);

        Assert.Equal(ErrorCode.WrongState, Assert.ThrowsAny<MigrateException>(() => store.Create("a", client, Cancellation)).Code);
        Assert.Equal("", client.Status().Session);
    }

    [Fact]
    public void A_plan_that_says_no_builds_nothing()
    {
        using var directory = new TestDirectory();
        using var snapshot = Taken(directory);
        using var incoming = Incoming(directory["incoming"], _ => { });
        using var client = MachineClient.Connect(incoming.Path);

        var host = SimulatedProfiles.WithSve;
        var refusing = host with { Shapes = host.Shapes.Select(shape => shape with { Errno = 22, RefusedAt = "vcpu_init" }).ToEquatableArray() };

        var outcome = SnapshotRestore.Run(snapshot, client, refusing, AnyVerdict, Cancellation);

        Assert.Equal(Verdict.No, outcome.Report.Verdict);
        Assert.False(outcome.Started);
        Assert.Null(outcome.Prepare);
        Assert.Equal(LifecycleState.Incoming, client.Status().State);
    }

    [Fact]
    public void A_damaged_page_starts_nothing()
    {
        using var directory = new TestDirectory();
        Taken(directory).Dispose();
        var path = new SnapshotStore(directory.Path).PathOf("a");
        var content = File.ReadAllBytes(path);
        content[content.Length / 2] ^= 1;
        File.WriteAllBytes(path, content);
        using var snapshot = SnapshotReader.Open(path);
        using var incoming = Incoming(directory["incoming"], _ => { });
        using var client = MachineClient.Connect(incoming.Path);

        var refused = Assert.Throws<MigrateException>(() => SnapshotRestore.Run(snapshot, client, SimulatedProfiles.WithSve, AnyVerdict, Cancellation));

        Assert.Equal(ErrorCode.Malformed, refused.Code);
        Assert.Equal(refused.Message, Assert.Throws<MigrateException>(() => snapshot.Verify(Cancellation)).Message);
        Assert.Equal(LifecycleState.Incoming, client.Status().State);
    }

    private static SnapshotReader Taken(TestDirectory directory)
    {
        using var server = MachineServer.Serve(directory["source"], Running());
        using var client = MachineClient.Connect(server.Path);
        var store = new SnapshotStore(directory.Path);
        store.Create("a", client, Cancellation);
        return store.Open("a");
    }

    private static MachineServer Incoming(string path, Action<IMachine> completed) =>
        MachineServer.ServeIncoming(path, "incoming", _ => new Observed(new SimulatedIncoming(SimulatedProfiles.WithSve), completed));

    /// <summary>Tells the test which machine became of it.</summary>
    private sealed class Observed(SimulatedIncoming inner, Action<IMachine> completed) : IIncomingMachine
    {
        public IReadOnlyList<GuestMemory> Memory => inner.Memory;

        public IReadOnlyList<StepAnswer> Execute(IReadOnlyList<RestoreStep> steps) => inner.Execute(steps);

        public IReadOnlyList<ReadAnswer> Read(IReadOnlyList<RegisterAddress> registers) => inner.Read(registers);

        public IMachine Complete(Migrate.Model.Machines.VmDescription description)
        {
            var machine = inner.Complete(description);
            completed(machine);
            return machine;
        }

        public void Dispose() => inner.Dispose();
    }
}
