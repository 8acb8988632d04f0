using Migrate.Lab.Fetching;

namespace Migrate.Lab;

/// <summary>Everything a run boots from, fetched into the cache and named on the output.</summary>
internal sealed record Ingredients(Emulator Emulator, UserSpace UserSpace, GuestQemu? GuestQemu, IReadOnlyList<Kernel> Kernels)
{
    private static readonly string[] Suites =
    [
        "bullseye", "bullseye-security", "bookworm", "bookworm-security", "bookworm-backports",
        "trixie", "trixie-security", "trixie-backports", "sid", "experimental",
    ];

    /// <param name="options">Which kernels.</param>
    /// <param name="missing">Is told of each kernel that cannot be had.</param>
    public static Ingredients Fetch(Options options, Action<string, string> missing)
    {
        var cache = new Cache(options.Cache);
        using var fetching = cache.Lock();
        var archive = DebianArchive.OfThisMachine();
        var emulator = Emulator.Fetch(archive, cache, !options.Offline);
        var apt = new PrivateApt(cache.At("apt-arm64"), "arm64", archive.SourcesList("arm64", Suites));
        if (!options.Offline && apt.Update() is { Length: > 0 } problems)
            Console.Error.WriteLine($"lab: some indexes are old or missing:\n{problems}");

        var user = UserSpace.Fetch(apt, cache);
        var qemu = options.PairJobs.Any(job => job.NeedsQemu) ? GuestQemu.Fetch(apt, cache) : null;
        var fetcher = new KernelFetcher(apt, cache);
        var kernels = new List<Kernel>();
        foreach (var series in options.Kernels)
        {
            try
            {
                kernels.Add(fetcher.Fetch(series));
            }
            catch (LabException failure)
            {
                missing(series, failure.Message);
            }
        }

        var ingredients = new Ingredients(emulator, user, qemu, kernels);
        ingredients.Name();
        return ingredients;
    }

    private void Name()
    {
        Console.WriteLine($"lab: emulator qemu-system-arm {Emulator.Version}");
        Console.WriteLine($"lab: user space {string.Join(", ", UserSpace.Used.Select(offer => $"{offer.Package} {offer.Version}"))}, .NET {Environment.Version}");
        if (GuestQemu is { } qemu)
            Console.WriteLine($"lab: QEMU on the hosts qemu-system-arm {qemu.Version}");
        foreach (var kernel in Kernels)
            Console.WriteLine($"lab: kernel {kernel.Series}: {kernel.Offer.Package} {kernel.Offer.Version} ({kernel.Offer.Suite}){(kernel.HasNetwork ? "" : ", no network: the suites lack its modules")}");
    }
}
