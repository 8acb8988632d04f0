using Migrate.Cli.Output;
using Migrate.Kvm.Handles;
using Migrate.Kvm.Probe;
using Migrate.Kvm.Vmm;
using Migrate.Model;
using Migrate.Model.Errors;
using Migrate.Model.Firmware;
using Migrate.Model.Machines;
using Migrate.Model.Ports;
using Migrate.Model.Registers;
using Migrate.Preflight;
using Migrate.Preflight.Baselines;

namespace Migrate.Cli.Sources;

/// <summary>What the operator says about a VM on this host's own KVM.</summary>
internal sealed record RealMachineOptions
{
    public required string Name { get; init; }

    /// <summary>What it runs.</summary>
    public required GuestFiles Files { get; init; }

    public required ulong MemoryBytes { get; init; }

    public required int Vcpus { get; init; }

    public VcpuFeatures? Features { get; init; }

    public PsciVersion? Psci { get; init; }

    /// <summary>Handlers that its guest is promised.</summary>
    public IReadOnlyList<string> Handlers { get; init; } = [];

    public IReadOnlyList<SmcccFilterRange> Filter { get; init; } = [];

    public VmConfig? Config { get; init; }
}

/// <summary>Makes VMs on this host's KVM, and places for VMs that come.</summary>
internal sealed class RealMachine : IDisposable
{
    private readonly KvmSystem _system;
    private readonly GuestConsole _console;
    private readonly VmmOptions _options;

    private RealMachine(KvmSystem system, GuestConsole console, VmmOptions options) => (_system, _console, _options) = (system, console, options);

    /// <summary>Opens the host's KVM.</summary>
    /// <param name="terminal">That the guest ended goes to stderr; its console is stdout.</param>
    /// <param name="ended">The guest ended by itself.</param>
    /// <param name="mostConsole">Bytes of the guest's console that are written; 0 for no limit.</param>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Unsupported"/>: there is no arm64 KVM here.</exception>
    public static RealMachine Open(Terminal terminal, Action ended, ulong mostConsole)
    {
        var system = KvmSystem.Open();
        GuestConsole? console = null;
        try
        {
            console = new GuestConsole(Console.OpenStandardOutput(), terminal.Error.WriteLine, mostConsole is 0 or > long.MaxValue ? long.MaxValue : (long)mostConsole);
            return new RealMachine(system, console, new VmmOptions
            {
                Boot = KvmProbe.ThisBoot(),
                CounterFrequency = HostClock.Frequency(system),
                Console = console.Write,
                Input = console.Input,
                Ended = line =>
                {
                    terminal.Error.WriteLine(line);
                    ended();
                },
            });
        }
        catch
        {
            console?.Dispose();
            system.Dispose();
            throw;
        }
    }

    /// <summary>Passes standard input to the guest, the one that is created and the one that comes.</summary>
    /// <param name="terminal">Is told which keys are not the guest's.</param>
    /// <param name="end">The operator ends the machine.</param>
    /// <param name="inputEnded">Standard input ended; null where that means nothing.</param>
    public void ReadConsole(Terminal terminal, Action end, Action? inputEnded) => _console.Read(terminal, end, inputEnded);

    /// <summary>A place for a VM that comes.</summary>
    public IIncomingMachine Incoming(VmDescription description) => new LiveIncoming(_system, description, _options);

    /// <summary>A new VM, which does not run yet.</summary>
    /// <exception cref="MigrateException">The host does not create it, or the program does not fit.</exception>
    public LiveMachine Create(RealMachineOptions wanted)
    {
        var memory = new MemorySlot(0, Board.MemoryBase, wanted.MemoryBytes);
        var program = GuestProgram.Read(wanted.Files, memory);
        var registers = new List<Register>();
        EquatableArray<DeviceState> devices = [];
        if (wanted.Config is { } config)
        {
            var host = KvmProbe.Measure(null).Profile;
            registers.AddRange(ConfiguredMachine.Writes(host, config).AsEnumerable());
            devices = ConfiguredMachine.Devices(host, config);
        }
        if (wanted.Psci is { } psci) registers.Add(new Register(FirmwareRegisters.PsciVersion, new RegisterValue(psci.ToRegister())));
        var spec = new MachineSpec
        {
            Vm = new VmDescription
            {
                Name = wanted.Name,
                Id = Guid.NewGuid().ToString("n"),
                Type = wanted.Config?.Type ?? default,
                Features = (wanted.Config?.Features ?? wanted.Features ?? VcpuFeatures.Psci02).Shape,
                VcpuCount = wanted.Vcpus,
                Memory = [memory],
                Gic = DefaultMachine.Layout(wanted.Config?.Gic ?? GicKind.GicV3),
                Handlers = program.Handlers.AsEnumerable().Union(wanted.Handlers).ToEquatableArray(),
                SmcccFilter = wanted.Filter.ToEquatableArray(),
            },
            Registers = registers.ToEquatableArray(),
            Devices = devices,
            Entry = program.Entry,
            Argument = program.DeviceTreeAddress,
        };
        if (program.Problem(spec.Vm) is { } problem) throw new MigrateException(ErrorCode.Usage, $"{wanted.Files.Kernel} cannot run: {problem}") { Stage = Stage.Input, Remedy = "Give another --config, --features or --cpus." };
        return MachineCreation.Create(_system, spec, _options, program.Load);
    }

    public void Dispose()
    {
        _console.Dispose();
        _system.Dispose();
    }
}
