using Migrate.Linux;
using Migrate.Linux.Memory;
using Migrate.Linux.Processes;
using Migrate.Linux.Sockets;
using Migrate.Model.Errors;

namespace Migrate.Tests.Linux;

public class ProcessTests
{
    private static readonly Dictionary<string, string?> Same = [];

    [Fact]
    public void A_detached_child_leads_its_own_session_with_default_signals_and_no_foreign_descriptors()
    {
        using var directory = new TemporaryDirectory();
        using var secret = MemFd.Create("secret", 4096);
        const string script = "cat /proc/$$/stat; grep SigIgn /proc/$$/status; readlink /proc/$$/fd/0; ls -l /proc/$$/fd; echo oops >&2; exit 7";
        var child = DetachedProcess.Start("sh", ["-c", script], Same, directory["out"], directory["err"]);
        Assert.Equal(7, child.WaitForExit(TestSupport.Patience));
        Assert.True(child.HasExited);
        var lines = File.ReadAllLines(directory["out"]);
        Assert.Equal(child.Pid.ToString(), lines[0][(lines[0].LastIndexOf(')') + 2)..].Split(' ')[3]);
        // Signals 32 and 33 belong to the C library, which leaves them ignored in what it spawns.
        Assert.Equal(0, Convert.ToInt64(lines[1].Split('\t')[1], 16) & 0x7fffffff);
        Assert.Equal("/dev/null", lines[2]);
        Assert.DoesNotContain(lines, line => line.Contains("memfd:secret"));
        Assert.Equal("oops\n", File.ReadAllText(directory["err"]));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, new FileInfo(directory["out"]).UnixFileMode);
    }

    [Fact]
    public void A_detached_child_sees_the_changed_environment_and_its_arguments_unsplit()
    {
        using var directory = new TemporaryDirectory();
        var changes = new Dictionary<string, string?> { ["ADDED"] = "a b=c", ["PATH"] = null };
        var child = DetachedProcess.Start("/bin/sh", ["-c", "echo \"$ADDED|$1|$2\"; export -p", "name", "x y", ""], changes, directory["out"], directory["err"]);
        Assert.Equal(0, child.WaitForExit(TestSupport.Patience));
        var output = File.ReadAllText(directory["out"]);
        Assert.StartsWith("a b=c|x y|\n", output);
        Assert.DoesNotContain("export PATH=", output);
    }

    [Fact]
    public void Refuses_a_program_that_is_not_there_and_a_text_that_would_be_cut()
    {
        using var directory = new TemporaryDirectory();
        Assert.Equal("ENOENT", Assert.Throws<LinuxException>(() => DetachedProcess.Start(directory["none"], [], Same, "/dev/null", "/dev/null")).ErrnoName);
        Assert.Equal(ErrorCode.Usage, Assert.Throws<MigrateException>(() => DetachedProcess.Start("sh", ["a\0b"], Same, "/dev/null", "/dev/null")).Code);
    }

    [Fact]
    public void A_killed_child_is_not_alive_and_is_collected()
    {
        var child = DetachedProcess.Start("sleep", ["1000"], Same, "/dev/null", "/dev/null");
        var identity = child.Identity!.Value;
        Assert.True(identity.IsAlive);
        Assert.Null(child.WaitForExit(TimeSpan.Zero));
        child.Kill();
        Assert.Equal(128 + 9, child.WaitForExit(TestSupport.Patience));
        Assert.False(identity.IsAlive);
        Assert.Null(ProcessIdentity.Of(child.Pid));
    }

    [Fact]
    public void A_zombie_is_not_alive()
    {
        using var directory = new TemporaryDirectory();
        // sleep never collects the child that it inherits from the shell it replaces; the child outlives the shell, which might collect it.
        var parent = DetachedProcess.Start("sh", ["-c", "sleep 0.3 & echo $!; exec sleep 1000"], Same, directory["out"], "/dev/null");
        var pid = 0;
        Assert.True(SpinWait.SpinUntil(
            () => int.TryParse(File.ReadAllText(directory["out"]), out pid) && File.ReadAllText($"/proc/{pid}/stat").Contains(") Z "),
            TestSupport.Patience));
        Assert.Null(ProcessIdentity.Of(pid));
        parent.Kill();
        Assert.Equal(128 + 9, parent.WaitForExit(TestSupport.Patience));
    }

    [Fact]
    public void Another_start_or_another_boot_is_another_process()
    {
        var self = ProcessIdentity.Self;
        Assert.True(self.IsAlive);
        Assert.False((self with { StartTicks = self.StartTicks + 1 }).IsAlive);
        Assert.False((self with { BootId = Guid.Empty.ToString() }).IsAlive);
        Assert.Null(ProcessIdentity.Of(int.MaxValue));
    }

    [Theory]
    [InlineData("12 (a) b) (c) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 777 20", true, 'S', 777)]
    [InlineData("12 (x) Z 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 5", true, 'Z', 5)]
    [InlineData("12 (x) S 1 2 3", false, '\0', 0)]
    [InlineData("12 x S 1 2 3", false, '\0', 0)]
    public void A_stat_line_is_read_behind_the_last_bracket(string stat, bool valid, char state, ulong ticks)
    {
        Assert.Equal(valid, ProcessIdentity.TryParse(stat, out var gotState, out var gotTicks));
        if (valid)
            Assert.Equal((state, ticks), (gotState, gotTicks));
    }

    [Fact]
    public void Guest_memory_counts_as_shared_and_not_as_the_process_its_own()
    {
        const int bytes = 64 << 20;
        using var memory = MemFd.Create("counted", bytes);
        using var mapping = memory.Map(MappingAccess.ReadWrite);
        mapping.Slice(0, bytes).Fill(1);
        var now = ProcessMemory.OfSelf();
        Assert.True(now.Shared >= bytes);
        Assert.True(now.PeakResident >= now.Shared);
        Assert.True(now.OwnBytes > 0 && now.OwnBytes == now.Anonymous + now.FileBacked);
        Assert.Null(ProcessMemory.Of(int.MaxValue));
    }

    [Fact]
    public void Memory_fields_are_in_bytes_and_a_line_of_another_shape_is_no_field()
    {
        var memory = ProcessMemory.Parse("Name:\tx\nVmHWM:\t  40 kB\nVmRSS:\t30 kB\nRssAnon:\t 10 kB\nRssFile:\t12 kB\nRssShmem:\t8 kB\nRssAnon:\t-1 kB\nVmRSS: 9\n");
        Assert.Equal(new ProcessMemory(30 << 10, 40 << 10, 10 << 10, 12 << 10, 8 << 10), memory);
    }

    [Fact]
    public async Task The_end_of_the_input_calls_back_and_bytes_before_it_do_not()
    {
        var (first, second) = UnixSocket.Pair();
        using var input = second;
        var ended = new TaskCompletionSource();
        ThisProcess.WhenEnds(input.Handle, "test-input", ended.SetResult);
        first.SendAll(new byte[2000]);
        Assert.False(ended.Task.IsCompleted);
        first.Dispose();
        await ended.Task.WaitAsync(TestSupport.Patience, TestContext.Current.CancellationToken);
    }
}
