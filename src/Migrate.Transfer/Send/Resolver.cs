using Migrate.Model.Errors;
using Migrate.Transfer.Handover;

namespace Migrate.Transfer.Send;

/// <summary>What the operator says when an outcome cannot be proven.</summary>
public enum OperatorsWord
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>The source runs it again: the operator knows that the destination does not.</summary>
    RunHere = 1,

    /// <summary>The source's copy is destroyed.</summary>
    Discard = 2,
}

/// <summary>What a resolve came to.</summary>
/// <param name="State">The end: done, kept, discarded.</param>
/// <param name="Overrode">What the operator's word overrode; empty where the outcome could be proven.</param>
/// <param name="Record">The record as it is now.</param>
public sealed record Resolution(SourceState State, string Overrode, HandoverRecord<SourceMark> Record);

/// <summary>Takes a handover up from its record, on the source's host: after a crash, or when its outcome was unknown.</summary>
public static class Resolver
{
    /// <summary>Finds out which side runs the machine and does the same that the sender would have done.</summary>
    /// <param name="state">Where the handover is recorded.</param>
    /// <param name="id">Which.</param>
    /// <param name="word">Heard only where nothing can be proven: an outcome that is known is never overridden.</param>
    /// <param name="outcomeTimeout">How long the agent is asked.</param>
    /// <param name="progress">Called on this thread; null to say nothing.</param>
    /// <exception cref="MigrateException"><see cref="ErrorCode.NotFound"/>: no such record; <see cref="ErrorCode.Busy"/>: a sender still works on it;
    /// <see cref="ErrorCode.OutcomeUnknown"/>: nothing can be proven, and no word was given.</exception>
    public static Resolution Resolve(StateDirectory state, string id, OperatorsWord word, TimeSpan outcomeTimeout, Action<SendEvent>? progress = null)
    {
        _ = state.Source.Find(id) ?? throw new MigrateException(ErrorCode.NotFound, $"no handover {HandoverId.Check(id, "handover id")} began on this host")
        {
            Remedy = $"Records are in {state.Root}/handovers; on the agent's host its agent answers.",
        };
        // Held before it is read again: a sender that still works on it would write over what is decided here.
        using var held = state.Source.Hold(id);
        return new Resolving(state, state.Source.Find(id)!, outcomeTimeout, progress).Resolve(word);
    }

    private sealed class Resolving(StateDirectory state, HandoverRecord<SourceMark> record, TimeSpan outcomeTimeout, Action<SendEvent>? progress)
        : SourceDriver(state, record, outcomeTimeout, progress)
    {
        public Resolution Resolve(OperatorsWord word)
        {
            var (from, act) = SourceHandover.Restart(Record.Mark);
            Run(from, act);
            if (Problem is { Code: ErrorCode.Busy }) throw Problem;
            var overrode = "";
            if (State == SourceState.Unknown)
            {
                var unknown = Unknown();
                if (word == OperatorsWord.None) throw unknown;
                overrode = unknown.Message;
                var next = Take(word == OperatorsWord.RunHere ? SourceEvent.RunHere : SourceEvent.Discard);
                Run(State, next);
                if (State == SourceState.Unknown) throw Unknown();
            }
            return new Resolution(State, overrode, Record);
        }

        protected override SourceEvent? Await() => throw new InvalidOperationException($"nothing is awaited in state {State}");
    }
}
