using Migrate.Linux.Processes;

namespace Migrate.Tests.Linux;

public sealed class PerfDevicesTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("perf").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Devices_are_listed_by_name_with_their_number()
    {
        Device("b", "8\n");
        Device("a", "5");
        Assert.Equal([("a", 5), ("b", 8)], PerfDevices.List(_root));
    }

    [Fact]
    public void What_has_no_number_is_no_device()
    {
        Device("a", "eight");
        Device("b", "-1");
        Device("c", "99999999999");
        Directory.CreateDirectory(Path.Combine(_root, "d"));
        Device(new string('e', 65), "5");
        Assert.Empty(PerfDevices.List(_root));
    }

    [Fact]
    public void A_host_without_sysfs_has_none() => Assert.Empty(PerfDevices.List(Path.Combine(_root, "absent")));

    private void Device(string name, string type) => File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(_root, name)).FullName, "type"), type);
}
