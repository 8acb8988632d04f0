using System.Reflection;

namespace Migrate.Tests;

/// <summary>Where the checkout under test lies, so that tests read the committed files and not copies of them.</summary>
internal static class Repository
{
    public static string Root { get; } = typeof(Repository).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>()
        .First(a => a.Key == "RepositoryRoot").Value!;

    public static string Data(params string[] parts) => Path.Combine([Root, "tests", "Data", .. parts]);
}
