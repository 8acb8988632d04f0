using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Migrate.Linux.Native;
using Migrate.Model.Errors;
using static Migrate.Linux.Native.SocketConstants;

namespace Migrate.Linux.Sockets;

/// <summary>A TCP connection that blocks from its creation to its end.</summary>
public sealed class TcpConnection : StreamSocket
{
    internal TcpConnection(FileDescriptor socket, string peerName)
        : base(socket, peerName)
    {
    }

    /// <summary>Whether small sends leave at once instead of waiting to be joined (TCP_NODELAY); off at first.</summary>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public bool NoDelay
    {
        get => SocketOptions.Get(Handle, IPPROTO_TCP, TCP_NODELAY, PeerName) != 0;
        set => SocketOptions.Set(Handle, IPPROTO_TCP, TCP_NODELAY, value ? 1 : 0, PeerName);
    }

    /// <summary>Bytes of the kernel's send buffer (SO_SNDBUF). The kernel doubles what is set, within its limits, and no longer tunes it by itself.</summary>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public int SendBufferBytes
    {
        get => SocketOptions.Get(Handle, SOL_SOCKET, SO_SNDBUF, PeerName);
        set => SocketOptions.Set(Handle, SOL_SOCKET, SO_SNDBUF, value, PeerName);
    }

    /// <summary>Bytes of the kernel's receive buffer (SO_RCVBUF). The kernel doubles what is set, within its limits, and no longer tunes it by itself.</summary>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public int ReceiveBufferBytes
    {
        get => SocketOptions.Get(Handle, SOL_SOCKET, SO_RCVBUF, PeerName);
        set => SocketOptions.Set(Handle, SOL_SOCKET, SO_RCVBUF, value, PeerName);
    }

    /// <summary>This side's address and port.</summary>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public IPEndPoint LocalEndPoint => TcpAddress.Local(Handle, PeerName);

    /// <summary>Connects to the first of a host's addresses that answers, each tried in turn within one common limit.</summary>
    /// <param name="host">A name or an address.</param>
    /// <param name="port">1 to 65535.</param>
    /// <param name="timeout">For name resolution and all attempts together; may be infinite.</param>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Unreachable"/>, with what each address answered.</exception>
    public static TcpConnection Connect(string host, int port, TimeSpan timeout)
    {
        if (port is < 1 or > IPEndPoint.MaxPort)
            throw new MigrateException(ErrorCode.Usage, $"{port} is not a port: 1 to {IPEndPoint.MaxPort} are");
        var deadline = new Deadline(timeout);
        var answers = new List<string>();
        foreach (var address in Resolve(host, port, deadline))
        {
            var endpoint = new IPEndPoint(address, port);
            var socket = TcpAddress.NewSocket(endpoint);
            var errno = 0;
            try
            {
                errno = TcpAddress.TryConnect(socket, endpoint, deadline);
                if (errno == 0)
                {
                    SocketOptions.SetTimeout(socket, SO_SNDTIMEO, Timeout.InfiniteTimeSpan, host);
                    return new TcpConnection(socket, Name(host, endpoint));
                }
            }
            catch
            {
                socket.Dispose();
                throw;
            }
            socket.Dispose();
            // EINPROGRESS and EAGAIN are how a blocking connect says that its limit is over.
            answers.Add(errno is Errno.EINPROGRESS or Errno.EAGAIN or Errno.EINTR
                ? $"{endpoint} did not answer in {timeout.TotalSeconds:0.###} s"
                : $"{endpoint} answered {Errno.Name(errno)} ({Marshal.GetPInvokeErrorMessage(errno)})");
            if (deadline.IsOver)
                break;
        }
        throw new MigrateException(ErrorCode.Unreachable, $"{host}:{port} cannot be reached: {string.Join("; ", answers)}") { IsTransient = true };
    }

    /// <summary>Notices a peer whose host is gone, both while nothing is sent and while sent bytes stay unacknowledged.</summary>
    /// <param name="idle">Silence before the first probe, and between probes; whole seconds from 1 to 32767.</param>
    /// <param name="probes">Unanswered probes before the connection is given up; 1 to 127.</param>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public void EnableKeepAlive(TimeSpan idle, int probes)
    {
        var seconds = (int)Math.Clamp(Math.Ceiling(idle.TotalSeconds), 1, 32767);
        SocketOptions.Set(Handle, IPPROTO_TCP, TCP_KEEPIDLE, seconds, PeerName);
        SocketOptions.Set(Handle, IPPROTO_TCP, TCP_KEEPINTVL, seconds, PeerName);
        SocketOptions.Set(Handle, IPPROTO_TCP, TCP_KEEPCNT, probes, PeerName);
        // Probes are sent only while nothing is in flight; this bounds the rest (RFC 5482, tcp(7)).
        SocketOptions.Set(Handle, IPPROTO_TCP, TCP_USER_TIMEOUT, checked(seconds * (probes + 1) * 1000), PeerName);
        SocketOptions.Set(Handle, SOL_SOCKET, SO_KEEPALIVE, 1, PeerName);
    }

    private static IPAddress[] Resolve(string host, int port, Deadline deadline)
    {
        if (IPAddress.TryParse(host, out var literal))
            return [literal];
        using var limit = new CancellationTokenSource();
        if (deadline.Remaining is var remaining && remaining != Timeout.InfiniteTimeSpan)
            limit.CancelAfter(remaining);
        try
        {
            var addresses = Dns.GetHostAddressesAsync(host, limit.Token).GetAwaiter().GetResult();
            if (addresses.Length > 0)
                return addresses;
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ArgumentException)
        {
            var reason = e is OperationCanceledException ? "its name was not resolved in time" : e.Message;
            throw new MigrateException(ErrorCode.Unreachable, $"{host}:{port} cannot be reached: {reason}", e);
        }
        throw new MigrateException(ErrorCode.Unreachable, $"{host}:{port} cannot be reached: the name has no address");
    }

    private static string Name(string host, IPEndPoint endpoint) =>
        IPAddress.TryParse(host, out _) ? endpoint.ToString() : $"{host}:{endpoint.Port}";
}
