using Migrate.Model;
using Migrate.Model.Errors;

namespace Migrate.Transfer.Handover;

/// <summary>One row of a handover table.</summary>
/// <param name="From">The state.</param>
/// <param name="On">What happens in it.</param>
/// <param name="To">The next state.</param>
/// <param name="Record">What is durable before <paramref name="To"/> is entered; null: nothing is written.</param>
/// <param name="Then">What is done once <paramref name="To"/> is entered.</param>
public readonly record struct Transition<TState, TEvent, TMark, TAct>(TState From, TEvent On, TState To, TMark? Record, TAct Then)
    where TState : struct, Enum
    where TEvent : struct, Enum
    where TMark : struct, Enum
    where TAct : struct, Enum;

/// <summary>A state machine as its rows. Pure: it neither does nor remembers anything.</summary>
public sealed class TransitionTable<TState, TEvent, TMark, TAct>
    where TState : struct, Enum
    where TEvent : struct, Enum
    where TMark : struct, Enum
    where TAct : struct, Enum
{
    private readonly Dictionary<(TState, TEvent), Transition<TState, TEvent, TMark, TAct>> _rows = [];
    private readonly string _side;
    private readonly Func<TState, TEvent, string> _why;

    /// <summary>A table of rows, one a pair of state and event.</summary>
    /// <param name="side">Whose it is, for messages: <c>source</c>.</param>
    /// <param name="rows">The rows; a pair that occurs twice is refused.</param>
    /// <param name="why">Why a pair without a row is refused.</param>
    public TransitionTable(string side, IEnumerable<Transition<TState, TEvent, TMark, TAct>> rows, Func<TState, TEvent, string> why)
    {
        _side = side;
        _why = why;
        Rows = [.. rows];
        foreach (var row in Rows)
        {
            if (!_rows.TryAdd((row.From, row.On), row))
                throw new ArgumentException($"the {side}'s table has two rows for {row.On} in {row.From}", nameof(rows));
        }
    }

    /// <summary>The rows, in the order of the table.</summary>
    public IReadOnlyList<Transition<TState, TEvent, TMark, TAct>> Rows { get; }

    /// <summary>The row for a pair; false where the event is refused in this state.</summary>
    public bool TryNext(TState state, TEvent occurred, out Transition<TState, TEvent, TMark, TAct> row) =>
        _rows.TryGetValue((state, occurred), out row);

    /// <summary>The row for a pair.</summary>
    /// <exception cref="MigrateException"><see cref="ErrorCode.WrongState"/>: there is none; the message names both and says why.</exception>
    public Transition<TState, TEvent, TMark, TAct> Next(TState state, TEvent occurred) =>
        TryNext(state, occurred, out var row) ? row : throw Refusal(state, occurred);

    /// <summary>The named refusal of a pair that has no row.</summary>
    public MigrateException Refusal(TState state, TEvent occurred) =>
        new(ErrorCode.WrongState, $"{_side}: {Name(occurred)} is refused in state {Name(state)}: {_why(state, occurred)}") { Stage = Stage.Handover };

    private static string Name<T>(T value)
        where T : struct, Enum => KebabCase.Of(value.ToString());
}
