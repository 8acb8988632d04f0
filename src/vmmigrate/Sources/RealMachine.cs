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

    /// <summary>A flat program, loaded where memory begins.</summary>
    public required string Kernel { get; init; }

    public required ulong MemoryBytes { get; init; }

    public required int Vcpus { get; init; }

    public VcpuFeatures? Features { get; init; }

    public PsciVersion? Psci { get; init; }

    public VmConfig? Config { get; init; }
}

/// <summary>Makes VMs on this host's KVM, and places for VMs that come.</summary>
internal sealed class RealMachine : IDisposable
{
    /// <summary>Where memory begins: as on QEMU's virt board.</summary>
    private const ulong MemoryBase = 0x4000_0000;

    private readonly KvmSystem _system;
    private readonly VmmOptions _options;

    private RealMachine(KvmSystem system, VmmOptions options) => (_system, _options) = (system, options);

    /// <summary>Opens the host's KVM.</summary>
    /// <param name="terminal">The guest's console is stdout; that it ended goes to stderr.</param>
    /// <param name="ended">The guest ended by itself.</param>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Unsupported"/>: there is no arm64 KVM here.</exception>
    public static RealMachine Open(Terminal terminal, Action ended)
    {
        var system = KvmSystem.Open();
        try
        {
            return new RealMachine(system, new VmmOptions
            {
                Boot = KvmProbe.ThisBoot(),
                CounterFrequency = HostClock.Frequency(system),
                Console = new ConsoleLines(terminal.Out).Write,
                Ended = line =>
                {
                    terminal.Error.WriteLine(line);
                    ended();
                },
            });
        }
        catch
        {
            system.Dispose();
            throw;
        }
    }

    /// <summary>A place for a VM that comes.</summary>
    public IIncomingMachine Incoming(VmDescription description) => new LiveIncoming(_system, description, _options);

    /// <summary>A new VM, which does not run yet.</summary>
    /// <exception cref="MigrateException">The host does not create it, or the program does not fit.</exception>
    public LiveMachine Create(RealMachineOptions wanted)
    {
        var program = ReadProgram(wanted);
        var registers = new List<Register>();
        if (wanted.Config is { } config) registers.AddRange(ConfiguredMachine.Writes(KvmProbe.Measure(null).Profile, config).AsEnumerable());
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
                Memory = [new MemorySlot(0, MemoryBase, wanted.MemoryBytes)],
                Gic = DefaultMachine.Layout(wanted.Config?.Gic ?? GicKind.GicV3),
            },
            Registers = registers.ToEquatableArray(),
            Entry = MemoryBase,
        };
        return MachineCreation.Create(_system, spec, _options, machine => program.CopyTo(machine.Memory(MemoryBase, program.Length)));
    }

    public void Dispose() => _system.Dispose();

    private static byte[] ReadProgram(RealMachineOptions wanted)
    {
        var length = new FileInfo(wanted.Kernel) is { Exists: true } file
            ? (ulong)file.Length
            : throw new MigrateException(ErrorCode.NotFound, $"{wanted.Kernel}: no such file") { Stage = Stage.Input };
        if (length == 0 || length > wanted.MemoryBytes)
            throw new MigrateException(ErrorCode.Usage, $"{wanted.Kernel} has {length} bytes, the VM {wanted.MemoryBytes} bytes of memory") { Stage = Stage.Input, Remedy = "Give the VM more memory: --memory SIZE." };
        var program = File.ReadAllBytes(wanted.Kernel);
        // Documentation/arch/arm64/booting.rst: the header's magic number at offset 56.
        if (program.Length >= 64 && program.AsSpan(56, 4).SequenceEqual("ARM\x64"u8))
            throw new MigrateException(ErrorCode.Unsupported, $"{wanted.Kernel} is a Linux kernel, which needs a device tree; this build runs flat programs only") { Stage = Stage.Input };
        return program;
    }

    /// <summary>The guest's console, written when a line is complete.</summary>
    private sealed class ConsoleLines(TextWriter output)
    {
        private readonly Lock _lock = new();

        public void Write(byte character)
        {
            lock (_lock)
            {
                output.Write((char)character);
                if (character == (byte)'\n') output.Flush();
            }
        }
    }
}
