using System.Diagnostics;
using Migrate.Model;
using Migrate.Model.Errors;
using Migrate.Model.Plans;
using Migrate.Preflight;
using Migrate.Transfer.Handover;
using Migrate.Transfer.Pages;
using Migrate.Transfer.Wire;

namespace Migrate.Transfer.Send;

/// <summary>The pages of a move: rounds while the machine runs, and the last one. Allocates per round, never per page.</summary>
internal sealed partial class SendSession
{
    private static readonly TimeSpan ProgressPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan JudgePatience = TimeSpan.FromSeconds(10);
    private long _roundBytes;
    private ulong _roundPages;
    private long _shown;
    private PageSender? _pages;
    private DirtyBitmap? _pending;
    private DirtyBitmap? _collected;
    private PageCounts _counts;
    private double _sending;
    private int _rounds;
    private int _throttle;
    private long _mark;
    private Downtime _downtime;
    private EquatableArray<byte> _digest;
    private bool _verified;

    /// <summary>Copies all memory, then what was written meanwhile, until little enough is left.</summary>
    private SourceEvent CopyRounds()
    {
        _session = Blame.Machine(_machine.OpenSource);
        _pages = new PageSender(_channel, _session.Memory, _session.PageSize, _options.Bandwidth > 0 ? new RateLimiter(_options.Bandwidth) : null) { Sent = ShowProgress };
        _pending = _session.NewBitmap();
        _collected = _session.NewBitmap();
        _pending.SetAll();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_cancelled);
        limit.CancelAfter(_options.Timeout);
        var convergence = new Convergence(_options.MaxDowntime, _options.AutoConverge);
        try
        {
            while (true)
            {
                var began = Stopwatch.GetTimestamp();
                var counts = SendRound(limit.Token);
                var elapsed = Stopwatch.GetElapsedTime(began);
                // Swapped, not copied: what is pending now was sent.
                (_pending, _collected) = (_collected, _pending);
                var dirty = Blame.Machine(() => _session.Collect(_pending)).Pages;
                var left = dirty * _session.PageSize;
                Progress?.Invoke(new RoundEvent(
                    _rounds, (ulong)counts.Pages, (ulong)counts.ZeroPages, (ulong)counts.Bytes, (int)elapsed.TotalMilliseconds,
                    (ulong)dirty, (ulong)(left / Math.Max(elapsed.TotalSeconds, 1e-6)), _session.Memory.Bytes));
                limit.Token.ThrowIfCancellationRequested();
                if (_rounds == 1 && _session.WasRunning) JudgeAgain(limit.Token);
                switch (convergence.After(counts.Bytes, Math.Max(elapsed.TotalSeconds, 1e-6), left))
                {
                    // The first round is the long one: behind it the machine is judged again, and what it writes meanwhile goes with one more.
                    case RoundVerdict.Stop when _rounds > 1:
                        return SourceEvent.Converged;
                    case RoundVerdict.Throttle:
                        _throttle = convergence.Throttle;
                        Blame.Machine(() => Throttle(_throttle));
                        break;
                    case RoundVerdict.GiveUp:
                        throw NotConverging(left, convergence.Throughput);
                }
            }
        }
        catch (OperationCanceledException) when (!_cancelled.IsCancellationRequested)
        {
            throw NotConverging((long)_pending.Count * _session.PageSize, convergence.Throughput);
        }
    }

    /// <summary>Asks once more, since the machine ran on after it was offered: what its state of now would be refused for costs nothing as long as it runs.</summary>
    private void JudgeAgain(CancellationToken cancellation)
    {
        var now = Blame.Machine(_machine.Describe);
        using var late = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        late.CancelAfter(JudgePatience);
        CheckReport report;
        try
        {
            report = new AgentClient(_options.Host, _options.Port) { Timeout = JudgePatience }
                .Check(now, _options.Policy, _options.Accept, _options.AcceptAssumed, includePlan: false, late.Token);
        }
        catch (MigrateException)
        {
            // Too many connections there, or none: the final state is judged in any case.
            cancellation.ThrowIfCancellationRequested();
            return;
        }
        if (report.Verdict != Verdict.No) return;
        var first = report.Findings.FirstOrDefault(f => f.Stops);
        throw new MigrateException(ErrorCode.Refused, $"it does not survive on {report.Destination} as it is now{(first is null ? "" : $": {first.Code.Text()}, {first.Subject} {first.Here}")}")
        { Stage = Stage.PreCopy, Remedy = first?.Remedy };
    }

    private void ShowProgress(long bytes)
    {
        _roundBytes += bytes;
        if (Progress is null || Stopwatch.GetElapsedTime(_shown) < ProgressPause) return;
        _shown = Stopwatch.GetTimestamp();
        Progress(new ProgressEvent(_rounds, (ulong)_roundBytes, _roundPages * (ulong)_session!.PageSize));
    }

    private bool Throttle(int percent)
    {
        _session!.Throttle(percent);
        Progress?.Invoke(new ThrottleEvent(percent));
        return true;
    }

    /// <summary>Sends what is pending and waits until it is in place.</summary>
    private PageCounts SendRound(CancellationToken cancellation)
    {
        var began = Stopwatch.GetTimestamp();
        var counts = SendPending(cancellation);
        Blame.Peer(() => _channel.Send(FrameKind.RoundEnd, TransferMessages.Round, _rounds));
        var acknowledged = Blame.Peer(() => _channel.Expect(FrameKind.RoundAck, TransferMessages.Round));
        if (acknowledged != _rounds)
            throw new PeerProblem(new MigrateException(ErrorCode.Protocol, $"{_channel.Name} acknowledged round {acknowledged}; it was round {_rounds}"));
        _sending += Stopwatch.GetElapsedTime(began).TotalSeconds;
        return counts;
    }

    private PageCounts SendPending(CancellationToken cancellation)
    {
        var counts = default(PageCounts);
        var first = ++_rounds == 1;
        (_roundBytes, _roundPages, _shown) = (0, (ulong)_pending!.Count, Stopwatch.GetTimestamp());
        try
        {
            for (var i = 0; i < _session!.Memory.Slots.Count; i++)
                counts += _pages!.Send(_session.Memory.Slots[i].Slot.Slot, _pending!.Slot(i), first, cancellation);
        }
        catch (MigrateException e)
        {
            throw new PeerProblem(e);
        }
        _counts += counts;
        return counts;
    }

    /// <summary>Quiesce, then the last harvest, then the capture: in another order interrupts are lost.</summary>
    private SourceEvent StopMachine()
    {
        var session = _session!;
        _mark = Stopwatch.GetTimestamp();
        Blame.Machine(() =>
        {
            session.Quiesce();
            return session.Collect(_collected!);
        });
        Unite(_pending!.Words, _collected!.Words);
        _downtime = _downtime with { LastRound = Microseconds(ref _mark) };
        Progress?.Invoke(new StoppedEvent((ulong)_pending.Count));
        var state = Blame.Machine(session.Capture);
        _downtime = _downtime with { Capture = Microseconds(ref _mark) };
        var began = Stopwatch.GetTimestamp();
        SendPending(_cancelled);
        Blame.Peer(() => _channel.Send(FrameKind.Final, TransferMessages.Final, new FinalState(state, _options.Verify)));
        _sending += Stopwatch.GetElapsedTime(began).TotalSeconds;
        _downtime = _downtime with { Send = Microseconds(ref _mark) };
        _channel.IdleTimeout = _options.StopTimeout;
        if (_options.Verify)
        {
            // Both sides digest at the same time; the agent answers when its own is done.
            _digest = MemoryDigest.Of(session.Memory);
            _channel.IdleTimeout = _options.StopTimeout + TimeSpan.FromSeconds(session.Memory.Bytes / 50e6);
        }
        return SourceEvent.StateSent;
    }

    private SourceEvent TakeApplied(AppliedState applied)
    {
        _channel.IdleTimeout = _options.StopTimeout;
        if (!applied.Run.Succeeded)
            throw new MigrateException(ErrorCode.Protocol, $"{_channel.Name} reports as applied what did not succeed");
        if (_options.Verify && applied.Digest != _digest)
        {
            Problem ??= new MigrateException(ErrorCode.ReadBackDiffers, "guest memory at the destination differs from the source's: the digests are not the same") { Stage = Stage.Apply };
            return SourceEvent.Fault;
        }
        _verified = _options.Verify;
        _downtime = _downtime with { Apply = Microseconds(ref _mark) };
        Progress?.Invoke(new AppliedEvent());
        return SourceEvent.Applied;
    }

    private SendReport Report() => new()
    {
        HandoverId = Record.Id,
        VmName = Record.VmName,
        Agent = Record.AgentAddress,
        Rounds = _rounds,
        Pages = (ulong)_counts.Pages,
        ZeroPages = (ulong)_counts.ZeroPages,
        Bytes = (ulong)_counts.Bytes,
        Milliseconds = (int)Math.Min(int.MaxValue, Stopwatch.GetElapsedTime(_began).TotalMilliseconds),
        Throughput = (ulong)(_counts.Bytes / Math.Max(_sending, 1e-6)),
        Throttle = _throttle,
        Downtime = _downtime,
        Verified = _verified,
        Note = Model.Encoding.Shapes.OneLine(Note),
    };

    private MigrateException NotConverging(long left, double throughput) => new(
        ErrorCode.NotConverging,
        $"after {_rounds} rounds {left / 1048576.0:0.#} MiB are left, {left / Math.Max(throughput, 1) * 1000:0} ms at {throughput / 1048576.0:0.#} MiB/s; {_options.MaxDowntime.TotalMilliseconds:0} ms are allowed")
    {
        Stage = Stage.PreCopy,
        Remedy = "Allow a longer downtime or more bandwidth, or move it when it writes less.",
    };

    private static void Unite(Span<ulong> into, ReadOnlySpan<ulong> more)
    {
        for (var i = 0; i < into.Length; i++) into[i] |= more[i];
    }

    private static int Microseconds(ref long mark)
    {
        var now = Stopwatch.GetTimestamp();
        var elapsed = Stopwatch.GetElapsedTime(mark, now);
        mark = now;
        return (int)Math.Min(int.MaxValue, elapsed.TotalMicroseconds);
    }
}
