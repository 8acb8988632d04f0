using System.Diagnostics;
using Migrate.Transfer.Send;

namespace Migrate.Cli.Output;

/// <summary>A move as it goes on: one redrawn line with a bar on a terminal, a line an event elsewhere; then the report.</summary>
internal sealed class SendProgress(Terminal terminal)
{
    private const int BarWidth = 30;
    private static readonly TimeSpan LinePause = TimeSpan.FromSeconds(5);
    private readonly Stopwatch _said = Stopwatch.StartNew();
    private bool _open;

    public void Tell(SendEvent happened)
    {
        switch (happened)
        {
            case ConnectedEvent e:
                Line($"handover {e.HandoverId}: {e.VmName} to {e.Agent} ({e.HostName})");
                break;
            case VerdictEvent e:
                Line($"verdict: {Model.KebabCase.Of(e.Report.Verdict.ToString())}; {e.Report.Kept} registers kept, {e.Report.Changed} changed, {e.Report.LeftOut} left out; destination prepared");
                break;
            case ProgressEvent e:
                var share = Math.Min(1, (double)e.Bytes / Math.Max(1, e.RoundBytes));
                Redraw($"round {e.Round} [{new string('#', (int)(share * BarWidth)),-BarWidth}] {Units.Bytes(e.Bytes)} of at most {Units.Bytes(e.RoundBytes)}");
                break;
            case RoundEvent e:
                Clear();
                Line($"round {e.Round}: {Units.Bytes(e.Bytes)} in {Units.Time(e.Milliseconds / 1000.0)}, "
                    + $"{e.ZeroPages} zero pages, {e.DirtyPages} pages dirty again ({Units.Bytes(e.DirtyRate)}/s)");
                break;
            case ThrottleEvent e:
                Line($"vCPUs slowed by {e.Percent} %");
                break;
            case StoppedEvent e:
                Line($"stopped, {e.Pages} pages left");
                break;
            case AppliedEvent:
                Line("applied and read back");
                break;
            case ReleasedEvent:
                Line("released: the source never runs it again under this id");
                break;
            case AskingEvent e:
                Line($"connection lost after the release; asking the agent (attempt {e.Attempt}){(e.Answer.Length > 0 ? ": " + e.Answer : "")}");
                break;
            case RunningEvent:
                Line("running at the destination");
                break;
        }
    }

    /// <summary>Ends a redrawn line, so that what comes next has its own.</summary>
    public void End()
    {
        if (_open) terminal.Error.WriteLine();
        _open = false;
    }

    public static void Write(Terminal terminal, SendReport report)
    {
        var d = report.Downtime;
        terminal.Out.WriteLine($"moved {report.VmName} to {report.Agent}{(report.Verified ? ", memory verified" : "")}");
        terminal.Write(["", ""],
        [
            ["rounds", $"{report.Rounds}"],
            ["pages", $"{report.Pages} sent, {report.ZeroPages} zero and not sent"],
            ["bytes", Units.Bytes(report.Bytes)],
            ["time", Units.Time(report.Milliseconds / 1000.0)],
            ["throughput", $"{Units.Bytes(report.Throughput)}/s"],
            ["throttle", report.Throttle == 0 ? "none" : $"{report.Throttle} %"],
            ["downtime", Units.Time(d.Total / 1e6)],
            ["  last round", Units.Time(d.LastRound / 1e6)],
            ["  capture", Units.Time(d.Capture / 1e6)],
            ["  send", Units.Time(d.Send / 1e6)],
            ["  apply", Units.Time(d.Apply / 1e6)],
            ["  start", Units.Time(d.Start / 1e6)],
        ]);
        if (report.Note.Length > 0) terminal.Out.WriteLine(report.Note);
    }

    private void Line(string text)
    {
        End();
        terminal.Error.WriteLine(text);
    }

    private void Clear()
    {
        if (_open) terminal.Error.Write("\r\u001b[2K");
        _open = false;
    }

    /// <summary>A bar is for a terminal; elsewhere a line now and then says that it goes on.</summary>
    private void Redraw(string text)
    {
        if (!terminal.IsLive)
        {
            if (_said.Elapsed < LinePause) return;
            _said.Restart();
            Line(text);
            return;
        }
        terminal.Error.Write($"\r\u001b[2K{text}");
        _open = true;
    }
}
