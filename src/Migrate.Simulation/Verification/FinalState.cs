using System.Buffers.Binary;
using Migrate.Model.Machines;
using Migrate.Model.Ports;
using Migrate.Model.Registers;

namespace Migrate.Simulation.Verification;

/// <summary>Compares a machine that was moved with one that never was.</summary>
public static class FinalState
{
    /// <summary>Registers that count by themselves, whatever a move did.</summary>
    /// <remarks>KVM_REG_ARM_TIMER_CNT, KVM_REG_ARM_PTIMER_CNT and PMCCNTR_EL0; arch/arm64/include/uapi/asm/kvm.h.</remarks>
    public static IReadOnlySet<RegisterId> Counting { get; } = new HashSet<RegisterId>
    {
        RegisterId.System(3, 3, 14, 3, 2), RegisterId.System(3, 3, 14, 0, 1), RegisterId.System(3, 3, 9, 13, 0),
    };

    /// <summary>The digest of a quiesced machine whose memory is in this process.</summary>
    /// <param name="machine">Stopped.</param>
    /// <param name="except">Registers to leave out besides <see cref="Counting"/>: what the plan of a move changed or left out.</param>
    public static MachineDigest Digest(IMachine machine, IReadOnlySet<RegisterId>? except = null) =>
        Digest(machine.Capture(), machine.Memory, except);

    /// <summary>The digest of a captured state and the memory that goes with it; nobody may write the memory meanwhile.</summary>
    public static MachineDigest Digest(MachineState state, IReadOnlyList<GuestMemory> memory, IReadOnlySet<RegisterId>? except = null) =>
        new(MemoryDigest.Of(memory), OfRegisters(state, except));

    /// <summary>The registers in which two states differ, as a guest could see it: missing equals zero, <see cref="Counting"/> ones never differ.</summary>
    public static IReadOnlyList<RegisterAddress> DifferentRegisters(MachineState left, MachineState right, IReadOnlySet<RegisterId>? except = null)
    {
        var different = new List<RegisterAddress>();
        for (var vcpu = 0; vcpu < Math.Max(left.Vcpus.Count, right.Vcpus.Count); vcpu++)
        {
            var one = vcpu < left.Vcpus.Count ? left.Vcpus[vcpu].Registers : RegisterSet.Empty;
            var other = vcpu < right.Vcpus.Count ? right.Vcpus[vcpu].Registers : RegisterSet.Empty;
            foreach (var id in one.Select(r => r.Id).Union(other.Select(r => r.Id)))
            {
                if (Counting.Contains(id) || except?.Contains(id) == true) continue;
                var same = one.TryGet(id, out var a) & other.TryGet(id, out var b) ? a == b : a.IsZero && b.IsZero;
                if (!same) different.Add(new RegisterAddress(vcpu, id));
            }
        }
        return different;
    }

    private static UInt128 OfRegisters(MachineState state, IReadOnlySet<RegisterId>? except)
    {
        var sum = UInt128.Zero;
        Span<byte> bytes = stackalloc byte[RegisterValue.MaximumSize + 16];
        foreach (var vcpu in state.Vcpus)
        {
            foreach (var (id, value) in vcpu.Registers.Span)
            {
                if (value.IsZero || Counting.Contains(id) || except?.Contains(id) == true) continue;
                bytes.Clear();
                BinaryPrimitives.WriteUInt64LittleEndian(bytes, id.Value);
                BinaryPrimitives.WriteInt32LittleEndian(bytes[8..], vcpu.Index);
                value.CopyTo(bytes[16..]);
                sum += PageHash.Of(bytes, id.Value);
            }
            sum += PageHash.Of([(byte)vcpu.MpState], (ulong)vcpu.Index);
        }
        return sum;
    }
}
