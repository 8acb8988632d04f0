using System.Numerics;
using Migrate.Model;
using Migrate.Model.Errors;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Registers;

namespace Migrate.Preflight;

/// <summary>The VM that a host creates by default, so that "can VMs of A move to B?" can be asked with A's profile alone.</summary>
public static class DefaultMachine
{
    private const ulong MemoryBase = 0x4000_0000;

    /// <summary>The machine for an operator who may have named features, or not: then <see cref="FeaturesOf"/>.</summary>
    /// <exception cref="MigrateException">As below; <see cref="ErrorCode.NotFound"/> also when the profile has no shape that the host creates.</exception>
    public static MachineState Of(HostProfile host, VcpuFeatures? features) =>
        Of(host, features ?? FeaturesOf(host), vcpus: 1);

    /// <summary>The most features that the profile's host was seen to create a vCPU with, as a VMM that passes the host's CPU on would ask for; nested virtualisation and AArch32 are asked for by name only.</summary>
    /// <exception cref="MigrateException"><see cref="ErrorCode.NotFound"/>: the profile has no shape that the host creates.</exception>
    public static VcpuFeatures FeaturesOf(HostProfile host)
    {
        VcpuFeatures? richest = null;
        foreach (var shape in host.Shapes)
        {
            if (shape.Errno != 0 || (shape.Features.Bits & (VcpuFeatures.El2 | VcpuFeatures.El2E2h0 | VcpuFeatures.El1Is32Bit).Bits) != 0) continue;
            if (richest is not { } best || BitOperations.PopCount(shape.Features.Bits) > BitOperations.PopCount(best.Bits)) richest = shape.Features;
        }
        return richest ?? throw new MigrateException(ErrorCode.NotFound, $"the profile of {Name(host)} has no shape that the host creates; probe it again") { Stage = Stage.Plan };
    }

    /// <summary>A machine in its reset state.</summary>
    /// <param name="host">Where it is created.</param>
    /// <param name="features">vCPU features; the shape must be in the profile.</param>
    /// <param name="vcpus">How many, 1 to 512; all but the first are powered off.</param>
    /// <param name="gic">The interrupt controller.</param>
    /// <param name="memoryBytes">One slot at 1 GiB, page aligned.</param>
    /// <exception cref="MigrateException">The host was not measured with these features (<see cref="ErrorCode.NotFound"/>) or refuses them (<see cref="ErrorCode.Refused"/>).</exception>
    public static MachineState Of(HostProfile host, VcpuFeatures features, int vcpus = 1, GicKind gic = GicKind.GicV3, ulong memoryBytes = 1UL << 30)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(vcpus is >= 1 and <= 512, true, nameof(vcpus));
        var shape = host.Shape(features, gic) ?? throw new MigrateException(ErrorCode.NotFound,
            $"the profile of {Name(host)} was not measured with the vCPU features {features.Shape}; probe the host with them")
        { Stage = Stage.Plan };
        if (shape.Errno != 0)
            throw new MigrateException(ErrorCode.Refused, $"{Name(host)} does not create a vCPU with the features {features.Shape}") { Stage = Stage.Plan };
        return new MachineState
        {
            Vm = new VmDescription
            {
                Name = $"default machine of {Name(host)}",
                Id = new string('0', 32),
                Type = Type(host),
                Features = features.Shape,
                VcpuCount = vcpus,
                Memory = [new MemorySlot(0, MemoryBase, memoryBytes)],
                Gic = Layout(gic),
            },
            Vcpus = Enumerable.Range(0, vcpus).Select(i => Vcpu(shape, i)).ToEquatableArray(),
            CapturedOn = host.Boot,
            CounterFrequency = host.CounterFrequency,
        };
    }

    /// <summary>The interrupt controller where QEMU's virt board has it, below memory.</summary>
    public static GicDescription Layout(GicKind gic) => gic == GicKind.GicV3 ? new GicDescription(gic, 0x0800_0000, 0x080a_0000) : new GicDescription(gic);

    /// <summary>The kernel's own default of 40 bits where the host has it, else its largest.</summary>
    private static VmType Type(HostProfile host) =>
        host.IpaSizes.Count == 0 || host.IpaSizes.Contains(new VmType(0).IpaBits) ? new VmType(0) : new VmType((ulong)host.IpaSizes.Max());

    private static VcpuState Vcpu(HostShape shape, int index) => new()
    {
        Index = index,
        Registers = new RegisterSet(shape.Registers
            .Where(r => Reset(r, index) is not null)
            .Select(r => new Register(r.Id, Reset(r, index)!.Value))),
        Unreadable = shape.Registers.Where(r => Reset(r, index) is null && !IsHidden(r)).Select(r => new UnreadableRegister(r.Id, 1)).ToEquatableArray(),
        MpState = index == 0 ? MpState.Runnable : MpState.Stopped,
    };

    private static RegisterValue? Reset(RegisterAcceptance register, int index) =>
        register.Id == KnownRegisters.Mpidr && index > 0 ? new RegisterValue(Affinity(index)) : register.Reset;

    /// <summary>A register without a reset value that only exists under another value of its controller.</summary>
    private static bool IsHidden(RegisterAcceptance register) => register.When.Count > 0;

    /// <summary>MPIDR_EL1 that KVM gives a vCPU; arch/arm64/kvm/sys_regs.c <c>reset_mpidr</c>.</summary>
    private static ulong Affinity(int vcpu) => 1UL << 31 | (uint)(vcpu & 0xf) | (ulong)(vcpu >> 4 & 0xff) << 8 | (ulong)(vcpu >> 12 & 0xff) << 16;

    private static string Name(HostProfile host) => host.Boot.HostName.Length > 0 ? host.Boot.HostName : host.Origin.Length > 0 ? host.Origin : "the host";
}
