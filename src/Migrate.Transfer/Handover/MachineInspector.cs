using System.Diagnostics;
using Migrate.Model.Errors;
using Migrate.Transfer.Machines;

namespace Migrate.Transfer.Handover;

/// <summary>What a machine socket tells of a handover that nobody is performing any more.</summary>
internal enum Finding
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
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(20);

    /// <summary>What the source's VMM says, once no session holds the machine or patience is over.</summary>
    public static Finding Source(HandoverRecord<Send.SourceMark> record, TimeSpan patience) =>
        Ask(record.MachineSocket, record.MachinePid, patience, status => status.State switch
        {
            LifecycleState.Destroyed => Finding.Gone,
            LifecycleState.Released => status.HandoverId == record.Id ? Finding.Released : Finding.Here,
            LifecycleState.Running or LifecycleState.Paused when status.Session.Length == 0 => Finding.Here,
            _ => Finding.Held,
        });

    /// <summary>What the incoming VMM says, once no session holds the machine or patience is over.</summary>
    public static Finding Destination(HandoverRecord<Receive.DestinationMark> record, TimeSpan patience) =>
        Ask(record.MachineSocket, record.MachinePid, patience, status => status.State switch
        {
            LifecycleState.Destroyed => Finding.Gone,
            LifecycleState.Incoming when status.Session.Length == 0 => Finding.NotStarted,
            LifecycleState.Incoming or LifecycleState.Prepared or LifecycleState.Applied => Finding.Held,
            // Under another id it may be the next machine of the same process, or this one after it moved on.
            _ => status.HandoverId == record.Id ? Finding.Running : Finding.Gone,
        });

    private static Finding Ask(string socket, int pid, TimeSpan patience, Func<MachineStatus, Finding> judge)
    {
        var since = Stopwatch.GetTimestamp();
        while (true)
        {
            var finding = AskOnce(socket, pid, judge);
            if (finding != Finding.Held || Stopwatch.GetElapsedTime(since) > patience) return finding;
            Thread.Sleep(_pause);
        }
    }

    private static Finding AskOnce(string socket, int pid, Func<MachineStatus, Finding> judge)
    {
        try
        {
            using var client = MachineClient.Connect(socket);
            var status = client.Status();
            return status.Pid == pid ? judge(status) : Finding.Gone;
        }
        catch (MigrateException e) when (e.Code == ErrorCode.Unreachable)
        {
            return Finding.Gone;
        }
        catch (MigrateException e) when (e.Code == ErrorCode.PeerLost)
        {
            // It ended while it was asked; the next attempt tells.
            return Finding.Held;
        }
    }
}
