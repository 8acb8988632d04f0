using Migrate.Kvm.Native;

namespace Migrate.Kvm.State;

/// <summary>The state of a GICv3 and of an ITS as device attributes, in the order in which it must be written, with the reasons.</summary>
/// <remarks>
/// Sources: Documentation/virt/kvm/devices/arm-vgic-v3.rst and arm-vgic-its.rst; arch/arm64/kvm/vgic/vgic-mmio-v3.c, vgic-sys-reg-v3.c,
/// vgic-its.c. Registers that read as constants and ignore writes are left out: GICD_TYPER, GICD_STATUSR, GICR_WAKER, GICR_STATUSR,
/// GICR_ICFGR0 and 1 (KVM fixes them), GICD_ICPENDR and ICACTIVER (a new VM has nothing to clear), GITS_TYPER, GITS_BASER2 to 7.
/// Attributes of the ITS have 8 bytes whatever the register has (vgic_its_set_attr).
/// </remarks>
internal static class GicTable
{
    /// <summary>Bytes between the redistributor's two frames.</summary>
    private const ulong PrivateFrame = 0x10000;

    /// <summary>
    /// A word of a base register that reads zero is what a new VM has: KVM puts cacheability into the low word with the first write, a zero included
    /// (vgic_sanitise_field), and into that of GICR_PENDBASER at creation (vgic_v3_enable).
    /// </summary>
    private const ulong NeverWritten = 0;

    private const int IcEnable = 0x180;
    private const int IsEnable = 0x100;

