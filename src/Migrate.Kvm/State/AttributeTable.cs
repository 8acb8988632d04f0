using System.Buffers.Binary;
using Migrate.Kvm.Handles;
using Migrate.Kvm.Native;
using Migrate.Linux.Processes;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Ports;
using Migrate.Model.Registers;

namespace Migrate.Kvm.State;

/// <summary>One attribute of a VM that KVM is told again at a destination.</summary>
/// <param name="Name">As in <see cref="VmAttributes"/>.</param>
/// <param name="Step">The kind of step that tells it.</param>
/// <param name="Restore">Tells it.</param>
internal sealed record AttributePart(string Name, Type Step, Func<KvmMachine, VmAttribute, StepAnswer> Restore)
{
    /// <summary>Whether the VMM of this project runs a VM that has it. What makes KVM_RUN return with something that nobody here answers is restored for others alone.</summary>
    public bool IsServed { get; init; } = true;
}

/// <summary>Every attribute that a restore can give a VM; whatever <see cref="VmRecord"/> writes down besides makes a VM that cannot be captured.</summary>
internal static class AttributeTable
{
    // KVM_REG_ARM_TIMER_CNT, which carries another register's encoding (arch/arm64/include/uapi/asm/kvm.h).
    private static readonly RegisterId VirtualCount = RegisterId.System(3, 3, 14, 3, 2);

    /// <summary>The attributes.</summary>
    public static IReadOnlyList<AttributePart> All { get; } =
    [
        .. new[]
        {
            Capability.ArmWritableImpIdRegs, Capability.ArmSystemSuspend, Capability.ArmNisvToUser, Capability.ArmSeaToUser,
            Capability.DirtyLogRingAcqRel, Capability.DirtyLogRingWithBitmap,
        }.Select(c => new AttributePart(VmAttributes.CapabilityPrefix + c.Name(), typeof(SetAttribute),
            (machine, attribute) => new(machine.Vm.TryEnable(c, VmAttributes.NumberOf(attribute))))
        {
            IsServed = c == Capability.ArmWritableImpIdRegs,
        }),
        new(VmAttributes.PmuName, typeof(ConfigurePmu), ChoosePmu),
        new(VmAttributes.PmuCounters, typeof(ConfigurePmu), (machine, attribute) =>
        {
            Span<byte> counters = stackalloc byte[4];
            BinaryPrimitives.WriteUInt32LittleEndian(counters, (uint)VmAttributes.NumberOf(attribute));
            return Pmu(machine, VcpuAttributes.PmuSetCounters, counters, "number of counters");
        }),
        new(VmAttributes.PmuFilter, typeof(ConfigurePmu), FilterPmu),
        new(VmAttributes.CounterOffset, typeof(SetCounterOffset), (_, _) => StepAnswer.Ok),
    ];

    /// <summary>The part of a name that a kind of step tells; null for none.</summary>
    public static AttributePart? Find(string name, Type step)
    {
        foreach (var part in All)
            if (part.Name == name && part.Step == step) return part;
        return null;
    }

    /// <summary>Gives all counters of the VM one offset, so that they read <paramref name="guestCounter"/> now and count on from there.</summary>
    /// <remarks>
    /// With an offset of 0 the virtual counter is the host's own. Between that reading and the new offset time may pass: the offset is a difference of
    /// two counts of one moment, so the guest's counters have moved on by exactly that time.
    /// </remarks>
    public static StepAnswer OffsetCounters(KvmMachine machine, ulong guestCounter)
    {
        if (machine.Vcpus.Count == 0) return new(KvmErrno.ENOEXEC, "there is no vCPU to read the host's counter through");
        var errno = machine.Vm.TrySetCounterOffset(0);
        if (errno != 0) return new(errno, "KVM_ARM_SET_COUNTER_OFFSET of 0");
        errno = machine.Vcpus.Values.First().TryGet(VirtualCount, out var host);
        if (errno != 0) return new(errno, "the host's counter cannot be read");
        errno = machine.Vm.TrySetCounterOffset(host.Low - guestCounter);
        return new(errno, errno == 0 ? "" : $"KVM_ARM_SET_COUNTER_OFFSET of 0x{host.Low - guestCounter:x}");
    }

    private static StepAnswer ChoosePmu(KvmMachine machine, VmAttribute attribute)
    {
        var name = VmAttributes.TextOf(attribute);
        foreach (var pmu in PerfDevices.List())
        {
            if (pmu.Name != name) continue;
            Span<byte> type = stackalloc byte[4];
            BinaryPrimitives.WriteInt32LittleEndian(type, pmu.Type);
            return Pmu(machine, VcpuAttributes.PmuSetPmu, type, $"PMU {name}");
        }
        return new(KvmErrno.ENXIO, $"this host has no PMU {name}");
    }

    private static StepAnswer FilterPmu(KvmMachine machine, VmAttribute attribute)
    {
        Span<byte> bytes = stackalloc byte[PmuFilterRange.Bytes];
        foreach (var range in VmAttributes.FilterOf(attribute))
        {
            range.Write(bytes);
            var answer = Pmu(machine, VcpuAttributes.PmuFilter, bytes, $"PMU filter {range}");
            if (!answer.Succeeded) return answer;
        }
        return StepAnswer.Ok;
    }

    /// <summary>What one vCPU is told about the PMU holds for the VM (kvm_arch.arm_pmu, kvm_arch.pmu_filter).</summary>
    private static StepAnswer Pmu(KvmMachine machine, ulong attribute, ReadOnlySpan<byte> value, string what)
    {
        if (machine.Vcpus.Count == 0) return new(KvmErrno.ENOEXEC, "there is no vCPU");
        var vcpu = machine.Vcpus.Values.First();
        var errno = vcpu.TrySetAttribute(VcpuAttributes.PmuControl, attribute, value);
        if (errno == 0) return StepAnswer.Ok;
        var absent = vcpu.HasAttribute(VcpuAttributes.PmuControl, attribute) != 0;
        return new(errno, absent ? $"{what}: this kernel has no such attribute for this vCPU" : what);
    }
}
