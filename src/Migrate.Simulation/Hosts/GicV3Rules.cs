using Migrate.Model.Hosts;
using Migrate.Model.Machines;

namespace Migrate.Simulation.Hosts;

/// <summary>What a GICv3 refuses of another one's state.</summary>
/// <remarks>Sources: as <see cref="GicV3State"/>. What the profile does not say is taken.</remarks>
internal static class GicV3Rules
{
    /// <summary>The attribute that KVM_SET_DEVICE_ATTR refuses, with its value; null where it takes all.</summary>
    public static string? Refused(HostProfile profile, DeviceState device)
    {
        foreach (var attribute in device.Attributes)
        {
            var value = attribute.Value.Low;
            var refused = (attribute.Group, (uint)attribute.Attribute) switch
            {
                (GicV3State.Distributor, (uint)GicV3State.Iidr) => Says(profile, GicV3State.OwnIidr) is { } own
                    && (GicV3State.WithRevision(own, GicV3State.Revision(value)) != value || Says(profile, GicV3State.TakesRevision(GicV3State.Revision(value))) is null or 0),
                (GicV3State.Distributor, (uint)GicV3State.Typer2) => Says(profile, GicV3State.OwnTyper2) is { } own && own != value,
                // PRIbits and IDbits up to the host's, SEIS and A3V as the host's.
                (GicV3State.CpuSystemRegisters, (uint)GicV3State.IccCtlr) => Says(profile, GicV3State.OwnIccCtlr) is { } own
                    && ((value >> 8 & 7) > (own >> 8 & 7) || (value >> 11 & 7) > (own >> 11 & 7) || (value >> 14 & 3) != (own >> 14 & 3)),
                _ => false,
            };
            if (refused) return $"attribute {attribute.Attribute:x} of group {attribute.Group}: 0x{value:x}";
        }
        return null;
    }

    private static ulong? Says(HostProfile profile, string name) => (ulong?)profile.Capability(name);
}
