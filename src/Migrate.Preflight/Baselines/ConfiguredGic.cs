using System.Globalization;
using Migrate.Model;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Registers;

namespace Migrate.Preflight.Baselines;

/// <summary>The GICv3 of a configuration on a host: the host's own, of the revision that the configuration asks for.</summary>
/// <remarks>Sources: as <see cref="GicV3State"/>. A revision is written through GICD_IIDR once the controller is initialised, before the first run.</remarks>
internal static class ConfiguredGic
{
    public const string Subject = "GICD_IIDR";

    /// <summary>The revision of the host's own controller; null where nobody measured it.</summary>
    public static int? OwnRevision(HostProfile host) => Answer(host, GicV3State.OwnIidr) is { } iidr ? GicV3State.Revision(iidr) : null;

    /// <summary>The highest revision that every measured host keeps, where their own differ; null where they are the same, or there is none.</summary>
    public static int? CommonRevision(IReadOnlyList<HostView> hosts)
    {
        var measured = hosts.Where(h => OwnRevision(h.Profile) is not null).Select(h => h.Profile).ToArray();
        if (measured.Select(OwnRevision).Distinct().Count() < 2) return null;
        for (var revision = GicV3State.MostRevision; revision >= 0; revision--)
            if (Array.TrueForAll(measured, h => Keeps(h, revision))) return revision;
        return null;
    }

    /// <summary>Why the host does not create it; null where it does.</summary>
    public static CreationRefusal? Refusal(HostProfile host, int? revision) => revision is not { } wanted || OwnRevision(host) is not { } own || own == wanted || Keeps(host, wanted) ? null
        : new CreationRefusal(Subject, null, Words(wanted), Words(own), 22);

    /// <summary>What of it a move compares, as a new VM has it; empty where nobody measured it.</summary>
    public static EquatableArray<DeviceState> Devices(HostProfile host, int? revision)
    {
        if (Iidr(host, revision) is not { } iidr) return [];
        List<DeviceAttribute> attributes = [Revision(iidr)];
        if (Answer(host, GicV3State.OwnTyper2) is { } typer2) attributes.Add(new(GicV3State.Distributor, GicV3State.Typer2, new RegisterValue(typer2, 4)));
        if (Answer(host, GicV3State.OwnIccCtlr) is { } control) attributes.Add(new(GicV3State.CpuSystemRegisters, GicV3State.IccCtlr, new RegisterValue(control)));
        return [new DeviceState(GicV3State.Kind, attributes.ToEquatableArray())];
    }

    /// <summary>What a VMM writes for it; empty where the host has it so.</summary>
    public static EquatableArray<DeviceState> Writes(HostProfile host, int? revision) => revision is null || revision == OwnRevision(host) || Iidr(host, revision) is not { } iidr ? []
        : [new DeviceState(GicV3State.Kind, [Revision(iidr)])];

    public static string Words(int revision) => string.Create(CultureInfo.InvariantCulture, $"revision {revision}");

    private static DeviceAttribute Revision(ulong iidr) => new(GicV3State.Distributor, GicV3State.Iidr, new RegisterValue(iidr, 4));

    private static ulong? Iidr(HostProfile host, int? revision) => Answer(host, GicV3State.OwnIidr) is not { } own ? null
        : revision is { } wanted ? GicV3State.WithRevision(own, wanted) : own;

    private static bool Keeps(HostProfile host, int revision) => host.Capability(GicV3State.TakesRevision(revision)) == GicV3State.Kept;

    private static ulong? Answer(HostProfile host, string capability) => (ulong?)host.Capability(capability);
}