    /// <summary>The GICv3.</summary>
    public static IReadOnlyList<AttributeBlock> GicV3 { get; } =
    [
        new("GICD_IIDR", VgicGroup.Distributor, 4, _ => [0x8], "First: its revision changes what later writes mean (5.19 on: 2 or 3)."),
        new("GICD_TYPER2", VgicGroup.Distributor, 4, _ => [0xc], "Must equal the host's: refused before anything depends on it."),
        new("GICD_CTLR", VgicGroup.Distributor, 4, _ => [0x0],
            "Before anything can be pending: what comes while the distributor is off is not queued, and switching it on queues nothing (vgic_target_oracle)."),

        new("GICR_PROPBASER", VgicGroup.Redistributor, 4, g => PerVcpu(g, 0x70, 0x74),
            "Before GICR_CTLR: dropped without a word once LPIs are enabled (vgic_mmio_write_propbase).") { Unset = NeverWritten },
        new("GICR_PENDBASER", VgicGroup.Redistributor, 4, g => PerVcpu(g, 0x78, 0x7c),
            "Before GICR_CTLR, like PROPBASER (vgic_mmio_write_pendbase).") { Unset = NeverWritten },
        new("GICR_CTLR", VgicGroup.Redistributor, 4, g => PerVcpu(g, 0x0), "Enabling LPIs reads the pending table that PENDBASER names.")
        {
            // vgic_mmio_write_v3r_ctlr answers nothing about what vgic_enable_lpis finds there.
            Reads = "pending table",
            ReadsWith = 1,
        },
        new("GICR_IGROUPR0", VgicGroup.Redistributor, 4, g => PerVcpu(g, PrivateFrame + 0x80), "Before pending: a pending interrupt is sorted by its group."),
        new("GICR_ICENABLER0", VgicGroup.Redistributor, 4, g => PerVcpu(g, PrivateFrame + IcEnable),
            "Before ISENABLER0, which only sets: SGIs of a new VM are enabled (vgic_init).")
        {
            Use = AttributeUse.ClearOthers,
            SetRegisterAt = IsEnable - IcEnable,
        },
        new("GICR_ISENABLER0", VgicGroup.Redistributor, 4, g => PerVcpu(g, PrivateFrame + IsEnable), "Private interrupts, with their group known."),
        new("GICR_IPRIORITYR", VgicGroup.Redistributor, 4, g => PerVcpu(g, [.. Every(PrivateFrame + 0x400, 4, 8)]), "Before pending, which sorts by it."),
        new("GICR_ISPENDR0", VgicGroup.Redistributor, 4, g => PerVcpu(g, PrivateFrame + 0x200),
            "The latch alone: user space reads it without the line, and writes both zeros and ones (vgic_v3_uaccess_write_pending)."),
        new("GICR_ISACTIVER0", VgicGroup.Redistributor, 4, g => PerVcpu(g, PrivateFrame + 0x300), "Private interrupts in service."),

        new("GICD_IGROUPR", VgicGroup.Distributor, 4, g => Every(0x80 + 4, 4, g.Interrupts / 32 - 1), "Before pending, as for private ones."),
        new("GICD_ICENABLER", VgicGroup.Distributor, 4, g => Every(IcEnable + 4, 4, g.Interrupts / 32 - 1), "Before ISENABLER, which only sets.")
        {
            Use = AttributeUse.ClearOthers,
            SetRegisterAt = IsEnable - IcEnable,
        },
        new("GICD_ISENABLER", VgicGroup.Distributor, 4, g => Every(IsEnable + 4, 4, g.Interrupts / 32 - 1), "Shared interrupts."),
        new("GICD_IPRIORITYR", VgicGroup.Distributor, 4, g => Every(0x400 + 32, 4, (g.Interrupts - 32) / 4), "Before pending, which sorts by it."),
        new("GICD_ICFGR", VgicGroup.Distributor, 4, g => Every(0xc00 + 8, 4, (g.Interrupts - 32) / 16), "Level or edge, before the latch is set."),
        new("GICD_IROUTER", VgicGroup.Distributor, 4, g => Every(0x6000 + 32 * 8, 4, (g.Interrupts - 32) * 2),
            "Before pending, which goes to the vCPU that is routed to."),
        new("GICD_ISPENDR", VgicGroup.Distributor, 4, g => Every(0x200 + 4, 4, g.Interrupts / 32 - 1), "The latch alone, as for private ones."),
        new("GICD_ISACTIVER", VgicGroup.Distributor, 4, g => Every(0x300 + 4, 4, g.Interrupts / 32 - 1), "Shared interrupts in service."),

        new("line level", VgicGroup.LevelInfo, 4, Levels, "After the latches: a level interrupt is pending by latch or by line."),

        new("ICC_SRE_EL1", VgicGroup.CpuSystemRegisters, 8, g => PerVcpu(g, Sys(0, 12, 12, 5)), "EINVAL without its bit SRE, and nothing of it is stored: refused before the rest."),
        new("ICC_CTLR_EL1", VgicGroup.CpuSystemRegisters, 8, g => PerVcpu(g, Sys(0, 12, 12, 4)),
            "Its priority bits decide how many active-priority registers there are (vgic_v3_max_apr_idx)."),
        new("ICC_PMR_EL1", VgicGroup.CpuSystemRegisters, 8, g => PerVcpu(g, Sys(0, 4, 6, 0)), "CPU interface: last, with its control known."),
        new("ICC_BPR0_EL1", VgicGroup.CpuSystemRegisters, 8, g => PerVcpu(g, Sys(0, 12, 8, 3)), "CPU interface."),
        new("ICC_BPR1_EL1", VgicGroup.CpuSystemRegisters, 8, g => PerVcpu(g, Sys(0, 12, 12, 3)), "CPU interface; ignored while CBPR is set, so after ICC_CTLR_EL1."),
        new("ICC_AP0R_EL1", VgicGroup.CpuSystemRegisters, 8, g => PerVcpu(g, [.. Enumerable.Range(4, 4).Select(n => Sys(0, 12, 8, n))]), "Active priorities.")
        {
            AbsentWhen = [KvmErrno.EINVAL],
        },
        new("ICC_AP1R_EL1", VgicGroup.CpuSystemRegisters, 8, g => PerVcpu(g, [.. Enumerable.Range(0, 4).Select(n => Sys(0, 12, 9, n))]), "Active priorities.")
        {
            AbsentWhen = [KvmErrno.EINVAL],
        },
        new("ICH_*_EL2", VgicGroup.CpuSystemRegisters, 8, Hypervisor, "The hypervisor control of a guest with EL2; no register of the vCPU's own list.")
        {
            // As ICC_AP*R: how many there are is a matter of the host's priority bits (vgic-sys-reg-v3.c get_gic_ich_apr).
            AbsentWhen = [KvmErrno.EINVAL],
        },
        new("ICC_IGRPEN0_EL1", VgicGroup.CpuSystemRegisters, 8, g => PerVcpu(g, Sys(0, 12, 12, 6)), "Group enables after everything that they let through."),
        new("ICC_IGRPEN1_EL1", VgicGroup.CpuSystemRegisters, 8, g => PerVcpu(g, Sys(0, 12, 12, 7)), "Group enables after everything that they let through."),
    ];

