using System.Text;
using Migrate.Linux;
using Migrate.Linux.Files;
using Migrate.Model.Errors;

namespace Migrate.Tests.Linux;

public class FileTests
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    [Fact]
    public void An_atomic_write_replaces_the_whole_content_with_the_mode_asked_for_and_leaves_nothing_else()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory["record"], "a much longer old content");
        DurableFile.WriteAtomically(directory["record"], "new"u8, Private | UnixFileMode.OtherWrite);
        Assert.Equal("new", File.ReadAllText(directory["record"]));
        Assert.Equal(Private | UnixFileMode.OtherWrite, new FileInfo(directory["record"]).UnixFileMode);
        Assert.Single(Directory.GetFileSystemEntries(directory.Path));
    }

    [Fact]
    public void An_atomic_write_that_is_given_up_leaves_the_old_file_and_nothing_else()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory["record"], "old");
        using (var pending = PendingFile.Create(directory["record"], Private))
        {
            pending.Write(0, "new"u8);
            Assert.Equal("old", File.ReadAllText(directory["record"]));
            Assert.Equal(2, Directory.GetFiles(directory.Path, "*", new EnumerationOptions { AttributesToSkip = 0 }).Length);
        }
        Assert.Equal("old", File.ReadAllText(directory["record"]));
        Assert.Single(Directory.GetFileSystemEntries(directory.Path));
    }

    [Fact]
    public void A_writer_killed_in_the_middle_leaves_the_old_file_and_a_leftover_that_can_be_cleared()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory["record"], "old");
        var child = ChildRole.Start("die-while-writing", directory["record"], "/dev/null");
        Assert.Equal(128 + 9, child.WaitForExit(TestSupport.Patience));
        Assert.Equal("old", File.ReadAllText(directory["record"]));
        Assert.Equal(1, PendingFile.RemoveAbandoned(directory.Path));
        Assert.Equal([directory["record"]], Directory.GetFileSystemEntries(directory.Path));
    }

    [Fact]
    public void An_atomic_write_that_cannot_be_named_leaves_no_temporary_file()
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["taken"]);
        Assert.Equal("EISDIR", Assert.Throws<LinuxException>(() => DurableFile.WriteAtomically(directory["taken"], "new"u8, Private)).ErrnoName);
        Assert.Equal([directory["taken"]], Directory.GetFileSystemEntries(directory.Path));
    }

    [Fact]
    public void A_missing_directory_is_named()
    {
        using var directory = new TemporaryDirectory();
        var error = Assert.Throws<LinuxException>(() => DurableFile.WriteAtomically(directory["none/record"], "new"u8, Private));
        Assert.Equal((ErrorCode.NotFound, "ENOENT"), (error.Code, error.ErrnoName));
        Assert.Contains(directory["none"], error.Message);
        Assert.Equal(ErrorCode.Usage, Assert.Throws<MigrateException>(() => PendingFile.Create(directory.Path + "/", Private)).Code);
    }

    [Fact]
    public void A_big_file_written_in_places_keeps_its_holes()
    {
        using var directory = new TemporaryDirectory();
        using (var pending = PendingFile.Create(directory["pages"], Private))
        {
            pending.SetLength(1L << 32);
            pending.Write(1L << 31, "page"u8);
            pending.Commit();
        }
        using var file = File.OpenHandle(directory["pages"]);
        var got = new byte[6];
        RandomAccess.Read(file, got, (1L << 31) - 1);
        Assert.Equal("\0page\0", Encoding.ASCII.GetString(got));
        Assert.Equal(1L << 32, RandomAccess.GetLength(file));
    }

    [Fact]
    public void Publishes_a_directory_and_refuses_to_replace_one_that_is_not_empty()
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["tmp"]);
        File.WriteAllText(directory["tmp/a"], "1");
        DurableDirectory.Publish(directory["tmp"], directory["final"]);
        Assert.Equal("1", File.ReadAllText(directory["final/a"]));
        Directory.CreateDirectory(directory["tmp"]);
        Assert.Equal("ENOTEMPTY", Assert.Throws<LinuxException>(() => DurableDirectory.Publish(directory["tmp"], directory["final"])).ErrnoName);
        Assert.Equal("1", File.ReadAllText(directory["final/a"]));
    }

    [Fact]
    public void Refuses_to_synchronise_a_file_as_a_directory()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory["file"], "");
        Assert.Equal("ENOTDIR", Assert.Throws<LinuxException>(() => DurableDirectory.Synchronise(directory["file"])).ErrnoName);
        DurableDirectory.Synchronise(directory.Path);
    }

    [Fact]
    public void Refuses_a_second_owner_by_naming_the_first()
    {
        using var directory = new TemporaryDirectory();
        using var first = OwnerLock.Take(directory.Path);
        var error = Assert.Throws<MigrateException>(() => OwnerLock.Take(directory.Path));
        Assert.Equal(ErrorCode.Busy, error.Code);
        Assert.Contains(directory.Path, error.Message);
        Assert.Contains($"pid {Environment.ProcessId}", error.Message);
    }

    [Fact]
    public void A_directory_given_up_can_be_owned_again()
    {
        using var directory = new TemporaryDirectory();
        OwnerLock.Take(directory.Path).Dispose();
        OwnerLock.Take(directory.Path).Dispose();
    }

    [Fact]
    public void The_death_of_an_owner_ends_its_ownership()
    {
        using var directory = new TemporaryDirectory();
        var child = ChildRole.Start("die-as-owner", directory.Path, "/dev/null");
        Assert.Equal(128 + 9, child.WaitForExit(TestSupport.Patience));
        Assert.Equal($"{child.Pid}\n", File.ReadAllText(directory[OwnerLock.FileName]));
        using var successor = OwnerLock.Take(directory.Path);
    }

    [Fact]
    public void Refuses_a_lock_file_that_is_a_symbolic_link()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory["victim"], "precious");
        File.CreateSymbolicLink(directory[OwnerLock.FileName], directory["victim"]);
        Assert.Equal("ELOOP", Assert.Throws<LinuxException>(() => OwnerLock.Take(directory.Path)).ErrnoName);
        Assert.Equal("precious", File.ReadAllText(directory["victim"]));
    }
}
