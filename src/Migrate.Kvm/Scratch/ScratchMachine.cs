using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Migrate.Kvm.Handles;
using Migrate.Kvm.State;
using Migrate.Kvm.Vmm;
using Migrate.Linux;
using Migrate.Model.Errors;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;

namespace Migrate.Kvm.Scratch;

/// <summary>Something that a scratch guest did that needs user space.</summary>
/// <param name="Vcpu">Which vCPU.</param>
/// <param name="Reason">MMIO, a forwarded hypercall, a system event.</param>
/// <param name="Address">Of an MMIO access; a hypercall's function id; a system event's type.</param>
/// <param name="Value">What the guest wrote; 0 for a read.</param>
public readonly record struct GuestEvent(int Vcpu, ExitReason Reason, ulong Address, ulong Value);

/// <summary>What a scratch VM is made of.</summary>
public sealed record ScratchOptions
{
    /// <summary>The argument of KVM_CREATE_VM.</summary>
    public VmType Type { get; init; }

    /// <summary>How many vCPUs.</summary>
    public int Vcpus { get; init; } = 1;

    /// <summary>Features of each; <see cref="VcpuFeatures.PowerOff"/> is added to all but the first of a VM that has PSCI.</summary>
    public VcpuFeatures Features { get; init; } = VcpuFeatures.Psci02;

    /// <summary>Whether there is a GICv3.</summary>
    public bool HasGic { get; init; }

    /// <summary>Whether there is an ITS besides.</summary>
    public bool HasIts { get; init; }

    /// <summary>Bytes of memory from <see cref="ScratchMachine.MemoryBase"/>; a multiple of 64 KiB.</summary>
    public ulong MemoryBytes { get; init; } = 2 << 20;

    /// <summary>vCPUs that are started together with the machine although PSCI would leave them off.</summary>
    public IReadOnlyList<int> Started { get; init; } = [0];

    /// <summary>What is written through every vCPU before the first run, in this order; vector lengths before they are finalised.</summary>
    public IReadOnlyList<Register> Registers { get; init; } = [];

    /// <summary>Device attributes that are written once the interrupt controller is initialised.</summary>
    public IReadOnlyList<DeviceState> Devices { get; init; } = [];

    /// <summary>What else a VMM would do to it, before its performance monitors are initialised.</summary>
    public Action<KvmMachine>? Prepare { get; init; }
}

/// <summary>A small VM with a guest of a few instructions: for measuring a host and for testing capture and restore on it.</summary>
public sealed class ScratchMachine : IDisposable
{
    /// <summary>Where memory begins.</summary>
    public const ulong MemoryBase = 0x4000_0000;

    /// <summary>Where the guest reports to user space: nothing is there, so an access is an MMIO exit.</summary>
    public const ulong ReportPage = 0x0900_0000;

    /// <summary>Where the distributor lies.</summary>
    public const ulong Distributor = 0x0800_0000;

    /// <summary>Where the redistributors begin, 128 KiB each.</summary>
    public const ulong Redistributors = 0x0a00_0000;

    /// <summary>Where the ITS lies.</summary>
    public const ulong Its = 0x0808_0000;

    private static readonly RegisterId VectorLengths = RegisterId.Of(RegisterClass.Sve, 0xffff, 64);

    private static readonly RegisterId Pc = RegisterId.Core(8 * 32, 8);

    private readonly BlockingCollection<GuestEvent> _events = [];
    private readonly List<VcpuRunner> _runners = [];

    private ScratchMachine(KvmMachine machine) => Machine = machine;

    /// <summary>Its descriptors and description.</summary>
    public KvmMachine Machine { get; }

    /// <summary>The steps that make such a VM, in order.</summary>
    public static IReadOnlyList<RestoreStep> Steps(ScratchOptions options)
    {
        var steps = new List<RestoreStep> { new CreateVm(options.Type), new MapMemory(new MemorySlot(0, MemoryBase, options.MemoryBytes)) };
        for (var i = 0; i < options.Vcpus; i++)
        {
            var off = !options.Started.Contains(i) && options.Features.Has(VcpuFeatures.Psci02);
            steps.Add(new CreateVcpu(i, off ? options.Features | VcpuFeatures.PowerOff : options.Features));
        }
        Write(lengths: true);
        if (options.Features.Has(VcpuFeatures.Sve))
            for (var i = 0; i < options.Vcpus; i++) steps.Add(new FinalizeSve(i));
        if (options.HasGic)
            steps.Add(new CreateGic(new GicDescription(GicKind.GicV3, Distributor, Redistributors, options.HasIts ? Its : 0)));
        steps.AddRange(options.Devices.Select(d => new WriteDevice(d)));
        Write(lengths: false);
        return steps;

        void Write(bool lengths)
        {
            for (var i = 0; i < options.Vcpus; i++)
                foreach (var (id, value) in options.Registers)
                    if ((id == VectorLengths) == lengths) steps.Add(new WriteRegister(i, id, value, value, StepPhase.Prepare));
        }
    }

