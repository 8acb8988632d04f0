using Migrate.Model.Errors;
using Migrate.Transfer.Wire;

namespace Migrate.Transfer.Handover;

/// <summary>The other side went, was silent too long, or broke the protocol.</summary>
internal sealed class PeerProblem(MigrateException error) : Exception(error.Message, error)
{
    public MigrateException Error => error;
}

/// <summary>The VMM behind a machine socket went, or broke the protocol.</summary>
internal sealed class MachineProblem(MigrateException error) : Exception(error.Message, error)
{
    public MigrateException Error => error;
}

/// <summary>Says whose doing a failure is, since the tables ask for nothing else.</summary>
internal static class Blame
{
    /// <summary>Something on the connection to the other side.</summary>
    public static T Peer<T>(Func<T> act)
    {
        try
        {
            return act();
        }
        catch (MigrateException e)
        {
            throw new PeerProblem(e);
        }
    }

    /// <summary>Something on the connection to the other side.</summary>
    public static void Peer(Action act) => Peer(() =>
    {
        act();
        return true;
    });

    /// <summary>A request to the VMM. What it refuses is this side's fault; a connection that breaks is not.</summary>
    public static T Machine<T>(Func<T> ask)
    {
        try
        {
            return ask();
        }
        catch (MigrateException e) when (e is not PeerErrorException)
        {
            throw new MachineProblem(e);
        }
    }
}
