using System.Numerics;
using Migrate.Model;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Migrate.Preflight.Registers;

namespace Migrate.Preflight.Baselines;

/// <summary>Hosts with one profile: what serves one serves all.</summary>
/// <param name="Host">The first of them by name.</param>
/// <param name="Names">All names, in order.</param>
internal sealed record HostGroup(BaselineHost Host, IReadOnlyList<string> Names);

/// <summary>Whether some hosts can share a pool: their features from the richest down, until a configuration serves every pair.</summary>
internal sealed class PoolTrial
{
    private static readonly VcpuFeatures OnlyByName = VcpuFeatures.El1Is32Bit | VcpuFeatures.El2 | VcpuFeatures.El2E2h0;

    private readonly IReadOnlyList<HostGroup> _groups;
    private readonly PlanOptions _options;
    private int? _poverty;
    private readonly List<(IReadOnlyList<HostView> Hosts, ConfigFound Found)> _tried = [];

    public PoolTrial(IReadOnlyList<HostGroup> groups, VcpuFeatures? features, PlanOptions options)
    {
        (_groups, _options) = (groups, options);
        foreach (var candidate in features is { } asked ? [asked.Shape] : Candidates())
        {
            var views = groups.Select(g => HostView.Of(g.Host, candidate, GicKind.GicV3)).OfType<HostView>().ToArray();
            if (views.Length < groups.Count) continue;
            _tried.Add((views, new ConfigSearch(views, options).Run()));
            if (IsServed) break;
        }
        AskedFeatures = features?.Shape;
    }

    private PoolTrial(PoolTrial smaller, HostGroup group, IReadOnlyList<HostView> views, ConfigFound found)
    {
        (_groups, _options, AskedFeatures) = ([.. smaller._groups, group], smaller._options, smaller.AskedFeatures);
        _tried.Add((views, found));
    }

    /// <summary>Whether a configuration serves every pair.</summary>
    public bool IsServed => _tried.Count > 0 && _tried[^1].Found.Failures.Count == 0;

    private VcpuFeatures? AskedFeatures { get; }

    /// <summary>
    /// The pool with one more host, where its configuration serves that host as well: no richer one can serve both. Null where another has to be searched for.
    /// </summary>
    public PoolTrial? With(HostGroup group)
    {
        var (views, found) = _tried[^1];
        if (HostView.Of(group.Host, found.Config.Features, GicKind.GicV3) is not { } view) return null;
        if (!view.Profile.IpaSizes.Contains(found.Config.Type.IpaBits)) return null;
        if (PairTrials.Between(view, views, found.Config, _options) is not { } verdict) return null;
        var evidence = PlanContext.Weaker(PlanContext.Weaker(view.Profile.Evidence, view.Index.Shape.Evidence), found.Config.Evidence);
        return new PoolTrial(this, group, [.. views, view], found with { Config = found.Config with { Evidence = evidence }, Verdict = verdict == Verdict.Unproven ? verdict : found.Verdict });
    }

    /// <summary>How many fields its hosts have richer than the configuration: what tells two divisions into equally many pools apart. Only where <see cref="IsServed"/>.</summary>
    public int Poverty => _poverty ??= _tried[^1] is var (views, found) ? views.Zip(_groups).Sum(h => h.Second.Names.Count
        * (BitOperations.PopCount(DefaultMachine.FeaturesOf(h.Second.Host.Profile).Except(found.Config.Features).Bits)
            + found.Config.Settings.AsEnumerable().Sum(s => Losses.Of(s, h.First).Count(l => l.IsRicher)))) : 0;

    /// <summary>The pool with what its hosts give up; only where <see cref="IsServed"/>.</summary>
    public BaselinePool Pool()
    {
        var (views, found) = _tried[^1];
        var names = _groups.SelectMany(g => g.Names).Order(StringComparer.Ordinal).ToEquatableArray();
        var config = found.Config with { Name = $"baseline of {names.Count} host{(names.Count == 1 ? "" : "s")}" };
        return new BaselinePool
        {
            Hosts = names,
            Config = config,
            Qemu = QemuOptions.Of(config),
            Verdict = found.Verdict,
            Pairs = views.Count * views.Count,
            GivenUp = FeaturesGivenUp(found.Config).Concat(new Witnesses(views, _groups, _options).Of(found.Config)).ToEquatableArray(),
        };
    }

    /// <summary>Why there is none: an obstacle for each set of features that all hosts create.</summary>
    public IEnumerable<BaselineProof> Proofs()
    {
        if (_tried.Count == 0)
        {
            yield return NoFeatures();
            yield break;
        }
        foreach (var (views, found) in _tried) yield return Proof(views, found);
    }

    private BaselineProof NoFeatures() => new()
    {
        Hosts = Names(),
        Features = AskedFeatures,
        Subject = "vCPU features",
        Witness = new Witness(_groups[0].Host.Name, _groups[^1].Host.Name, "no set of features is known that all of them create"),
        Holdings = _groups.Select(g => new Holding(g.Host.Name,
            string.Join("; ", g.Host.Profile.Shapes.Where(s => s.Errno == 0).Select(s => s.Features).Distinct().Select(f => f.ToString())))).ToEquatableArray(),
        Evidence = _groups.Select(g => g.Host.Profile.Evidence).Min(),
    };