    /// <summary>Builds it; it does not run yet.</summary>
    /// <exception cref="KvmException">The host refuses one of its steps.</exception>
    public static ScratchMachine Create(KvmSystem system, ScratchOptions options)
    {
        using var target = new KvmTarget(system);
        foreach (var step in Steps(options))
        {
            var answer = target.Execute([step])[0];
            if (!answer.Succeeded)
                throw new KvmException(ErrorCode.System, $"{(step is WriteRegister write ? $"{RegisterCatalog.Name(write.Id)} = {write.Value.ToShortString()}" : step.GetType().Name)} is refused: {LinuxException.NameOf(answer.Errno)} {answer.Note}".TrimEnd());
        }
        var scratch = new ScratchMachine(target.Take());
        try
        {
            options.Prepare?.Invoke(scratch.Machine);
            if (options.Features.Has(VcpuFeatures.PmuV3)) PmuStart.Start(scratch.Machine);
            return scratch;
        }
        catch
        {
            scratch.Dispose();
            throw;
        }
    }

    /// <summary>Takes over a VM that was restored, to run it.</summary>
    public static ScratchMachine Adopt(KvmMachine machine) => new(machine);

    /// <summary>Puts code into memory and lets a vCPU begin there, at EL1 with interrupts masked and translation off.</summary>
    /// <param name="vcpu">Which; several may share code.</param>
    /// <param name="offset">From <see cref="MemoryBase"/>; a multiple of 4.</param>
    /// <param name="code">A64 instructions.</param>
    public void Load(int vcpu, ulong offset, ReadOnlySpan<uint> code)
    {
        var bytes = MemoryMarshal.AsBytes(code);
        bytes.CopyTo(Machine.Memory(MemoryBase + offset, bytes.Length));
        Machine.Vcpus[vcpu].Set(Pc, new RegisterValue(MemoryBase + offset));
    }

    /// <summary>Runs every vCPU, each on a thread of its own.</summary>
    public void Start()
    {
        var exits = new Reporting(_events);
        foreach (var vcpu in Machine.Vcpus.Values) _runners.Add(new VcpuRunner(vcpu, exits));
    }

    /// <summary>The next thing that a guest did.</summary>
    /// <exception cref="MigrateException"><see cref="ErrorCode.TimedOut"/>: it did nothing for so long.</exception>
    public GuestEvent Next(TimeSpan limit) =>
        _events.TryTake(out var next, limit)
            ? next
            : throw new MigrateException(ErrorCode.TimedOut, $"the scratch guest reported nothing for {limit.TotalSeconds:0} s");

    /// <summary>Stops every vCPU between two instructions, nothing pending in user space.</summary>
    /// <exception cref="KvmException">A vCPU failed.</exception>
    public void Stop()
    {
        var runners = _runners.ToArray();
        _runners.Clear();
        Exception? failure = null;
        foreach (var runner in runners)
        {
            try
            {
                runner.Stop();
            }
            catch (KvmException e)
            {
                failure ??= e;
            }
        }
        if (failure is not null) throw failure;
    }

    /// <summary>Stops and frees it.</summary>
    public void Dispose()
    {
        try
        {
            Stop();
        }
        finally
        {
            Machine.Dispose();
            _events.Dispose();
        }
    }

    /// <summary>Every exit is an event; a read gives 0.</summary>
    private sealed class Reporting(BlockingCollection<GuestEvent> events) : IExitHandler
    {
        public void Exit(KvmVcpu vcpu)
        {
            var run = vcpu.Run;
            switch (run.ExitReason)
            {
                case ExitReason.Mmio:
                    if (!run.MmioIsWrite) run.MmioData = 0;
                    events.Add(new GuestEvent(vcpu.Index, ExitReason.Mmio, run.MmioAddress, run.MmioIsWrite ? run.MmioData : 0));
                    break;
                case ExitReason.Hypercall:
                    events.Add(new GuestEvent(vcpu.Index, ExitReason.Hypercall, run.HypercallNumber, 0));
                    break;
                case ExitReason.SystemEvent:
                    events.Add(new GuestEvent(vcpu.Index, ExitReason.SystemEvent, run.SystemEventType, 0));
                    break;
                default:
                    throw new KvmException(ErrorCode.System, $"{vcpu.Subject}: the guest stopped with KVM_EXIT {(int)run.ExitReason} ({run.ExitReason})");
            }
        }

        public void Failed(KvmVcpu vcpu, Exception error) => events.Add(new GuestEvent(vcpu.Index, ExitReason.InternalError, 0, 0));
    }
}
