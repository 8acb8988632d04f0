using System.Numerics;
using Migrate.Model;
using Migrate.Model.Errors;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Ports;
using Migrate.Model.Registers;
using Migrate.Simulation.Program;

namespace Migrate.Simulation.Machines;

/// <summary>Creates a machine that never was anywhere else: the same steps that a restore takes, then a program, its registers and some memory.</summary>
internal static class FreshMachine
{
    /// <summary>Where RAM begins; QEMU's virt board has it there too.</summary>
    private const ulong MemoryBase = 0x4000_0000;

    /// <summary>Room between two slots.</summary>
    private const ulong SlotGap = 0x1000_0000;

    private const ulong ProgramEntry = 0xffff_8000_0001_0000;

    /// <summary>Registers that a guest has in use while the program leaves them alone: a restore that forgets one is noticed.</summary>
    private static readonly RegisterId[] Ambient =
    [
        .. Enumerable.Range(9, 22).Select(ProgramRegisters.X),
        RegisterId.Core(248, 8), RegisterId.Core(272, 8), RegisterId.Core(280, 8),
        RegisterId.System(3, 3, 13, 0, 3), RegisterId.System(3, 0, 13, 0, 4),
        .. Enumerable.Range(0, 32).Select(ProgramRegisters.V), .. Enumerable.Range(0, 32).Select(ProgramRegisters.Z),
    ];

    private static readonly RegisterId VectorLengths = RegisterId.Of(RegisterClass.Sve, 0xffff, 64);

    public static SimulatedMachine Create(HostProfile host, MachineOptions options)
    {
        options.Validate();
        var description = Describe(host, options);
        var incoming = new SimulatedIncoming(host);
        try
        {
            foreach (var step in StepsFor(description, options)) Demand(incoming, step);
            var last = description.Memory[^1];
            var console = last.GuestAddress + last.Size - MachineOptions.MemoryUnit;
            for (var vcpu = 0; vcpu < options.Vcpus; vcpu++)
            {
                SetAmbientRegisters(incoming, vcpu, options.Seed);
                foreach (var register in options.Registers)
                    if (register.Id != VectorLengths) Demand(incoming, new WriteRegister(vcpu, register.Id, register.Value, null, StepPhase.Prepare));
                foreach (var (id, value) in ProgramRegisters.Store(StateOf(incoming, vcpu, description, console, options)))
                    Offer(incoming, vcpu, id, value);
            }
            MemoryFill.Fill(incoming.Ram, options.FillFraction, options.Seed, console);
            return incoming.Complete(description, options.Undescribable);
        }
        catch
        {
            incoming.Dispose();
            throw;
        }
    }

    private static VmDescription Describe(HostProfile host, MachineOptions options)
    {
        var units = options.MemoryBytes / MachineOptions.MemoryUnit;
        var slots = new MemorySlot[options.Slots];
        var address = MemoryBase;
        for (var i = 0; i < slots.Length; i++)
        {
            var size = (units / (ulong)slots.Length + (i == slots.Length - 1 ? units % (ulong)slots.Length : 0)) * MachineOptions.MemoryUnit;
            slots[i] = new MemorySlot(i, address, size);
            address += size + SlotGap;
        }
        return new VmDescription
        {
            Name = options.Name,
            Id = options.Id.Length != 0 ? options.Id : Guid.NewGuid().ToString("n"),
            Type = options.Type,
            Features = options.Features ?? RichestFeatures(host),
            VcpuCount = options.Vcpus,
            Memory = EquatableArray.Create<MemorySlot>(slots),
            Gic = options.Gic,
            SmcccFilter = options.SmcccFilter,
        };
    }

    private static VcpuFeatures RichestFeatures(HostProfile host)
    {
        var unusual = VcpuFeatures.El1Is32Bit | VcpuFeatures.El2 | new VcpuFeatures(1UL << 8);
        HostShape? best = null;
        foreach (var shape in host.Shapes)
            if (shape.Errno == 0 && (shape.Features.Bits & unusual.Bits) == 0
                && (best is null || BitOperations.PopCount(shape.Features.Bits) > BitOperations.PopCount(best.Features.Bits)))
                best = shape;
        return best?.Features
            ?? throw new MigrateException(ErrorCode.Refused, "the host's profile has no shape of which a vCPU can be created");
    }

