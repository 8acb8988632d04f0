using System.Text.Json;
using Migrate.Cli.Output;
using Migrate.Model.Errors;

namespace Migrate.Tests.Cli;

public class FailureTests
{
    public static TheoryData<ErrorCode> Codes => [.. Enum.GetValues<ErrorCode>().Where(c => c != ErrorCode.None)];

    [Theory]
    [MemberData(nameof(Codes))]
    public void Every_error_code_has_an_exit_code_of_the_table_and_none_is_a_bug(ErrorCode code)
    {
        foreach (var stage in Enum.GetValues<Stage>())
            Assert.InRange(Failure.ExitCodeOf(new MigrateException(code, "x") { Stage = stage }), 1, 6);
    }

    [Theory]
    [InlineData(ErrorCode.PeerLost, Stage.Connect, ExitCode.Unreachable)]
    [InlineData(ErrorCode.PeerLost, Stage.PreCopy, ExitCode.Failed)]
    [InlineData(ErrorCode.OutcomeUnknown, Stage.Handover, ExitCode.Unknown)]
    [InlineData(ErrorCode.Refused, Stage.Plan, ExitCode.No)]
    [InlineData(ErrorCode.NotConverging, Stage.PreCopy, ExitCode.Failed)]
    public void The_stage_decides_where_the_code_alone_does_not(ErrorCode code, Stage stage, int exit) =>
        Assert.Equal(exit, Failure.ExitCodeOf(new MigrateException(code, "x") { Stage = stage }));

    [Fact]
    public void Anything_unforeseen_is_a_bug() => Assert.Equal(ExitCode.Bug, Failure.ExitCodeOf(new InvalidOperationException()));

    [Fact]
    public void An_error_is_one_line_and_its_remedy_another()
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var exit = Failure.Report(Terminal.To(output, error), new MigrateException(ErrorCode.NotFound, "no\nsuch\r\nthing") { Remedy = "look elsewhere" }, json: false);
        Assert.Equal((ExitCode.Input, "", "vmmigrate: no such thing\nlook elsewhere\n"), (exit, output.ToString(), error.ToString()));
    }

    [Fact]
    public void With_json_the_error_is_a_document_with_its_code_stage_and_whether_the_source_runs()
    {
        var output = new StringWriter();
        Failure.Report(Terminal.To(output, TextWriter.Null), new MigrateException(ErrorCode.NotConverging, "no") { Stage = Stage.PreCopy, SourceRuns = true }, json: true);
        var error = JsonDocument.Parse(output.ToString()).RootElement;
        Assert.Equal(("vmmigrate/error/1", "not-converging", "pre-copy", true, 4), (error.GetProperty("schema").GetString(), error.GetProperty("code").GetString(),
            error.GetProperty("stage").GetString(), error.GetProperty("sourceRuns").GetBoolean(), error.GetProperty("exitCode").GetInt32()));
    }
}
