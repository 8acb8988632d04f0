using Migrate.Kvm.Handles;
using Migrate.Kvm.State;
using Migrate.Linux;
using Migrate.Model;
using Migrate.Model.Errors;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;

namespace Migrate.Kvm.Vmm;

/// <summary>A VM that is to be created on this host, and where its guest begins.</summary>
public sealed record MachineSpec
{
    /// <summary>What it is.</summary>
    public required VmDescription Vm { get; init; }

    /// <summary>Registers that are written through every vCPU before the first run, in this order: what pins the VM to a baseline.</summary>
    public EquatableArray<Register> Registers { get; init; }

    /// <summary>Device attributes that are written once the interrupt controller is initialised: its revision, for a baseline that names one.</summary>
    public EquatableArray<DeviceState> Devices { get; init; }

    /// <summary>Guest physical address of the first instruction of vCPU 0; the others are off until PSCI switches them on.</summary>
    public required ulong Entry { get; init; }

    /// <summary>X0 of vCPU 0: for Linux the address of the device tree (Documentation/arch/arm64/booting.rst).</summary>
    public ulong Argument { get; init; }

    /// <summary>vCPUs that begin at <see cref="Entry"/> together with vCPU 0, with their number in X0: for programs without PSCI.</summary>
    public EquatableArray<int> Started { get; init; }
}

/// <summary>Creates a VM on this host: the same steps as a restore, in the same order.</summary>
public static class MachineCreation
{
    private static readonly RegisterId X0 = RegisterId.Core(0, 8);

    private static readonly RegisterId Pc = RegisterId.Core(8 * 32, 8);

    /// <summary>Creates it; it does not run yet.</summary>
    /// <param name="system">Where; outlives the machine.</param>
    /// <param name="spec">What.</param>
    /// <param name="options">What the VMM is given.</param>
    /// <param name="load">Puts the guest's program into memory.</param>
    /// <exception cref="KvmException">The host refuses one of its steps, or the VMM lacks a handler, or what a handler needs is missing.</exception>
    public static LiveMachine Create(KvmSystem system, MachineSpec spec, VmmOptions options, Action<KvmMachine> load)
    {
        if (MachineHandlers.Obstacle(spec.Vm) is { } obstacle) throw new KvmException(ErrorCode.Unsupported, obstacle);
        using var target = new KvmTarget(system, new KvmIdentity(spec.Vm.Name, spec.Vm.Id));
        foreach (var step in Steps(spec))
        {
            var answer = target.Execute([step])[0];
            if (!answer.Succeeded)
                throw new KvmException(ErrorCode.Refused, $"this host does not create the VM: {Words(step)} is refused: {LinuxException.NameOf(answer.Errno)} {answer.Note}".TrimEnd());
        }
        var machine = target.Take();
        try
        {
            machine.Handlers.Promise(spec.Vm.Handlers);
            if (spec.Vm.Features.Has(VcpuFeatures.PmuV3)) PmuStart.Start(machine);
            load(machine);
            return new LiveMachine(machine, options);
        }
        catch
        {
            machine.Dispose();
            throw;
        }
    }

    private static IEnumerable<RestoreStep> Steps(MachineSpec spec)
    {
        var vm = spec.Vm;
        yield return new CreateVm(vm.Type);
        foreach (var attribute in vm.Attributes.AsEnumerable()) yield return new SetAttribute(attribute);
        foreach (var slot in vm.Memory.AsEnumerable()) yield return new MapMemory(slot);
        var isOn = Enumerable.Range(0, vm.VcpuCount).Select(i => i == 0 || spec.Started.Contains(i)).ToArray();
        for (var i = 0; i < vm.VcpuCount; i++)
            yield return new CreateVcpu(i, isOn[i] ? vm.Features : vm.Features | VcpuFeatures.PowerOff);
        // The vector lengths are chosen before SVE is finalized, everything else after (guest.c, set_sve_vls).
        var lengths = spec.Registers.AsEnumerable().Where(r => r.Id.Class == RegisterClass.Sve).ToArray();
        for (var i = 0; i < vm.VcpuCount && vm.Features.Has(VcpuFeatures.Sve); i++)
        {
            foreach (var (id, value) in lengths) yield return Write(i, id, value);
            yield return new FinalizeSve(i);
        }
        if (vm.Gic.Kind != GicKind.None) yield return new CreateGic(vm.Gic);
        foreach (var device in spec.Devices.AsEnumerable()) yield return new WriteDevice(device);
        var forwarded = vm.Handlers.AsEnumerable().SelectMany(name => HandlerTable.Find(name)!.Forwarded);
        foreach (var range in vm.SmcccFilter.AsEnumerable().Union(forwarded)) yield return new InstallFilter(range);
        for (var i = 0; i < vm.VcpuCount; i++)
        {
            foreach (var (id, value) in spec.Registers.AsEnumerable().Except(lengths)) yield return Write(i, id, value);
            if (!isOn[i]) continue;
            yield return Write(i, X0, new RegisterValue(i == 0 ? spec.Argument : (ulong)i));
            yield return Write(i, Pc, new RegisterValue(spec.Entry));
        }
    }

    private static WriteRegister Write(int vcpu, RegisterId id, RegisterValue value) => new(vcpu, id, value, null, StepPhase.Prepare);

    private static string Words(RestoreStep step) => step is WriteRegister write
        ? $"{RegisterCatalog.Name(write.Id)} = {write.Value.ToShortString()}"
        : step.GetType().Name;
}
