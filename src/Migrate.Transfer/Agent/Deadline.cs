using Migrate.Transfer.Wire;

namespace Migrate.Transfer.Agent;

/// <summary>A limit of time that a peer cannot stretch: one that says a byte now and then is never idle.</summary>
internal static class Deadline
{
    /// <summary>A connection is lost when what is returned is not disposed of in time.</summary>
    public static IDisposable Set(FrameChannel channel, TimeSpan limit) => new Timer(_ => channel.Abort(), null, limit, Timeout.InfiniteTimeSpan);
}
