using System.CommandLine;
using Migrate.Cli.Output;
using Migrate.Cli.Sources;
using Migrate.Model;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Ports;
using Migrate.Preflight;
using Migrate.Preflight.Trials;

namespace Migrate.Cli.Commands;

/// <summary><c>vmmigrate check SRC DST</c>: will it survive, why not, and what to do.</summary>
internal static class CheckCommand
{
    /// <summary>Longer than any scratch VM takes, and than an agent that runs on an emulated machine needs.</summary>
    private static readonly TimeSpan TrialPatience = TimeSpan.FromMinutes(5);

    public static Command Build(Terminal terminal)
    {
        var source = new Argument<string>("SRC") { Description = "A state, capture, snapshot, host profile, HOST:PORT of an agent, or a machine's name." };
        var destination = new Argument<string?>("DST")
        {
            Description = "A host profile or capture of a host, or HOST:PORT of an agent. With --dry-run: HOST:PORT of an agent, a profile of this very boot, or nothing for this host, which is then measured.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var policy = Options.PolicyOf();
        var accept = Options.Accept();
        var features = Options.Features();
        var plan = new Option<bool>("--plan") { Description = "Show every step of the plan as well." };
        var dryRun = new Option<bool>("--dry-run")
        {
            Description = "Execute the plan on a scratch VM of the destination, read everything back, and throw the VM away. Needs the host itself: this one, or its agent.",
        };
        var json = Options.Json();
        var command = new Command("check", "Say before a move whether the VM will survive it, why not, and what to do.")
        {
            source, destination, policy, accept, features, plan, dryRun, json,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(destination) is null && !result.GetValue(dryRun)) result.AddError("DST is missing: only --dry-run can do without, and means this host");
        });
        command.SetAction(parsed =>
        {
            var options = Options.Plan(parsed.GetValue(policy)!, parsed.GetValue(accept)!);
            CheckReport Judge() => parsed.GetValue(dryRun)
                ? Try(terminal, parsed.GetValue(source)!, parsed.GetValue(features), parsed.GetValue(destination), options, parsed.GetValue(plan))
                : Plan(parsed.GetValue(source)!, parsed.GetValue(features), parsed.GetValue(destination)!, options, parsed.GetValue(plan));
            var report = Judge();
            if (parsed.GetValue(json)) terminal.Out.WriteLine(JsonEncoding.Encode(Documents.CheckReport, report));
            else ReportText.Write(terminal, report);
            return ReportText.ExitCodeOf(report.Verdict);
        });
        return command;
    }

    /// <summary>From what is known of both sides, without asking a kernel.</summary>
    private static CheckReport Plan(string source, VcpuFeatures? features, string destination, PlanOptions options, bool includePlan)
    {
        // Side by side: a cold start is mostly compilation, and each side compiles its own readers.
        var reading = Task.Run(() => Input.Profile(destination, "DST"));
        MachineReport machine;
        HostProfile? sourceProfile;
        try
        {
            machine = Input.Report(source, features, out sourceProfile);
        }
        catch
        {
            // The first side's error is the one that is told.
            _ = reading.ContinueWith(t => t.Exception, TaskScheduler.Default);
            throw;
        }
        var host = reading.GetAwaiter().GetResult();
        var restore = Planner.Plan(machine.State, host, options with { Undescribable = machine.Undescribable }, sourceProfile);
        return Reports.Of(restore, machine.State, host, includePlan);
    }

    /// <summary>On a scratch VM of the destination.</summary>
    private static CheckReport Try(Terminal terminal, string source, VcpuFeatures? features, string? destination, PlanOptions options, bool includePlan)
    {
        var machine = Input.Report(source, features, out var sourceProfile);
        if (destination is not null && !File.Exists(destination))
        {
            if (!Endpoint.TryParse(destination, out var agent))
                throw new MigrateException(ErrorCode.NotFound, $"DST '{destination}' is no file and no HOST:PORT") { Stage = Stage.Input };
            return Input.Agent(agent).DryRun(machine, options.Policy, options.Accept.ToEquatableArray(), options.AcceptAssumed, includePlan, TrialPatience);
        }
        using var host = ThisHost.Open(terminal, destination);
        return DryRun.Run(machine.State, host.Profile, options with { Undescribable = machine.Undescribable }, host.Scratch, includePlan, sourceProfile);
    }
}
