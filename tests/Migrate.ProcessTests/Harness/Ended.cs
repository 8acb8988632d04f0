namespace Migrate.ProcessTests.Harness;

/// <summary>What a finished command said.</summary>
internal sealed record Ended(int ExitCode, string Out, string Error)
{
    /// <summary>The exit code of a process that SIGKILL ended, as a shell and .NET print it.</summary>
    public const int Killed = 128 + 9;

    public string FirstLine => Out.Split('\n')[0];

    /// <summary>Fails with everything that was said unless the exit code is this one.</summary>
    public Ended Exited(int expected)
    {
        Assert.True(ExitCode == expected, $"exit code {ExitCode}, expected {expected}\nstdout: {Out}\nstderr: {Error}");
        return this;
    }
}
