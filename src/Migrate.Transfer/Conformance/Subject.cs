using System.Diagnostics;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Wire;

namespace Migrate.Transfer.Conformance;

/// <summary>One machine socket that is being tried. Connections that a check opens are ended when the next one begins.</summary>
internal sealed class Subject(string path, ConformanceOptions options)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);
    private readonly List<IDisposable> _open = [];
    private string? _lost;

    public string Path => path;

    public ConformanceOptions Options => options;

    /// <summary>A handover id of this run; every release here is made under it.</summary>
    public string HandoverId { get; } = $"conformance-{Guid.NewGuid():n}";

    public MachineClient Connect()
    {
        var client = Hold(MachineClient.Connect(path));
        client.ReplyTimeout = options.Patience;
        return client;
    }

    /// <summary>A connection of which every byte can be chosen.</summary>
    /// <param name="greet">Whether preambles are exchanged at once.</param>
    public RawConnection ConnectRaw(bool greet = true) => Hold(new RawConnection(path, options.Patience, greet));

    /// <summary>A source session on a connection of its own.</summary>
    public LoggedSession OpenSource() => OpenSource(Connect());

    public LoggedSession OpenSource(MachineClient client) => Hold(new LoggedSession(client));

    public T Hold<T>(T resource) where T : IDisposable
    {
        _open.Add(resource);
        return resource;
    }

    /// <summary>Ends every connection of the check that is over.</summary>
    public void Release()
    {
        for (var i = _open.Count - 1; i >= 0; i--) _open[i].Dispose();
        _open.Clear();
    }

    /// <summary>The status, on a connection of its own.</summary>
    public MachineStatus Status()
    {
        using var client = MachineClient.Connect(path);
        client.ReplyTimeout = options.Patience;
        return client.Status();
    }

    /// <summary>Waits until no session is shown and the machine is in a state.</summary>
    /// <param name="state">Which.</param>
    /// <param name="after">What has just happened, for the message.</param>
    public void Await(LifecycleState state, string after)
    {
        var status = Status();
        if (!Until(() => status.State == state && status.Session.Length == 0, () => status = Status()))
            throw new BrokenPromiseException($"{after}, and {options.Patience.TotalSeconds:0.#} s later the machine is {Words(status)}");
    }

    public void RequireState(LifecycleState state, string after)
    {
        var status = Status();
        if (status.State != state) throw new BrokenPromiseException($"{after}, and the machine is {Words(status)} instead of {Lifecycle.Name(state)}");
    }

    /// <summary>Whether nobody serves the socket any more, after a while.</summary>
    public bool IsGone() => Until(() =>
    {
        try
        {
            Status();
            return false;
        }
        catch (MigrateException e)
        {
            return e.Code is ErrorCode.Unreachable or ErrorCode.PeerLost;
        }
    });

    /// <summary>Settles, or says that nothing more can be tried here; a machine that is lost is not waited for again.</summary>
    public void Begin(LifecycleState state)
    {
        _lost ??= Settle(state);
        if (_lost is not null) throw new NotTriedException($"the machine could not be brought back to {Lifecycle.Name(state)}: {_lost}");
    }

    /// <summary>Brings the machine back to where a check begins; what is needed for that is no promise's matter.</summary>
    /// <param name="state"><see cref="LifecycleState.Running"/>, <see cref="LifecycleState.Paused"/> or <see cref="LifecycleState.Incoming"/>.</param>
    /// <returns>Null, or why it could not.</returns>
    public string? Settle(LifecycleState state)
    {
        Release();
        var why = "";
        return Until(() =>
        {
            try
            {
                using var client = MachineClient.Connect(path);
                client.ReplyTimeout = options.Patience;
                var status = client.Status();
                why = $"the machine is {Words(status)}";
                if (status.Session.Length > 0 && status.State != LifecycleState.Released) return false;
                if (status.State == state) return true;
                switch (status.State)
                {
                    case LifecycleState.Released: client.ResumeReleased(HandoverId); break;
                    case LifecycleState.Paused: client.Resume(); break;
                    case LifecycleState.Running when state == LifecycleState.Paused: client.Pause(); break;
                }
                return false;
            }
            catch (MigrateException e)
            {
                why = e.Message;
                return false;
            }
        }) ? null : why;
    }

    /// <summary>Waits until something is so, and acts between two looks.</summary>
    public bool Until(Func<bool> isSo, Action? between = null, TimeSpan? within = null)
    {
        for (var since = Stopwatch.GetTimestamp(); !isSo();)
        {
            if (Stopwatch.GetElapsedTime(since) > (within ?? options.Patience)) return false;
            Thread.Sleep(Pause);
            between?.Invoke();
        }
        return true;
    }

    /// <summary>Lets the machine go on for as long as one that must stand still is watched.</summary>
    public void Watch() => Thread.Sleep(options.Watch);

    /// <summary>A request that must be answered with an error of one code.</summary>
    public static PeerErrorException Refused(ErrorCode code, string what, Action request)
    {
        var error = RefusedAnyhow(what, request);
        return error.Code == code
            ? error
            : throw new BrokenPromiseException($"{what} was refused with error {(int)error.Code} ({error.Code.Text()}) instead of {(int)code} ({code.Text()}): {error.Reason}");
    }

    private static PeerErrorException RefusedAnyhow(string what, Action request)
    {
        try
        {
            request();
        }
        catch (PeerErrorException e)
        {
            return e;
        }
        catch (MigrateException e)
        {
            throw new BrokenPromiseException($"{what} was not refused with an error: {e.Message}");
        }
        throw new BrokenPromiseException($"{what} was not refused");
    }

    public static void ReleaseUnder(MachineClient client, string handover) => client.Tell(FrameKind.Release, MachineMessages.Handover, handover);

    private static string Words(MachineStatus status) =>
        Lifecycle.Name(status.State) + (status.Session.Length > 0 ? $", held by {Shapes.OneLine(status.Session, 200)}" : "");
}
