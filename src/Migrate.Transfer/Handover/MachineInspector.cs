using System.Diagnostics;
using Migrate.Model.Errors;
using Migrate.Transfer.Machines;

namespace Migrate.Transfer.Handover;

/// <summary>What a machine socket tells of a handover that nobody is performing any more.</summary>
internal enum MachineFinding
{
    /// <summary>No process, or another one, is behind the socket.</summary>
    Gone,

    /// <summary>A session still holds the machine: the question is open.</summary>
    Held,

    /// <summary>Source: it holds the machine, not released under this id.</summary>
    Here,

    /// <summary>Source: it is released under this id.</summary>
    Released,

    /// <summary>Destination: it runs the machine under this id.</summary>
    Running,

    /// <summary>Destination: it waits for a machine, and threw this one away unstarted.</summary>
    NotStarted,
}

/// <summary>Asks a VMM what became of its machine.</summary>
internal static class MachineInspector
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <summary>What the source's VMM says, once no session holds the machine or patience is over.</summary>
    public static MachineFinding Source(HandoverRecord<Send.SourceMark> record, TimeSpan patience) =>
        Ask(record.MachineSocket, record.MachinePid, patience, status => status.State switch
        {
            LifecycleState.Destroyed => MachineFinding.Gone,
            // In a container every VMM may have the same pid: its machine tells.
            _ when status.VmId != record.VmId => MachineFinding.Gone,
            // A sender that still holds its session may be saying START at this moment.
            LifecycleState.Released when status.Session.Length > 0 => MachineFinding.Held,
            LifecycleState.Released => status.HandoverId == record.Id ? MachineFinding.Released : MachineFinding.Here,
            LifecycleState.Running or LifecycleState.Paused when status.Session.Length == 0 => MachineFinding.Here,
            _ => MachineFinding.Held,
        });

    /// <summary>What the incoming VMM says, once no session holds the machine or patience is over.</summary>
    public static MachineFinding Destination(HandoverRecord<Receive.DestinationMark> record, TimeSpan patience) =>
        Ask(record.MachineSocket, record.MachinePid, patience, status => Unstarted(status) ?? (status.State switch
        {
            LifecycleState.Destroyed => MachineFinding.Gone,
            // Under another id it may be the next machine of the same process, or this one after it moved on.
            _ => status.HandoverId == record.Id ? MachineFinding.Running : MachineFinding.Gone,
        }));

    /// <summary>What a VMM says that some process started for an incoming machine, whichever process it is: <see cref="MachineFinding.NotStarted"/> while it waits
    /// for one, <see cref="MachineFinding.Gone"/> once it runs one.</summary>
    public static MachineFinding Incoming(string socket, TimeSpan patience) => Ask(socket, null, patience, status => Unstarted(status) ?? MachineFinding.Gone);

    private static MachineFinding? Unstarted(MachineStatus status) => status.State switch
    {
        LifecycleState.Incoming when status.Session.Length == 0 => MachineFinding.NotStarted,
        LifecycleState.Incoming or LifecycleState.Prepared or LifecycleState.Applied => MachineFinding.Held,
        _ => null,
    };

    private static MachineFinding Ask(string socket, int? pid, TimeSpan patience, Func<MachineStatus, MachineFinding> judge)
    {
        var since = Stopwatch.GetTimestamp();
        while (true)
        {
            var finding = AskOnce(socket, pid, judge);
            if (finding != MachineFinding.Held || Stopwatch.GetElapsedTime(since) > patience) return finding;
            Thread.Sleep(Pause);
        }
    }

    private static MachineFinding AskOnce(string socket, int? pid, Func<MachineStatus, MachineFinding> judge)
    {
        try
        {
            using var client = MachineClient.Connect(socket);
            var status = client.Status();
            return pid is null || status.Pid == pid ? judge(status) : MachineFinding.Gone;
        }
        catch (MigrateException e) when (e.Code == ErrorCode.Unreachable && !e.IsTransient)
        {
            return MachineFinding.Gone;
        }
        catch (MigrateException e) when (e.Code is ErrorCode.PeerLost or ErrorCode.Busy or ErrorCode.Unreachable or ErrorCode.TimedOut)
        {
            // It ended while it was asked, has too many clients, or stands still; the next attempt tells.
            return MachineFinding.Held;
        }
    }
}
