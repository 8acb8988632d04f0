using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Migrate.LabGuest.Jobs;

/// <summary>The shell of a Linux guest, at the other end of its console.</summary>
/// <param name="type">Sends characters to the guest.</param>
public sealed partial class LinuxGuest(Action<byte[]> type)
{
    /// <summary>Where the image holds the kernel that the host itself runs.</summary>
    public const string Kernel = "/guest/vmlinuz";

    /// <summary>Where it holds the guest's RAM disk.</summary>
    public const string Disk = "/guest/initrd";

    /// <summary>The program that the guest calculates with; the host has the same.</summary>
    public const string Busybox = "/bin/busybox";

    /// <summary>What the shell prints when it waits.</summary>
    private const string Prompt = "guest# ";

    private readonly StringBuilder _console = new();
    private int _read;

    /// <summary>Says why there can be no guest; null when there can.</summary>
    public static string? Obstacle => File.Exists(Kernel) && File.Exists(Disk) ? null : $"{Kernel} is not there: only images of emulated hosts hold a guest";

    /// <summary>A character that the guest printed.</summary>
    public void Printed(byte character)
    {
        lock (_console)
        {
            _console.Append((char)character);
            if (character is not ((byte)'\n' or (byte)' ' or (byte)'>')) return;
            Monitor.PulseAll(_console);
        }
    }

    /// <summary>Waits until the shell wants a command.</summary>
    public void AwaitPrompt(TimeSpan limit) => Await(limit, text => text.IndexOf(Prompt, StringComparison.Ordinal) is var at and >= 0 ? (at + Prompt.Length, "") : null, "a prompt");

    /// <summary>Types, as a person would.</summary>
    public void Type(string text) => type(Encoding.ASCII.GetBytes(text));

    /// <summary>Waits for a line that says exactly this.</summary>
    public void AwaitLine(string line, TimeSpan limit) =>
        Await(limit, text => text.IndexOf($"\n{line}\r\n", StringComparison.Ordinal) is var at and >= 0 ? (at + line.Length + 1, "") : null, $"'{line}'");

    /// <summary>Runs a command and returns what it printed, lines joined by blanks.</summary>
    public string Ask(string command, TimeSpan limit)
    {
        // The command itself is echoed: with the brackets apart, so that only the answer has both.
        Type($"echo '<'\"<$({command})>\"'>'\n");
        return Await(limit, text => Answer().Match(text) is { Success: true } match ? (match.Index + match.Length, match.Groups[1].Value) : null, $"an answer to {command}")
            .Replace("\r", "", StringComparison.Ordinal).Replace('\n', ' ').Trim();
    }

    /// <summary>The same for a whole number.</summary>
    public long AskNumber(string command, TimeSpan limit)
    {
        var answer = Ask(command, limit);
        return long.TryParse(answer, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw new CheckFailedException($"{command} answered '{answer}'");
    }

    /// <summary>What was printed last.</summary>
    public string Last()
    {
        lock (_console) return _console.ToString(Math.Max(0, _console.Length - 3000), Math.Min(3000, _console.Length));
    }

    private string Await(TimeSpan limit, Func<string, (int End, string Value)?> find, string what)
    {
        var clock = Stopwatch.StartNew();
        lock (_console)
        {
            while (true)
            {
                var text = _console.ToString(_read, _console.Length - _read);
                if (find(text) is var (end, value))
                {
                    _read += end;
                    return value;
                }
                if (clock.Elapsed > limit) break;
                Monitor.Wait(_console, TimeSpan.FromSeconds(1));
            }
        }
        throw new CheckFailedException($"the guest did not print {what} in {limit.TotalSeconds:F0} s; its console said last:\n{Last()}");
    }

    [GeneratedRegex("<<([^<>]*)>>")]
    private static partial Regex Answer();
}
