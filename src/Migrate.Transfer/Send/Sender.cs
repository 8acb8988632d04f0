using Migrate.Model.Errors;

namespace Migrate.Transfer.Send;

/// <summary>Moves a machine to another host.</summary>
public static class Sender
{
    /// <summary>Performs a move to its end; once the machine may be released, nothing but the table's ends ends it.</summary>
    /// <param name="options">Which machine, where to, within which limits.</param>
    /// <param name="progress">Called on this thread as the move goes on; null to say nothing.</param>
    /// <param name="cancelled">Cancels while nothing is released; later it is ignored.</param>
    /// <returns>What the move came to: the machine runs at the destination.</returns>
    /// <exception cref="RefusedException">The destination says no; nothing changed.</exception>
    /// <exception cref="MigrateException">
    /// <see cref="ErrorCode.Unreachable"/>: nothing was begun. <see cref="ErrorCode.OutcomeUnknown"/>: see <see cref="Resolver"/>.
    /// Everything else: the source keeps the machine, <see cref="MigrateException.SourceRuns"/> says whether it is known to run.
    /// </exception>
    public static SendReport Send(SendOptions options, Action<SendEvent>? progress = null, CancellationToken cancelled = default)
    {
        using var session = SendSession.Open(options, progress, cancelled);
        return session.Send();
    }
}
