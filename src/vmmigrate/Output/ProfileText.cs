using Migrate.Model;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;

namespace Migrate.Cli.Output;

/// <summary>A host profile for people: what it is, and how much each shape lets a VM choose.</summary>
internal static class ProfileText
{
    public static void Write(Terminal terminal, HostProfile profile)
    {
        List<IReadOnlyList<string>> rows =
        [
            ["host", HostText.Of(profile.Boot)],
            ["evidence", profile.Origin.Length > 0 ? profile.Origin : KebabCase.Of(profile.Evidence.ToString())],
            ["address sizes", profile.IpaSizes.Count == 0 ? "unknown" : $"{profile.IpaSizes.Min()} to {profile.IpaSizes.Max()} bits"],
            ["SMCCC filter", profile.HasSmcccFilter switch { true => "yes", false => "no", null => "unknown" }],
        ];
        if (profile.Services.Count > 0) rows.Add(["services", string.Join(", ", profile.Services)]);
        if (profile.Handlers.Count > 0) rows.Add(["handlers", string.Join(", ", profile.Handlers)]);
        if (profile.CounterFrequency != 0) rows.Add(["counter", $"{profile.CounterFrequency} Hz"]);
        terminal.Write(["", ""], rows);
        Shapes(terminal, profile);
    }

    /// <summary>The shapes that the host creates, a row each, and what it refuses in a line.</summary>
    public static void Shapes(Terminal terminal, HostProfile profile)
    {
        terminal.Write(["Shape", "GIC", "Registers", "any value", "some values", "one value", "unproven"], profile.Shapes.Where(s => s.Errno == 0).Select(Row));
        foreach (var line in Refusals(profile)) terminal.Out.WriteLine(line);
    }

    /// <summary>The smallest sets of features that are refused, and whether that goes for every set that contains them.</summary>
    internal static IEnumerable<string> Refusals(HostProfile profile)
    {
        var refused = profile.Shapes.Where(s => s.Errno != 0).ToList();
        foreach (var smallest in refused.Where(s => !refused.Any(other => other.Features != s.Features && s.Features.Has(other.Features))))
        {
            var always = profile.Shapes.Where(s => s.Features.Has(smallest.Features)).All(s => s.Errno != 0);
            var larger = refused.Count(s => s.Features != smallest.Features && s.Features.Has(smallest.Features));
            yield return $"refused: {smallest.Features}{(always && larger > 0 ? " with whatever else" : "")} (errno {smallest.Errno} at {smallest.RefusedAt})";
        }
    }

    private static IReadOnlyList<string> Row(HostShape shape)
    {
        int any = 0, some = 0, one = 0, unproven = 0;
        foreach (var register in shape.Registers)
        {
            switch (register.Accepts)
            {
                case { Kind: AcceptanceKind.Any }: any++; break;
                case { Kind: AcceptanceKind.Unproven }: unproven++; break;
                case { Kind: AcceptanceKind.OneOf, Values.Count: 1 }: one++; break;
                default: some++; break;
            }
        }
        return [shape.Features.ToString(), shape.Gic == GicKind.None ? "none" : shape.Gic.ToString(),
            $"{shape.Registers.Count}", $"{any}", $"{some}", $"{one}", $"{unproven}"];
    }
}
