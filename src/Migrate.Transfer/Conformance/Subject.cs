using System.Diagnostics;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Wire;

namespace Migrate.Transfer.Conformance;

/// <summary>One machine socket that is being tried. Connections that a check opens are ended when the next one begins; one of the run's own, which never holds
/// a session, looks on.</summary>
internal sealed class Subject(string path, ConformanceOptions options) : IDisposable
{
    /// <summary>How the handover id begins of a release that is to be taken back: a machine that stays released under one was left by a run that was killed.</summary>
    public const string IdPrefix = "conformance-";

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);
    private readonly List<IDisposable> _open = [];
    private MachineClient? _onlooker;
    private string? _lost;

    public string Path => path;

    public ConformanceOptions Options => options;

    /// <summary>A handover id of this run; every release here is made under it.</summary>
    public string HandoverId { get; set; } = $"{IdPrefix}{Guid.NewGuid():n}";

    /// <summary>A connection that is served. A server that is full has not seen yet that those of the check before have ended.</summary>
    public MachineClient Connect()
    {
        MachineClient? client = null;
        return Until(() => IsServed(client = Open(), client.Status)) ? Hold(client!) : throw new MigrateException(ErrorCode.Busy, $"{path} has no room for one more connection");
    }

    /// <summary>The same as it comes, perhaps to a server that is full.</summary>
    public MachineClient ConnectAtOnce() => Hold(Open());

    /// <summary>A connection of which every byte can be chosen.</summary>
    /// <param name="greet">Whether preambles are exchanged, and a first request answered, so that the connection is known to be served.</param>
    public RawConnection ConnectRaw(bool greet = true)
    {
        RawConnection? raw = null;
        return Until(() => (raw = new RawConnection(path, options.Patience, greet)) is var open && (!greet || IsServed(open, open.Status)))
            ? Hold(raw!)
            : throw new MigrateException(ErrorCode.Busy, $"{path} has no room for one more connection");
    }

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

    public void Dispose()
    {
        Release();
        _onlooker?.Dispose();
    }

    /// <summary>The status, as the onlooker sees it.</summary>
    public MachineStatus Status() => Look(client => client.Status());

    /// <summary>Lets a machine run that a run which was killed left released.</summary>
    public void TakeBack()
    {
        if (Status() is { State: LifecycleState.Released, Session: "" } left && left.HandoverId.StartsWith(IdPrefix, StringComparison.Ordinal))
        {
            using var client = Open();
            client.ResumeReleased(left.HandoverId);
        }
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
            Open().Dispose();
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
                var status = Status();
                why = $"the machine is {Words(status)}";
                if (status.Session.Length > 0 && status.State != LifecycleState.Released) return false;
                if (status.State == state) return true;
                return Look(client => Step(client, status.State, state));
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

    public static void ReleaseUnder(MachineClient client, string handover) => client.Tell(FrameKind.Release, MachineMessages.Handover, handover);

    /// <summary>A request that must be answered with an error of one code, or of one other.</summary>
    public static PeerErrorException Refused(ErrorCode code, string what, Action request, ErrorCode? or = null)
    {
        try
        {
            request();
        }
        catch (PeerErrorException e) when (e.Code == code || e.Code == or)
        {
            return e;
        }
        catch (PeerErrorException e)
        {
            throw new BrokenPromiseException($"{what} was refused with error {(int)e.Code} ({e.Code.Text()}) instead of {(int)code} ({code.Text()}){(or is { } other ? $" or {(int)other} ({other.Text()})" : "")}: {e.Reason}");
        }
        catch (MigrateException e)
        {
            throw new BrokenPromiseException($"{what} was not refused with an error: {e.Message}");
        }
        throw new BrokenPromiseException($"{what} was not refused");
    }

    /// <summary>One step of the way there; never the last word.</summary>
    private bool Step(MachineClient client, LifecycleState from, LifecycleState towards)
    {
        if (from == LifecycleState.Released) client.ResumeReleased(HandoverId);
        else if (from == LifecycleState.Paused) client.Resume();
        else if (from == LifecycleState.Running && towards == LifecycleState.Paused) client.Pause();
        return false;
    }

    private static bool IsServed(IDisposable connection, Func<MachineStatus> ask)
    {
        try
        {
            ask();
            return true;
        }
        catch (MigrateException e)
        {
            connection.Dispose();
            if (e is not PeerErrorException { Code: ErrorCode.Busy }) throw;
            return false;
        }
    }

    private MachineClient Open()
    {
        var client = MachineClient.Connect(path);
        client.ReplyTimeout = options.Patience;
        return client;
    }

    /// <summary>Asks on the onlooker's connection, which is opened again where it broke.</summary>
    private T Look<T>(Func<MachineClient, T> ask)
    {
        _onlooker ??= Open();
        try
        {
            return ask(_onlooker);
        }
        catch (MigrateException e) when (e is not PeerErrorException)
        {
            _onlooker.Dispose();
            _onlooker = null;
            throw;
        }
    }

    private static string Words(MachineStatus status) =>
        Lifecycle.Name(status.State) + (status.Session.Length > 0 ? $", held by {Shapes.OneLine(status.Session, 200)}" : "");
}
