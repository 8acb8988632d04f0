using Migrate.Cli.Demo;

namespace Migrate.LabGuest.Jobs;

/// <summary>How a process of .NET is started on a host of the lab.</summary>
internal static class Translated
{
    private const string Translator = "/bin/box64";

    /// <summary>The program and its first arguments. Outside an emulated host the runtime needs no translator.</summary>
    public static string[] Runtime { get; } = File.Exists(Translator) ? [Translator, Child.Runtime] : [Child.Runtime];
}
