using Migrate.Linux.Memory;
using Migrate.Model.Machines;
using Migrate.Model.Registers;
using Migrate.Simulation.Machines;
using Migrate.Simulation.Verification;
using Migrate.Transfer.Pages;

namespace Migrate.Cli.Demo;

/// <summary>Compares a machine that was moved with the same program on a machine that never was, byte by byte and register by register.</summary>
internal static class Comparison
{
    private const int PageSize = 4096;

    /// <summary>What differs, in words; empty when the guest could not tell.</summary>
    public static List<string> Differences(SimulatedMachine reference, MachineState moved, MappedMemory memory, IReadOnlySet<RegisterId> except)
    {
        var differences = new List<string>();
        var expected = reference.Capture();
        foreach (var (vcpu, id) in FinalState.DifferentRegisters(expected, moved, except))
        {
            expected.Vcpus[vcpu].Registers.TryGet(id, out var never);
            moved.Vcpus[vcpu].Registers.TryGet(id, out var value);
            differences.Add($"register {RegisterCatalog.Name(id)} of vCPU {vcpu}: {value.ToShortString()} after the move, {never.ToShortString()} without it");
        }
        for (var i = 0; i < reference.Memory.Count; i++)
        {
            using var never = ((MemFd)reference.Memory[i].Handle).Map(MappingAccess.Read);
            var slot = memory.Slots[i];
            long different = 0, first = -1;
            for (long at = 0; at < never.Length; at += PageSize)
            {
                if (never.View(at, PageSize).SequenceEqual(slot.Mapping.View(at, PageSize))) continue;
                different++;
                if (first < 0) first = at;
            }
            if (different > 0)
                differences.Add($"{different} page{(different == 1 ? "" : "s")} of slot {slot.Slot.Slot}, the first at guest address 0x{slot.Slot.GuestAddress + (ulong)first:x}");
        }
        return differences;
    }
}
