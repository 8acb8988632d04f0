using Migrate.Model.Plans;

namespace Migrate.Model.Encoding.Definitions;

/// <summary>The baseline of a set of hosts.</summary>
internal static class Baselines
{
    private const int MaxHosts = 1024;
    private const int MaxGivenUp = 1 << 14;
    private const int MaxProofs = 1 << 20;

    private static readonly Shape<string> Name = Shapes.TextUpTo(256);

    private static readonly Shape<EquatableArray<string>> Names = Shapes.List(Name, MaxHosts);

    private static readonly Shape<Witness> WitnessShape = DefineWitness();

    public static Shape<BaselineReport> Report { get; } = DefineReport();

    private static Shape<BaselineReport> DefineReport()
    {
        var r = new RecordShape<BaselineReport>("BaselineReport", "One configuration for a set of hosts, or the fewest pools and why hosts cannot share one.");
        var verdict = r.Required("verdict", Shapes.Enum<Verdict>(), v => v.Verdict, "Yes: one configuration serves every ordered pair. Unproven: one, on assumptions. No: pools are needed.");
        var hosts = r.Required("hosts", Rules.Count, v => v.Hosts, "How many hosts there are.");
        var profiles = r.Required("profiles", Rules.Count, v => v.Profiles, "How many different profiles they have.");
        var exact = r.Required("fewestPools", Shapes.Boolean, v => v.IsExact, "Whether the pools are proven to be the fewest: every smaller division was excluded.");
        var pools = r.Required("pools", Shapes.List(DefinePool(), MaxHosts), v => v.Pools, "The sets within which a VM moves freely. They share no host.");
        var proofs = r.Required("proofs", Shapes.List(DefineProof(), MaxProofs), v => v.Proofs, "Why hosts cannot share a pool; empty where all do.");
        r.Rule(Problem);
        return r.Build(v => new BaselineReport
        {
            Verdict = v.Get(verdict),
            Hosts = v.Get(hosts),
            Profiles = v.Get(profiles),
            IsExact = v.Get(exact),
            Pools = v.Get(pools),
            Proofs = v.Get(proofs),
        });
    }

    private static Shape<BaselinePool> DefinePool()
    {
        var r = new RecordShape<BaselinePool>("BaselinePool", "Hosts among which a VM of one configuration moves in every direction.");
        var hosts = r.Required("hosts", Names, v => v.Hosts, "The hosts by name, in order.");
        var verdict = r.Required("verdict", Shapes.Enum<Verdict>(), v => v.Verdict, "The weakest verdict of all pairs: yes or unproven.");
        var pairs = r.Required("pairs", Rules.Count, v => v.Pairs, "How many ordered pairs of profiles were planned.");
        var config = r.Required("config", VmConfigs.Config, v => v.Config, "The richest configuration, as a vm-config document has it.");
        var qemu = r.Required("qemu", DefineQemu(), v => v.Qemu, "The configuration as QEMU's options.");
        var givenUp = r.Required("givenUp", Shapes.List(DefineGivenUp(), MaxGivenUp), v => v.GivenUp, "What hosts of the pool have beyond the configuration.");
        return r.Build(v => new BaselinePool
        {
            Hosts = v.Get(hosts),
            Verdict = v.Get(verdict),
            Pairs = v.Get(pairs),
            Config = v.Get(config),
            Qemu = v.Get(qemu),
            GivenUp = v.Get(givenUp),
        });
    }

    private static Shape<Expression> DefineQemu()
    {
        var r = new RecordShape<Expression>("QemuOptions", "A configuration as options of QEMU.");
        var options = r.Required("options", Shapes.Text, v => v.Text, "The options in one line.");
        var missing = r.Required("notExpressed", Shapes.List(Shapes.Text, Rules.MaxRegisters), v => v.NotExpressed, "What QEMU has no option for, a sentence each.");
        return r.Build(v => new Expression(v.Get(options), v.Get(missing)));
    }

