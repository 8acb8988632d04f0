namespace Migrate.Kvm.Vmm.Calls;

/// <summary>The events there are, all of them private: every vCPU has its own.</summary>
/// <remarks>Source: Arm DEN 0054 (SDEI), section 4.1: event 0 is the software-signalled one; bit 30 marks a vendor's.</remarks>
internal static class SdeiEvents
{
    /// <summary>Private, normal priority, may be signalled by software.</summary>
    public const uint Software = 0;

    /// <summary>Private, normal priority: the operator's.</summary>
    public const uint Normal = 0x4000_0000;

    /// <summary>Private, critical priority: delivered even in the middle of a normal one.</summary>
    public const uint Critical = 0x4000_0001;

    /// <summary>All, in the order in which pending ones are looked at: critical before normal.</summary>
    public static IReadOnlyList<uint> All { get; } = [Critical, Software, Normal];

    /// <summary>Whether it interrupts a normal one.</summary>
    public static bool IsCritical(uint number) => number == Critical;

    /// <summary>Where it stands in <see cref="All"/>; negative for none.</summary>
    public static int IndexOf(ulong number)
    {
        for (var i = 0; i < All.Count; i++)
            if (All[i] == number) return i;
        return -1;
    }
}
