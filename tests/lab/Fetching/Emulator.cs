namespace Migrate.Lab.Fetching;

/// <summary>qemu-system-aarch64 in the cache, not installed: no root needed, nothing of the machine changed.</summary>
internal sealed record Emulator(string Program, string LibraryPath, string Version)
{
    private static readonly string[] Packages = ["qemu-system-arm", "qemu-system-common", "qemu-system-data"];

    /// <summary>The newest emulator this Debian release has, its backports included (they know more CPU models).</summary>
    public static Emulator Fetch(DebianArchive archive, Cache cache, bool update)
    {
        var codename = Codename();
        var backports = $"{codename}-backports";
        var sources = archive.SourcesList("amd64", [codename, $"{codename}-updates", backports]);
        var apt = new PrivateApt(cache.At("apt-amd64"), "amd64", sources, "/var/lib/dpkg/status");
        if (update && apt.Update() is { Length: > 0 } problems)
            Console.Error.WriteLine($"lab: the indexes for the emulator are old or incomplete:\n{problems}");
        var newest = PrivateApt.Newest(apt.Offers([Packages[0]]))
            ?? throw new LabException($"no suite of {codename} offers {Packages[0]}");

        var root = cache.Once($"emulator-{newest.Version.Replace(':', '-')}", target =>
        {
            Console.WriteLine($"lab: fetching {newest.Package} {newest.Version}");
            apt.UnpackWithDependencies(newest.Suite == backports ? backports : null, Packages, target);
        });
        const string Multiarch = "lib/x86_64-linux-gnu";
        return new Emulator(
            Path.Combine(root, "usr/bin/qemu-system-aarch64"),
            $"{Path.Combine(root, "usr", Multiarch)}:{Path.Combine(root, Multiarch)}",
            newest.Version);
    }

    private static string Codename() =>
        File.ReadLines("/etc/os-release").Select(line => line.Split('=', 2)).FirstOrDefault(pair => pair[0] == "VERSION_CODENAME")?[1].Trim('"')
        ?? throw new LabException("/etc/os-release names no VERSION_CODENAME; the lab runs on a Debian release.");
}
