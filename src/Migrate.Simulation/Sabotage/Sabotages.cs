using Migrate.Model.Errors;
using Migrate.Model.Ports;

namespace Migrate.Simulation.Sabotage;

/// <summary>One deliberate fault: a move with it must end in another final state, or the comparison proves nothing.</summary>
/// <param name="Name">As the command line names it.</param>
/// <param name="Description">What is lost, for people.</param>
/// <param name="OnSource">Wraps the machine that is moved away.</param>
/// <param name="OnDestination">Wraps the machine that is being built.</param>
public sealed record SabotageKind(
    string Name, string Description, Func<IMachine, IMachine> OnSource, Func<IIncomingMachine, IIncomingMachine> OnDestination);

/// <summary>The table of deliberate faults.</summary>
public static class Sabotages
{
    /// <summary>Every fault there is.</summary>
    public static IReadOnlyList<SabotageKind> All { get; } =
    [
        new("page", "one byte of one page of guest memory is flipped on the destination before the start",
            source => source, destination => new SabotagedIncoming(destination, IncomingFault.Page)),
        new("register", "one bit of one register of vCPU 0 is flipped on the destination before the start",
            source => source, destination => new SabotagedIncoming(destination, IncomingFault.Register)),
        new("dirty-bit", "one page is dropped from the dirty log",
            source => new SabotagedMachine(source), destination => destination),
    ];

    /// <summary>The fault of a name.</summary>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Usage"/>: there is none.</exception>
    public static SabotageKind Named(string name) => All.FirstOrDefault(s => s.Name == name)
        ?? throw new MigrateException(ErrorCode.Usage, $"no sabotage is called {name}; there are {string.Join(", ", All.Select(s => s.Name))}");
}
