using Migrate.Model;
using Migrate.Model.Errors;

namespace Migrate.Transfer.Conformance;

/// <summary>Which machine socket a promise is about.</summary>
public enum Side
{
    /// <summary>That of a machine that runs or is paused.</summary>
    Source = 1,

    /// <summary>That of a process that waits for a machine.</summary>
    Incoming = 2,
}

/// <summary>What a check costs the machine that it is made on.</summary>
public enum Cost
{
    /// <summary>It may stop the machine for moments, and leaves it as it found it.</summary>
    Moments = 1,

    /// <summary>The same, but it waits for as long as the specification lets a server wait.</summary>
    Patience = 2,

    /// <summary>The machine is gone afterwards.</summary>
    Machine = 3,
}

/// <summary>One promise of schemas/machine-socket.md and how it is tried.</summary>
public sealed class Promise
{
    internal Promise(string name, string section, string sentence, Side on, Cost cost, Action<Bench> check) =>
        (Name, Section, Sentence, On, Cost, Check) = (name, section, sentence, on, cost, check);

    /// <summary>Stable name, in kebab case.</summary>
    public string Name { get; }

    /// <summary>The heading under which the specification says more.</summary>
    public string Section { get; }

    /// <summary>What a VMM promises: the sentence of the specification's table of promises.</summary>
    public string Sentence { get; }

    /// <summary>Which socket it is about.</summary>
    public Side On { get; }

    /// <summary>What trying it costs.</summary>
    public Cost Cost { get; }

    /// <summary>Returns when the promise is kept, throws a <see cref="MigrateException"/> when it is broken or could not be tried.</summary>
    internal Action<Bench> Check { get; }
}

/// <summary>What became of a promise.</summary>
public enum Outcome
{
    /// <summary>Tried and kept.</summary>
    Kept = 1,

    /// <summary>Tried and broken.</summary>
    Broken = 2,

    /// <summary>Not tried.</summary>
    NotTried = 3,
}

/// <summary>A promise and what became of it.</summary>
/// <param name="Promise">Which.</param>
/// <param name="Outcome">What became of it.</param>
/// <param name="Detail">What was seen where it is broken, why it was not tried, else empty.</param>
public sealed record PromiseResult(Promise Promise, Outcome Outcome, string Detail = "");

/// <summary>What a conformance run found.</summary>
/// <param name="Machine">The machine's name.</param>
/// <param name="Results">One for each promise that was asked for, in the order of the table.</param>
public sealed record ConformanceReport(string Machine, EquatableArray<PromiseResult> Results)
{
    /// <summary>Whether no promise that was tried is broken.</summary>
    public bool Keeps => Of(Outcome.Broken) == 0;

    /// <summary>How many have an outcome.</summary>
    public int Of(Outcome outcome) => Results.Count(r => r.Outcome == outcome);
}

/// <summary>The machine did otherwise than it promises.</summary>
internal sealed class BrokenPromiseException(string seen) : MigrateException(ErrorCode.Protocol, seen);

/// <summary>The promise could not be tried here, and nothing is known about it.</summary>
internal sealed class NotTriedException(string why) : MigrateException(ErrorCode.WrongState, why);
