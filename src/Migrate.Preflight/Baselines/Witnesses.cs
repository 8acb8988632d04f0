using Migrate.Model;
using Migrate.Model.Machines;
using Migrate.Model.Plans;

namespace Migrate.Preflight.Baselines;

/// <summary>What a configuration takes from each host, each with a pair that fails where that alone is kept.</summary>
internal sealed class Witnesses(IReadOnlyList<HostView> hosts, IReadOnlyList<HostGroup> groups, PlanOptions options)
{
    private readonly PairTrials _trials = new(hosts, options);

    /// <summary>Address size and interrupt controller first, then register by register. What a host gains is not listed.</summary>
    public IEnumerable<GivenUp> Of(VmConfig config) => AddressSize(config).Concat(GicRevision(config)).Concat(config.Settings.SelectMany(s => Of(config, s)));

    private IEnumerable<GivenUp> AddressSize(VmConfig config)
    {
        foreach (var sizes in groups.Where(g => g.Host.Profile.IpaSizes.Count > 0).GroupBy(g => g.Host.Profile.IpaSizes.Max()).OrderBy(g => g.Key))
        {
            if (sizes.Key <= config.Type.IpaBits) continue;
            if (Fails(config with { Type = new VmType((ulong)sizes.Key) }) is { } witness)
                yield return new GivenUp(Names(sizes), "IPA size", $"{sizes.Key} bits", $"{config.Type.IpaBits} bits", null, witness);
        }
    }

    private IEnumerable<GivenUp> GicRevision(VmConfig config)
    {
        if (config.GicRevision is not { } revision) yield break;
        foreach (var own in groups.GroupBy(g => ConfiguredGic.OwnRevision(g.Host.Profile)).OrderBy(g => g.Key))
        {
            if (own.Key is not { } higher || higher <= revision) continue;
            if (Fails(config with { GicRevision = higher }) is { } witness)
                yield return new GivenUp(Names(own), ConfiguredGic.Subject, ConfiguredGic.Words(higher), ConfiguredGic.Words(revision), null, witness);
        }
    }

    private IEnumerable<GivenUp> Of(VmConfig config, RegisterSetting setting)
    {
        var losses = hosts.Zip(groups).SelectMany(h => Losses.Of(setting, h.First).Select(loss => (Loss: loss, Group: h.Second)));
        foreach (var same in losses.GroupBy(l => (l.Loss.Subject, l.Loss.OwnWords, l.Loss.BaselineWords)))
        {
            var raised = same.First().Loss.Raise(setting);
            var other = config with { Settings = config.Settings.Select(s => s.Id == setting.Id ? raised : s).ToEquatableArray() };
            if (Fails(other) is { } witness)
                yield return new GivenUp(Names(same.Select(l => l.Group)), same.Key.Subject, same.Key.OwnWords, same.Key.BaselineWords, raised, witness);
        }
    }

    private Witness? Fails(VmConfig config)
    {
        var failures = _trials.Failures(config, out _, firstOnly: true);
        return (failures.FirstOrDefault(f => f.Finding is not null) ?? failures.FirstOrDefault()) is { } failure
            ? new Witness(failure.Source.Name, failure.Destination.Name, failure.Words) : null;
    }

    private static EquatableArray<string> Names(IEnumerable<HostGroup> groups) =>
        groups.SelectMany(g => g.Names).Order(StringComparer.Ordinal).ToEquatableArray();
}
