using System.Diagnostics;

namespace Migrate.Tests.Linux;

/// <summary>A child reads keys, once from a pipe and once from a terminal that <c>script</c> (util-linux) makes.</summary>
public class StandardInputTests
{
    private const string TerminalMaker = "/usr/bin/script";

    /// <summary>Ctrl-C, Ctrl-D, Ctrl-Z and a line's end: what a terminal would keep for itself.</summary>
    private static readonly byte[][] Keys = [[3], [4], [26], "a\r"u8.ToArray(), "q"u8.ToArray()];

    [Fact]
    public void A_pipe_is_read_byte_by_byte_to_the_end()
    {
        using var directory = new TemporaryDirectory();
        var (program, arguments, variable, value) = ChildRole.Command("read-keys", directory["keys"]);
        Type(new ProcessStartInfo(program, arguments) { Environment = { [variable] = value } });
        Assert.Equal("Stream 03041A610D71", File.ReadAllText(directory["keys"]));
    }

    [Fact]
    public void A_terminal_passes_every_key_on_and_is_given_back_as_it_was()
    {
        if (!File.Exists(TerminalMaker)) Assert.Skip($"{TerminalMaker} is not there (Debian: bsdutils)");
        using var directory = new TemporaryDirectory();
        var (program, arguments, variable, value) = ChildRole.Command("read-keys", directory["keys"]);
        var command = $"{program} {string.Join(' ', arguments)}; stty -a";
        var said = Type(new ProcessStartInfo(TerminalMaker, ["-qec", command, "/dev/null"]) { Environment = { [variable] = value, ["SHELL"] = "/bin/sh" } });
        Assert.Equal("Terminal 03041A610D71", File.ReadAllText(directory["keys"]));
        Assert.Matches(@"[^-]icanon", said);
        Assert.Matches(@"[^-]isig", said);
        Assert.Matches(@"[^-]echo ", said);
    }

    private static string Type(ProcessStartInfo start)
    {
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        using var process = Process.Start(start)!;
        using var late = new Timer(_ => process.Kill(entireProcessTree: true), null, TimeSpan.FromSeconds(60), Timeout.InfiniteTimeSpan);
        // Before it is ready a terminal would still take the keys for itself.
        // .NET tells a terminal about its keypad before the first word.
        Assert.EndsWith("ready", process.StandardOutput.ReadLine());
        foreach (var keys in Keys)
        {
            process.StandardInput.BaseStream.Write(keys);
            process.StandardInput.BaseStream.Flush();
            Thread.Sleep(20);
        }
        var said = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return said;
    }
}