    private static Shape<GivenUp> DefineGivenUp()
    {
        var r = new RecordShape<GivenUp>("GivenUp", "Something that hosts have and a VM of the baseline does not.");
        var hosts = r.Required("hosts", Names, v => v.Hosts, "Which hosts, in order.");
        var subject = r.Required("subject", Shapes.Text, v => v.Subject, "A field, a register, or a part of the configuration.");
        var own = r.Required("own", Shapes.Text, v => v.Own, "What these hosts have by themselves.");
        var baseline = r.Required("baseline", Shapes.Text, v => v.Baseline, "What the configuration says.");
        var kept = r.Optional("kept", Shapes.OptionalValue(VmConfigs.Setting), v => v.Kept, null,
            "The setting that would keep it, in the place of the configuration's; absent where it is no register.");
        var witness = r.Required("witness", WitnessShape, v => v.Witness, "The pair that fails where this alone is kept.");
        return r.Build(v => new GivenUp(v.Get(hosts), v.Get(subject), v.Get(own), v.Get(baseline), v.Get(kept), v.Get(witness)));
    }

    private static Shape<Witness> DefineWitness()
    {
        var r = new RecordShape<Witness>("Witness", "An ordered pair that a configuration does not serve.");
        var source = r.Required("source", Name, v => v.Source, "The host that the VM is created on.");
        var destination = r.Required("destination", Name, v => v.Destination, "The host that it cannot move to.");
        var reason = r.Required("reason", Shapes.Text, v => v.Reason, "What stands against it.");
        return r.Build(v => new Witness(v.Get(source), v.Get(destination), v.Get(reason)));
    }

    private static Shape<BaselineProof> DefineProof()
    {
        var r = new RecordShape<BaselineProof>("BaselineProof", "One obstacle that no choice removes, for one set of vCPU features.");
        var hosts = r.Required("hosts", Names, v => v.Hosts, "Two hosts, or more where every two of them agree and all together do not.");
        var features = r.Optional("features", Shapes.OptionalValue(VmDescriptions.Features), v => v.Features, null,
            "The vCPU features with which it was tried; absent where the hosts share none.");
        var subject = r.Required("subject", Shapes.Text, v => v.Subject, "A field, a register, or a part of the configuration.");
        var register = r.Optional("register", Shapes.OptionalValue(Registers.Id), v => v.Register, null, "The register, where it is one.");
        var witness = r.Required("witness", WitnessShape, v => v.Witness, "The pair that fails.");
        var holdings = r.Required("holdings", Shapes.List(DefineHolding(), MaxHosts), v => v.Holdings, "What each host can hold there.");
        var evidence = r.Required("evidence", Shapes.Enum<Evidence>(), v => v.Evidence, "How it is known.");
        return r.Build(v => new BaselineProof
        {
            Hosts = v.Get(hosts),
            Features = v.Get(features),
            Subject = v.Get(subject),
            Register = v.Get(register),
            Witness = v.Get(witness),
            Holdings = v.Get(holdings),
            Evidence = v.Get(evidence),
        });
    }

    private static Shape<Holding> DefineHolding()
    {
        var r = new RecordShape<Holding>("Holding", "What one host can hold in a field.").OneLine();
        var host = r.Required("host", Name, v => v.Host, "Which host.");
        var values = r.Required("values", Shapes.Text, v => v.Values, "The values, for people.");
        return r.Build(v => new Holding(v.Get(host), v.Get(values)));
    }

    private static string? Problem(BaselineReport report)
    {
        if (report.Pools.Count == 0) return "a baseline without pools";
        var names = report.Pools.SelectMany(p => p.Hosts).ToArray();
        if (names.Length != report.Hosts) return $"{report.Hosts} hosts, {names.Length} of them in pools";
        if (names.GroupBy(n => n).FirstOrDefault(g => g.Count() > 1) is { } twice) return $"host '{twice.Key}' is in two pools";
        return report.Pools.Count > 1 && report.Verdict != Verdict.No ? $"{report.Pools.Count} pools, and the verdict is not no" : null;
    }
}
