namespace Migrate.Model.Hosts;

/// <summary>Those attributes of a GICv3's state that a kernel compares with its own, and what a profile's capabilities call its answers.</summary>
/// <remarks>
/// Source: arch/arm64/kvm/vgic/vgic-mmio-v3.c <c>vgic_mmio_uaccess_write_v3_misc</c> (GICD_IIDR: before 5.19 its own value alone, since then revision 2 or 3 in
/// bits 15:12; GICD_TYPER2: its own value); vgic-sys-reg-v3.c <c>set_gic_ctlr</c> (ICC_CTLR_EL1). What differs is EINVAL.
/// </remarks>
public static class GicV3State
{
    /// <summary>What a machine state calls the device.</summary>
    public const string Kind = "gicv3";

    /// <summary>KVM_DEV_ARM_VGIC_GRP_DIST_REGS.</summary>
    public const uint Distributor = 1;

    /// <summary>KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS; bits 63:32 of an attribute are the vCPU's affinity.</summary>
    public const uint CpuSystemRegisters = 6;

    /// <summary>GICD_IIDR.</summary>
    public const ulong Iidr = 0x8;

    /// <summary>GICD_TYPER2.</summary>
    public const ulong Typer2 = 0xc;

    /// <summary>ICC_CTLR_EL1, as op0, op1, CRn, CRm, op2: 3, 0, 12, 12, 4.</summary>
    public const ulong IccCtlr = 3 << 14 | 12 << 7 | 12 << 3 | 4;

    /// <summary>Capability: GICD_IIDR of a new GICv3.</summary>
    public const string OwnIidr = "gicv3.iidr";

    /// <summary>Capability: GICD_TYPER2 of a new GICv3.</summary>
    public const string OwnTyper2 = "gicv3.typer2";

    /// <summary>Capability: ICC_CTLR_EL1 of a new vCPU.</summary>
    public const string OwnIccCtlr = "gicv3.icc-ctlr";

    /// <summary>The largest revision that GICD_IIDR can name.</summary>
    public const int MostRevision = 15;

    private const int RevisionShift = 12;
    private const ulong RevisionMask = 0xf << RevisionShift;

    /// <summary>What a capability says of a revision that GICD_IIDR takes and keeps.</summary>
    public const long Kept = 1;

    /// <summary>What it says of one that is taken and has no effect. Seen on Linux 6.16 to 6.19, which take every revision and keep their own.</summary>
    public const long Ignored = 2;

    /// <summary>Capability: what becomes of this revision written to GICD_IIDR, <see cref="Kept"/> or <see cref="Ignored"/>; not there where it is refused.</summary>
    public static string TakesRevision(int revision) => FormattableString.Invariant($"gicv3.revision-{revision}");

    /// <summary>GICD_IIDR's revision.</summary>
    public static int Revision(ulong iidr) => (int)((iidr & RevisionMask) >> RevisionShift);

    /// <summary>GICD_IIDR with another revision.</summary>
    public static ulong WithRevision(ulong iidr, int revision) => (iidr & ~RevisionMask) | (ulong)revision << RevisionShift;
}
