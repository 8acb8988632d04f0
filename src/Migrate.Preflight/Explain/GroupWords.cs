using Migrate.Model.Firmware;
using Migrate.Model.Registers;

namespace Migrate.Preflight.Explain;

/// <summary>What a register is about, in words.</summary>
internal static class GroupWords
{
    /// <summary>The firmware's registers each by what they promise, any other by its group.</summary>
    public static string Of(RegisterGroup group, RegisterId id) =>
        id == FirmwareRegisters.PsciVersion ? "firmware: the PSCI version offered to the guest"
        : id == FirmwareRegisters.Workaround1 ? "firmware: the mitigation level of Spectre v2"
        : id == FirmwareRegisters.Workaround2 ? "firmware: the mitigation level of Spectre v4"
        : id == FirmwareRegisters.Workaround3 ? "firmware: the mitigation level of Spectre-BHB"
        : FirmwareRegisters.Bitmap(id) is not null ? "firmware: hypercall services offered to the guest, a bit each"
        : group switch
        {
            RegisterGroup.None => "a register without a name here",
            RegisterGroup.General => "general registers, PC and processor state",
            RegisterGroup.Simd => "floating point and SIMD",
            RegisterGroup.Sve => "scalable vectors",
            RegisterGroup.Identification => "identification of CPU and features",
            RegisterGroup.Cache => "cache geometry",
            RegisterGroup.Control => "system and thread control",
            RegisterGroup.Translation => "address translation",
            RegisterGroup.Exception => "exceptions: vectors, syndromes, fault addresses",
            RegisterGroup.PointerAuthentication => "pointer authentication keys",
            RegisterGroup.MemoryTagging => "memory tagging",
            RegisterGroup.VectorControl => "control of SVE, SME and FP8",
            RegisterGroup.ControlStack => "guarded control stack",
            RegisterGroup.Timer => "generic timers and counters",
            RegisterGroup.Pmu => "performance monitors",
            RegisterGroup.Profiling => "statistical profiling",
            RegisterGroup.Debug => "debug: breakpoints, watchpoints, OS lock",
            RegisterGroup.InterruptController => "interrupt controller: CPU interface",
            RegisterGroup.Ras => "error records",
            RegisterGroup.Mpam => "memory partitioning and monitoring",
            RegisterGroup.Hypervisor => "EL2 of a nested guest",
            _ => "firmware",
        };
}
