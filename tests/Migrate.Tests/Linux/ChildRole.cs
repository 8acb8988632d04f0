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

    /// <summary>A command line for the role, where another program is to start it.</summary>
    public static (string Program, string[] Arguments, string Variable, string Value) Command(string role, string argument)
    {
        var host = Environment.ProcessPath!;
        return (host, Path.GetFileName(host) == "dotnet" ? [typeof(ChildRole).Assembly.Location] : [], Variable, $"{role} {argument}");
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
            case "read-keys":
                ReadKeys(argument);
                Environment.Exit(0);
                break;
        }
        Environment.Exit(99);
    }

    /// <summary>Writes to a file what standard input is and what came of it up to a q.</summary>
    private static void ReadKeys(string file)
    {
        var kind = RawTerminal.Kind;
        var found = new List<byte>();
        using (kind == InputKind.Terminal ? RawTerminal.Enter() : null)
        {
            Console.Out.WriteLine("ready");
            var buffer = new byte[16];
            while (!found.Contains((byte)'q') && StandardInput.Read(buffer) is var read and > 0)
            {
                found.AddRange(buffer.AsSpan(0, read));
                // A handle that closed the number when it is collected was seen to end a guest's input here.
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
        }
        File.WriteAllText(file, $"{kind} {Convert.ToHexString(found.ToArray())}");
    }
}
