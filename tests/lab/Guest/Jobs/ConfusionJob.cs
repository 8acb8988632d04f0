using System.Diagnostics;
using System.Globalization;
using System.Text;
using Migrate.Kvm.Handles;
using Migrate.Kvm.State;
using Migrate.LabGuest.Confusion;
using Migrate.Model.Encoding;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Preflight;

namespace Migrate.LabGuest.Jobs;

/// <summary>
/// The confusion matrix: what is predicted of recorded states, and of perturbed ones, from recorded profiles alone, against what this kernel answers. A
/// prediction that something works, and it does not, fails; one that errs on the other side is told.
/// </summary>
internal sealed class ConfusionJob
{
    private readonly JobContext _context;
    private readonly KvmScratchHost _scratch;
    private readonly PreparedHost _host;
    private readonly StringBuilder _lines = new();
    private readonly ConfusionCount _total = new();
    private readonly Dictionary<string, HostProfile?> _profiles = [];
    private readonly Stopwatch _executing = new();

    private ConfusionJob(JobContext context, KvmSystem system)
    {
        (_context, _scratch) = (context, new KvmScratchHost(system));
        _host = new PreparedHost(Profile(context.Host) ?? MeasuredHost.Report().Profile);
    }

    /// <summary>States of hosts with this CPU model, and perturbations.</summary>
    public static void Run(JobContext context)
    {
        using var system = KvmSystem.Open();
        new ConfusionJob(context, system).RunOwn();
    }

    /// <summary>States of hosts with other CPU models.</summary>
    public static void RunForeign(JobContext context)
    {
        using var system = KvmSystem.Open();
        var job = new ConfusionJob(context, system);
        job.TryPairs(job.States(cpu => cpu != CpuOf(context.Host)));
        job.Finish("confusion-foreign.txt");
    }

    private void RunOwn()
    {
        var states = States(cpu => cpu == CpuOf(_context.Host));
        var own = states.Where(s => s.Host == _context.Host).ToList();
        _context.Case("this host's own states are recorded", () => CheckFailedException.That(own.Count >= 4, $"{own.Count} states in tests/Data/lab/{_context.Host}: record job states"));
        TryPairs(states);
        var trials = new TrialList(_host.Profile);
        Try("one thing changed", trials.Singles(own), _ => Profile(_context.Host));
        _context.Note($"joint changes with seed {Perturbations.Seed}");
        Try("several registers changed at once", trials.Joint(own, [.. states.Except(own)]), t => Profile(t.Base.Split('/')[0]));
        Finish("confusion.txt");
    }

    private void TryPairs(IReadOnlyList<RecordedState> states)
    {
        foreach (var source in states.GroupBy(s => s.Host))
        {
            Try($"states of {source.Key}", source.Select(s => s.Unchanged), _ => source.First().Source);
            foreach (var _ in source) _context.Pair(source.Key);
        }
    }

    private void Finish(string file)
    {
        foreach (var line in _total.Lines()) _context.Note(line);
        _context.Note($"{_total.Trials} trials, {_total.Registers} registers, {_total.Those(Outcome.FalseSafe).Count} false-safe, {_total.Those(Outcome.FalseUnsafe).Count} false-unsafe");
        _context.Answer(file, _lines.ToString());
    }

    /// <summary>Predicts and tries; one case for all.</summary>
    private void Try(string name, IEnumerable<Trial> trials, Func<Trial, HostProfile?> source) => _context.Case(name, () =>
    {
        var count = new ConfusionCount();
        var clock = Stopwatch.StartNew();
        foreach (var trial in trials)
        {
            var prediction = Prediction.Of(trial, _host, source(trial));
            var line = Try(trial, prediction);
            _lines.Append(line).Append('\n');
            var judged = Judgement.Of(trial, prediction, line).ToList();
            count.Add(judged);
            _total.Add(judged);
        }
        CheckFailedException.That(count.Trials > 0, "nothing was tried");
        _context.Note(string.Create(CultureInfo.InvariantCulture,
            $"{name}: {count.Trials} trials, {count.Registers} registers, {count.Those(Outcome.FalseSafe).Count} false-safe, {count.Those(Outcome.FalseUnsafe).Count} false-unsafe, {count.Those(Outcome.OtherErrno).Count} with another errno, {clock.Elapsed.TotalSeconds:F1} s, {_executing.Elapsed.TotalSeconds:F1} s so far in the kernel"));
        foreach (var wrong in count.Wrong.Where(w => w.Outcome != Outcome.FalseSafe)) _context.Note($"{wrong.Outcome} {wrong}");
        var falseSafe = count.Those(Outcome.FalseSafe);
        CheckFailedException.That(falseSafe.Count == 0, $"{falseSafe.Count} false-safe:\n  {string.Join("\n  ", falseSafe.Take(60))}");
    });

    private AnswerLine Try(Trial trial, Prediction prediction)
    {
        _executing.Start();
        Answers asCaptured;
        using (var target = _scratch.NewScratch())
            asCaptured = Execution.Run(prediction.AsCaptured, target, w => Subjects.Moves(w.Id) ? null : w.Value);
        Answers? planned = null;
        if (prediction.Verdict != PairVerdict.Refused)
        {
            using var target = _scratch.NewScratch();
            planned = Execution.Run(prediction.Planned, target, w => w.ReadsBack);
        }
        _executing.Stop();
        return new AnswerLine(trial.Name, prediction.Verdict, asCaptured, planned);
    }

    private List<RecordedState> States(Func<string, bool> cpu) =>
    [
        .. _context.Inputs.Where(i => i.Key.EndsWith(".state", StringComparison.Ordinal) && cpu(CpuOf(i.Key.Split('/')[0]))).OrderBy(i => i.Key, StringComparer.Ordinal)
            .Select(i => new RecordedState(i.Key.Split('/')[0], Path.GetFileNameWithoutExtension(i.Key),
                (MachineState)DocumentFile.Read(i.Value.ToArray(), i.Key).Value, Profile(i.Key.Split('/')[0]))),
    ];

    private HostProfile? Profile(string host)
    {
        if (_profiles.TryGetValue(host, out var known)) return known;
        return _profiles[host] = _context.Inputs.TryGetValue($"{host}/probe.profile", out var bytes)
            ? (HostProfile)DocumentFile.Read(bytes.ToArray(), host).Value : null;
    }

    /// <summary>KERNEL.CPU: the kernel's series has a dot of its own.</summary>
    private static string CpuOf(string host) => string.Join('.', host.Split('.').Skip(2));
}
