using Migrate.Model.Encoding;
using Migrate.Model.Foreign;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;

namespace Migrate.Tests.House;

/// <summary>What a user copies must be what this build would write.</summary>
public class ExampleTests
{
    private static string Examples(params string[] parts) => Path.Combine([Repository.Root, "examples", .. parts]);

    private static ForeignCapture Capture(string name) => ForeignFile.TryRead(File.ReadAllBytes(Repository.Data("captures", name + ".txt")), name + ".txt")!;

    public static TheoryData<string> Hosts => [.. Directory.GetFiles(Examples("hosts")).Select(f => Path.GetFileName(f)!)];

    public static TheoryData<string> States => [.. Directory.GetFiles(Examples("states")).Select(f => Path.GetFileName(f)!)];

    [Theory]
    [MemberData(nameof(Hosts))]
    public void Every_example_host_is_what_the_lab_measured_last(string file)
    {
        var name = Path.GetFileNameWithoutExtension(file);
        var dash = name.IndexOf('-');
        var measured = File.ReadAllBytes(Repository.Data("lab", $"{name[..dash]}.{name[(dash + 1)..]}", "probe.profile"));
        Assert.Equal(measured, File.ReadAllBytes(Examples("hosts", file)));
        Assert.Equal(Evidence.Measured, ((HostProfile)DocumentFile.Read(measured, file).Value).Evidence);
    }

    [Fact]
    public void The_examples_are_hosts_of_six_kernels_and_of_three_CPUs()
    {
        var names = Hosts.Select(row => Path.GetFileNameWithoutExtension(row.Data).Split('-', 2)).ToList();
        Assert.True(names.Select(n => n[0]).Distinct().Count() >= 6 && names.Select(n => n[1]).Distinct().Count() >= 3, string.Join(' ', Hosts.Select(r => r.Data)));
    }

    [Theory]
    [MemberData(nameof(States))]
    public void Every_example_state_is_what_its_capture_converts_to(string file) =>
        Assert.Equal(Capture(file.Replace(".state.json", "")).ToState(), (MachineState)DocumentFile.Read(File.ReadAllBytes(Examples("states", file)), file).Value);
}
