using System.Text;
using Migrate.Model.Errors;
using Migrate.Transfer.Handover;
using Migrate.Transfer.Receive;
using Migrate.Transfer.Send;

namespace Migrate.Tests.Transfer.Handover;

public sealed class RecordTests : IDisposable
{
    private static readonly string Id = "0123456789abcdef0123456789abcdef";
    private readonly string _root = Directory.CreateTempSubdirectory("records-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void A_handover_is_taken_up_by_one_at_a_time()
    {
        var state = new StateDirectory(_root);
        state.Source.Write(new HandoverRecord<SourceMark> { Id = Id, Mark = SourceMark.Begun, VmName = "web", Time = "" });
        using (state.Source.Hold(Id))
        {
            var error = Assert.Throws<MigrateException>(() => Resolver.Resolve(state, Id, OperatorsWord.None, TimeSpan.Zero));
            Assert.Equal(ErrorCode.Busy, error.Code);
            Assert.Contains($"handover {Id} belongs to another running process", error.Message);
            Assert.Equal(SourceMark.Begun, state.Source.Find(Id)!.Mark);
        }
        state.Source.Hold(Id).Dispose();
        Assert.Equal([Id], state.Source.Ids());
    }

    [Fact]
    public void A_record_comes_back_as_it_was_written()
    {
        var state = new StateDirectory(_root);
        var record = new HandoverRecord<SourceMark>
        {
            Id = Id,
            Mark = SourceMark.Releasing,
            VmId = new string('2', 32),
            VmName = "a machine",
            MachineSocket = "/run/x.sock",
            MachinePid = 7,
            AgentAddress = "[::1]:4711",
            AgentId = new string('3', 32),
            Time = "",
        };
        var written = state.Source.Write(record);
        Assert.NotEqual("", written.Time);
        Assert.Equal(written, new StateDirectory(_root).Source.Find(Id));
        Assert.Equal([Id], state.Source.Ids());
        Assert.Null(state.Destination.Find(Id));
        var path = Path.Combine(_root, "handovers", "source", Id + ".json");
        Assert.StartsWith("{\n  \"schema\": \"vmmigrate/handover-source/1\"", File.ReadAllText(path));
        Assert.Equal([path], Directory.EnumerateFiles(_root, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 }));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{\"schema\": \"vmmigrate/handover-destination/1\", \"id\": \"0123456789abcdef0123456789abcdef\", \"state\": \"begun\", \"time\": \"\"}")]
    [InlineData("{\"schema\": \"vmmigrate/handover-source/1\", \"id\": \"0123456789abcdef0123456789abcdef\", \"state\": \"perhaps\", \"time\": \"\"}")]
    [InlineData("{\"schema\": \"vmmigrate/handover-source/1\", \"id\": \"ffffffffffffffffffffffffffffffff\", \"state\": \"done\", \"time\": \"\"}")]
    [InlineData("{\"schema\": \"vmmigrate/handover-source/1\", \"id\": \"0123456789abcdef0123456789abcdef\", \"state\": \"done\"}")]
    public void A_record_that_is_none_decides_nothing_and_is_named(string text)
    {
        var state = new StateDirectory(_root);
        var path = Path.Combine(_root, "handovers", "source", Id + ".json");
        File.WriteAllText(path, text);
        Assert.Contains(path, Assert.Throws<MigrateException>(() => state.Source.Find(Id)).Message);
    }

    [Fact]
    public void A_record_longer_than_any_is_not_read()
    {
        var state = new StateDirectory(_root);
        File.WriteAllText(Path.Combine(_root, "handovers", "source", Id + ".json"), new string(' ', 1 << 20));
        Assert.Equal(ErrorCode.TooLarge, Assert.Throws<MigrateException>(() => state.Source.Find(Id)).Code);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0123456789ABCDEF0123456789ABCDEF")]
    [InlineData("../../etc/passwd")]
    [InlineData("0123456789abcdef0123456789abcde/")]
    public void Nothing_but_an_id_becomes_a_file_name(string id) =>
        Assert.Equal(ErrorCode.Malformed, Assert.Throws<MigrateException>(() => new StateDirectory(_root).Destination.Find(id)).Code);

    [Fact]
    public void An_observer_sees_a_record_before_and_after_it_is_durable()
    {
        var observer = new Observer { Look = () => new StateDirectory(_root).Destination.Find(Id)?.Mark };
        new StateDirectory(_root, observer).Destination.Write(new HandoverRecord<DestinationMark> { Id = Id, Mark = DestinationMark.Never, Time = "" });
        Assert.Equal([("destination:never:before-record", null), ("destination:never:after-record", DestinationMark.Never)], observer.Seen);
    }

    [Fact]
    public void A_storage_that_fails_is_an_error_and_no_record()
    {
        var state = new StateDirectory(_root);
        Directory.Delete(Path.Combine(_root, "handovers", "destination"));
        Assert.ThrowsAny<MigrateException>(() => state.Destination.Write(new HandoverRecord<DestinationMark> { Id = Id, Mark = DestinationMark.Never, Time = "" }));
    }

    [Fact]
    public void An_agents_identity_is_made_once_and_a_spoiled_one_is_refused()
    {
        var state = new StateDirectory(_root);
        var id = state.AgentId();
        Assert.Equal(id, new StateDirectory(_root).AgentId());
        File.WriteAllBytes(Path.Combine(_root, "agent", "id"), Encoding.ASCII.GetBytes("me"));
        Assert.Equal(ErrorCode.Malformed, Assert.Throws<MigrateException>(state.AgentId).Code);
    }

    [Fact]
    public void The_directory_is_for_its_owner_alone()
    {
        _ = new StateDirectory(Path.Combine(_root, "new"));
        if (OperatingSystem.IsLinux())
            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
                File.GetUnixFileMode(Path.Combine(_root, "new", "handovers", "source")));
    }

    [Theory]
    [InlineData("host:1", "host", 1)]
    [InlineData("10.0.0.1:65535", "10.0.0.1", 65535)]
    [InlineData("[::1]:80", "::1", 80)]
    public void An_address_is_read_as_it_was_written(string text, string host, int port)
    {
        Assert.Equal((host, port), AgentAddresses.Parse(text));
        Assert.Equal(text, AgentAddresses.Of(host, port));
    }

    [Theory]
    [InlineData("host")]
    [InlineData(":1")]
    [InlineData("::1:80")]
    [InlineData("host:0")]
    [InlineData("host:65536")]
    [InlineData("host:-1")]
    public void What_is_no_address_is_refused(string text) => Assert.Equal(ErrorCode.Usage, Assert.Throws<MigrateException>(() => AgentAddresses.Parse(text)).Code);

    private sealed class Observer : IHandoverObserver
    {
        public required Func<DestinationMark?> Look { get; init; }

        public List<(string, DestinationMark?)> Seen { get; } = [];

        public void Reached(string point) => Seen.Add((point, Look()));
    }
}
