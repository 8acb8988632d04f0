using System.Numerics;
using Migrate.Model.Firmware;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Registers;

namespace Migrate.Model.Foreign;

/// <summary>Firmware pseudo-registers.</summary>
internal static class FirmwareRules
{
    private static readonly RegisterId Pfr1 = RegisterKinds.Id("ID_AA64PFR1_EL1");

    private const int Ssbs = 4;
    private const ulong NotRequired = 3;

    private static readonly PsciVersion[] WithFeature = [new(0, 2), new(1, 0), new(1, 1), new(1, 2), new(1, 3)];

    /// <summary>PSCI 0.2 and 1.0; 0.1 alone without the feature.</summary>
    /// <remarks>arch/arm64/kvm/psci.c <c>kvm_arm_set_fw_reg</c> (5.10).</remarks>
    public static RegisterAcceptance PsciUpTo10(AssumedHost host, RegisterId id, RegisterValue reset) => Psci(host, id, reset, 2);

    /// <summary>1.1 as well.</summary>
    /// <remarks>arch/arm64/kvm/hypercalls.c <c>kvm_arm_set_fw_reg</c>; include/kvm/arm_psci.h <c>KVM_ARM_PSCI_LATEST</c>.</remarks>
    public static RegisterAcceptance PsciUpTo11(AssumedHost host, RegisterId id, RegisterValue reset) => Psci(host, id, reset, 3);

    /// <summary>1.2 and 1.3 as well.</summary>
    public static RegisterAcceptance PsciUpTo13(AssumedHost host, RegisterId id, RegisterValue reset) => Psci(host, id, reset, 5);

    /// <summary>Levels up to the host's; nothing is stored, the host's level is what the guest sees.</summary>
    /// <remarks>arch/arm64/kvm/hypercalls.c <c>kvm_arm_set_fw_reg</c>, <c>get_kernel_wa_level</c>.</remarks>
    public static RegisterAcceptance Workaround(AssumedHost host, RegisterId id, RegisterValue reset)
    {
        var levels = new List<RegisterValue>();
        for (var level = 0UL; level <= Math.Min(reset.Low, 2); level++) levels.Add(new RegisterValue(level));
        return Ignored(id, reset, [.. levels]);
    }

    /// <summary>The level of Spectre v4 as the host alone decides it.</summary>
    /// <remarks>As <see cref="Workaround"/>; the values of WORKAROUND_2 stand for two levels only, 0 (not available, unknown) and 3 (available, not required).</remarks>
    public static RegisterAcceptance Workaround2OfHost(AssumedHost host, RegisterId id, RegisterValue reset) => Ignored(id, reset, Level2(reset.Low));

    /// <summary>The level of Spectre v4 as the host and the VM's SSBS decide it.</summary>
    /// <remarks>
    /// arch/arm64/kvm/hypercalls.c <c>get_kernel_wa_level</c>: a mitigating host has level 0 while the VM has SSBS and 3 otherwise. A capture with SSBS and level 0
    /// does not tell a mitigating host from a vulnerable one, so without SSBS nothing is known.
    /// </remarks>
    public static RegisterAcceptance Workaround2OfVm(AssumedHost host, RegisterId id, RegisterValue reset)
    {
        var assumed = Workaround2OfHost(host, id, reset);
        if (reset.Low >= NotRequired || (host.Value(Pfr1) >> Ssbs & 15) == 0) return assumed;
        return assumed with { When = [new Conditional(Pfr1, Ssbs, 4, 1, Acceptance.Unproven, StoredAs.Unchanged)] };
    }

    /// <summary>Any of the services that the host offers.</summary>
    /// <remarks>
    /// arch/arm64/kvm/hypercalls.c <c>kvm_arm_set_fw_reg_bmap</c>. A new VM has them all, but for KVM_REG_ARM_VENDOR_HYP_BMAP_2 that starts empty and offers what
    /// has a name.
    /// </remarks>
    public static RegisterAcceptance Bitmap(AssumedHost host, RegisterId id, RegisterValue reset)
    {
        var offered = reset.Low;
        if (id == FirmwareRegisters.VendorHypervisor2.Id)
            foreach (var service in FirmwareRegisters.VendorHypervisor2.Services) offered |= 1UL << service.Bit;
        var fields = new List<FieldAcceptance>();
        for (var rest = offered; rest != 0; rest &= rest - 1) fields.Add(new FieldAcceptance(BitOperations.TrailingZeroCount(rest), 1, 0b11));
        return new RegisterAcceptance { Id = id, Scope = RegisterScope.Vm, FrozenAfterRun = true, Reset = reset, Accepts = Acceptance.PerField(0, fields) };
    }

    private static RegisterAcceptance Psci(AssumedHost host, RegisterId id, RegisterValue reset, int versions)
    {
        ReadOnlySpan<PsciVersion> offered = host.Features.Has(VcpuFeatures.Psci02) ? WithFeature.AsSpan(0, versions) : [new PsciVersion(0, 1)];
        var values = new RegisterValue[offered.Length];
        for (var i = 0; i < values.Length; i++) values[i] = new RegisterValue(offered[i].ToRegister());
        return new RegisterAcceptance { Id = id, Scope = RegisterScope.Vm, Reset = reset, Accepts = Acceptance.OneOf(values) };
    }

    private static RegisterValue[] Level2(ulong level) =>
        level < NotRequired ? [new(0), new(1)] : [new(0), new(1), new(2), new(2 | WorkaroundLevel.Enabled), new(3)];

    private static RegisterAcceptance Ignored(RegisterId id, RegisterValue reset, RegisterValue[] accepted) => new()
    {
        Id = id,
        Scope = RegisterScope.Vm,
        Reset = reset,
        Accepts = Acceptance.OneOf(accepted),
        Stored = StoredAs.Always(reset.Low),
    };
}
