using Migrate.Model;
using Migrate.Transfer.Receive;
using Migrate.Transfer.Send;

namespace Migrate.Transfer.Handover;

/// <summary>Sees a handover pass its points. A test instrument: an observer may kill its own process.</summary>
public interface IHandoverObserver
{
    /// <summary>Called on the thread that performs the handover, once the point is reached.</summary>
    /// <param name="point">One of <see cref="HandoverPoints.All"/>.</param>
    void Reached(string point);
}

/// <summary>The names of every point at which a handover can be observed, made from the tables' states and records.</summary>
public static class HandoverPoints
{
    /// <summary>The source's side.</summary>
    public const string Source = "source";

    /// <summary>The destination's side.</summary>
    public const string Destination = "destination";

    /// <summary>Every point: <c>source:copying</c>, <c>source:releasing:before-record</c>, <c>source:releasing:after-record</c>.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        .. Enum.GetValues<SourceState>().Select(state => Entry(Source, state)),
        .. Enum.GetValues<SourceMark>().SelectMany(mark => Records(Source, mark)),
        .. Enum.GetValues<DestinationState>().Select(state => Entry(Destination, state)),
        .. Enum.GetValues<DestinationMark>().SelectMany(mark => Records(Destination, mark)),
    ];

    /// <summary>A state was entered; what is done in it has not begun.</summary>
    public static string Entry<TState>(string side, TState state)
        where TState : struct, Enum => $"{side}:{Name(state)}";

    /// <summary>A record is about to be written.</summary>
    public static string BeforeRecord<TMark>(string side, TMark mark)
        where TMark : struct, Enum => $"{side}:{Name(mark)}:before-record";

    /// <summary>A record is durable.</summary>
    public static string AfterRecord<TMark>(string side, TMark mark)
        where TMark : struct, Enum => $"{side}:{Name(mark)}:after-record";

    private static string[] Records<TMark>(string side, TMark mark)
        where TMark : struct, Enum => [BeforeRecord(side, mark), AfterRecord(side, mark)];

    private static string Name<T>(T value)
        where T : struct, Enum => KebabCase.Of(value.ToString());
}
