using Migrate.Model.Encoding;
using Migrate.Model.Foreign;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;

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
    public void Every_example_host_is_what_its_captures_convert_to(string file)
    {
        var name = Path.GetFileNameWithoutExtension(file);
        var dash = name.IndexOf('-');
        var host = $"{name[..dash]}.{name[(dash + 1)..]}";
        var expected = ForeignProfile.Assume(Capture(host + ".all"), Capture(host + ".min"));
        Assert.Equal(expected, (HostProfile)DocumentFile.Read(File.ReadAllBytes(Examples("hosts", file)), file).Value);
    }

    [Theory]
    [MemberData(nameof(States))]
    public void Every_example_state_is_what_its_capture_converts_to(string file) =>
        Assert.Equal(Capture(file.Replace(".state.json", "")).ToState(), (MachineState)DocumentFile.Read(File.ReadAllBytes(Examples("states", file)), file).Value);
}
