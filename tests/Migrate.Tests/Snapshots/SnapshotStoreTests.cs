using System.Diagnostics;
using Migrate.Model.Errors;
using Migrate.Snapshots;

namespace Migrate.Tests.Snapshots;

public class SnapshotStoreTests
{
    private static void Write(SnapshotStore store, string name)
    {
        using var machine = new TestMachine();
        SnapshotWriter.Write(store.PathOf(name), name, machine, TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData("")]
    [InlineData("../a")]
    [InlineData("a/b")]
    [InlineData("/a")]
    [InlineData(".a")]
    [InlineData("-a")]
    [InlineData("a b")]
    [InlineData("a\n")]
    [InlineData("ä")]
    public void Refuses_a_name_that_could_be_something_else(string name)
    {
        var store = new SnapshotStore("/nowhere");

        Assert.Equal(ErrorCode.Usage, Assert.Throws<MigrateException>(() => store.PathOf(name)).Code);
        Assert.Equal(ErrorCode.Usage, Assert.Throws<MigrateException>(() => store.Open(name)).Code);
    }

    [Theory]
    [InlineData("a")]
    [InlineData("2026-01-31_web.1")]
    [InlineData("_a")]
    public void A_name_is_a_file_of_the_directory(string name) => Assert.Equal($"/some/where/{name}.vmsnap", new SnapshotStore("/some/where").PathOf(name));

    [Fact]
    public void Lists_what_is_there_and_what_cannot_be_opened()
    {
        using var directory = new TestDirectory();
        var store = new SnapshotStore(directory.Path);
        Write(store, "b");
        Write(store, "a");
        File.WriteAllText(directory["broken.vmsnap"], "no snapshot at all, but long enough to have an end frame of forty bytes and more");
        File.WriteAllText(directory["notes.txt"], "");
        File.WriteAllText(directory[".c.vmsnap.0.pending"], "");
        Directory.CreateDirectory(directory["folder.vmsnap"]);

        var list = store.List();

        Assert.Equal(["a", "b", "broken"], list.Select(e => e.Name).Order());
        Assert.Equal("broken", list[^1].Name);
        Assert.Equal(ErrorCode.Malformed, list[^1].Problem!.Code);
        Assert.Contains("broken.vmsnap", list[^1].Problem!.Message);
        Assert.All(list.Take(2), entry => Assert.Equal("web-1", entry.Info!.Machine));
    }

    [Fact]
    public void A_directory_that_is_not_there_is_named() =>
        Assert.Contains("/nowhere", Assert.Throws<MigrateException>(() => new SnapshotStore("/nowhere").List()).Message);

    [Fact]
    public void Opens_by_name_and_refuses_one_that_is_not_there()
    {
        using var directory = new TestDirectory();
        var store = new SnapshotStore(directory.Path);
        Write(store, "a");

        using (var reader = store.Open("a")) Assert.Equal("a", reader.Info.Name);
        Assert.Equal(ErrorCode.NotFound, Assert.ThrowsAny<MigrateException>(() => store.Open("b")).Code);
    }

    [Fact]
    public void A_pipe_and_a_directory_are_refused_without_waiting()
    {
        using var directory = new TestDirectory();
        using (var process = Process.Start("mkfifo", [directory["pipe.vmsnap"]])) process.WaitForExit();

        Assert.Equal(ErrorCode.Malformed, Assert.Throws<MigrateException>(() => SnapshotReader.Open(directory["pipe.vmsnap"])).Code);
        Assert.Equal(ErrorCode.Malformed, Assert.Throws<MigrateException>(() => SnapshotReader.Open(directory.Path)).Code);
    }
}
