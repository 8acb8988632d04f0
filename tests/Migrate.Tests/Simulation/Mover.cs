using System.Runtime.InteropServices;
using Migrate.Linux.Memory;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Ports;
using Migrate.Model.Registers;
using Migrate.Simulation.Machines;
using Migrate.Simulation.Sabotage;

namespace Migrate.Tests.Simulation;

/// <summary>The smallest move there is: a few rounds of collect and copy, then quiesce, last harvest, capture and restore.</summary>
internal static class Mover
{
    public static SimulatedMachine Move(SimulatedMachine machine, HostProfile destination, SabotageKind? sabotage = null, int rounds = 3, Action<int>? afterRound = null,
        RegisterId? lost = null)
    {
        var source = sabotage?.OnSource(machine) ?? machine;
        var vm = source.Describe().State.Vm;
        using var plain = new SimulatedIncoming(destination);
        var incoming = sabotage?.OnDestination(plain) ?? plain;
        var steps = new List<RestoreStep> { new CreateVm(vm.Type) };
        steps.AddRange(vm.Memory.Select(slot => new MapMemory(slot)));
        steps.AddRange(Enumerable.Range(0, vm.VcpuCount).Select(i => new CreateVcpu(i, vm.Features)));
        if (vm.Features.Has(VcpuFeatures.Sve)) steps.AddRange(Enumerable.Range(0, vm.VcpuCount).Select(i => new FinalizeSve(i)));
        Demand(incoming, steps);

        source.StartDirtyLog();
        for (var i = 0; i < vm.Memory.Count; i++) Copy(source, incoming, i, Full(vm.Memory[i]));
        for (var round = 0; round < rounds; round++)
        {
            Harvest(source, incoming);
            afterRound?.Invoke(round);
        }
        source.Quiesce();
        Harvest(source, incoming);
        var state = source.Capture();

        foreach (var vcpu in state.Vcpus)
        {
            Demand(incoming, [.. vcpu.Registers.Where(r => r.Id != SimulatedProfiles.VectorLengths && r.Id != lost)
                .Select(r => new WriteRegister(vcpu.Index, r.Id, r.Value, null, StepPhase.Apply))]);
            Demand(incoming, [new SetEvents(vcpu.Index, vcpu.Events), new SetMpState(vcpu.Index, vcpu.MpState)]);
        }
        return (SimulatedMachine)incoming.Complete(vm);
    }

    private static void Demand(IIncomingMachine incoming, IReadOnlyList<RestoreStep> steps)
    {
        var answers = incoming.Execute(steps);
        for (var i = 0; i < answers.Count; i++) Assert.True(answers[i].Succeeded, $"{steps[i]}: {answers[i]}");
    }

    private static ulong[] Full(MemorySlot slot)
    {
        var bitmap = new ulong[(slot.Size / 4096 + 63) / 64];
        for (var page = 0UL; page < slot.Size / 4096; page++) bitmap[page / 64] |= 1UL << (int)(page % 64);
        return bitmap;
    }

    private static void Harvest(IMachine source, IIncomingMachine incoming)
    {
        for (var i = 0; i < source.Memory.Count; i++)
        {
            var slot = source.Memory[i].Slot;
            var bitmap = new ulong[(slot.Size / 4096 + 63) / 64];
            source.CollectDirty(slot.Slot, bitmap);
            Copy(source, incoming, i, bitmap);
        }
    }

    private static void Copy(IMachine source, IIncomingMachine incoming, int index, ulong[] bitmap)
    {
        using var from = ((MemFd)source.Memory[index].Handle).Map(MappingAccess.Read);
        using var to = ((MemFd)incoming.Memory[index].Handle).Map(MappingAccess.ReadWrite);
        for (var page = 0; page < from.Length / 4096; page++)
        {
            if ((bitmap[page / 64] >> (page % 64) & 1) == 0) continue;
            // Word by word: a vCPU may write meanwhile, and a torn word would be this test's fault.
            var words = MemoryMarshal.Cast<byte, ulong>(from.View(page * 4096L, 4096));
            var copy = MemoryMarshal.Cast<byte, ulong>(to.Slice(page * 4096L, 4096));
            for (var i = 0; i < words.Length; i++) copy[i] = words[i];
        }
    }
}
