using Migrate.Linux.Processes;
using Migrate.Transfer.Handover;

namespace Migrate.Cli.Sources;

/// <summary>The handover records of this user, with the instrument of the kill tests where it is asked for.</summary>
internal static class HandoverState
{
    /// <summary>
    /// Environment variable: the points, comma-separated, at which a process ends as a crash would: of a handover as
    /// <see cref="HandoverPoints.All"/> has them, or of a machine (<c>machine:released</c>). A test instrument.
    /// </summary>
    public const string KillAtVariable = "VMMIGRATE_TEST_KILL_AT";

    public static Transfer.Handover.StateDirectory Open() => new(StateDirectory.Root, KillAt.Find());

    /// <summary>For the process of a machine: called with each state that it reaches; null without the instrument.</summary>
    public static Action<string>? MachineObserver() => KillAt.Find() is { } kill ? state => kill.Reached($"machine:{state}") : null;

    private sealed class KillAt(string[] points) : IHandoverObserver
    {
        public static KillAt? Find() => Environment.GetEnvironmentVariable(KillAtVariable) is { Length: > 0 } points ? new KillAt(points.Split(',')) : null;

        public void Reached(string point)
        {
            if (points.Contains(point)) ThisProcess.KillSelf();
        }
    }
}
