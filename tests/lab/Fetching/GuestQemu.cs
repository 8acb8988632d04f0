using System.Text;

namespace Migrate.Lab.Fetching;

/// <summary>Debian's arm64 QEMU, to run on a lab host under that host's KVM.</summary>
internal sealed record GuestQemu(string Root, string Version)
{
    private const string Package = "qemu-system-arm";

    /// <summary>The suite that the rest of a host's user space comes from: one C library serves both.</summary>
    private const string Suite = UserSpace.Suite;

    /// <summary>A line that says which it is.</summary>
    public string Identity => $"on-the-hosts {Package} {Version}\n";

    public static GuestQemu Fetch(PrivateApt apt, Cache cache)
    {
        var newest = PrivateApt.Newest(apt.Offers([Package]).Where(offer => offer.Suite == Suite))
            ?? throw new LabException($"suite {Suite} offers no {Package} for arm64");
        return new GuestQemu(
            cache.Once($"guest-qemu-{newest.Version.Replace(':', '-')}", target =>
            {
                Console.WriteLine($"lab: fetching {newest.Package} {newest.Version} for arm64");
                apt.UnpackWithDependencies(Suite, [Package], target);
            }),
            newest.Version);
    }

    /// <summary>The program and the libraries it and they need: a third of what its packages depend on.</summary>
    public IEnumerable<string> Files()
    {
        // The program's own libraries lie under usr/lib/MULTIARCH, by the name that the loader looks for (a link mostly).
        var libraries = new Dictionary<string, string>();
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Root, "usr/lib/aarch64-linux-gnu"), "*.so.*"))
            libraries[Path.GetFileName(file)] = file;
        var queue = new Queue<string>([Path.Combine(Root, "usr/bin/qemu-system-aarch64")]);
        while (queue.TryDequeue(out var file))
        {
            yield return file;
            var content = File.ReadAllBytes(file);
            foreach (var name in libraries.Keys.Where(name => content.AsSpan().IndexOf(Encoding.ASCII.GetBytes($"\0{name}\0")) >= 0).ToList())
            {
                queue.Enqueue(libraries[name]);
                libraries.Remove(name);
            }
        }
    }
}
