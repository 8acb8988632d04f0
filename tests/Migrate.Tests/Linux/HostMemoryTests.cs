using Migrate.Linux.Processes;

namespace Migrate.Tests.Linux;

public class HostMemoryTests
{
    [Theory]
    [InlineData("MemTotal:  1 kB\nMemAvailable:   24123456 kB\nx", 24123456UL << 10)]
    [InlineData("MemTotal:  1 kB\n", null)]
    [InlineData("MemAvailable: much kB\n", null)]
    [InlineData(null, null)]
    public void Available_memory_is_what_the_kernel_says(string? meminfo, ulong? bytes) => Assert.Equal(bytes, HostMemory.Parse(meminfo));

    [Fact]
    public void This_host_has_some_memory() => Assert.InRange(HostMemory.Available(), 1UL << 20, ulong.MaxValue);
}
