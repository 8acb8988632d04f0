using System.Runtime.InteropServices;
using Migrate.Kvm.Handles;
using Migrate.Kvm.Scratch;
using Migrate.Kvm.Vmm;
using Migrate.LabGuest.Programs;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Preflight.Baselines;

namespace Migrate.LabGuest.Jobs;

/// <summary>The VM whose guest is <see cref="Traveller"/>, of the baseline of two hosts.</summary>
internal static class TravellerMachine
{
    /// <summary>The event that a vCPU of it registers where it has SDEI.</summary>
    public const uint Event = 0x4000_0000;

    /// <summary>That vCPU.</summary>
    public const int EventVcpu = 2;

    private const int Vcpus = 4;

    /// <summary>An OEM's service that nobody here has.</summary>
    private const uint Nobodys = 0xc300_0100;

    /// <summary>Creates it; it does not run yet.</summary>
    public static LiveMachine Create(JobContext context, KvmSystem system, HostProfile here, HostProfile there, ConsoleInput input)
    {
        var withVectors = VcpuFeatures.Psci02 | VcpuFeatures.Sve;
        var hasSve = new[] { here, there }.All(host => host.Shape(withVectors, GicKind.GicV3) is { Errno: 0 });
        var config = LabBaseline.ConfigOfPair(here, there, hasSve ? withVectors : VcpuFeatures.Psci02);
        var forwards = here.HasSmcccFilter == true && there.HasSmcccFilter == true;
        var spec = new MachineSpec
        {
            Vm = new VmDescription
            {
                Name = "mover",
                Id = Guid.NewGuid().ToString("n"),
                Type = config.Type,
                Features = config.Features,
                VcpuCount = Vcpus,
                Memory = [new MemorySlot(0, ScratchMachine.MemoryBase, 16 << 20)],
                Gic = new GicDescription(GicKind.GicV3, ScratchMachine.Distributor, ScratchMachine.Redistributors, ScratchMachine.Its),
                SmcccFilter = forwards ? [new SmcccFilterRange(Nobodys, 16, SmcccAction.ForwardToUser)] : [],
                Handlers = forwards ? ["psci", "sdei"] : [],
            },
            Registers = ConfiguredMachine.Writes(here, config),
            Devices = ConfiguredMachine.Devices(here, config),
            Entry = Traveller.Start,
        };
        return MachineCreation.Create(system, spec, Options(context, here, input), kvm =>
        {
            for (var i = 0; i < Vcpus; i++)
            {
                var bytes = MemoryMarshal.AsBytes<uint>(Traveller.Program(i, new TravellerOptions(hasSve, forwards, forwards ? Nobodys : 0)));
                bytes.CopyTo(kvm.Memory(Traveller.Code(i), bytes.Length));
            }
            ItsJob.Program(kvm, vcpu: 2);
        });
    }

    /// <summary>What its VMM is given.</summary>
    public static VmmOptions Options(JobContext context, HostProfile host, ConsoleInput input) =>
        new() { Boot = host.Boot, CounterFrequency = host.CounterFrequency, Input = input, Ended = context.Note };
}
