using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Migrate.Kvm.Handles;
using Migrate.Kvm.Native;
using Migrate.Kvm.State;
using Migrate.Linux;
using Migrate.Model.Errors;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;

namespace Migrate.Kvm.Scratch;

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

    /// <summary>The PPI that the performance monitors get.</summary>
    private const uint PmuInterrupt = 23;

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
            if (options.Features.Has(VcpuFeatures.PmuV3)) scratch.StartPmu();
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
        foreach (var vcpu in Machine.Vcpus.Values) _runners.Add(new VcpuRunner(vcpu, _events));
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

    private void StartPmu()
    {
        foreach (var vcpu in Machine.Vcpus.Values)
        {
            if (Machine.Gic is not null)
            {
                KvmHandle.Check(
                    vcpu.TrySetAttribute32(VcpuAttributes.PmuControl, VcpuAttributes.PmuInterrupt, PmuInterrupt),
                    Ioctls.SetDeviceAttribute, $"{vcpu.Subject} PMU interrupt");
            }
            KvmHandle.Check(
                vcpu.TrySetAttribute(VcpuAttributes.PmuControl, VcpuAttributes.PmuInit, []), Ioctls.SetDeviceAttribute, $"{vcpu.Subject} PMU init");
        }
    }
}
