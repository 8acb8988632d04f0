namespace Migrate.Lab.Fetching;

/// <summary>The arm64 programs and libraries under .NET: a shell, and what the runtime needs.</summary>
/// <param name="Root">The packages, unpacked over each other.</param>
/// <param name="Used">Which they are.</param>
internal sealed record UserSpace(string Root, IReadOnlyList<Offer> Used)
{
    private static readonly string[] Packages = ["busybox-static", "libc6", "libgcc-s1", "libstdc++6", "libssl3t64", "libzstd1", "zlib1g"];

    /// <summary>All of one suite, so that they fit together.</summary>
    public const string Suite = "sid";

    public static UserSpace Fetch(PrivateApt apt, Cache cache)
    {
        var offers = apt.Offers(Packages).Where(offer => offer.Suite == Suite).ToList();
        var used = Packages
            .Select(name => PrivateApt.Newest(offers.Where(offer => offer.Package == name))
                ?? throw new LabException($"suite {Suite} offers no {name} for arm64"))
            .ToList();
        var key = string.Join('_', used.Select(offer => offer.Version)).Replace('/', '-').Replace(':', '-');
        var root = cache.Once($"user-{key}", target =>
        {
            foreach (var offer in used)
            {
                Console.WriteLine($"lab: fetching {offer.Package} {offer.Version}");
                apt.Unpack(offer, target);
            }
        });
        return new UserSpace(root, used);
    }
}
