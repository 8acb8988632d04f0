using Migrate.Linux.Files;
using Migrate.Linux.Native;
using Migrate.Model.Errors;
using static Migrate.Linux.Native.SocketConstants;

namespace Migrate.Linux.Sockets;

/// <summary>A Unix socket that waits for connections at a path, with mode 0600. Its path goes with it.</summary>
public sealed class UnixListener : IDisposable
{
    private const int Backlog = 16;
    private static readonly TimeSpan ProbeTime = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Contention = TimeSpan.FromSeconds(5);
    private readonly FileDescriptor _socket;
    private readonly FileIdentity _file;

    private UnixListener(FileDescriptor socket, string path, FileIdentity file)
    {
        _socket = socket;
        Path = path;
        _file = file;
    }

    /// <summary>Where it listens.</summary>
    public string Path { get; }

    /// <summary>Listens at a path. A socket left behind by a dead process is replaced; a live one, or any other file, is left alone.</summary>
    /// <param name="path">At most 107 bytes.</param>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Busy"/>: somebody listens there, or the path is not a socket.</exception>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public static UnixListener Listen(string path)
    {
        // Two starters may both find the same dead socket: without the lock the slower would remove the faster's live one.
        using var guard = DirectoryGuard.Take(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!, Contention);
        RemoveIfStale(path);
        var socket = UnixAddress.NewSocket(path, SOCK_NONBLOCK);
        try
        {
            // On Linux the new file takes the mode of the socket's own inode (net/unix/af_unix.c, unix_bind_bsd): there is no
            // moment in which others could connect.
            if (Libc.fchmod(socket, 0x180) != 0)
                throw LinuxException.Last("fchmod", path);
            UnixAddress.Bind(socket, path);
            if (Libc.listen(socket, Backlog) != 0)
                throw LinuxException.Last("listen", path);
            return new UnixListener(socket, path, FileIdentity.Of(path)!.Value);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Waits for a connection.</summary>
    /// <param name="timeout">How long; may be infinite.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <returns>The connection, its peer not yet judged (<see cref="UnixSocket.RequireTrustedPeer"/>); null when the time is over.</returns>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    /// <exception cref="LinuxException">The kernel refused; the listener still works.</exception>
    public UnixSocket? Accept(TimeSpan timeout, CancellationToken cancellation = default)
    {
        var accepted = Acceptor.Accept(_socket, Path, timeout, cancellation);
        return accepted is null ? null : new UnixSocket(accepted, $"a client of {Path}");
    }

    /// <summary>Stops listening and removes the path, unless it is another's by now. A running <see cref="Accept"/> is to be cancelled first.</summary>
    public void Dispose()
    {
        if (_socket.IsClosed)
            return;
        if (FileIdentity.Of(Path) == _file)
            _ = Libc.unlink(Path);
        _socket.Dispose();
    }

    private static void RemoveIfStale(string path)
    {
        if (FileIdentity.Of(path) is not { } existing)
            return;
        if (!existing.IsSocket)
            throw new MigrateException(ErrorCode.Busy, $"{path} exists and is not a socket") { Remedy = "Remove it or choose another path." };
        using var probe = UnixAddress.NewSocket(path);
        var errno = UnixAddress.TryConnect(probe, path, new Deadline(ProbeTime));
        switch (errno)
        {
            case Errno.ECONNREFUSED:
                if (Libc.unlink(path) != 0)
                    throw LinuxException.Last("unlink", path);
                return;
            case Errno.ENOENT:
                return;
            case Errno.EACCES or Errno.EPERM:
                throw new LinuxException("connect", errno, path);
            // Connected, or too busy to answer, or a socket of another type: alive in any case.
            default:
                throw new MigrateException(ErrorCode.Busy, $"another process already listens on {path}") { Remedy = "Stop it or choose another path." };
        }
    }
}
