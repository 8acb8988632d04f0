using Migrate.Kvm.Handles;
using Migrate.Kvm.Scratch;
using Migrate.Kvm.State;
using Migrate.Model.Encoding;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Migrate.Preflight.Baselines;

namespace Migrate.LabGuest.Jobs;

/// <summary>The baseline of the pool that this host is in: computed from recorded profiles and checked in, since that would take minutes under emulation.</summary>
internal sealed class LabBaseline
{
    /// <summary>Documents vmmigrate/baseline/1: one a CPU model, and one for every two hosts of different pools that share a baseline all the same.</summary>
    public const string Reports = "lab/baselines/*.json";

    /// <summary>States of VMs that hosts created of their pool's baseline.</summary>
    public const string States = "lab/*/baseline-*.vm";

    /// <summary>What the two states of a host are called.</summary>
    public static readonly string[] Kinds = ["new", "ran"];

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Three guests that differ in what their timers do, and a vCPU that is off.</summary>
    private static readonly Func<int, uint[]>?[] Guests = [ScratchGuests.TimerRunning, ScratchGuests.TimerPending, ScratchGuests.Waiting, null];

    private readonly string _name;

    private LabBaseline(string name, HostProfile host, BaselineReport report)
    {
        (_name, Host, Report) = (name, host, report);
        Pool = Report.Pools.Single(p => p.Hosts.Contains(name));
    }

    public HostProfile Host { get; }

    public BaselineReport Report { get; }

    public BaselinePool Pool { get; }

    public VmConfig Config => Pool.Config;

    /// <summary>What the state of a VM is called that a host created for another one alone, which its pool does not hold.</summary>
    public static string FileForTwo(string other) => $"baseline-with-{other}.vm";

    /// <summary>The hosts of the report's other pools.</summary>
    public IEnumerable<string> Others => Report.Pools.Where(p => p != Pool).SelectMany(p => p.Hosts).Order(StringComparer.Ordinal);

    /// <summary>Why this host and another of the report cannot share a pool; null where the report gives no reason for these two.</summary>
    public BaselineProof? ProofAgainst(string other, VcpuFeatures features) =>
        Report.Proofs.FirstOrDefault(p => (p.Features ?? features) == features && p.Hosts.Contains(other) && p.Hosts.Contains(_name));

    /// <summary>The baseline of this host and another that its pool does not hold; null where there is none.</summary>
    public LabBaseline? ForTwo(JobContext context, string other)
    {
        var name = string.CompareOrdinal(_name, other) < 0 ? $"{_name}+{other}.json" : $"{other}+{_name}.json";
        return context.Inputs.TryGetValue(name, out var bytes) ? new(_name, Host, (BaselineReport)DocumentFile.Read(bytes.Span, name).Value) : null;
    }

    /// <summary>Why this host and another cannot share a baseline, worked out for the two alone: a report names one reason between two pools, not one for each pair.</summary>
    public BaselineProof? ProofOfPair(string other, HostProfile profile, VcpuFeatures features) =>
        new LabBaseline(_name, Host, Baseline.Of([new BaselineHost(_name, Host), new BaselineHost(other, profile)], null, new Preflight.PlanOptions())).ProofAgainst(other, features);

    public static LabBaseline Of(JobContext context)
    {
        var host = MeasuredHost.Profile(context);
        var recorded = context.Inputs.Where(i => i.Key.EndsWith(".json", StringComparison.Ordinal) && context.Host.EndsWith("." + i.Key[..^5], StringComparison.Ordinal))
            .Select(i => (BaselineReport)DocumentFile.Read(i.Value.Span, i.Key).Value).FirstOrDefault(r => r.Pools.Any(p => p.Hosts.Contains(context.Host)));
        // A host that nobody recorded has a baseline of its own.
        var found = new LabBaseline(context.Host, host, recorded ?? Baseline.Of([new BaselineHost(context.Host, host)], null, new Preflight.PlanOptions()));
        context.Note(recorded is not null ? $"pool of {string.Join(", ", found.Pool.Hosts)}: {found.Config.Features}, {found.Config.Settings.Count} registers set"
            : "no recorded baseline names this host: one of its own");
        return found;
    }

    /// <summary>The configuration that serves two hosts with these features.</summary>
    /// <exception cref="CheckFailedException">There is none.</exception>
    public static VmConfig ConfigOfPair(HostProfile here, HostProfile there, VcpuFeatures features)
    {
        var baseline = Baseline.Of([new("here", here), new("there", there)], features, new Preflight.PlanOptions());
        CheckFailedException.That(baseline.Verdict == Verdict.Yes, $"there is no baseline: {string.Join("; ", baseline.Proofs.Select(p => $"{p.Subject} {p.Witness.Reason}"))}");
        return baseline.Pools[0].Config;
    }

    /// <summary>A VM of the baseline; it does not run yet.</summary>
    public ScratchMachine Create(KvmSystem system, int vcpus = 2, IReadOnlyList<int>? started = null) => ScratchMachine.Create(system, new ScratchOptions
    {
        Type = Config.Type,
        Features = Config.Features,
        Vcpus = vcpus,
        HasGic = Config.Gic == GicKind.GicV3,
        Started = started ?? [0],
        Registers = ConfiguredMachine.Writes(Host, Config),
        Devices = [.. ConfiguredMachine.Devices(Host, Config)],
    });

    /// <summary>The state of a VM of the baseline that never ran.</summary>
    public MachineState CaptureNew(KvmSystem system)
    {
        using var machine = Create(system);
        return Capture(machine);
    }

    /// <summary>The state of one whose guests reported.</summary>
    public MachineState CaptureRan(KvmSystem system)
    {
        var started = Enumerable.Range(0, Guests.Length).Where(i => Guests[i] is not null).ToArray();
        using var machine = Create(system, Guests.Length, started);
        foreach (var i in started) machine.Load(i, (ulong)i * 0x10000, Guests[i]!(i));
        machine.Start();
        foreach (var _ in started)
        {
            var report = machine.Next(Patience);
            CheckFailedException.That(report.Reason == ExitReason.Mmio && report.Value == ScratchGuests.Ready + (uint)report.Vcpu, $"the guest did {report}");
        }
        machine.Stop();
        return Capture(machine);
    }

    /// <summary>Whether a register moves on by itself, also while nothing runs.</summary>
    public static bool IsClock(RegisterId id) => RegisterCatalog.Name(id) is "CNTVCT_EL0" or "CNTPCT_EL0" or "PMCCNTR_EL0";

    private MachineState Capture(ScratchMachine machine) => KvmCapture.Capture(machine.Machine, Host.Boot, Host.CounterFrequency);
}
