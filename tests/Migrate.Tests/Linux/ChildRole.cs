using System.Runtime.CompilerServices;
using System.Text;
using Migrate.Linux.Files;
using Migrate.Linux.Processes;

namespace Migrate.Tests.Linux;

/// <summary>This test program started once more as a process that may die: before any test is looked for, it plays the role it was given.</summary>
internal static class ChildRole
{
    private const string Variable = "MIGRATE_TESTS_CHILD_ROLE";

    public static DetachedProcess Start(string role, string argument, string outputPath)
    {
        var host = Environment.ProcessPath!;
        string[] arguments = Path.GetFileName(host) == "dotnet" ? [typeof(ChildRole).Assembly.Location] : [];
        return DetachedProcess.Start(host, arguments, new Dictionary<string, string?> { [Variable] = $"{role} {argument}" }, outputPath, outputPath);
    }

    [ModuleInitializer]
    internal static void Play()
    {
        if (Environment.GetEnvironmentVariable(Variable)?.Split(' ', 2) is not [var role, var argument])
            return;
        switch (role)
        {
            case "die-while-writing":
                var pending = PendingFile.Create(argument, UnixFileMode.UserRead | UnixFileMode.UserWrite);
                pending.Write(0, Encoding.ASCII.GetBytes("half of the n"));
                ThisProcess.KillSelf();
                break;
            case "die-as-owner":
                OwnerLock.Take(argument);
                ThisProcess.KillSelf();
                break;
        }
        Environment.Exit(99);
    }
}
