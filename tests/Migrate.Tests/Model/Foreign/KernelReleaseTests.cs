using System.Text.RegularExpressions;

namespace Migrate.Tests.Model.Foreign;

/// <summary>Acceptance is data: a kernel's version may be shown and carried, and decides something in the converter of foreign files alone.</summary>
public partial class KernelReleaseTests
{
    // Where it may be read: the assumptions, the documents that carry it, the model itself, and what prints it for people.
    private static readonly string[] MayRead =
        ["Migrate.Model/Foreign/", "Migrate.Model/Encoding/", "Migrate.Model/Hosts/", "Migrate.Preflight/Report", "vmmigrate/Output/", "vmmigrate/Demo/"];

    [Fact]
    public void Only_the_converter_the_documents_and_the_printers_read_the_kernel_release()
    {
        var root = Path.Combine(Repository.Root, "src");
        var separator = Path.DirectorySeparatorChar;
        var files = Directory.GetFiles(root, "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains($"{separator}obj{separator}", StringComparison.Ordinal) && !file.Contains($"{separator}bin{separator}", StringComparison.Ordinal)).ToArray();
        Assert.True(files.Length > 30, $"only {files.Length} source files under {root}");
        var readers = files.Where(file => Reads(File.ReadAllText(file))).Select(file => Path.GetRelativePath(root, file).Replace(separator, '/')).ToArray();
        Assert.Contains("Migrate.Model/Foreign/ForeignProfile.cs", readers);
        Assert.DoesNotContain(readers, file => !Array.Exists(MayRead, folder => file.StartsWith(folder, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("if (profile.Boot.KernelRelease.StartsWith(\"6.\"))")]
    [InlineData("boot is { KernelRelease: \"6.12\" }")]
    [InlineData("profile.Boot\n    .KernelRelease")]
    [InlineData("KernelVersion.TryParse(text, out _)")]
    public void A_reader_is_found(string code) => Assert.True(Reads(code));

    [Theory]
    [InlineData("new BootIdentity { KernelRelease = release }")]
    [InlineData("/// <summary>uname -r, see KernelRelease</summary>")]
    public void A_writer_is_not_taken_for_a_reader(string code) => Assert.False(Reads(code));

    private static bool Reads(string code) => Reader().IsMatch(code);

    [GeneratedRegex(@"[.!?]\s*KernelRelease\b|\bKernelRelease\s*:|\bKernelVersion\b")]
    private static partial Regex Reader();
}
