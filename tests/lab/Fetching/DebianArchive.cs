namespace Migrate.Lab.Fetching;

/// <summary>Where this machine's own apt configuration gets Debian from: the mirror its owner chose serves the lab too.</summary>
internal sealed record DebianArchive(string Main, string? Security)
{
    private const string Keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
    private static readonly string[] Releases = ["bullseye", "bookworm", "trixie", "forky", "duke", "sid", "oldstable", "stable", "testing", "unstable"];

    public static DebianArchive OfThisMachine()
    {
        if (!File.Exists(Keyring))
            throw new LabException($"{Keyring} is missing, without it no package can be trusted: install debian-archive-keyring.");
        var targets = Tool.Output("apt-get", ["indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages"])
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' '))
            .Where(words => words.Length == 2)
            .ToList();
        var main = targets.FirstOrDefault(words => Releases.Contains(words[1]))?[0]
            ?? throw new LabException("apt on this machine knows no Debian release (apt-get indextargets lists none), and the lab takes its kernels from there: run apt-get update, or name a Debian mirror in /etc/apt/sources.list.");
        var security = targets.FirstOrDefault(words => words[1].EndsWith("-security", StringComparison.Ordinal))?[0];
        return new DebianArchive(main, security);
    }

    /// <summary>A sources.list for these suites and this architecture; security suites are left out where the machine has none.</summary>
    public string SourcesList(string architecture, IEnumerable<string> suites)
    {
        var lines =
            from suite in suites
            let address = suite.EndsWith("-security", StringComparison.Ordinal) ? Security : Main
            where address is not null
            select $"deb [arch={architecture} signed-by={Keyring}] {address} {suite} main\n";
        return string.Concat(lines);
    }
}
