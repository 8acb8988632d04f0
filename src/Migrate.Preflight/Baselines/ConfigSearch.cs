using Migrate.Model;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;

namespace Migrate.Preflight.Baselines;

/// <summary>What a search came to: a configuration that serves every ordered pair, or the failures that no choice removes.</summary>
/// <param name="Config">The configuration; the best one that was found where there are failures.</param>
/// <param name="Verdict">Of all pairs.</param>
/// <param name="Failures">Empty where the configuration serves every pair.</param>
internal sealed record ConfigFound(VmConfig Config, Verdict Verdict, IReadOnlyList<PairFailure> Failures);

/// <summary>Finds the richest configuration of one set of features that serves every ordered pair of some hosts.</summary>
/// <remarks>
/// Every register starts as each host has it. Where hosts differ, or the planner objects to one, it is set field by field to the best value that all of them
/// take and keep, and lowered until the planner is content. In the end every pair is planned with the whole state.
/// </remarks>
internal sealed class ConfigSearch(IReadOnlyList<HostView> hosts, PlanOptions options)
{
    /// <summary>A register may depend on one that is chosen before it: the next round sees it. More links than this no chain of couplings has.</summary>
    private const int Rounds = 4;

    private readonly PairTrials _trials = new(hosts, options);
    private readonly int? _gicRevision = ConfiguredGic.CommonRevision(hosts);
    private readonly Dictionary<RegisterId, RegisterSetting> _settings = [];

    /// <summary>Runs the search.</summary>
    public ConfigFound Run()
    {
        var failures = _trials.Failures(Config(), out var verdict);
        for (var round = 0; round < Rounds; round++)
        {
            var stopped = failures.Select(f => f.Register).OfType<RegisterId>().Where(ConfigRegisters.Contains).ToHashSet();
            if (round > 0 && failures.Count == 0) break;
            var changed = false;
            foreach (var id in stopped.Union(round == 0 ? Differing() : []).OrderBy(ConfigRegisters.Order))
            {
                changed |= Choose(id, stopped.Contains(id), out var isHopeless);
                // One register that nothing helps is the proof; the others need not be looked at.
                if (isHopeless && _trials.Failures(Config(), out verdict).Where(f => f.Register == id).ToArray() is { Length: > 0 } proof)
                    return new ConfigFound(Config(), verdict, proof);
            }
            if (!changed) break;
            failures = _trials.Failures(Config(), out verdict);
        }
        Raise(ref failures, ref verdict);
        return new ConfigFound(Config(), verdict, failures);
    }

    /// <summary>What the configuration fixes for the hosts of this set, settings apart.</summary>
    private VmConfig Config() => new()
    {
        Type = AddressSize(hosts),
        Features = hosts[0].Index.Shape.Features,
        Gic = hosts[0].Default.Vm.Gic.Kind,
        GicRevision = hosts[0].Default.Vm.Gic.Kind == GicKind.GicV3 ? _gicRevision : null,
        Settings = _settings.Values.OrderBy(s => ConfigRegisters.Order(s.Id)).ToEquatableArray(),
        Expected = Promises(),
        CounterFrequency = hosts.Select(h => h.Profile.CounterFrequency).Where(f => f != 0).Distinct().Take(2).ToArray() is [var one] ? one : 0,
        Evidence = hosts.Select(h => PlanContext.Weaker(h.Profile.Evidence, h.Index.Shape.Evidence)).Min(),
    };

    /// <summary>The largest size that every host has. A host that does not tell has the kernel's default of 40 bits, if any.</summary>
    public static VmType AddressSize(IReadOnlyList<HostView> hosts)
    {
        var usual = new VmType(0);
        HashSet<int>? common = null;
        foreach (var host in hosts)
        {
            var sizes = host.Profile.IpaSizes.Count > 0 ? host.Profile.IpaSizes.AsEnumerable() : [usual.IpaBits];
            if (common is null) common = [.. sizes];
            else common.IntersectWith(sizes);
        }
        return common is not { Count: > 0 } || common.Max() == usual.IpaBits ? usual : new VmType((ulong)common.Max());
    }

    /// <summary>Levels that every host that lists them has by itself: a write to such a register is checked and not stored.</summary>
    private EquatableArray<Register> Promises() => hosts[0].Own.Where(r => r.Id.Class == RegisterClass.Firmware
        && hosts.All(h => h.Index.Find(r.Id) is not { } there || (there.Stored is { Keep: 0, Volatile: false } && there.Reset == r.Value)))
        .OrderBy(r => r.Id).ToEquatableArray();

