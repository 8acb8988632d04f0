using System.Xml.Linq;

namespace Migrate.Tests.House;

/// <summary>Holds the house: which project may use which, and which packages it may bring.</summary>
public class ArrowTests
{
    private sealed record Room(string[] Uses, string[] Packages, bool Unsafe = false);

    private static readonly Dictionary<string, Room> House = new()
    {
        ["Migrate.Model"] = new([], []),
        ["Migrate.Preflight"] = new(["Migrate.Model"], []),
        ["Migrate.Linux"] = new(["Migrate.Model"], [], Unsafe: true),
        ["Migrate.Kvm"] = new(["Migrate.Model", "Migrate.Linux"], [], Unsafe: true),
        ["Migrate.Simulation"] = new(["Migrate.Model", "Migrate.Linux"], [], Unsafe: true),
        ["Migrate.Transfer"] = new(["Migrate.Model", "Migrate.Preflight", "Migrate.Linux"], [], Unsafe: true),
        ["Migrate.Snapshots"] = new(["Migrate.Transfer"], [], Unsafe: true),
        ["Migrate.Service"] = new(["Migrate.Model", "Migrate.Preflight"], ["Microsoft.AspNetCore.OpenApi"]),
        ["vmmigrate"] = new(
            ["Migrate.Model", "Migrate.Preflight", "Migrate.Linux", "Migrate.Kvm", "Migrate.Simulation", "Migrate.Transfer", "Migrate.Snapshots"],
            ["System.CommandLine", "Spectre.Console"]),
    };

    private static string Source => Path.Combine(Repository.Root, "src");

    private static XDocument Project(string name) => XDocument.Load(Path.Combine(Source, name, name + ".csproj"));

    private static string[] Items(XDocument project, string kind) =>
        [.. project.Descendants(kind).Select(e => e.Attribute("Include")!.Value).Order()];

    public static TheoryData<string> Rooms => [.. House.Keys];

    [Fact]
    public void Every_project_has_its_place_in_the_house() =>
        Assert.Equal(House.Keys.Order(), Directory.GetDirectories(Source).Select(d => Path.GetFileName(d)!).Order());

    [Theory]
    [MemberData(nameof(Rooms))]
    public void Arrows_point_only_downward(string name)
    {
        var built = Project(name).Descendants("ProjectReference")
            .Where(e => (string?)e.Attribute("ReferenceOutputAssembly") != "false")
            .Select(e => Path.GetFileNameWithoutExtension(e.Attribute("Include")!.Value)).Order();
        Assert.Equal(House[name].Uses.Order(), built);
    }

    [Theory]
    [MemberData(nameof(Rooms))]
    public void No_package_arrives_unannounced(string name) =>
        Assert.Equal(House[name].Packages.Order(), Items(Project(name), "PackageReference"));

    [Theory]
    [MemberData(nameof(Rooms))]
    public void Unsafe_code_and_native_calls_stay_where_they_live(string name)
    {
        var allows = Project(name).Descendants("AllowUnsafeBlocks").Any(e => e.Value == "true");
        Assert.True(!allows || House[name].Unsafe, $"{name} must not allow unsafe code");
        if (name == "Migrate.Linux") return;
        var native = Directory.EnumerateFiles(Path.Combine(Source, name), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains("/obj/") && File.ReadAllText(f) is var text
                && (text.Contains("[LibraryImport") || text.Contains("[DllImport")));
        Assert.Empty(native);
    }

    [Theory]
    [MemberData(nameof(Rooms))]
    public void Every_project_says_what_lives_there(string name)
    {
        var text = File.ReadAllText(Path.Combine(Source, name, "README.md"));
        Assert.StartsWith("# " + name, text);
        Assert.True(text.Split('\n').Length >= 8, "say what lives there, what it may use and what it must not");
    }

    [Fact]
    public void The_model_and_the_preflight_do_no_input_or_output()
    {
        string[] forbidden = ["System.Net.Sockets", "File.Open", "File.Read", "File.Write", "Process.Start", "Thread.Sleep", "Console."];
        var offenders =
            from project in new[] { "Migrate.Model", "Migrate.Preflight" }
            from file in Directory.EnumerateFiles(Path.Combine(Source, project), "*.cs", SearchOption.AllDirectories)
            where !file.Contains("/obj/")
            let text = File.ReadAllText(file)
            from word in forbidden
            where text.Contains(word)
            select $"{Path.GetRelativePath(Source, file)}: {word}";
        Assert.Empty(offenders);
    }
}
