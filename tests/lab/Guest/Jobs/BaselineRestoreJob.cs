using System.Text;
using Migrate.Kvm.Handles;
using Migrate.Kvm.State;
using Migrate.Model.Encoding;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Preflight;
using Migrate.Preflight.Trials;

namespace Migrate.LabGuest.Jobs;

/// <summary>
/// VMs that other hosts created of their baselines, on this host: those of its own pool, and those that a host of another pool created for this one, are
/// restored without a difference, and what is said to be impossible is refused where the proof says.
/// </summary>
internal sealed class BaselineRestoreJob
{
    private readonly JobContext _context;
    private readonly LabBaseline _baseline;
    private readonly KvmScratchHost _scratch;
    private readonly StringBuilder _lines = new();

    private BaselineRestoreJob(JobContext context, KvmSystem system) =>
        (_context, _baseline, _scratch) = (context, LabBaseline.Of(context), new KvmScratchHost(system));

    public static void Run(JobContext context)
    {
        using var system = KvmSystem.Open();
        new BaselineRestoreJob(context, system).Run(system);
    }

    private void Run(KvmSystem system)
    {
        _context.Case("a VM of this boot", () =>
        {
            IsRestored(_baseline.CaptureNew(system), _baseline.Host);
            IsRestored(_baseline.CaptureRan(system), _baseline.Host);
            _context.Pair(_context.Host);
        });
        foreach (var source in _baseline.Report.Pools.SelectMany(p => p.Hosts).Order(StringComparer.Ordinal))
        {
            var states = LabBaseline.Kinds.Select(k => State(source, $"baseline-{k}.vm")).OfType<MachineState>().ToArray();
            if (states.Length < LabBaseline.Kinds.Length) _context.Note($"{source}: not recorded yet (--jobs baseline --record)");
            else if (_baseline.Pool.Hosts.Contains(source)) Restores(source, "VMs, new and after they ran", states);
            else if (State(source, LabBaseline.FileForTwo(_context.Host)) is { } state) Restores(source, "the VM that it created for this host", [state]);
            else Refuses(source, states);
        }
        if (_lines.Length > 0) _context.Answer("baseline-restore.txt", _lines.ToString());
    }

    private void Restores(string source, string what, MachineState[] states) => _context.Case($"{source}: {what}: restored without a difference", () =>
    {
        var profile = MeasuredHost.Recorded(_context, source);
        foreach (var state in states) Say(source, state, IsRestored(state, profile));
        _context.Pair(source);
    });

    /// <summary>One proof for each pair and set of features: the one with the features of the recorded VM.</summary>
    private void Refuses(string source, MachineState[] states)
    {
        var features = states[0].Vm.Features;
        var proof = _baseline.ProofAgainst(source, features) ?? _baseline.ProofOfPair(source, MeasuredHost.Recorded(_context, source)!, features);
        if (proof is null)
        {
            _context.Note($"{source}: the two alone could share a baseline, but {LabBaseline.FileForTwo(_context.Host)} was not recorded there (--jobs baseline --record)");
            return;
        }
        // A proof is about the pair; it says in which direction the move fails.
        var isWitness = proof.Witness.Source == source;
        _context.Case($"VMs of {source}: {(isWitness ? "refused" : "tried")} at {proof.Subject}", () =>
        {
            foreach (var state in states.Select(Fitting))
            {
                var report = DryRun.Run(state, new TakesEverything(state).Measure(), new PlanOptions(), _scratch);
                var refused = report.Findings.FirstOrDefault(f => f.Stops && IsAt(proof, f));
                Say(source, state, refused is null ? $"{proof.Subject} is taken" : $"{refused.Subject} {refused.Answer}");
                CheckFailedException.That(!isWitness || refused is not null, $"the proof names {proof.Subject}, and the host takes it; it refuses {string.Join("; ", report.Findings.Where(f => f.Stops).Select(f => f.Subject))}");
                CheckFailedException.That(refused is null || refused.Evidence == Evidence.Tried, "refused, but not by the host");
            }
            _context.Pair(source);
        });
    }

    /// <summary>A pool without this host may have a larger IPA size: a VM that is not even created would try nothing of the proof.</summary>
    private MachineState Fitting(MachineState state) => _baseline.Host.IpaSizes.Contains(state.Vm.Type.IpaBits) ? state
        : state with { Vm = state.Vm with { Type = new VmType((ulong)_baseline.Host.IpaSizes.Max()) } };

    /// <summary>What is no register of a vCPU is part of the interrupt controller's state, which a trial names as a whole.</summary>
    private static bool IsAt(BaselineProof proof, Finding finding) => proof.Register is { } id ? finding.Register == id : finding.Subject == "state of gicv3";

    private string IsRestored(MachineState state, Model.Hosts.HostProfile? source) => Restored.WithoutDifference(state, _baseline.Host, source, _scratch);

    private void Say(string source, MachineState state, string what) => _lines.Append($"{source}, {state.Vm.VcpuCount} vCPUs: {what}\n");

    private MachineState? State(string source, string file) => _context.Inputs.TryGetValue($"{source}/{file}", out var bytes)
        ? (MachineState)DocumentFile.Read(bytes.Span, $"{source} {file}").Value : null;
}
