using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Migrate.Cli.Output;
using Migrate.Model;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Preflight;

namespace Migrate.Cli.Commands;

/// <summary>Options that several commands share, each read in one way.</summary>
internal static class Options
{
    public static Option<bool> Json() => new("--json") { Description = "One JSON document on stdout instead of text." };

    /// <summary>Whose restore; read by <see cref="Plan"/>.</summary>
    public static Option<string> PolicyOf()
    {
        var option = new Option<string>("--policy")
        {
            Description = "Whose restore: vmmigrate (our plan), qemu (what QEMU would do), strict (write everything or fail).",
            DefaultValueFactory = _ => PolicyName(Policy.Vmmigrate),
        };
        option.AcceptOnlyFromAmong([.. Enum.GetValues<Policy>().Select(PolicyName)]);
        return option;
    }

    public static Option<string[]> Accept() => new("--accept")
    {
        Description = "Accept a finding by its code (repeatable), or 'assumed' for a verdict that rests on assumptions.",
        HelpName = "CODE",
        AllowMultipleArgumentsPerToken = false,
        DefaultValueFactory = _ => [],
    };

    public static Option<Duration> Time(string name, string description, TimeSpan whenAbsent) => new(name)
    {
        Description = description,
        HelpName = "TIME",
        DefaultValueFactory = _ => new(whenAbsent),
        CustomParser = result => Units.TryTime(result.Tokens[0].Value, out var time)
            ? new(time) : Fail<Duration>(result, $"'{result.Tokens[0].Value}' is not a time such as 300ms, 2s, 5m or 1h"),
    };

    public static Option<ByteSize> Bytes(string name, string description, ulong whenAbsent) => new(name)
    {
        Description = description,
        HelpName = "SIZE",
        DefaultValueFactory = _ => new(whenAbsent),
        CustomParser = result => Units.TryBytes(result.Tokens[0].Value, out var bytes)
            ? new(bytes) : Fail<ByteSize>(result, $"'{result.Tokens[0].Value}' is not a size such as 512M or 1G"),
    };

    public static Option<VcpuFeatures?> Features() => new("--features")
    {
        Description = "vCPU features, comma-separated (psci_0_2,pmu_v3,sve,ptrauth,has_el2).",
        HelpName = "LIST",
        CustomParser = result => VcpuFeatures.TryParse(result.Tokens[0].Value, out var features)
            ? features
            : Fail<VcpuFeatures?>(result, $"'{result.Tokens[0].Value}' is no list of features; known: {string.Join(", ", VcpuFeatures.Known.Select(f => f.Name))}"),
    };

    /// <summary>Ranges of the SMCCC filter: 0xc3000100+16=forward-to-user.</summary>
    public static Option<SmcccFilterRange[]> SmcccFilter() => new("--smccc-filter")
    {
        Description = $"What KVM does with a range of hypercalls (repeatable): {string.Join(", ", Enum.GetValues<SmcccAction>().Select(ActionName))}. Without a handler a forwarded call answers -1.",
        HelpName = "FIRST+COUNT=ACTION",
        AllowMultipleArgumentsPerToken = false,
        DefaultValueFactory = _ => [],
        CustomParser = result => [.. result.Tokens.Select(token => TryRange(token.Value, out var range)
            ? range : Fail<SmcccFilterRange>(result, $"'{token.Value}' is no range such as 0xc3000100+16={ActionName(SmcccAction.ForwardToUser)}"))],
    };

    /// <summary>The planner's options from the command line's.</summary>
    public static PlanOptions Plan(string policy, IEnumerable<string> accepted)
    {
        var codes = new HashSet<FindingCode>();
        var assumed = false;
        foreach (var word in accepted)
        {
            if (word == "assumed") assumed = true;
            else if (Enum.GetValues<FindingCode>().FirstOrDefault(c => KebabCase.Of(c.ToString()) == word) is var code and not 0) codes.Add(code);
            else
                throw new UsageException(
                    $"--accept {word}: no such finding; known: assumed, {string.Join(", ", Enum.GetValues<FindingCode>().Select(c => KebabCase.Of(c.ToString())))}", "check");
        }
        return new PlanOptions { Policy = Enum.GetValues<Policy>().First(p => PolicyName(p) == policy), Accept = codes, AcceptAssumed = assumed };
    }

    private static bool TryRange(string text, out SmcccFilterRange range)
    {
        range = default;
        var (plus, equals) = (text.IndexOf('+', StringComparison.Ordinal), text.IndexOf('=', StringComparison.Ordinal));
        if (plus < 0 || equals < plus || !TryNumber(text[..plus], out var first) || !TryNumber(text[(plus + 1)..equals], out var count) || count == 0) return false;
        foreach (var action in Enum.GetValues<SmcccAction>())
        {
            if (ActionName(action) != text[(equals + 1)..]) continue;
            range = new SmcccFilterRange(first, count, action);
            return true;
        }
        return false;
    }

    private static bool TryNumber(string text, out uint number) => text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
        ? uint.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out number)
        : uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private static string ActionName(SmcccAction action) => KebabCase.Of(action.ToString());

    private static string PolicyName(Policy policy) => KebabCase.Of(policy.ToString());

    private static T Fail<T>(ArgumentResult result, string message)
    {
        result.AddError(message);
        return default!;
    }
}
