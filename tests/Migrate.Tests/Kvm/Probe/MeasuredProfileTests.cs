using Migrate.Model.Encoding;
using Migrate.Model.Hosts;

namespace Migrate.Tests.Kvm.Probe;

public class MeasuredProfileTests
{
    [Fact]
    public void Print()
    {
        foreach (var folder in Directory.GetDirectories(Repository.Data("lab")))
        {
            var file = Path.Combine(folder, "probe.profile");
            if (!File.Exists(file)) continue;
            var host = Path.GetFileName(folder);
            var assumed = Read(Path.Combine(Repository.Root, "examples", "hosts", host.Replace(".neoverse", "-neoverse").Replace(".max", "-max") + ".profile"));
            Console.WriteLine("=== " + host);
            foreach (var line in ProfileDifferences.Of(assumed, Read(file)).GroupBy(l => l)) Console.WriteLine($"{line.Count()}x {line.Key}");
        }
    }

    private static HostProfile Read(string path) => (HostProfile)DocumentFile.Read(File.ReadAllBytes(path), path).Value;
}
