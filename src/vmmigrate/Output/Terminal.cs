using Spectre.Console;

namespace Migrate.Cli.Output;

/// <summary>Where results and progress go. The result alone on stdout; colour and live lines only where a person watches.</summary>
internal sealed class Terminal
{
    /// <summary>Wide enough that no table wraps in a file or pipe.</summary>
    private const int Unlimited = 4096;

    private Terminal(TextWriter output, TextWriter error, bool colour, bool live, int width)
    {
        Out = output;
        Error = error;
        IsLive = live;
        Tables = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(output),
            Ansi = colour ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = colour ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
        });
        Tables.Profile.Width = width;
        Tables.Profile.Capabilities.Unicode = true;
    }

    public TextWriter Out { get; }

    public TextWriter Error { get; }

    /// <summary>Whether stderr is a terminal on which a line may be redrawn.</summary>
    public bool IsLive { get; }

    public IAnsiConsole Tables { get; }

    public static Terminal OfProcess()
    {
        var plain = Environment.GetEnvironmentVariable("NO_COLOR") is { Length: > 0 } || Environment.GetEnvironmentVariable("TERM") is "dumb";
        var colour = !Console.IsOutputRedirected && !plain;
        var width = Console.IsOutputRedirected ? Unlimited : Math.Max(80, Console.WindowWidth);
        return new Terminal(Console.Out, Console.Error, colour, !Console.IsErrorRedirected && !plain, width);
    }

    /// <summary>For tests: no colour, no width limit.</summary>
    public static Terminal To(TextWriter output, TextWriter error) => new(output, error, false, false, Unlimited);

    /// <summary>A table of text in the one style of this program.</summary>
    public void Write(IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        var table = new Table { Border = TableBorder.Simple, ShowRowSeparators = false };
        foreach (var column in columns) table.AddColumn(new TableColumn(new Text(column, new Style(decoration: Decoration.Bold))));
        foreach (var row in rows) table.AddRow(row.Select(cell => new Text(cell)));
        Tables.Write(table);
    }

    /// <summary>A line in a colour, where there is colour.</summary>
    public void Line(string text, Color colour) => Tables.Write(new Text(text + "\n", new Style(colour, decoration: Decoration.Bold)));
}