    private static List<RestoreStep> StepsFor(VmDescription vm, MachineOptions options)
    {
        var vcpus = Enumerable.Range(0, vm.VcpuCount);
        var steps = new List<RestoreStep> { new CreateVm(vm.Type) };
        steps.AddRange(vm.Memory.Select(slot => new MapMemory(slot)));
        steps.AddRange(vcpus.Select(i => new CreateVcpu(i, vm.Features)));
        if (vm.Gic.Kind != GicKind.None) steps.Add(new CreateGic(vm.Gic));
        // Vector lengths are EPERM once SVE is finalized.
        foreach (var register in options.Registers)
            if (register.Id == VectorLengths) steps.AddRange(vcpus.Select(i => new WriteRegister(i, register.Id, register.Value, null, StepPhase.Prepare)));
        if (vm.Features.Has(VcpuFeatures.Sve)) steps.AddRange(vcpus.Select(i => new FinalizeSve(i)));
        steps.AddRange(vm.SmcccFilter.Select(range => new InstallFilter(range)));
        return steps;
    }

    /// <summary>A step that must succeed: the options ask for something that the host does not do.</summary>
    private static void Demand(SimulatedIncoming incoming, RestoreStep step)
    {
        var answer = incoming.Execute([step])[0];
        if (!answer.Succeeded)
            throw new MigrateException(ErrorCode.Refused, $"the simulated host answers errno {answer.Errno} to {step}: {answer.Note}");
    }

    /// <summary>A write that the vCPU's shape may not know: without SVE there is no Z register, with it no V register.</summary>
    private static void Offer(SimulatedIncoming incoming, int vcpu, RegisterId id, RegisterValue value) =>
        incoming.Execute([new WriteRegister(vcpu, id, value, null, StepPhase.Apply)]);

    private static void SetAmbientRegisters(SimulatedIncoming incoming, int vcpu, ulong seed)
    {
        var wide = incoming.Read([new RegisterAddress(vcpu, VectorLengths)])[0].Value is { } lengths ? ProgramRegisters.LanesOf(lengths) * 8 : 16;
        Span<byte> bytes = stackalloc byte[RegisterValue.MaximumSize];
        foreach (var id in Ambient)
        {
            bytes.Clear();
            for (var i = 0; i < Math.Min(id.Size, wide); i++) bytes[i] = (byte)(MemoryFill.Mix(seed + id.Value + (ulong)(vcpu * 64 + i / 8)) >> (8 * (i % 8)));
            Offer(incoming, vcpu, id, new RegisterValue(bytes[..id.Size]));
        }
    }

    /// <summary>Gives each vCPU its part of a slot; slots are dealt out in turn.</summary>
    private static ProgramState StateOf(SimulatedIncoming incoming, int vcpu, VmDescription vm, ulong console, MachineOptions options)
    {
        var slot = vm.Memory[vcpu % vm.Memory.Count];
        var end = slot.Slot == vm.Memory[^1].Slot ? console : slot.GuestAddress + slot.Size;
        var sharers = (ulong)((options.Vcpus - vcpu % vm.Memory.Count + vm.Memory.Count - 1) / vm.Memory.Count);
        var pages = (end - slot.GuestAddress) / GuestProgram.Page / sharers;
        var state = ProgramRegisters.Load(id => incoming.Read([new RegisterAddress(vcpu, id)])[0].Value);
        state.Generator = MemoryFill.Mix(options.Seed + (ulong)vcpu) | 1;
        state.PartitionBase = slot.GuestAddress + (ulong)(vcpu / vm.Memory.Count) * pages * GuestProgram.Page;
        state.PartitionSize = pages * GuestProgram.Page;
        state.Steps = 0;
        state.Target = options.Steps;
        state.Checksum = 0;
        state.Locality = (ulong)(options.HotWrites * 0xffff) | (ulong)(options.HotPages * 0xffff) << 16;
        state.Console = console;
        state.Pace = options.WritesPerSecond == 0 ? 0 : Math.Max(1, options.WritesPerSecond / (ulong)options.Vcpus);
        state.ProgramCounter = ProgramEntry;
        state.ThreadPointer = MemoryFill.Mix(options.Seed ^ (ulong)vcpu << 32);
        return state;
    }
}
