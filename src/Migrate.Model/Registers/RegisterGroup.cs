namespace Migrate.Model.Registers;

/// <summary>What a register is about: how a listing for people is grouped.</summary>
public enum RegisterGroup
{
    /// <summary>No group: a register without a name.</summary>
    None = 0,

    /// <summary>X0 to X30, SP_EL0, PC, PSTATE and the banked SP, ELR and SPSR.</summary>
    General,

    /// <summary>V0 to V31, FPSR, FPCR.</summary>
    Simd,

    /// <summary>SVE: vector lengths, Z, P and FFR.</summary>
    Sve,

    /// <summary>PSCI version and workaround levels.</summary>
    Firmware,

    /// <summary>Hypercall service bitmaps.</summary>
    Hypercall,

    /// <summary>Implementation and feature identification.</summary>
    Identification,

    /// <summary>Cache geometry.</summary>
    Cache,

    /// <summary>System and thread control.</summary>
    Control,

    /// <summary>Stage 1 translation, memory attributes and permissions.</summary>
    Translation,

    /// <summary>Exception vectors, syndromes and fault addresses.</summary>
    Exception,

    /// <summary>Pointer authentication keys.</summary>
    PointerAuthentication,

    /// <summary>MTE: tag generation and tag faults.</summary>
    MemoryTagging,

    /// <summary>Control of SVE, SME and FP8.</summary>
    VectorControl,

    /// <summary>Guarded control stack.</summary>
    ControlStack,

    /// <summary>Generic timers and counters.</summary>
    Timer,

    /// <summary>Performance monitors.</summary>
    Pmu,

    /// <summary>Statistical profiling.</summary>
    Profiling,

    /// <summary>Breakpoints, watchpoints, OS lock and trace control.</summary>
    Debug,

    /// <summary>GIC CPU interface and its hypervisor control.</summary>
    InterruptController,

    /// <summary>Error records and deferred SErrors.</summary>
    Ras,

    /// <summary>Memory partitioning and monitoring.</summary>
    Mpam,

    /// <summary>EL2 of a nested guest, fine-grained traps included.</summary>
    Hypervisor,
}
