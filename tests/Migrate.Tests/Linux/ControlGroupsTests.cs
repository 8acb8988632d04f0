using Migrate.Linux.Processes;

namespace Migrate.Tests.Linux;

public sealed class ControlGroupsTests : IDisposable
{
    private readonly string _mount = Directory.CreateTempSubdirectory("cgroup").FullName;

    public void Dispose() => Directory.Delete(_mount, recursive: true);

    [Fact]
    public void The_tightest_group_up_to_the_root_says_what_is_left_and_page_cache_counts_as_free()
    {
        Group("a.slice", "1000", "900", "anon 500\ninactive_file 300\nactive_file 50\n");
        Group("a.slice/b.service", "max", "800", "");
        Group("c.slice", "10", "0", "");
        Assert.Equal(450UL, Left("/a.slice/b.service"));
        Group("a.slice/b.service", "820", "800", "inactive_file 1\n");
        Assert.Equal(21UL, Left("/a.slice/b.service"));
        Assert.Equal(450UL, Left("/a.slice"));
    }

    [Fact]
    public void One_above_its_limit_has_nothing_left()
    {
        Group("a", "100", "101", "");
        Assert.Equal(0UL, Left("/a"));
    }

    /// <summary>In a container the group is the mount's root, which then has a limit.</summary>
    [Fact]
    public void A_container_sees_its_limit_at_the_root()
    {
        Assert.Null(Left("/"));
        Group("", "100", "60", "");
        Assert.Equal(40UL, Left("/"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("4:memory:/gone\n0::/gone")]
    [InlineData("0::")]
    public void No_limit_is_none(string groups) => Assert.Null(ControlGroups.MemoryLeft(_mount, groups));

    private ulong? Left(string group) => ControlGroups.MemoryLeft(_mount, $"1:cpu:/c.slice\n0::{group}\n");

    private void Group(string path, string max, string current, string stat)
    {
        var directory = Directory.CreateDirectory(Path.Combine(_mount, path)).FullName;
        File.WriteAllText(Path.Combine(directory, "memory.max"), max + "\n");
        File.WriteAllText(Path.Combine(directory, "memory.current"), current + "\n");
        File.WriteAllText(Path.Combine(directory, "memory.stat"), stat);
    }
}
