using System.Diagnostics;
using Migrate.Model.Errors;
using Migrate.Transfer.Machines;

namespace Migrate.Transfer.Agent;

/// <summary>A VMM whose agent died before a machine ran in it: nobody else would end it.</summary>
internal static class LeftoverVmm
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>Ends it if it waits for a machine and no session holds it; one that runs a machine is left alone.</summary>
    /// <param name="socket">Its machine socket.</param>
    /// <param name="patience">How long it may take to notice that its agent's session ended.</param>
    /// <returns>Whether it was ended.</returns>
    public static bool End(string socket, TimeSpan patience)
    {
        var since = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                using var client = MachineClient.Connect(socket);
                var status = client.Status();
                if (status.State is not (LifecycleState.Incoming or LifecycleState.Prepared or LifecycleState.Applied)) return false;
                if (status is { State: LifecycleState.Incoming, Session.Length: 0 })
                {
                    client.Destroy();
                    return true;
                }
            }
            catch (MigrateException e) when (!e.IsTransient && e.Code is ErrorCode.Unreachable or ErrorCode.PeerLost)
            {
                return false;
            }
            catch (MigrateException)
            {
                // It may answer the next time.
            }
            if (Stopwatch.GetElapsedTime(since) > patience) return false;
            Thread.Sleep(Pause);
        }
    }
}
