using Migrate.Linux.Processes;
using Migrate.Transfer.Handover;

namespace Migrate.Cli.Sources;

/// <summary>The handover records of this user, with the instrument of the kill tests where it is asked for.</summary>
internal static class HandoverState
{
    /// <summary>Environment variable: the point of a handover at which this process ends as a crash would. A test instrument.</summary>
    public const string KillAtVariable = "VMMIGRATE_TEST_KILL_AT";

    public static Transfer.Handover.StateDirectory Open() =>
        new(StateDirectory.Root, Environment.GetEnvironmentVariable(KillAtVariable) is { Length: > 0 } point ? new KillAt(point) : null);

    private sealed class KillAt(string point) : IHandoverObserver
    {
        public void Reached(string reached)
        {
            if (reached == point) ThisProcess.KillSelf();
        }
    }
}
