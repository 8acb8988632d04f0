namespace Migrate.ProcessTests.Harness;

/// <summary>Who hosts the machines that are moved: the simulated host, or, where the lab runs these tests, the reference VMM on the KVM below them.</summary>
internal static class Hosting
{
    private static readonly string? Lab = Environment.GetEnvironmentVariable("VMMIGRATE_TEST_LAB");

    /// <summary>What starts vmmigrate, with its first arguments.</summary>
    public static string[] Command { get; } =
        Lab is null ? ["dotnet", Vmmigrate.Assembly] : File.ReadAllLines(Path.Combine(Lab, "command"));

    /// <summary>The VM, and what is usual of it here: each option with its value.</summary>
    public static string[][] Machine { get; } =
        [.. Lab is null ? [["--simulate"], ["--rate", "2000"]] : (string[][])[["--kernel", Path.Combine(Lab, "guest.bin")]], ["--memory", "16M"], ["--cpus", "1"]];

    /// <summary>A machine that the agent's host refuses; in the lab the profile that it believes has no PMU.</summary>
    public static string[] RefusedMachine { get; } = Lab is null ? ["--simulate", "7.2-neoverse-n1"] : ["--features", "psci_0_2,pmu_v3"];

    /// <summary>The agent's host.</summary>
    public static string[] Agent { get; } = Lab is null ? ["--simulate"] : ["--profile", Path.Combine(Lab, "agent.profile")];

    /// <summary>The counter that goes on while the machine runs.</summary>
    public static string Counter { get; } = Lab is null ? "steps" : "mmio-exits";

    /// <summary>Says in the lab what goes on, where a test takes minutes and nobody can look.</summary>
    public static void Tell(string line)
    {
        if (Lab is not null) Console.Error.WriteLine(line);
    }

    /// <summary>Between two looks at the machines: each costs those who are looked at.</summary>
    public static TimeSpan Look { get; } = TimeSpan.FromMilliseconds(Lab is null ? 5 : 250);

    /// <summary>A time that is enough here; below the emulator everything takes ten times as long.</summary>
    public static TimeSpan Enough(TimeSpan onThisMachine) => Lab is null ? onThisMachine : 10 * onThisMachine;

    /// <summary>The same as vmmigrate's options take it.</summary>
    public static string Enough(int milliseconds) => $"{Enough(TimeSpan.FromMilliseconds(milliseconds)).TotalMilliseconds:F0}ms";
}
