namespace Migrate.Lab.Results;

/// <summary>What a run counted. Safe from several threads.</summary>
internal sealed class Tally
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Host, string Job), int> _cases = [];
    private readonly List<string> _failures = [];
    private readonly List<string> _expected = [];

    public int Hosts { get; private set; }

    public int Pairs { get; private set; }

    public int Failed => _failures.Count;

    public int Cases => _cases.Values.Sum();

    public void Host()
    {
        lock (_lock)
            Hosts++;
    }

    /// <summary>A host that must report cases.</summary>
    public void Expect(string host)
    {
        lock (_lock)
            _expected.Add(host);
    }

    public void Pair()
    {
        lock (_lock)
            Pairs++;
    }

    public void Case(string host, string job, string name, string failure)
    {
        lock (_lock)
        {
            _cases[(host, job)] = _cases.GetValueOrDefault((host, job)) + 1;
            if (failure.Length > 0)
                _failures.Add($"{host} {job}: {name}: {failure}");
        }
    }

    /// <summary>A failure that is no case: a dead host, a missing kernel, too few cases.</summary>
    public void Failure(string text)
    {
        lock (_lock)
            _failures.Add(text);
    }

    /// <summary>Adds a failure for every host and job that reported fewer cases than it must.</summary>
    public void Compare(IEnumerable<string> jobs, Minimum minimum)
    {
        var missing =
            from host in _expected
            from job in jobs
            let ran = _cases.GetValueOrDefault((host, job))
            where ran < minimum.Of(job)
            select $"{host} {job}: {ran} cases ran, at least {minimum.Of(job)} must (minimum.json)";
        _failures.AddRange(missing.ToList());
    }

    public IReadOnlyList<string> Failures() => _failures;

    public string LastLine() => $"lab: {Hosts} hosts, {Pairs} pairs, {Cases} cases, {Failed} failed";
}