    private BaselineProof Proof(IReadOnlyList<HostView> views, ConfigFound found)
    {
        var first = found.Failures.OrderByDescending(f => f.Source != f.Destination).ThenByDescending(f => f.Finding?.Severity)
            .ThenByDescending(f => f.Register is { } id && KnownRegisters.IsFeatureBlock(id))
            .ThenBy(f => f.Subject, StringComparer.Ordinal).ThenBy(f => f.Source.Name, StringComparer.Ordinal).ThenBy(f => f.Destination.Name, StringComparer.Ordinal).First();
        var subject = first.Subject;
        var holdings = first.Register is { } register ? Holdings(views, found.Config, register, ref subject)
            : first.Finding is { } finding ? [new Holding(first.Source.Name, finding.Here), new Holding(first.Destination.Name, finding.There)] : [];
        return new BaselineProof
        {
            Hosts = Names(),
            Features = found.Config.Features,
            Subject = subject,
            Register = first.Register,
            Witness = new Witness(first.Source.Name, first.Destination.Name, first.Words),
            Holdings = holdings,
            Evidence = found.Config.Evidence,
        };
    }

    /// <summary>What each host can hold in the field at fault: the part of the register for which no common value exists.</summary>
    private static EquatableArray<Holding> Holdings(IReadOnlyList<HostView> views, VmConfig config, RegisterId id, ref string subject)
    {
        var sides = ConfigSearch.Sides(views, config, id);
        var absent = views.Where(v => sides.All(s => s.Host != v)).Select(v => new Holding(v.Name, "no such register"));
        var found = subject;
        var open = sides.Count == 0 ? [] : RegisterDomain.Of(id, sides).Where(c => c.Candidates.Count == 0).Select(c => (c.Bits, Name: Name(id, c.Bits))).ToArray();
        if (open.Length == 0) return sides.Select(s => new Holding(s.Host.Name, RegisterText.Describe(id, s.Own))).Concat(absent).ToEquatableArray();
        var at = open.FirstOrDefault(o => o.Name == found, open[0]);
        subject = at.Name;
        return sides.Select(s => new Holding(s.Host.Name, Held(id, s, at.Bits))).Concat(absent).ToEquatableArray();
    }

    /// <summary>As findings name a field.</summary>
    private static string Name(RegisterId id, ulong bits) => RegisterText.Differences(id, new RegisterValue(new byte[id.Size]), new RegisterValue(bits == ulong.MaxValue ? 1 : bits, id.Size)) is [var only]
        && bits != ulong.MaxValue ? only.Where : RegisterCatalog.Name(id);

    private static string Held(RegisterId id, HostSide side, ulong bits)
    {
        var (shift, width) = (BitOperations.TrailingZeroCount(bits), BitOperations.PopCount(bits));
        if (bits == ulong.MaxValue || width > 16) return $"only {RegisterText.Describe(id, side.Own)}";
        var values = Enumerable.Range(0, 1 << width).Select(v => (ulong)v).Where(v => side.Keeps(bits, v << shift)).ToArray();
        return values.Length == 1 ? $"only {RegisterWords.Number(values[0])}" : RegisterWords.Numbers(values);
    }

    /// <summary>What a host would give a VM by default and the configuration does not: another host refuses it, or with it no configuration serves every pair.</summary>
    private IEnumerable<GivenUp> FeaturesGivenUp(VmConfig config)
    {
        if (AskedFeatures is not null) yield break;
        var richest = _groups.Select(g => (Group: g, Missing: DefaultMachine.FeaturesOf(g.Host.Profile).Except(config.Features))).ToArray();
        var missing = new VcpuFeatures(richest.Aggregate(0UL, (bits, r) => bits | r.Missing.Bits));
        for (var rest = missing; rest.Bits != 0;)
        {
            var one = new VcpuFeatures(rest.Bits & ~(rest.Bits - 1));
            if (VcpuFeatures.PointerAuthentication.Has(one)) one = VcpuFeatures.PointerAuthentication;
            rest = rest.Except(one);
            var owners = richest.Where(r => r.Missing.Has(one)).Select(r => r.Group).ToArray();
            if (owners.Length == 0) continue;
            yield return new GivenUp(owners.SelectMany(o => o.Names).Order(StringComparer.Ordinal).ToEquatableArray(),
                "vCPU features", one.ToString(), "off", null, WithFeature(owners[0], config.Features | one));
        }
    }

    private Witness WithFeature(HostGroup owner, VcpuFeatures features)
    {
        foreach (var group in _groups)
        {
            var shape = group.Host.Profile.Shape(features, GicKind.GicV3);
            if (shape is { Errno: 0 }) continue;
            return new Witness(owner.Host.Name, group.Host.Name, shape is null ? $"not measured with {features}"
                : $"refuses {features} with {RegisterWords.Errno(shape.Errno)}{(shape.RefusedAt.Length > 0 ? " at " + shape.RefusedAt : "")}");
        }
        var proof = _tried.Where(t => t.Found.Config.Features == features && t.Found.Failures.Count > 0).Select(t => Proof(t.Hosts, t.Found)).First();
        return proof.Witness with { Reason = $"{proof.Witness.Reason}; no configuration with {features} serves every pair" };
    }

    /// <summary>Features with which every host was seen to create a VM, most first.</summary>
    private IEnumerable<VcpuFeatures> Candidates()
    {
        HashSet<VcpuFeatures>? common = null;
        foreach (var group in _groups)
        {
            var created = group.Host.Profile.Shapes.Where(s => s.Errno == 0 && (s.Features.Bits & OnlyByName.Bits) == 0).Select(s => s.Features);
            if (common is null) common = [.. created];
            else common.IntersectWith(created);
        }
        return (common ?? []).OrderByDescending(f => BitOperations.PopCount(f.Bits)).ThenByDescending(f => f.Bits);
    }

    private EquatableArray<string> Names() => _groups.Select(g => g.Host.Name).ToEquatableArray();
}
