using Migrate.Cli.Output;
using Migrate.Cli.Output.Matrix;
using Migrate.Cli.Sources;
using Migrate.Model.Encoding;
using Migrate.Preflight;
using Migrate.Preflight.Fleet;
using Migrate.Tests.Preflight;

namespace Migrate.Tests.Cli;

public sealed class MatrixTextTests
{
    private static string[] Lines(params (string Name, ulong Frequency)[] hosts)
    {
        var output = new StringWriter();
        var report = FleetMatrix.Of([.. hosts.Select(h => new FleetHost(h.Name, Given.Host() with { CounterFrequency = h.Frequency }))], null, new PlanOptions());
        MatrixText.Write(Terminal.To(output, TextWriter.Null), report);
        return output.ToString().TrimEnd().Split('\n');
    }

    [Fact]
    public void The_verdict_is_the_first_line_the_remedy_the_last_and_every_reason_has_its_number()
    {
        var lines = Lines(("fast", 1_000_000_000), ("slow", 25_000_000), ("fast2", 1_000_000_000));
        Assert.Equal("NO: 3 hosts, 6 ordered pairs: 2 yes, 0 unproven, 4 no", lines[0]);
        Assert.Contains(lines, l => l.StartsWith("1  fast (and 1 like it)  yes   NO 1", StringComparison.Ordinal));
        Assert.Contains(lines, l => l.StartsWith("2  slow                  NO 2  -", StringComparison.Ordinal));
        Assert.Contains("fast2 is like fast", lines);
        Assert.Contains(lines, l => l.Contains("counter-frequency") && l.Contains("25000000 Hz"));
        Assert.StartsWith("Remedy for 4 of 4: choose a destination whose counter", lines[^1]);
    }

    [Fact]
    public void Nothing_is_left_to_do_where_every_pair_is_yes()
    {
        var lines = Lines(("a", 1_000_000_000), ("b", 1_000_000_000));
        Assert.Equal("YES: 2 hosts, 2 ordered pairs: 2 yes, 0 unproven, 0 no", lines[0]);
        Assert.Equal("Nothing to do.", lines[^1]);
    }

    [Fact]
    public void Hosts_get_the_shortest_names_that_tell_them_apart()
    {
        var directory = Directory.CreateTempSubdirectory("vmm");
        try
        {
            string File(string path)
            {
                var full = Path.Combine(directory.FullName, path);
                Directory.CreateDirectory(Path.GetDirectoryName(full)!);
                System.IO.File.WriteAllText(full, "");
                return full;
            }
            Assert.Equal(["a", "rack1", "rack2", "h:1"], FleetInput.Names([File("a.profile.json"), File("rack1/probe.profile"), File("rack2/probe.profile"), "h:1"]));
            Assert.Equal(["a", "a #2"], FleetInput.Names(["a", "a"]));
            Assert.Equal(["a #2", "a", "a #3"], FleetInput.Names(["a #2", "a", "a"]));
            var hostile = FleetInput.Names(["x\u001b[2J\n", new string('y', 300), new string('y', 300)]);
            Assert.Equal("x [2J ", hostile[0]);
            Assert.Equal(3, hostile.Distinct().Count());
            Assert.All(hostile, n => Assert.True(n.Length <= 256 && n == Shapes.OneLine(n)));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }
}