    private IEnumerable<RegisterId> Differing()
    {
        var values = new Dictionary<RegisterId, RegisterValue>();
        foreach (var host in hosts)
            foreach (var (id, value) in host.Own)
                if (ConfigRegisters.Contains(id) && !values.TryAdd(id, value) && values[id] != value) yield return id;
    }

    /// <summary>Chooses the bits of one register; true where that changed the configuration.</summary>
    /// <param name="id">Which register.</param>
    /// <param name="isStopped">Whether the planner objects to it as the hosts have it.</param>
    /// <param name="isHopeless">Whether it goes on to object whatever is chosen, here and in any other register.</param>
    private bool Choose(RegisterId id, bool isStopped, out bool isHopeless)
    {
        isHopeless = false;
        var before = _settings.TryGetValue(id, out var old) ? old : (RegisterSetting?)null;
        _settings.Remove(id);
        var sides = Sides(hosts, Config(), id);
        if (sides.Count == 0) return before is not null;
        var components = RegisterDomain.Of(id, sides).Where(c => c.Candidates.Count > 0 && (c.Bits & ConfigRegisters.Bits(id)) != 0).ToArray();
        var chosen = components.Select(c => c.Candidates[0]).ToArray();
        var least = Set(id, sides, components, chosen);
        for (var i = 0; least > 0 && i < components.Length; i++)
        {
            var best = chosen[i];
            foreach (var candidate in components[i].Candidates.Skip(1))
            {
                chosen[i] = candidate;
                var count = Set(id, sides, components, chosen);
                if (count >= least) continue;
                (least, best) = (count, candidate);
            }
            chosen[i] = best;
        }
        Set(id, sides, components, chosen, count: false);
        // A register that nobody objects to stays as the hosts have it where no common value pleases the planner.
        if (!isStopped && least > 0) _settings.Remove(id);
        isHopeless = isStopped && least > 0 && hosts.All(h => h.Index.Find(id) is null or { When.Count: 0 });
        return before != (_settings.TryGetValue(id, out var now) ? now : null);
    }

    /// <summary>Puts a choice into the configuration, only what some host does not have by itself, and counts what stands against it.</summary>
    private int Set(RegisterId id, List<HostSide> sides, Component[] components, RegisterValue[] chosen, bool count = true)
    {
        var (mask, value) = (0UL, new RegisterValue(new byte[id.Size]));
        for (var i = 0; i < components.Length; i++)
        {
            var bits = components[i].Bits;
            if (bits == ulong.MaxValue)
            {
                if (sides.All(s => s.Own == chosen[i])) continue;
                (mask, value) = (bits, chosen[i]);
            }
            else if (sides.Any(s => (s.Own.Low & bits) != chosen[i].Low))
            {
                mask |= bits;
                value = new RegisterValue(value.Low | chosen[i].Low, id.Size);
            }
        }
        if (mask == 0) _settings.Remove(id);
        else _settings[id] = new RegisterSetting(id, value, mask);
        return count ? _trials.Obstacles(Config(), id) : 0;
    }

    /// <summary>The hosts that have a register in the VM of a configuration, with what they take and keep there.</summary>
    public static List<HostSide> Sides(IReadOnlyList<HostView> hosts, VmConfig config, RegisterId id)
    {
        var sides = new List<HostSide>();
        foreach (var host in hosts)
        {
            var values = new CreatedValues(host.Create(config, out _)?.Vcpus[0].Registers ?? host.Own);
            if (host.InForce(id, values) is { } force && host.Own.TryGet(id, out var own)) sides.Add(new HostSide(host, own, force.Accepts, force.Stored));
        }
        return sides;
    }

    /// <summary>Gives back what a host has richer by itself and no pair objects to: then no single field can be raised.</summary>
    private void Raise(ref IReadOnlyList<PairFailure> failures, ref Verdict verdict)
    {
        if (failures.Count > 0) return;
        foreach (var setting in _settings.Values.OrderBy(s => ConfigRegisters.Order(s.Id)).ToArray())
        {
            foreach (var loss in Losses.Of(setting, hosts).Where(l => l.IsRicher).OrderBy(l => l.Mask).ThenByDescending(l => l.Own.Low))
            {
                var raised = loss.Raise(_settings[setting.Id]);
                if (raised == _settings[setting.Id]) continue;
                var kept = _settings[setting.Id];
                _settings[setting.Id] = raised;
                if (_trials.Failures(Config(), out var now, firstOnly: true).Count == 0) verdict = now;
                else _settings[setting.Id] = kept;
            }
        }
    }
}
