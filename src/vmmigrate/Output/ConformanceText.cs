using System.Text.Json;
using Migrate.Model;
using Migrate.Transfer.Conformance;
using Spectre.Console;

namespace Migrate.Cli.Output;

/// <summary>What a conformance run found, for people and for scripts.</summary>
internal static class ConformanceText
{
    private static readonly JsonWriterOptions Indented = new() { Indented = true };

    /// <summary>A run that could try nothing proves nothing.</summary>
    public static int ExitCodeOf(ConformanceReport report) =>
        !report.Keeps ? ExitCode.No : report.Of(Outcome.Kept) > 0 ? ExitCode.Yes : ExitCode.Unproven;

    public static void Write(Terminal terminal, ConformanceReport report, bool json)
    {
        if (json)
        {
            terminal.Out.WriteLine(Document("vmmigrate/conformance/1", writer =>
            {
                writer.WriteString("machine", report.Machine);
                writer.WriteBoolean("keeps", report.Keeps);
                foreach (var outcome in Enum.GetValues<Outcome>()) writer.WriteNumber(JsonNamingPolicy.CamelCase.ConvertName(outcome.ToString()), report.Of(outcome));
                writer.WriteStartArray("promises");
                foreach (var result in report.Results) Write(writer, result.Promise, result);
                writer.WriteEndArray();
            }));
            return;
        }
        var tried = report.Of(Outcome.Kept) + report.Of(Outcome.Broken);
        var left = report.Of(Outcome.NotTried);
        var rest = left > 0 ? $"; {left} not tried" : "";
        if (!report.Keeps) terminal.Line($"NO: {report.Machine} breaks {report.Of(Outcome.Broken)} of {tried} promises{rest}", Color.Red);
        else if (tried > 0) terminal.Line($"YES: {report.Machine} keeps all {tried} promises that were tried{rest}", Color.Green);
        else terminal.Line($"UNPROVEN: of {report.Machine} none of {left} promises could be tried", Color.Yellow);
        var rows = report.Results.Where(r => r.Outcome != Outcome.Kept).OrderBy(r => r.Outcome).ToList();
        if (rows.Count > 0)
            terminal.Write(["Outcome", "Promise", "What was seen"], rows.Select(r => (IReadOnlyList<string>)[KebabCase.Of(r.Outcome.ToString()).Replace('-', ' '), r.Promise.Name, r.Detail]));
        foreach (var result in report.Results.Where(r => r.Outcome == Outcome.Broken))
            terminal.Out.WriteLine($"{result.Promise.Name}: {result.Promise.Sentence} (schemas/machine-socket.md, {result.Promise.Section})");
        if (report.Keeps && left > 0) terminal.Out.WriteLine("To try more: --incoming MACHINE for the other side, --slow, --destroy for a machine that nobody needs.");
    }

    /// <summary>The table of promises.</summary>
    public static void WriteList(Terminal terminal, bool json)
    {
        if (json)
            terminal.Out.WriteLine(Document("vmmigrate/promises/1", writer =>
            {
                writer.WriteStartArray("promises");
                foreach (var promise in PromiseTable.All) Write(writer, promise, null);
                writer.WriteEndArray();
            }));
        else
            terminal.Write(["Promise", "Side", "Needs", "What a VMM promises"], PromiseTable.All.Select(p => (IReadOnlyList<string>)[p.Name, Word(p.On), NeedOf(p.Cost), p.Sentence]));
    }

    private static string Word<T>(T value) where T : struct, Enum => KebabCase.Of(value.ToString());

    private static string NeedOf(Cost cost) => cost switch { Cost.Machine => "--destroy", Cost.Patience => "--slow", _ => "" };

    private static void Write(Utf8JsonWriter writer, Promise promise, PromiseResult? result)
    {
        writer.WriteStartObject();
        writer.WriteString("name", promise.Name);
        writer.WriteString("side", Word(promise.On));
        writer.WriteString("section", promise.Section);
        writer.WriteString("promise", promise.Sentence);
        if (NeedOf(promise.Cost) is { Length: > 0 } need) writer.WriteString("needs", need);
        if (result is not null)
        {
            writer.WriteString("outcome", Word(result.Outcome));
            if (result.Detail.Length > 0) writer.WriteString("detail", result.Detail);
        }
        writer.WriteEndObject();
    }

    private static string Document(string schema, Action<Utf8JsonWriter> content)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Indented))
        {
            json.WriteStartObject();
            json.WriteString("schema", schema);
            content(json);
            json.WriteEndObject();
        }
        return System.Text.Encoding.UTF8.GetString(buffer.ToArray());
    }
}
