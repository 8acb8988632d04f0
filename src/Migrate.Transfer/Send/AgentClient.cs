using Migrate.Linux.Sockets;
using Migrate.Model;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Model.Hosts;
using Migrate.Model.Plans;
using Migrate.Model.Ports;
using Migrate.Transfer.Handover;
using Migrate.Transfer.Wire;

namespace Migrate.Transfer.Send;

/// <summary>Questions to an agent: each has a connection of its own.</summary>
/// <param name="host">Its host.</param>
/// <param name="port">Its port.</param>
public sealed class AgentClient(string host, int port)
{
    /// <summary>How long the agent may take to be reached, and then to answer.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>What the agent is doing.</summary>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Unreachable"/>, or what the agent answered.</exception>
    public AgentStatus Status()
    {
        using var channel = Connect(host, port, Timeout);
        channel.Request(() => channel.Send(FrameKind.AgentStatusQuery));
        return channel.Expect(FrameKind.AgentStatus, TransferMessages.AgentStatus);
    }

    /// <summary>What the agent's host accepts.</summary>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Unreachable"/>, or what the agent answered.</exception>
    public HostProfile Profile()
    {
        using var channel = Connect(host, port, Timeout);
        channel.Request(() => channel.Send(FrameKind.ProfileQuery));
        return channel.Expect(FrameKind.Profile, Documents.HostProfile);
    }

    /// <summary>Would this machine survive there?</summary>
    /// <param name="machine">As its VMM describes it.</param>
    /// <param name="policy">Who restores.</param>
    /// <param name="accept">Findings that the operator accepts.</param>
    /// <param name="acceptAssumed">Whether a verdict that rests on assumptions will do.</param>
    /// <param name="includePlan">Whether the report should hold the plan.</param>
    /// <param name="cancelled">Gives the question up: the connection counts as lost.</param>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Unreachable"/>, or what the agent answered.</exception>
    public CheckReport Check(
        MachineReport machine, Policy policy, EquatableArray<FindingCode> accept, bool acceptAssumed, bool includePlan, CancellationToken cancelled = default)
    {
        using var channel = Connect(host, port, Timeout);
        using var abort = cancelled.UnsafeRegister(static channel => ((FrameChannel)channel!).Abort(), channel);
        var offer = new Offer { Report = machine, Policy = policy, Accept = accept, AcceptAssumed = acceptAssumed, IncludePlan = includePlan };
        channel.Request(() => channel.Send(FrameKind.CheckQuery, TransferMessages.Offer, offer));
        return channel.Expect(FrameKind.Report, Documents.CheckReport);
    }

    /// <summary>Would this machine survive there? The agent tries it on a scratch VM of its host, beside the machines that run there.</summary>
    /// <param name="machine">As its VMM describes it, or as captured.</param>
    /// <param name="policy">Who restores.</param>
    /// <param name="accept">Findings that the operator accepts.</param>
    /// <param name="acceptAssumed">Whether a verdict that rests on assumptions will do.</param>
    /// <param name="includePlan">Whether the report should hold the plan.</param>
    /// <param name="patience">How long the answer may take once the agent was reached.</param>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Unreachable"/>, or what the agent answered: <see cref="ErrorCode.Busy"/> while it tries others.</exception>
    public CheckReport DryRun(
        MachineReport machine, Policy policy, EquatableArray<FindingCode> accept, bool acceptAssumed, bool includePlan, TimeSpan patience)
    {
        using var channel = Connect(host, port, Timeout);
        var offer = new Offer { Report = machine, Policy = policy, Accept = accept, AcceptAssumed = acceptAssumed, IncludePlan = includePlan };
        channel.Request(() => channel.Send(FrameKind.DryRunQuery, TransferMessages.Offer, offer));
        channel.IdleTimeout = patience;
        return channel.Expect(FrameKind.Report, Documents.CheckReport);
    }

    /// <summary>Which side runs a handover's machine? Ends a session of that id that has not received START.</summary>
    /// <param name="handoverId">Which handover.</param>
    /// <param name="agentId">The agent that received it: another one refuses to answer.</param>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Unreachable"/>; <see cref="ErrorCode.Denied"/>: another agent answers there.</exception>
    public Outcome Outcome(string handoverId, string agentId)
    {
        using var channel = Connect(host, port, Timeout);
        channel.Request(() => channel.Send(FrameKind.OutcomeQuery, TransferMessages.OutcomeQuestion, new OutcomeQuestion(handoverId, agentId)));
        return channel.Expect(FrameKind.Outcome, TransferMessages.Outcome);
    }

    /// <summary>Ends a move that has not received START: its source keeps the machine.</summary>
    /// <exception cref="MigrateException"><see cref="ErrorCode.NotFound"/>: no such move; <see cref="ErrorCode.WrongState"/>: too late.</exception>
    public void Cancel(string handoverId)
    {
        using var channel = Connect(host, port, Timeout);
        channel.Request(() => channel.Send(FrameKind.Cancel, TransferMessages.Handover, handoverId));
        channel.Expect(FrameKind.Done);
    }

    internal static FrameChannel Connect(string host, int port, TimeSpan timeout)
    {
        var connection = TcpConnection.Connect(host, port, timeout);
        var channel = new FrameChannel(new TcpByteStream(connection), StreamPurpose.Transfer);
        try
        {
            connection.NoDelay = true;
            channel.IdleTimeout = timeout;
            channel.ExchangePreambles();
            return channel;
        }
        catch
        {
            channel.Dispose();
            throw;
        }
    }
}
