using System.Globalization;
using Migrate.Model.Errors;

namespace Migrate.Transfer.Agent;

/// <summary>What this host's memory is promised to: the machines that are still arriving take theirs page by page, and what is available shows only what they took.</summary>
internal sealed class MemoryBudget(Func<ulong>? available)
{
    private readonly Lock _gate = new();
    private readonly List<IncomingMove> _admitted = [];

    /// <summary>Promises a machine its memory, until <see cref="Release"/>.</summary>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Refused"/>: there is not enough, now.</exception>
    public void Promise(IncomingMove move)
    {
        if (available is null) return;
        lock (_gate)
        {
            var there = available();
            var promised = _admitted.Aggregate(0UL, (sum, other) => sum + Math.Min(other.MemoryOwed, ulong.MaxValue - sum));
            if (move.MemoryOwed > there - Math.Min(there, promised))
            {
                throw new MigrateException(ErrorCode.Refused,
                    $"{move.MachineName} has {MiB(move.MemoryOwed)} MiB of memory; {MiB(there)} MiB are available here{(promised > 0 ? $", and machines that are arriving still need {MiB(promised)} MiB of them" : "")}")
                { Stage = Stage.Prepare, IsTransient = true, Remedy = "Make room, or start the agent with --overcommit." };
            }
            _admitted.Add(move);
        }
    }

    /// <summary>The machine has its memory, or will not come.</summary>
    public void Release(IncomingMove move)
    {
        lock (_gate) _admitted.Remove(move);
    }

    private static string MiB(ulong bytes) => (bytes >> 20).ToString(CultureInfo.InvariantCulture);
}
