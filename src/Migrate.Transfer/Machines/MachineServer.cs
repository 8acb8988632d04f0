using Migrate.Linux.Sockets;
using Migrate.Model.Errors;
using Migrate.Model.Machines;
using Migrate.Model.Ports;
using Migrate.Transfer.Wire;

namespace Migrate.Transfer.Machines;

/// <summary>How a machine is served.</summary>
public sealed record MachineServerOptions
{
    /// <summary>Called with the name of each state as it is reached, before the answer to whoever asked for it; on that request's thread.</summary>
    public Action<string>? Reached { get; init; }

    /// <summary>Called with one line about each connection that ended with an error; null to say nothing.</summary>
    public Action<string>? Report { get; init; }

    /// <summary>Most connections at a time.</summary>
    public int MaxConnections { get; init; } = 16;

    /// <summary>How long the rest of a request, or room for an answer, may keep the server waiting.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a connection without a session may be silent.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(10);
}

/// <summary>Serves one machine of this process on a machine socket: a Unix socket of mode 0600 whose clients are this user or root.</summary>
/// <remarks>
/// One thread a connection; requests to the machine run one at a time. The protocol is schemas/machine-socket.md, its states are the
/// table of <see cref="Lifecycle"/>. The server takes the machine over and disposes of it when it can be disposed of.
/// </remarks>
public sealed class MachineServer : IDisposable
{
    private readonly UnixListener _listener;
    private readonly HostedMachine _machine;
    private readonly MachineServerOptions _options;
    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<MachineConnection, Thread> _connections = [];
    private readonly Thread _acceptor;

    private MachineServer(string path, HostedMachine machine, MachineServerOptions options)
    {
        _machine = machine;
        _options = options with { Report = Reporting.Harmless(options.Report) };
        try
        {
            _listener = UnixListener.Listen(path);
        }
        catch
        {
            machine.Dispose();
            throw;
        }
        _acceptor = new Thread(Accept) { Name = "machine-accept", IsBackground = true };
        _acceptor.Start();
    }

    /// <summary>Where it listens.</summary>
    public string Path => _listener.Path;

    /// <summary>The machine's status.</summary>
    public MachineStatus Status => _machine.Status();

    /// <summary>Completes when the machine was destroyed by a request: the process has nothing left to do.</summary>
    public Task Destroyed => _machine.Destroyed;

    /// <summary>Serves a machine that runs, or is stopped.</summary>
    /// <param name="path">The socket's path, at most 107 bytes.</param>
    /// <param name="machine">The machine.</param>
    /// <param name="options">Limits and observers.</param>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Busy"/>: somebody listens there already.</exception>
    public static MachineServer Serve(string path, IMachine machine, MachineServerOptions? options = null)
    {
        options ??= new MachineServerOptions();
        return new MachineServer(path, new HostedMachine(machine, options.Reached), options);
    }

    /// <summary>Serves a machine that is still to come.</summary>
    /// <param name="path">The socket's path, at most 107 bytes.</param>
    /// <param name="name">The process's name until the machine brings its own.</param>
    /// <param name="build">Begins to build a machine; a <see cref="MigrateException"/> is told to the client.</param>
    /// <param name="options">Limits and observers.</param>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Busy"/>: somebody listens there already.</exception>
    public static MachineServer ServeIncoming(string path, string name, Func<VmDescription, IIncomingMachine> build, MachineServerOptions? options = null)
    {
        options ??= new MachineServerOptions();
        return new MachineServer(path, new HostedMachine(name, build, options.Reached), options);
    }

    /// <summary>Ends every connection, then the machine.</summary>
    public void Dispose()
    {
        if (_stop.IsCancellationRequested) return;
        _stop.Cancel();
        _acceptor.Join();
        _listener.Dispose();
        KeyValuePair<MachineConnection, Thread>[] left;
        lock (_connections) left = [.. _connections];
        foreach (var (connection, _) in left) connection.Abort();
        foreach (var (_, thread) in left) thread.Join();
        _machine.Dispose();
        _stop.Dispose();
    }

    private void Accept()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                if (_listener.Accept(Timeout.InfiniteTimeSpan, _stop.Token) is { } socket) Admit(socket);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (MigrateException e)
            {
                // Out of descriptors or memory: those who are connected go on, and new ones wait until there is room again.
                _options.Report?.Invoke(e.Message);
                _stop.Token.WaitHandle.WaitOne(TimeSpan.FromMilliseconds(100));
            }
        }
    }

    private void Admit(UnixSocket socket)
    {
        try
        {
            socket.RequireTrustedPeer();
            // Nothing here may wait for the peer: it would keep everybody else out.
            socket.SendTimeout = TimeSpan.FromSeconds(1);
            lock (_connections)
            {
                if (_connections.Count < _options.MaxConnections)
                {
                    var connection = new MachineConnection(new UnixByteStream(socket), $"pid {socket.Peer.Pid}", _machine, _options);
                    var thread = new Thread(() => Serve(connection)) { Name = "machine-connection", IsBackground = true };
                    _connections.Add(connection, thread);
                    thread.Start();
                    return;
                }
            }
            using var channel = new FrameChannel(new UnixByteStream(socket), StreamPurpose.Machine);
            channel.WritePreamble();
            channel.TrySendError(new MigrateException(ErrorCode.Busy, $"{_options.MaxConnections} connections are open already") { IsTransient = true });
        }
        catch (MigrateException e)
        {
            _options.Report?.Invoke(e.Message);
            socket.Dispose();
        }
    }

    private void Serve(MachineConnection connection)
    {
        try
        {
            connection.Run();
        }
        finally
        {
            lock (_connections) _connections.Remove(connection);
        }
    }
}