    /// <summary>The ITS, after the redistributors and all of guest memory.</summary>
    public static IReadOnlyList<AttributeBlock> Its { get; } =
    [
        new("GITS_CBASER", VgicGroup.Its, 8, _ => [0x80], "First: writing it sets GITS_CREADR to zero.") { Unset = NeverWritten },
        new("GITS_CREADR", VgicGroup.Its, 8, _ => [0x90], "After GITS_CBASER, before GITS_CWRITER: what lies between the two is unread commands."),
        new("GITS_CWRITER", VgicGroup.Its, 8, _ => [0x88], "While the ITS is disabled, so that no command runs again."),
        new("GITS_BASER", VgicGroup.Its, 8, _ => [0x100, 0x108], "Where the device and collection tables lie."),
        new("GITS_IIDR", VgicGroup.Its, 8, _ => [0x4], "The revision of the tables' layout, before they are read."),
        new("restore tables", VgicGroup.Control, 4, _ => [VgicControl.ItsRestoreTables], "Reads devices, collections and LPIs out of guest memory.")
        {
            Use = AttributeUse.Command,
            Reads = "device, collection and interrupt tables",
        },
        new("GITS_CTLR", VgicGroup.Its, 8, _ => [0x0], "Last: enabling it runs commands.")
        {
            // vgic_its_process_commands ignores what it cannot read or does not understand.
            Reads = "command queue",
            ReadsWith = 1,
        },
    ];

    /// <summary>Commands that write tables into guest memory at the source, before the last dirty pages are collected.</summary>
    public static (uint Group, ulong Attribute) SavePendingTables => (VgicGroup.Control, VgicControl.SavePendingTables);

    /// <inheritdoc cref="SavePendingTables"/>
    public static (uint Group, ulong Attribute) SaveItsTables => (VgicGroup.Control, VgicControl.ItsSaveTables);

    private static IEnumerable<ulong> Every(ulong first, ulong step, int count) =>
        Enumerable.Range(0, Math.Max(0, count)).Select(i => first + step * (ulong)i);

    private static IEnumerable<ulong> PerVcpu(DeviceGeometry geometry, params ulong[] offsets) =>
        geometry.Vcpus.SelectMany(vcpu => offsets.Select(offset => (ulong)vcpu.Affinity << 32 | offset));

    /// <summary>32 lines each: private ones of every vCPU, then shared ones, for which any vCPU's affinity does.</summary>
    private static IEnumerable<ulong> Levels(DeviceGeometry geometry) =>
        PerVcpu(geometry, 0).Concat(Every((ulong)geometry.Vcpus[0].Affinity << 32 | 32, 32, geometry.Interrupts / 32 - 1));

    private static IEnumerable<ulong> Hypervisor(DeviceGeometry geometry) => !geometry.HasEl2 ? [] : PerVcpu(geometry,
    [
        Sys(4, 12, 9, 5), Sys(4, 12, 11, 0), Sys(4, 12, 11, 7),
        .. Enumerable.Range(0, 4).SelectMany(n => new[] { Sys(4, 12, 8, n), Sys(4, 12, 9, n) }),
        .. Enumerable.Range(0, 16).Select(n => Sys(4, 12, 12 + n / 8, n % 8)),
    ]);

    private static ulong Sys(int op1, int crn, int crm, int op2) => (ulong)(3 << 14 | op1 << 11 | crn << 7 | crm << 3 | op2);
}
