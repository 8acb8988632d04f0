namespace Migrate.Transfer.Conformance;

/// <summary>What a conformance run tries, and how patiently.</summary>
public sealed record ConformanceOptions
{
    /// <summary>The socket of a process that waits for a machine; null to leave that side out.</summary>
    public string? Incoming { get; init; }

    /// <summary>The promises to try, by name; empty for all.</summary>
    public IReadOnlyCollection<string> Only { get; init; } = [];

    /// <summary>Whether checks are made after which the machines are gone.</summary>
    public bool MayEndMachine { get; init; }

    /// <summary>Whether checks are made that wait as long as the specification lets a server wait.</summary>
    public bool Slow { get; init; }

    /// <summary>How long the machine's process may take over an answer, or to see that a client is gone.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a machine that must stand still is watched.</summary>
    public TimeSpan Watch { get; init; } = TimeSpan.FromMilliseconds(300);

    /// <summary>How long to wait for the guest to write some memory.</summary>
    public TimeSpan Activity { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long the rest of a request may be outstanding, by the specification.</summary>
    public TimeSpan RequestTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Called with each promise before it is tried.</summary>
    public Action<Promise>? Trying { get; init; }
}
