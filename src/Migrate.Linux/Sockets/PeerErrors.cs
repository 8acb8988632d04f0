using Migrate.Model.Errors;

namespace Migrate.Linux.Sockets;

/// <summary>The other end went away, or the connection to it broke. Not a timeout: nothing more will come.</summary>
public sealed class PeerLostException : MigrateException
{
    /// <summary>A connection that ended.</summary>
    /// <param name="peer">The peer's name.</param>
    /// <param name="reason">How it ended.</param>
    /// <param name="done">Bytes of the current message moved before the end; 0 when it ended between messages.</param>
    /// <param name="wanted">Bytes of the current message.</param>
    public PeerLostException(string peer, string reason, long done, long wanted)
        : base(ErrorCode.PeerLost, $"the connection to {peer} ended: {reason}, {done} of {wanted} bytes into a message")
    {
        Done = done;
        Wanted = wanted;
        IsTransient = true;
    }

    /// <summary>Bytes of the message moved before the end.</summary>
    public long Done { get; }

    /// <summary>Bytes of the whole message.</summary>
    public long Wanted { get; }
}

/// <summary>The other end did nothing for as long as was allowed. The connection still stands, but may be in the middle of a message.</summary>
public sealed class PeerTimedOutException : MigrateException
{
    /// <summary>A wait that was too long.</summary>
    /// <param name="peer">The peer's name.</param>
    /// <param name="activity">What was waited for.</param>
    /// <param name="allowed">The limit.</param>
    /// <param name="done">Bytes of the current message moved before.</param>
    /// <param name="wanted">Bytes of the current message.</param>
    public PeerTimedOutException(string peer, string activity, TimeSpan allowed, long done, long wanted)
        : base(ErrorCode.TimedOut, $"{peer} {activity} nothing for {allowed.TotalSeconds:0.###} s, {done} of {wanted} bytes into a message")
    {
        Done = done;
        Wanted = wanted;
        IsTransient = true;
    }

    /// <summary>Bytes of the message moved before.</summary>
    public long Done { get; }

    /// <summary>Bytes of the whole message.</summary>
    public long Wanted { get; }
}
