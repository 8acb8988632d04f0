using System.Globalization;
using Migrate.Model;
using Migrate.Model.Firmware;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;

namespace Migrate.Preflight.Baselines;

/// <summary>A configuration as QEMU's options for machine virt and CPU model host.</summary>
/// <remarks>Source: QEMU docs/system/arm/cpu-features.rst and virt.rst, target/arm/kvm.c (kvm-psci-version), hw/arm/virt.c <c>virt_kvm_type</c>.</remarks>
public static class QemuOptions
{
    /// <summary>CPU properties that switch a vCPU feature.</summary>
    private static readonly (VcpuFeatures Feature, string Property)[] Switches =
        [(VcpuFeatures.PmuV3, "pmu"), (VcpuFeatures.Sve, "sve"), (VcpuFeatures.PointerAuthentication, "pauth")];

    /// <summary>The options in one line.</summary>
    public static Expression Of(VmConfig config)
    {
        var cpu = new List<string> { "host" };
        var missing = new List<string>();
        foreach (var (feature, property) in Switches)
        {
            var on = config.Features.Has(feature);
            // A host without it knows no property to switch on or off what it does not have; "off" is taken everywhere.
            if (on || feature == VcpuFeatures.PmuV3) cpu.Add($"{property}={(on ? "on" : "off")}");
            else missing.Add($"{property} is off in the baseline: add {property}=off on hosts whose CPU has it, others do not know the property");
        }
        if (config.Features.Has(VcpuFeatures.El1Is32Bit)) cpu.Add("aarch64=off");
        foreach (var setting in config.Settings)
        {
            if (setting.Id == FirmwareRegisters.PsciVersion && PsciVersion.TryFromRegister(setting.Value.Low, out var version)) cpu.Add($"kvm-psci-version={version}");
            else if (setting.Id == KnownRegisters.SveLengths) cpu.Add(LongestVector(setting.Value));
            else missing.Add($"{RegisterCatalog.Name(setting.Id)}: QEMU has no property for it and shows the guest the host's own value");
        }
        if (config.GicRevision is { } revision) missing.Add($"GICD_IIDR: QEMU gives the guest the host's own revision of the interrupt controller, where the baseline has {revision}");
        if (config.Type.Raw != 0) missing.Add($"IPA size {config.Type.IpaBits}: QEMU derives it from the memory map; one of 40 bits moves as well where every host has that size");
        if (config.CounterFrequency != 0) missing.Add("counter frequency: QEMU does not compare it");
        var machine = new List<string> { "virt" };
        if (config.Gic == GicKind.GicV3) machine.Add("gic-version=3");
        else if (config.Gic == GicKind.GicV2) machine.Add("gic-version=2");
        if (config.Features.Has(VcpuFeatures.El2)) machine.Add("virtualization=on");
        return new Expression($"-accel kvm -machine {string.Join(',', machine)} -cpu {string.Join(',', cpu)}", missing.ToEquatableArray());
    }

    /// <summary>sve256=on: the longest vector; shorter ones follow.</summary>
    private static string LongestVector(RegisterValue lengths)
    {
        var bytes = lengths.ToArray();
        var longest = 0;
        for (var bit = 0; bit < bytes.Length * 8; bit++)
            if ((bytes[bit / 8] >> (bit % 8) & 1) != 0) longest = bit + 1;
        return string.Create(CultureInfo.InvariantCulture, $"sve{longest * 128}=on");
    }
}
