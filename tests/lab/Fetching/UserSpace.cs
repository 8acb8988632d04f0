namespace Migrate.Lab.Fetching;

/// <summary>The arm64 programs and libraries under the x86-64 .NET: a shell, box64 and what box64 needs.</summary>
/// <param name="Root">The packages, unpacked over each other.</param>
/// <param name="Used">Which they are.</param>
internal sealed record UserSpace(string Root, IReadOnlyList<Offer> Used)
{
    private static readonly string[] Packages = ["busybox-static", "box64", "libc6", "libgcc-s1", "libstdc++6"];

    /// <summary>All of one suite, so that they fit together; box64 before 0.4 is three times slower and aborts at exit.</summary>
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
