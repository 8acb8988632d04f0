using Migrate.Model.Ports;
using Migrate.Simulation.Machines;
using Migrate.Tests.Simulation;
using Migrate.Transfer.Conformance;
using Migrate.Transfer.Machines;

namespace Migrate.Tests.Transfer.Conformance;

/// <summary>A simulated machine and a place for it, each behind a socket as the mutant makes it.</summary>
internal sealed class Stand : IDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Long enough for a busy machine, and short enough to wait for.</summary>
    public static readonly TimeSpan RequestTime = TimeSpan.FromSeconds(2);

    private readonly string _directory = Directory.CreateTempSubdirectory("vmmigrate-").FullName;
    private readonly List<IDisposable> _parts = [];
    private readonly Mutant _mutant;

    public Stand(Mutant mutant)
    {
        _mutant = mutant;
        Machine = SimulatedMachine.Create(SimulatedProfiles.Plain, new MachineOptions { MemoryBytes = 1 << 20, Slots = 2, Vcpus = 2, WritesPerSecond = 1_500, HotPages = 1 });
        Machine.Resume();
        var options = mutant.Options(new MachineServerOptions { RequestTimeout = RequestTime });
        Source = MachineServer.Serve(Path.Combine(_directory, "source"), mutant.Machine(Machine), options);
        Incoming = MachineServer.ServeIncoming(Path.Combine(_directory, "incoming"), "incoming", vm => mutant.Incoming(new SimulatedIncoming(SimulatedProfiles.Plain, vm)), options);
        SourcePath = Serve(Source, mutant.SourceWire?.Invoke(this));
        IncomingPath = Serve(Incoming, mutant.IncomingWire?.Invoke(this));
        mutant.Place(SourcePath);
    }

    public SimulatedMachine Machine { get; }

    public MachineServer Source { get; }

    public MachineServer Incoming { get; }

    public string SourcePath { get; }

    public string IncomingPath { get; }

    public ConformanceReport Run(IReadOnlyCollection<string>? only = null) => ConformanceRun.Run(SourcePath, new ConformanceOptions
    {
        Incoming = IncomingPath,
        MayEndMachine = true,
        Slow = _mutant.Promise is "none" or "request-time",
        Patience = Patience,
        RequestTime = RequestTime,
        Watch = TimeSpan.FromMilliseconds(30),
        Activity = TimeSpan.FromMilliseconds(500),
        Only = only ?? [],
    });

    public void Dispose()
    {
        foreach (var part in _parts) part.Dispose();
        Machine.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>The path at which clients find a server, which ends as its process would.</summary>
    private string Serve(MachineServer server, Wire? wire)
    {
        var proxy = wire is null ? null : new Proxy(server.Path + ".wire", server.Path, wire);
        if (proxy is not null) _parts.Add(proxy);
        _parts.Add(server);
        server.Destroyed.ContinueWith(_ => server.Dispose(), TaskScheduler.Default);
        return server.Path + (proxy is null ? "" : ".wire");
    }
}

/// <summary>A machine that breaks one promise.</summary>
/// <param name="Promise">Which.</param>
/// <param name="What">What it does otherwise.</param>
internal sealed record Mutant(string Promise, string What)
{
    public Func<IMachine, IMachine> Machine { get; init; } = machine => machine;

    public Func<IIncomingMachine, IIncomingMachine> Incoming { get; init; } = incoming => incoming;

    public Func<Stand, Wire>? SourceWire { get; init; }

    public Func<Stand, Wire>? IncomingWire { get; init; }

    public Func<MachineServerOptions, MachineServerOptions> Options { get; init; } = options => options;

    public Action<string> Place { get; init; } = _ => { };

    public override string ToString() => $"{Promise}: {What}";
}
