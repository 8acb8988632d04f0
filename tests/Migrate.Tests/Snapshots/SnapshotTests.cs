using System.Runtime.Versioning;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Model.Machines;
using Migrate.Snapshots;
using Migrate.Snapshots.Format;

namespace Migrate.Tests.Snapshots;

[SupportedOSPlatform("linux")]
public class SnapshotTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static SnapshotReport Write(string path, TestMachine machine) => SnapshotWriter.Write(path, "monday", machine, Cancellation);

    [Theory]
    [InlineData(4096)]
    [InlineData(16384)]
    [InlineData(65536)]
    public void What_was_written_is_read_back(int pageSize)
    {
        using var directory = new TestDirectory();
        using var machine = new TestMachine(pageSize).Fill((slot, page) => page % 2 == slot);

        var report = Write(directory["a.vmsnap"], machine);

        using var reader = SnapshotReader.Open(directory["a.vmsnap"]);
        Assert.Equal(report.Info, reader.Info);
        Assert.Equal(machine.State, reader.ReadState());
        Assert.Equal("monday", reader.Info.Name);
        Assert.Equal((3, 3, pageSize), (reader.Info.StoredPages, reader.Info.ZeroPages, reader.Info.PageSize));
        Assert.Equal(new FileInfo(report.Path).Length, reader.Info.FileBytes);
        reader.Verify(Cancellation);
        using var memory = TestMachine.Fresh([.. machine.State.Vm.Memory]);
        reader.Load(memory, Cancellation);
        machine.AssertSameMemory(memory);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Pages_that_fill_many_frames_come_back_in_their_places(int every)
    {
        using var directory = new TestDirectory();
        using var machine = new TestMachine(4096, new MemorySlot(3, 0, 5 << 20), new MemorySlot(1, 1UL << 32, 1 << 20)).Fill((_, page) => page % every == 0);

        Write(directory["a.vmsnap"], machine);

        using var reader = SnapshotReader.Open(directory["a.vmsnap"]);
        using var memory = TestMachine.Fresh([.. machine.State.Vm.Memory]);
        reader.Load(memory, Cancellation);
        machine.AssertSameMemory(memory);
    }

    [Fact]
    public void Zero_pages_are_not_stored()
    {
        using var directory = new TestDirectory();
        using var machine = new TestMachine(4096, new MemorySlot(0, 0, 64 << 20));
        machine.Page(machine.Memory, 0, 77)[4095] = 1;

        var report = Write(directory["a.vmsnap"], machine);

        Assert.Equal(1, report.Info.StoredPages);
        Assert.InRange(report.Info.FileBytes, 4096, 8192);
    }

    [Fact]
    public void A_machine_without_a_page_to_store_has_a_snapshot_too()
    {
        using var directory = new TestDirectory();
        using var machine = new TestMachine();

        Write(directory["a.vmsnap"], machine);

        using var reader = SnapshotReader.Open(directory["a.vmsnap"]);
        reader.Verify(Cancellation);
        Assert.Equal(0, reader.Info.StoredPages);
    }

    [Fact]
    public void The_machine_stops_is_captured_and_runs_on()
    {
        using var directory = new TestDirectory();
        using var machine = new TestMachine();

        Write(directory["a.vmsnap"], machine);

        Assert.Equal(["quiesce", "capture", "resume"], machine.Calls);
    }

    [Fact]
    public void Only_the_owner_may_read_it_and_nothing_else_is_left()
    {
        using var directory = new TestDirectory();
        using var machine = new TestMachine();

        Write(directory["a.vmsnap"], machine);

        Assert.Equal(["a.vmsnap"], directory.Names);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(directory["a.vmsnap"]));
    }

    [Fact]
    public void Nothing_has_the_name_after_any_write_that_fails_and_the_machine_runs_on()
    {
        using var directory = new TestDirectory();
        using var machine = new TestMachine(4096, new MemorySlot(0, 0, 3 << 20)).Fill((_, _) => true);
        var writes = 0;
        for (var failing = 0; ; failing++)
        {
            writes = 0;
            machine.Calls.Clear();
            PositionalWrite Fail(PositionalWrite write) => (offset, bytes) =>
            {
                if (writes++ == failing) throw new MigrateException(ErrorCode.System, "ENOSPC");
                write(offset, bytes);
            };
            var failure = Record.Exception(() => SnapshotWriter.Write(directory["a.vmsnap"], "a", machine, Fail, Cancellation));
            Assert.Equal("resume", machine.Calls[^1]);
            if (failure is null) break;
            Assert.Equal("ENOSPC", failure.Message);
            Assert.Empty(directory.Names);
        }
        Assert.True(writes > 8, $"{writes} writes");
        Assert.Equal(["a.vmsnap"], directory.Names);
    }

    [Fact]
    public void A_snapshot_that_fails_leaves_the_one_before_it()
    {
        using var directory = new TestDirectory();
        using var machine = new TestMachine().Fill((_, _) => true);
        Write(directory["a.vmsnap"], machine);
        var before = File.ReadAllBytes(directory["a.vmsnap"]);

        Assert.Throws<MigrateException>(() => SnapshotWriter.Write(
            directory["a.vmsnap"], "a", machine, _ => (_, _) => throw new MigrateException(ErrorCode.System, "EIO"), Cancellation));

        Assert.Equal(before, File.ReadAllBytes(directory["a.vmsnap"]));
    }

    [Fact]
    public void A_directory_that_is_not_there_does_not_stop_the_machine()
    {
        using var directory = new TestDirectory();
        using var machine = new TestMachine();

        Assert.Equal(ErrorCode.NotFound, Assert.ThrowsAny<MigrateException>(() => Write(directory["none/a.vmsnap"], machine)).Code);
        Assert.Empty(machine.Calls);
    }

    [Fact]
    public void A_cancelled_snapshot_leaves_nothing_and_the_machine_runs_on()
    {
        using var directory = new TestDirectory();
        using var machine = new TestMachine().Fill((_, _) => true);

        Assert.Throws<OperationCanceledException>(() => SnapshotWriter.Write(directory["a.vmsnap"], "a", machine, new CancellationToken(canceled: true)));

        Assert.Empty(directory.Names);
        Assert.Equal("resume", machine.Calls[^1]);
    }

    [Fact]
    public void Refuses_a_machine_that_shares_other_memory_than_it_describes()
    {
        using var directory = new TestDirectory();
        using var one = new TestMachine();
        using var other = new TestMachine(4096, new MemorySlot(0, 0, 4096)) { State = one.State };

        Assert.Equal(ErrorCode.Protocol, Assert.ThrowsAny<MigrateException>(() => Write(directory["a.vmsnap"], other)).Code);
        Assert.Empty(directory.Names);
    }

    [Fact]
    public void What_a_file_says_about_itself_is_lossless_in_both_encodings()
    {
        using var directory = new TestDirectory();
        using var machine = new TestMachine().Fill((_, _) => true);
        var info = Write(directory["a.vmsnap"], machine).Info;

        Assert.Equal(info, JsonEncoding.Decode(SnapshotInfo.Shape, System.Text.Encoding.UTF8.GetBytes(JsonEncoding.Encode(SnapshotInfo.Shape, info))));
        Assert.Equal(info, MessagePackEncoding.Decode(SnapshotInfo.Shape, MessagePackEncoding.Encode(SnapshotInfo.Shape, info)));
    }
}
