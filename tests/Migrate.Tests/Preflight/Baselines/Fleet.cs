using Migrate.Model;
using Migrate.Model.Encoding;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Ports;
using Migrate.Model.Registers;
using Migrate.Preflight;
using Migrate.Preflight.Baselines;
using Migrate.Simulation.Hosts;
using Migrate.Tests.Model.Foreign;
using static Migrate.Tests.Preflight.Given;

namespace Migrate.Tests.Preflight.Baselines;

/// <summary>Sets of hosts, recorded and made up, and what must hold of any baseline.</summary>
internal static class Fleet
{
    /// <summary>Profiles that the lab measured, by the name of their recording.</summary>
    public static BaselineHost Measured(string recording) => new(recording,
        (HostProfile)DocumentFile.Read(File.ReadAllBytes(Repository.Data("lab", recording, "probe.profile")), recording).Value);

    /// <summary>Profiles that the converter assumes of captures, by their kernel series and CPU.</summary>
    public static BaselineHost Assumed(string name) => new(name, Captures.Hosts.Single(h => h.Key == name).Value);

    public static BaselineHost[] MeasuredN1 { get; } = [.. new[] { "6.1", "6.12", "7.2" }.Select(k => Measured($"{k}.neoverse-n1"))];

    public static BaselineHost[] Every(string cpu) => [.. Captures.Hosts.Keys.Where(k => k.EndsWith("." + cpu, StringComparison.Ordinal)).Select(Assumed)];

    /// <summary>A made-up host with one field, ID_AA64MMFR1_EL1.ECBHB, and the values that it takes there; its own is the highest.</summary>
    public static BaselineHost Taking(string name, params int[] values)
    {
        var mask = values.Aggregate(0, (bits, value) => bits | 1 << value);
        return new BaselineHost(name, Host(Fields(Mmfr1, (ulong)values.Max() << 60, (60, mask))));
    }

    public static BaselineHost With(this BaselineHost host, RegisterId id, Func<RegisterAcceptance, RegisterAcceptance> change) => host with
    {
        Profile = host.Profile with
        {
            Shapes = host.Profile.Shapes.Select(s => s with { Registers = s.Registers.Select(r => r.Id == id ? change(r) : r).ToEquatableArray() }).ToEquatableArray(),
        },
    };

    public static BaselineReport Baseline(params BaselineHost[] hosts) => Migrate.Preflight.Baselines.Baseline.Of(hosts, null, new PlanOptions());

    public static RegisterSetting Setting(this BaselinePool pool, RegisterId id) => Assert.Single(pool.Config.Settings, s => s.Id == id);

    /// <summary>What the planner says of a VM of a configuration between two hosts; null where the first does not create it.</summary>
    public static Verdict? Asked(VmConfig config, BaselineHost source, BaselineHost destination)
    {
        try
        {
            return Planner.Plan(ConfiguredMachine.Of(source.Profile, config), destination.Profile, new PlanOptions(), source.Profile).Verdict;
        }
        catch (Migrate.Model.Errors.MigrateException e) when (e.Code == Migrate.Model.Errors.ErrorCode.Refused)
        {
            return null;
        }
    }

    /// <summary>The VM as it is on a simulated host after a move there.</summary>
    public static MachineState Moved(MachineState state, BaselineHost to)
    {
        var plan = Planner.Plan(state, to.Profile, new PlanOptions());
        Assert.NotEqual(Verdict.No, plan.Verdict);
        var vm = new SimulatedHost(to.Profile).NewTarget();
        Assert.True(PlanRunner.Run(plan, StepPhase.Prepare, vm).Succeeded);
        Assert.True(PlanRunner.Run(plan, StepPhase.Apply, vm).Succeeded);
        var listed = to.Profile.Shape(state.Vm.Features, state.Vm.Gic.Kind)!.Registers.Select(r => r.Id).ToArray();
        var registers = listed.Zip(vm.Read([.. listed.Select(id => new RegisterAddress(0, id))])).Where(r => r.Second.Value is not null);
        return state with { CapturedOn = to.Profile.Boot, Vcpus = [state.Vcpus[0] with { Registers = new RegisterSet(registers.Select(r => new Register(r.First, r.Second.Value!.Value))) }] };
    }

    /// <summary>Every host is in one pool; every ordered pair within a pool succeeds, as sure as the pool says; every witness fails.</summary>
    public static void Holds(this BaselineReport report, params BaselineHost[] hosts)
    {
        Assert.Equal(hosts.Select(h => h.Name).Order(StringComparer.Ordinal), report.Pools.SelectMany(p => p.Hosts).Order(StringComparer.Ordinal));
        Assert.Equal(report.Pools.Count == 1, report.Proofs.Count == 0);
        foreach (var pool in report.Pools)
        {
            BaselineHost[] members = [.. pool.Hosts.Select(n => hosts.Single(h => h.Name == n))];
            var verdicts = members.SelectMany(a => members.Select(b => Asked(pool.Config, a, b))).ToHashSet();
            Assert.Equal([pool.Verdict], verdicts.Select(v => v!.Value));
            foreach (var given in pool.GivenUp) Fails(pool.Config, given, hosts);
        }
    }

    private static void Fails(VmConfig config, GivenUp given, BaselineHost[] hosts)
    {
        var raised = given switch
        {
            { Kept: { } kept } => config with { Settings = config.Settings.Select(s => s.Id == kept.Id ? kept : s).ToEquatableArray() },
            { Subject: "GICD_IIDR" } => config with { GicRevision = int.Parse(given.Own.Split(' ')[1]) },
            { Subject: "IPA size" } => config with { Type = new VmType(ulong.Parse(given.Own.Split(' ')[0])) },
            _ => null,
        };
        if (raised is null) return;
        Assert.NotEqual(config, raised);
        var (source, destination) = (hosts.Single(h => h.Name == given.Witness.Source), hosts.Single(h => h.Name == given.Witness.Destination));
        Assert.True(Asked(raised, source, destination) is null or Verdict.No, $"{given.Subject} could be kept: {given.Witness}");
    }
}
