using System.Globalization;
using Migrate.Model.Registers;

namespace Migrate.Tests.Model.Foreign;

/// <summary>What one host answered to one capture.</summary>
internal sealed record RecordedAnswers(string Source, string Host)
{
    /// <summary>Where the VM was refused as a whole, or null.</summary>
    public string? RefusedAt { get; private set; }

    public int Errno { get; private set; }

    public Dictionary<RegisterId, int> Refused { get; } = [];

    /// <summary>What a register reads back as; null where it moves.</summary>
    public Dictionary<RegisterId, RegisterValue?> Changed { get; } = [];

    /// <summary>Registers that the host lists and the source does not.</summary>
    public List<RegisterId> Missing { get; } = [];

    /// <summary>How many registers were written.</summary>
    public int Total { get; private set; }

    /// <summary>How many of them were refused.</summary>
    public int Fails { get; private set; }

    /// <summary>Reads restore-answers.txt; its head explains the lines.</summary>
    public static IReadOnlyList<RecordedAnswers> Read() => Read(Repository.Data("captures", "restore-answers.txt"));

    /// <summary>Reads a file of the same form; where the lab wrote it, a value that moves by itself is left out.</summary>
    public static IReadOnlyList<RecordedAnswers> Read(string path)
    {
        var pairs = new Dictionary<(string, string), RecordedAnswers>();
        foreach (var line in File.ReadLines(path))
        {
            if (line.StartsWith('#')) continue;
            var words = line.Split(' ');
            if (!pairs.TryGetValue((words[1], words[2]), out var pair)) pairs.Add((words[1], words[2]), pair = new(words[1], words[2]));
            pair.Add(words);
        }
        return [.. pairs.Values];
    }

    private void Add(string[] words)
    {
        var known = RegisterId.TryParse(words[3], out var id) && words[3].Length == 16;
        switch (words[0])
        {
            case "X" when known:
                Refused.Add(id, -Number(words[4]));
                break;
            case "X":
                (RefusedAt, Errno) = (words[3], -Number(words[4]));
                break;
            case "D" when known:
                Changed.Add(id, words.Length < 6 ? null : new RegisterValue(ulong.Parse(words[5], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture), id.Size));
                break;
            case "M" when known:
                Missing.Add(id);
                break;
            case "T":
                (Total, Fails) = (Number(words[3]), Number(words[4]));
                break;
            default:
                throw new InvalidDataException(string.Join(' ', words));
        }
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
