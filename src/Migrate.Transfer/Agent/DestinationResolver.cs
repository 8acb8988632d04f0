using Migrate.Linux.Files;
using Migrate.Model.Errors;
using Migrate.Transfer.Handover;
using Migrate.Transfer.Receive;
using Migrate.Transfer.Send;

namespace Migrate.Transfer.Agent;

/// <summary>What a handover came to on the agent's host.</summary>
/// <param name="Outcome">The answer that a source gets from now on.</param>
/// <param name="Record">The record as it is now.</param>
public sealed record DestinationResolution(Outcome Outcome, HandoverRecord<DestinationMark> Record);

/// <summary>Takes a handover up from its record, on the agent's host: reports it, and finishes what can be finished.</summary>
public static class DestinationResolver
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Settles a handover that has a record here, through the agent if one runs, else in its place.</summary>
    /// <param name="state">The agent's state directory.</param>
    /// <param name="id">Which.</param>
    /// <exception cref="MigrateException"><see cref="ErrorCode.NotFound"/>: nothing is recorded here, and asking would record <c>never</c>;
    /// <see cref="ErrorCode.Unreachable"/>: an agent runs and does not answer.</exception>
    public static DestinationResolution Resolve(StateDirectory state, string id)
    {
        if (state.Destination.Find(id) is null)
            throw new MigrateException(ErrorCode.NotFound, $"no handover {id} is recorded on this host") { Remedy = "Resolve it on the source's host." };
        var question = new OutcomeQuestion(id, state.AgentId());
        return new DestinationResolution(Ask(state, question), state.Destination.Find(id)!);
    }

    private static Outcome Ask(StateDirectory state, OutcomeQuestion question)
    {
        OwnerLock? owner = null;
        try
        {
            owner = OwnerLock.Take(state.AgentDirectory);
        }
        catch (MigrateException e) when (e.Code == ErrorCode.Busy)
        {
            var (host, port) = AgentAddresses.Parse(state.AgentAddress);
            return new AgentClient(host, port).Outcome(question.HandoverId, question.AgentId);
        }
        using (owner) return new HandoverLedger(state, question.AgentId, Patience).Outcome(question);
    }
}
