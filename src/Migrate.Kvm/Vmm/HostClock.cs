using Migrate.Kvm.Handles;
using Migrate.Kvm.Scratch;

namespace Migrate.Kvm.Vmm;

/// <summary>What clock a guest of this host sees.</summary>
public static class HostClock
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>CNTFRQ_EL0 in Hz, as a guest reads it: KVM has no register for it.</summary>
    /// <exception cref="KvmException">The host does not run a guest of a few instructions.</exception>
    public static ulong Frequency(KvmSystem system)
    {
        using var machine = ScratchMachine.Create(system, new ScratchOptions());
        machine.Load(0, 0, ScratchGuests.Reading(3, 14, 0, 0));
        machine.Start();
        var frequency = machine.Next(Patience).Value;
        machine.Stop();
        return frequency;
    }
}
