using Migrate.Model.Foreign;
using Migrate.Model.Hosts;

namespace Migrate.Tests.Model.Foreign;

/// <summary>The captures of the checkout, read once.</summary>
internal static class Captures
{
    public static IReadOnlyDictionary<string, ForeignCapture> All { get; } = Directory.GetFiles(Repository.Data("captures"), "*.*.*.txt")
        .Where(path => Path.GetFileName(path) != "restore-answers.txt")
        .ToDictionary(path => Path.GetFileNameWithoutExtension(path), path => KvmCaptureText.Read(File.ReadAllBytes(path), path));

    /// <summary>One profile a host, made of both of its captures; by <c>KERNEL.CPU</c>.</summary>
    public static IReadOnlyDictionary<string, HostProfile> Hosts { get; } = All.Values
        .GroupBy(capture => $"{capture.KernelRelease}.{capture.HostName}")
        .ToDictionary(host => host.Key, host => ForeignProfile.Assume([.. host]));
}
