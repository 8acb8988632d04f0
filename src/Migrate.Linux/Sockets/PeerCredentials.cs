namespace Migrate.Linux.Sockets;

/// <summary>Who was at the other end of a Unix socket when it was connected, as the kernel saw it (SO_PEERCRED, unix(7)).</summary>
/// <param name="Pid">Process id; 0 when it is not visible from this pid namespace.</param>
/// <param name="UserId">Effective user id.</param>
/// <param name="GroupId">Effective group id.</param>
public readonly record struct PeerCredentials(int Pid, uint UserId, uint GroupId)
{
    /// <summary>Whether the peer is the given user or root.</summary>
    public bool IsUserOrRoot(uint userId) => UserId == userId || UserId == 0;
}
