using Migrate.Transfer.Wire;

namespace Migrate.Tests.Transfer.Wire;

public class FrameTableTests
{
    [Fact]
    public void Every_kind_but_zero_has_exactly_one_line_in_order()
    {
        Assert.Equal(Enum.GetValues<FrameKind>().Where(k => k != FrameKind.Invalid).Order(), FrameTable.All.Select(r => r.Kind));
        Assert.Equal(FrameTable.All.Count, FrameTable.All.Select(r => r.Name).Distinct().Count());
    }

    [Fact]
    public void Every_kind_stands_with_its_number_in_the_documents()
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, "schemas", "wire.md")) + File.ReadAllText(Path.Combine(Repository.Root, "schemas", "machine-socket.md"));
        foreach (var rule in FrameTable.All) Assert.Contains($"| 0x{(ushort)rule.Kind:x4} | {rule.Name} |", text);
        Assert.NotEmpty(FrameTable.All);
    }

    [Fact]
    public void The_documents_name_no_kind_that_does_not_exist()
    {
        var known = FrameTable.All.Select(r => $"| 0x{(ushort)r.Kind:x4} | {r.Name} |").ToHashSet();
        var lines = File.ReadLines(Path.Combine(Repository.Root, "schemas", "wire.md"))
            .Concat(File.ReadLines(Path.Combine(Repository.Root, "schemas", "machine-socket.md")))
            .Where(line => line.StartsWith("| 0x", StringComparison.Ordinal))
            .ToList();
        Assert.NotEmpty(lines);
        foreach (var line in lines)
        {
            var cells = line.Split('|', StringSplitOptions.TrimEntries);
            Assert.Contains($"| {cells[1]} | {cells[2]} |", known);
        }
    }

    [Fact]
    public void The_limits_of_page_frames_hold_a_full_table_and_its_pages()
    {
        Assert.True(FrameTable.Of(FrameKind.Pages).MaxPayload >= 8 + FrameTable.MaxRuns * 16 + FrameTable.MaxPageBytes);
        Assert.True(FrameTable.Of(FrameKind.ZeroPages).MaxPayload >= 8 + FrameTable.MaxRuns * 16);
    }
}
