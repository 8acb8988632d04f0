using System.Net;
using Migrate.Linux.Native;
using static Migrate.Linux.Native.SocketConstants;

namespace Migrate.Linux.Sockets;

/// <summary>A TCP port that waits for connections.</summary>
public sealed class TcpListenerSocket : IDisposable
{
    private const int Backlog = 16;
    private readonly FileDescriptor _socket;

    private TcpListenerSocket(FileDescriptor socket, IPEndPoint local)
    {
        _socket = socket;
        LocalEndPoint = local;
    }

    /// <summary>The address and the port, also where the kernel chose the port.</summary>
    public IPEndPoint LocalEndPoint { get; }

    /// <summary>Listens on an address.</summary>
    /// <param name="endpoint">Port 0 lets the kernel choose.</param>
    /// <exception cref="LinuxException">The kernel refused: EADDRINUSE, EADDRNOTAVAIL, EACCES.</exception>
    public static TcpListenerSocket Listen(IPEndPoint endpoint)
    {
        var socket = TcpAddress.NewSocket(endpoint, SOCK_NONBLOCK);
        try
        {
            // Only lets a restarted agent have its port while old connections linger; a live listener still keeps it.
            SocketOptions.Set(socket, SOL_SOCKET, SO_REUSEADDR, 1, endpoint.ToString());
            TcpAddress.Bind(socket, endpoint);
            if (Libc.listen(socket, Backlog) != 0)
                throw LinuxException.Last("listen", endpoint.ToString());
            return new TcpListenerSocket(socket, TcpAddress.Local(socket, endpoint.ToString()));
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
    /// <returns>The connection; null when the time is over.</returns>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    /// <exception cref="LinuxException">The kernel refused; the listener still works.</exception>
    public TcpConnection? Accept(TimeSpan timeout, CancellationToken cancellation = default)
    {
        var accepted = Acceptor.Accept(_socket, LocalEndPoint.ToString(), timeout, cancellation);
        if (accepted is null)
            return null;
        var name = TcpAddress.Remote(accepted)?.ToString() ?? $"a client of {LocalEndPoint} that is gone";
        return new TcpConnection(accepted, name);
    }

    /// <summary>Stops listening. A running <see cref="Accept"/> is to be cancelled first.</summary>
    public void Dispose() => _socket.Dispose();
}
