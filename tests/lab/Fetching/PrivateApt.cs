namespace Migrate.Lab.Fetching;

/// <summary>A package as an index offers it.</summary>
internal readonly record struct Offer(string Package, string Version, string Suite);

/// <summary>apt with lists and sources of its own, in the cache: the machine's are neither read nor written (its proxies and keys are).</summary>
/// <remarks>apt verifies the signatures of the indexes and the digests of the packages.</remarks>
internal sealed class PrivateApt
{
    private const int Attempts = 3;
    private readonly string _architecture;
    private readonly string _configuration;

    /// <param name="directory">Where lists and downloads live.</param>
    /// <param name="architecture">Debian's name of the architecture.</param>
    /// <param name="sources">The content of its sources.list.</param>
    /// <param name="status">What counts as installed; null: nothing.</param>
    public PrivateApt(string directory, string architecture, string sources, string? status = null)
    {
        _architecture = architecture;
        Directory.CreateDirectory(Path.Combine(directory, "state/lists/partial"));
        Directory.CreateDirectory(Path.Combine(directory, "cache/archives/partial"));
        Archives = Path.Combine(directory, "cache/archives");
        var list = Path.Combine(directory, "sources.list");
        File.WriteAllText(list, sources);
        if (status is null)
        {
            status = Path.Combine(directory, "status");
            File.WriteAllText(status, "");
        }

        _configuration = Path.Combine(directory, "apt.conf");
        File.WriteAllText(_configuration, $"""
            Dir::Etc::sourcelist "{list}";
            Dir::Etc::sourceparts "/dev/null";
            Dir::Etc::preferences "/dev/null";
            Dir::Etc::preferencesparts "/dev/null";
            Dir::State "{directory}/state";
            Dir::State::status "{status}";
            Dir::Cache "{directory}/cache";
            Dir::Cache::pkgcache "pkgcache.bin";
            Dir::Cache::srcpkgcache "srcpkgcache.bin";
            APT::Architecture "{architecture}";
            #clear APT::Architectures;
            APT::Architectures "{architecture}";
            APT::Default-Release "";
            APT::Sandbox::User "";
            Debug::NoLocking "true";
            Acquire::Languages "none";
            Acquire::Retries "3";
            Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
            // The machine's hooks are about the machine's lists and packages.
            #clear APT::Update::Pre-Invoke;
            #clear APT::Update::Post-Invoke;
            #clear APT::Update::Post-Invoke-Success;
            #clear DPkg::Pre-Invoke;
            #clear DPkg::Post-Invoke;

            """);
    }

    /// <summary>Where installs leave their packages.</summary>
    private string Archives { get; }

    /// <summary>Fetches the indexes again.</summary>
    /// <returns>What went wrong for some of them; empty when all came. The old ones stay in use.</returns>
    public string Update()
    {
        var failure = "";
        for (var attempt = 1; attempt <= Attempts; attempt++)
        {
            var result = Tool.Run("apt-get", Arguments(["update", "-qq"]));
            var problems = result.Error.Split('\n').Where(line => line.StartsWith("E:", StringComparison.Ordinal) || line.StartsWith("W:", StringComparison.Ordinal));
            failure = string.Join('\n', problems);
            if (result.Code == 0 && failure.Length == 0)
                return "";
        }

        return failure;
    }

    /// <summary>Names of all packages that begin with the prefix.</summary>
    public IReadOnlyList<string> Names(string prefix) =>
        Tool.Output("apt-cache", Arguments(["pkgnames", prefix])).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Everything the indexes offer under these names.</summary>
    public IReadOnlyList<Offer> Offers(IEnumerable<string> packages)
    {
        var offers = new List<Offer>();
        foreach (var line in Tool.Output("apt-cache", Arguments(["madison", .. packages])).Split('\n'))
        {
            // NAME | VERSION | ADDRESS SUITE/COMPONENT ARCHITECTURE Packages
            var columns = line.Split('|', StringSplitOptions.TrimEntries);
            if (columns.Length == 3 && columns[2].Split(' ') is [_, var place, .., "Packages"])
                offers.Add(new Offer(columns[0], columns[1], place.Split('/')[0]));
        }

        return offers;
    }

    /// <summary>The newest of the offers, or null when there is none.</summary>
    public static Offer? Newest(IEnumerable<Offer> offers)
    {
        Offer? newest = null;
        foreach (var offer in offers)
        {
            if (newest is not { } best || Tool.Run("dpkg", ["--compare-versions", offer.Version, "gt", best.Version]).Code == 0)
                newest = offer;
        }

        return newest;
    }

    /// <summary>Fetches a package and unpacks it into a directory.</summary>
    public void Unpack(Offer offer, string directory)
    {
        var download = Directory.CreateTempSubdirectory("vmmigrate-lab-").FullName;
        try
        {
            Retry(() => Tool.Output("apt-get", Arguments(["download", "-qq", $"{offer.Package}:{_architecture}={offer.Version}"]), download));
            var package = Directory.GetFiles(download, "*.deb").Single();
            Directory.CreateDirectory(directory);
            Tool.Output("dpkg-deb", ["--extract", package, directory]);
        }
        finally
        {
            Directory.Delete(download, recursive: true);
        }
    }

    /// <summary>Downloads packages and what they need beyond what is installed, installing nothing.</summary>
    private void DownloadWithDependencies(string? release, IEnumerable<string> packages)
    {
        List<string> arguments = ["install", "-qq", "-y", "--download-only", "--reinstall", "--no-install-recommends"];
        if (release is not null)
            arguments.AddRange(["-t", release]);
        Retry(() => Tool.Output("apt-get", Arguments([.. arguments, .. packages])));
    }

    /// <summary>Downloads packages and what they need beyond what is installed, and unpacks them all over each other.</summary>
    public void UnpackWithDependencies(string? release, IEnumerable<string> packages, string directory)
    {
        foreach (var old in Directory.GetFiles(Archives, "*.deb"))
            File.Delete(old);
        DownloadWithDependencies(release, packages);
        foreach (var package in Directory.GetFiles(Archives, "*.deb"))
        {
            Tool.Output("dpkg-deb", ["--extract", package, directory]);
            File.Delete(package);
        }
    }

    private static void Retry(Action action)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                action();
                return;
            }
            catch (LabException failure) when (attempt < Attempts && !failure.Message.Contains("404", StringComparison.Ordinal))
            {
                Console.Error.WriteLine($"lab: attempt {attempt} of {Attempts}: {failure.Message}");
            }
        }
    }

    // Read after the machine's own configuration, so that what is cleared there stays cleared.
    private IEnumerable<string> Arguments(IEnumerable<string> command) => ["-c", _configuration, .. command];
}
