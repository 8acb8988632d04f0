using System.CommandLine;
using System.CommandLine.Parsing;
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

    public static Option<Policy> PolicyOf() => new("--policy")
    {
        Description = "Whose restore: vmmigrate (our plan), qemu (what QEMU would do), strict (write everything or fail).",
        DefaultValueFactory = _ => Policy.Vmmigrate,
        CustomParser = EnumValue<Policy>,
    };

    public static Option<string[]> Accept() => new("--accept")
    {
        Description = "Accept a finding by its code (repeatable), or 'assumed' for a verdict that rests on assumptions.",
        HelpName = "CODE",
        AllowMultipleArgumentsPerToken = false,
        DefaultValueFactory = _ => [],
    };

    public static Option<TimeSpan> Time(string name, string description, TimeSpan whenAbsent) => new(name)
    {
        Description = description,
        HelpName = "TIME",
        DefaultValueFactory = _ => whenAbsent,
        CustomParser = result => Units.TryTime(result.Tokens[0].Value, out var time)
            ? time : Fail<TimeSpan>(result, $"'{result.Tokens[0].Value}' is not a time such as 300ms, 2s, 5m or 1h"),
    };

    public static Option<ulong> Bytes(string name, string description, ulong whenAbsent) => new(name)
    {
        Description = description,
        HelpName = "SIZE",
        DefaultValueFactory = _ => whenAbsent,
        CustomParser = result => Units.TryBytes(result.Tokens[0].Value, out var bytes)
            ? bytes : Fail<ulong>(result, $"'{result.Tokens[0].Value}' is not a size such as 512M or 1G"),
    };

    public static Option<VcpuFeatures?> Features() => new("--features")
    {
        Description = "vCPU features, comma-separated (psci_0_2,pmu_v3,sve,ptrauth,has_el2).",
        HelpName = "LIST",
        CustomParser = result => VcpuFeatures.TryParse(result.Tokens[0].Value, out var features)
            ? features
            : Fail<VcpuFeatures?>(result, $"'{result.Tokens[0].Value}' is no list of features; known: {string.Join(", ", VcpuFeatures.Known.Select(f => f.Name))}"),
    };

    /// <summary>The planner's options from the command line's.</summary>
    public static PlanOptions Plan(Policy policy, IEnumerable<string> accepted)
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
        return new PlanOptions { Policy = policy, Accept = codes, AcceptAssumed = assumed };
    }

    private static T EnumValue<T>(ArgumentResult result)
        where T : struct, Enum
    {
        foreach (var value in Enum.GetValues<T>())
            if (KebabCase.Of(value.ToString()) == result.Tokens[0].Value) return value;
        return Fail<T>(result, $"'{result.Tokens[0].Value}' is not one of {string.Join(", ", Enum.GetValues<T>().Select(v => KebabCase.Of(v.ToString())))}");
    }

    private static T Fail<T>(ArgumentResult result, string message)
    {
        result.AddError(message);
        return default!;
    }
}
