using System.Text.RegularExpressions;

namespace Migrate.Lab.Fetching;

/// <summary>Finds the newest stock kernel of a series in the indexes and takes out of its packages what a boot needs.</summary>
internal sealed partial class KernelFetcher(PrivateApt apt, Cache cache)
{
    private const string Unsigned = "-unsigned";

    private readonly Lazy<IReadOnlyList<string>> _names = new(() => apt.Names("linux-"));

    /// <exception cref="LabException">The series is not offered, or its packages cannot be had.</exception>
    public Kernel Fetch(string series)
    {
        var candidates = _names.Value.Where(name => SeriesOf(name) == series).ToList();
        if (candidates.Count == 0)
            throw new LabException($"no suite offers a kernel {series}");
        // An index may list what its mirror no longer has (bullseye's security updates were seen so): then the next suite serves.
        // Signed and unsigned images are the same kernel; the signed one comes first, as machines run it.
        var offers = apt.Offers(candidates).OrderBy(offer => offer.Package.EndsWith(Unsigned, StringComparison.Ordinal)).ToList();
        while (true)
        {
            var newest = PrivateApt.Newest(offers)
                ?? throw new LabException($"no suite offers a package of kernel {series} for download");
            try
            {
                return new Kernel(series, newest, cache.Once($"kernel-{newest.Package}_{newest.Version}", target => Fill(newest, target)));
            }
            catch (LabException failure) when (offers.Any(offer => offer.Suite != newest.Suite))
            {
                Console.Error.WriteLine($"lab: {newest.Package} {newest.Version} cannot be had, trying other suites than {newest.Suite}: {failure.Message}");
                offers.RemoveAll(offer => offer.Suite == newest.Suite);
            }
        }
    }

    /// <summary>The series of a package that holds a kernel image, or null for all others.</summary>
    /// <remarks>
    /// Up to 6.18 the image lies in linux-image-RELEASE, later in linux-binary-RELEASE, where linux-image only refers to it.
    /// linux-image-6.12-cloud-arm64 without a third number is a reference as well.
    /// </remarks>
    internal static string? SeriesOf(string package)
    {
        if (ImageName().Match(package) is not { Success: true } match)
            return null;
        var series = match.Groups["series"].Value;
        var separate = Version.Parse(series) >= new Version(6, 19);
        var binary = match.Groups["kind"].Value == "binary";
        return separate == binary && (binary || match.Groups["patch"].Success) ? series : null;
    }

    private void Fill(Offer kernel, string target)
    {
        var unpacked = Path.Combine(target, "unpacked");
        Unpack(kernel, unpacked);
        const string Binary = "linux-binary-";
        if (kernel.Package.StartsWith(Binary, StringComparison.Ordinal))
        {
            // Then the modules have a package of their own.
            var modules = $"linux-modules-{kernel.Package[Binary.Length..]}";
            if (apt.Offers([modules]).Any(offer => offer.Version == kernel.Version))
                Unpack(kernel with { Package = modules }, unpacked);
        }

        var image = Directory.EnumerateFiles(unpacked, "vmlinuz*", SearchOption.AllDirectories).FirstOrDefault()
            ?? throw new LabException($"{kernel.Package} {kernel.Version} holds no vmlinuz");
        File.Copy(image, Path.Combine(target, "vmlinuz"));
        var folder = Directory.CreateDirectory(Path.Combine(target, "modules")).FullName;
        var order = new ModuleOrder(unpacked);
        order.Add("virtio_pci", required: false);
        // Backports of 6.19 to 7.1 were seen without their package of modules.
        order.Add("virtio_net", required: false);
        foreach (var (index, file) in order.Files.Index())
            File.Copy(file, Path.Combine(folder, $"{index:D2}-{Path.GetFileName(file)}"));

        Directory.Delete(unpacked, recursive: true);
    }

    private void Unpack(Offer offer, string directory)
    {
        Console.WriteLine($"lab: fetching {offer.Package} {offer.Version}");
        apt.Unpack(offer, directory);
    }

    [GeneratedRegex(@"^linux-(?<kind>image|binary)-(?<series>\d+\.\d+)(?<patch>\.\d+)?[^/]*-cloud-arm64(-unsigned)?$")]
    private static partial Regex ImageName();
}
