using Migrate.Cli.Output;
using Migrate.Cli.Sources;
using Migrate.Model;
using Migrate.Model.Errors;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;

namespace Migrate.Tests.Cli;

public class DryRunTextTests
{
    private const string ThisBoot = "11111111-2222-3333-4444-555555555555";

    private static readonly Finding Disagreement = new()
    {
        Code = FindingCode.ValueRefused,
        Severity = Severity.Refused,
        Evidence = Evidence.Tried,
        Subject = "MIDR_EL1",
        Answer = "EINVAL",
        Predicted = "taken",
    };

    private static readonly Finding Foreseen = Disagreement with { Subject = "CTR_EL0", Predicted = "", Evidence = Evidence.Measured };

    [Fact]
    public void A_disagreement_of_prediction_and_host_is_told_in_a_line_and_in_its_row()
    {
        var text = Text([Disagreement]);
        Assert.Contains(text, l => l.StartsWith("PREDICTION AND HOST DISAGREE on MIDR_EL1", StringComparison.Ordinal));
        Assert.Contains(text, l => l.Contains("EINVAL (the plan expected: taken)"));
        Assert.DoesNotContain(Text([Foreseen]), l => l.StartsWith("PREDICTION", StringComparison.Ordinal));
    }

    [Fact]
    public void What_the_plan_does_not_write_is_said_not_to_have_been_tried()
    {
        var text = Text([Foreseen]);
        Assert.Contains(text, l => l.StartsWith("not executed", StringComparison.Ordinal) && l.Contains("1 finding"));
        Assert.Contains(text, l => l.Contains("EINVAL (expected, not tried)"));
        Assert.DoesNotContain(Text([Disagreement]), l => l.StartsWith("not executed", StringComparison.Ordinal));
    }

    [Fact]
    public void Steps_that_were_not_tried_are_named_or_counted_by_their_reason()
    {
        var few = Text([], new UntriedStep(1, "its restore tables", "needs the guest's memory"));
        Assert.Contains("not tried: its restore tables: needs the guest's memory", few);
        var many = Text([], [.. Enumerable.Range(0, 20).Select(i => new UntriedStep(1, $"X{i}", "needs vCPU 0"))]);
        Assert.Contains("not tried: 20 steps: needs vCPU 0", many);
    }

    [Fact]
    public void The_plan_says_of_every_step_what_became_of_it()
    {
        var x0 = RegisterId.Core(0, 8);
        RestoreStep[] steps =
        [
            new CreateVm(default), new WriteRegister(0, x0, new RegisterValue(1), new RegisterValue(1), StepPhase.Apply),
            new LeaveOut(0, x0, default, "", StepPhase.Apply), new SetMpState(0, MpState.Runnable), new WriteDevice(new DeviceState("its", [])),
        ];
        var plan = new RestorePlan { Verdict = Verdict.No, Policy = Policy.Vmmigrate, Evidence = Evidence.Tried, Findings = [], Steps = steps.ToEquatableArray() };
        var trial = Trial(new UntriedStep(4, "its restore tables", "")) with
        {
            Failed = [new FailedStep(3, 22, "no")],
            Differences = [new ReadBackDifference(0, x0, new RegisterValue(1), new RegisterValue(2))],
        };
        Assert.Equal(["done", "reads back 0x2", "not written", "EINVAL: no", "not tried: its restore tables"], TrialText.Answers(plan, trial));
    }

    [Theory]
    [InlineData("66666666-2222-3333-4444-555555555555")]
    [InlineData("")]
    public void A_profile_of_another_boot_or_of_none_is_refused_as_stale(string boot)
    {
        var error = Assert.Throws<MigrateException>(() => ThisHost.RequireThisBoot(Profile(boot), "saved.profile", ThisBoot));
        Assert.Equal((ErrorCode.Stale, ExitCode.Input), (error.Code, Failure.ExitCodeOf(error)));
        Assert.Contains("saved.profile", error.Message);
        Assert.Contains("vmmigrate probe", error.Remedy);
    }

    [Fact]
    public void A_profile_of_this_boot_is_believed() => Assert.Equal(ThisBoot, ThisHost.RequireThisBoot(Profile(ThisBoot), "x", ThisBoot).Boot.BootId);

    private static HostProfile Profile(string boot) => new() { Boot = new BootIdentity { BootId = boot }, Evidence = Evidence.Measured, Shapes = [] };

    private static TrialReport Trial(params UntriedStep[] untried) => new() { Executed = 5, Compared = 1, Failed = [], Differences = [], Untried = [.. untried] };

    private static string[] Text(Finding[] findings, params UntriedStep[] untried)
    {
        var output = new StringWriter();
        ReportText.Write(Terminal.To(output, TextWriter.Null), new CheckReport
        {
            Verdict = findings.Length == 0 ? Verdict.Yes : Verdict.No,
            Policy = Policy.Vmmigrate,
            Evidence = Evidence.Tried,
            Source = "a",
            Destination = "b",
            Kept = 1,
            Changed = 0,
            LeftOut = 0,
            Refused = 0,
            Findings = [.. findings],
            Trial = Trial(untried),
        });
        return output.ToString().TrimEnd().Split('\n');
    }
}
