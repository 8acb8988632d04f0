using Spectre.Console;

namespace Migrate.Cli.Output;

/// <summary>Where results and progress go. The result alone on stdout; colour and live lines only where a person watches.</summary>
internal sealed class Terminal
{
    /// <summary>Wide enough that no table wraps in a file or pipe.</summary>
    private const int Unlimited = 4096;

    private readonly bool _colour;
    private readonly int _width;

    private Terminal(TextWriter output, TextWriter error, bool colour, bool live, int width)
    {
        Out = output;
        Error = error;
        IsLive = live;
        _colour = colour;
        _width = width;
    }

    public TextWriter Out { get; }

    public TextWriter Error { get; }

    /// <summary>Whether stderr is a terminal on which a line may be redrawn.</summary>
    public bool IsLive { get; }

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
        Render(table);
    }

    /// <summary>A line in a colour, where there is colour.</summary>
    public void Line(string text, Color colour)
    {
        if (_colour) Render(new Text(text + "\n", new Style(colour, decoration: Decoration.Bold)));
        else Out.WriteLine(text);
    }

    /// <summary>Cells are padded to the width of their column; what the padding leaves at the ends of lines is of no use to anybody.</summary>
    private void Render(Spectre.Console.Rendering.IRenderable what)
    {
        var text = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(text),
            Ansi = _colour ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = _colour ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
        });
        console.Profile.Width = _width;
        console.Profile.Capabilities.Unicode = true;
        console.Write(what);
        foreach (var line in text.ToString().TrimEnd('\n').Split('\n'))
            if (line.TrimEnd() is { Length: > 0 } trimmed) Out.WriteLine(trimmed);
    }
}
