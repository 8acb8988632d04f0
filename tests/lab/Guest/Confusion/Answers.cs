using System.Globalization;

namespace Migrate.LabGuest.Confusion;

/// <summary>
/// What a kernel answered to the steps of a plan, exceptions alone: <c>EINVAL</c> for what it refused, <c>=0x3</c> for what reads back otherwise. Whatever is
/// not here was done and reads back as written.
/// </summary>
/// <remarks>
/// A subject is a register by its name (<c>TCR2_EL1</c>, that of a second vCPU <c>TCR2_EL1@1</c>) or a part of the machine by its kind and number (<c>slot.0</c>).
/// </remarks>
public sealed record Answers(IReadOnlyDictionary<string, string> Exceptions)
{
    private const string None = "-";

    /// <summary>Errnos by number; asm-generic/errno-base.h.</summary>
    private static readonly Dictionary<int, string> Errnos = new()
    {
        [1] = "EPERM",
        [2] = "ENOENT",
        [6] = "ENXIO",
        [7] = "E2BIG",
        [8] = "ENOEXEC",
        [12] = "ENOMEM",
        [14] = "EFAULT",
        [16] = "EBUSY",
        [17] = "EEXIST",
        [19] = "ENODEV",
        [22] = "EINVAL",
    };

    /// <summary>Everything done, everything as written.</summary>
    public bool AllDone => Exceptions.Count == 0;

    /// <summary>Whether anything was refused.</summary>
    public bool AnyRefused => Exceptions.Values.Any(IsRefusal);

    /// <summary>Whether an answer is a refusal and no changed value.</summary>
    public static bool IsRefusal(string answer) => !answer.StartsWith('=');

    /// <summary>An errno's name.</summary>
    public static string Errno(int errno) => Errnos.GetValueOrDefault(errno) ?? string.Create(CultureInfo.InvariantCulture, $"E{errno}");

    /// <summary>One line: subjects in the order of the plan.</summary>
    public override string ToString() => AllDone ? None : string.Join(' ', Exceptions.Select(e => Answers.IsRefusal(e.Value) ? $"{e.Key}:{e.Value}" : e.Key + e.Value));

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    public static Answers Parse(string text)
    {
        var exceptions = new Dictionary<string, string>();
        foreach (var word in text == None ? [] : text.Split(' '))
        {
            var at = word.IndexOfAny([':', '=']);
            if (at <= 0) throw new FormatException($"'{word}' is no answer");
            exceptions.Add(word[..at], word[at] == '=' ? word[at..] : word[(at + 1)..]);
        }
        return new Answers(exceptions);
    }
}

/// <summary>A line of a recording: what was predicted for a trial, what the kernel answered to it as captured, and what it answered to our plan.</summary>
/// <param name="Trial">As <see cref="Confusion.Trial.Name"/>.</param>
/// <param name="Verdict">The prediction, in one word.</param>
/// <param name="AsCaptured">Every register written as captured, in list order.</param>
/// <param name="Planned">Our plan; null where it refuses, so that there was nothing to execute.</param>
public sealed record AnswerLine(string Trial, PairVerdict Verdict, Answers AsCaptured, Answers? Planned)
{
    private const string NotExecuted = "not executed";

    /// <summary>Five columns.</summary>
    public override string ToString() => $"{Trial}\t{Verdict}\t{AsCaptured}\t{Planned?.ToString() ?? NotExecuted}";

    /// <summary>Reads a line.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static AnswerLine Parse(string line)
    {
        if (line.Split('\t') is not [var state, var change, var verdict, var asCaptured, var planned])
            throw new FormatException($"a line has five columns: '{line}'");
        return new AnswerLine($"{state}\t{change}", Enum.Parse<PairVerdict>(verdict), Answers.Parse(asCaptured), planned == NotExecuted ? null : Answers.Parse(planned));
    }
}

/// <summary>What a plan says about KVM, severities that are about the guest aside.</summary>
public enum PairVerdict
{
    /// <summary>Every step of it will be done.</summary>
    Works = 1,

    /// <summary>The host refuses something that no plan can do without.</summary>
    Refused = 2,

    /// <summary>Nobody measured what it depends on: no statement.</summary>
    Unproven = 3,
}
