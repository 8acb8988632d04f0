using System.Text;
using Migrate.Model;
using Migrate.Transfer.Handover;
using Migrate.Transfer.Receive;
using Migrate.Transfer.Send;

namespace Migrate.Tests.Transfer.Handover;

public class HandoverDocumentTests
{
    [Fact]
    public void The_document_has_the_sources_table() => Compare("source", Render(SourceHandover.Table));

    [Fact]
    public void The_document_has_the_destinations_table() => Compare("destination", Render(DestinationHandover.Table));

    private static void Compare(string side, string table)
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, "schemas", "handover.md"));
        var begin = text.IndexOf($"<!-- {side} -->\n", StringComparison.Ordinal) + $"<!-- {side} -->\n".Length;
        Assert.Equal(table, text[begin..text.IndexOf("<!-- end -->", begin, StringComparison.Ordinal)]);
    }

    /// <summary>One line a pair of states and act, its events together.</summary>
    private static string Render<TState, TEvent, TMark, TAct>(TransitionTable<TState, TEvent, TMark, TAct> table)
        where TState : struct, Enum
        where TEvent : struct, Enum
        where TMark : struct, Enum
        where TAct : struct, Enum
    {
        var text = new StringBuilder("| in | on | goes to | durable before | then |\n|---|---|---|---|---|\n");
        foreach (var rows in table.Rows.GroupBy(r => (r.From, r.To, r.Record, r.Then)))
        {
            var (from, to, record, then) = rows.Key;
            var mark = record is { } known ? Name(known) : "";
            text.Append($"| {Name(from)} | {string.Join(", ", rows.Select(r => Name(r.On)))} | {Name(to)} | {mark} | {Name(then)} |\n");
        }
        return text.ToString();
    }

    private static string Name<T>(T value)
        where T : struct, Enum => KebabCase.Of(value.ToString());
}
