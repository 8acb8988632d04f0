using System.Globalization;
using System.Text;
using System.Text.Json;
using Migrate.Model;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;

namespace Migrate.Preflight.Baselines;

/// <summary>A configuration as a Firecracker custom CPU template for aarch64.</summary>
/// <remarks>
/// Source: Firecracker docs/cpu_templates/cpu-templates.md and schema.json. A bitmap has a character a bit, highest first: 0, 1, or x for what stays as the host
/// has it. Capability numbers: include/uapi/linux/kvm.h KVM_CAP_*; they are checked before the VM is made.
/// </remarks>
public static class FirecrackerTemplate
{
    /// <summary>Bits of features[0] that a template decides: all but power_off, which Firecracker gives to every vCPU but the first.</summary>
    private const int FeatureBits = 9;

    private static readonly (VcpuFeatures Feature, int Capability)[] Capabilities =
    [
        (VcpuFeatures.El1Is32Bit, 105), (VcpuFeatures.PmuV3, 126), (VcpuFeatures.Sve, 170),
        (VcpuFeatures.PointerAuthentication, 171), (VcpuFeatures.PointerAuthentication, 172),
    ];

    /// <summary>The template as indented JSON.</summary>
    public static Expression Of(VmConfig config)
    {
        var missing = new List<string>();
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteStartArray("kvm_capabilities");
            foreach (var (feature, capability) in Capabilities)
                if (config.Features.Has(feature)) json.WriteStringValue(capability.ToString(CultureInfo.InvariantCulture));
            json.WriteEndArray();
            json.WriteStartArray("vcpu_features");
            json.WriteStartObject();
            json.WriteNumber("index", 0);
            json.WriteString("bitmap", Bitmap(config.Features.Bits, ~VcpuFeatures.PowerOff.Bits, FeatureBits));
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteStartArray("reg_modifiers");
            foreach (var setting in config.Settings)
            {
                if (setting.Value.Size is not (4 or 8))
                {
                    missing.Add($"{RegisterCatalog.Name(setting.Id)}: a register of {setting.Value.Size} bytes has no place in a template");
                    continue;
                }
                json.WriteStartObject();
                json.WriteString("addr", string.Create(CultureInfo.InvariantCulture, $"0x{setting.Id.Value:x}"));
                json.WriteString("bitmap", Bitmap(setting.Value.Low, setting.Mask, setting.Value.Size * 8));
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        if (config.GicRevision is { } revision) missing.Add($"GICD_IIDR: Firecracker gives the guest the host's own revision of the interrupt controller, where the baseline has {revision}");
        if (config.Type.Raw != 0) missing.Add($"IPA size {config.Type.IpaBits}: Firecracker creates VMs of KVM's default of 40 bits, which move as well where every host has that size");
        if (config.Expected.Count > 0) missing.Add("workaround levels: Firecracker does not compare them");
        if (config.CounterFrequency != 0) missing.Add("counter frequency: Firecracker does not compare it");
        if (config.Settings.Any(s => s.Id.Class is RegisterClass.FirmwareBitmap or RegisterClass.Demux))
            missing.Add("registers that not every kernel lists (hypercall bitmaps, CCSIDR): Firecracker fails on a host without one; leave it out of that host's template");
        return new Expression(Encoding.UTF8.GetString(buffer.ToArray()), missing.ToEquatableArray());
    }

    private static string Bitmap(ulong value, ulong mask, int bits)
    {
        var text = new StringBuilder("0b", bits + 2);
        for (var bit = bits - 1; bit >= 0; bit--) text.Append((mask >> bit & 1) == 0 ? 'x' : (value >> bit & 1) == 0 ? '0' : '1');
        return text.ToString();
    }
}
