using Migrate.Model;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Spectre.Console;

namespace Migrate.Cli.Output;

/// <summary>A check report for people: the verdict in the first line, the remedy in the last.</summary>
internal static class ReportText
{
    public static int ExitCodeOf(Verdict verdict) => verdict switch
    {
        Verdict.Yes => ExitCode.Yes,
        Verdict.No => ExitCode.No,
        _ => ExitCode.Unproven,
    };

    public static void Write(Terminal terminal, CheckReport report)
    {
        var stops = report.Findings.Count(f => f.Stops);
        var (word, colour) = report.Verdict switch
        {
            Verdict.Yes => ("YES", Color.Green),
            Verdict.No => ("NO", Color.Red),
            _ => ("UNPROVEN", Color.Yellow),
        };
        var because = report.Verdict switch
        {
            Verdict.Yes => Surviving(report),
            Verdict.No => stops == 1 ? "1 finding stops it" : $"{stops} findings stop it",
            _ => "nothing speaks against it, but the answer rests on assumptions",
        };
        terminal.Line($"{word}: {report.Source} -> {report.Destination}: {because}", colour);
        terminal.Out.WriteLine(
            $"policy {KebabCase.Of(report.Policy.ToString())}, evidence {KebabCase.Of(report.Evidence.ToString())}; registers: "
            + $"{report.Kept} kept, {report.Changed} changed, {report.LeftOut} left out, {report.Refused} refused");
        if (report.Trial is { } trial) TrialText.Write(terminal, report, trial);
        if (report.Findings.Count > 0)
        {
            terminal.Write(
                ["", "Finding", "Subject", "Here", "There", report.Trial is null ? "The host would answer" : "The host answers", "Remedy"],
                report.Findings.GroupBy(f => f with { Subject = "", Register = null }).Select(alike => (IReadOnlyList<string>)
                [
                    alike.Key.Accepted ? "accepted" : KebabCase.Of(alike.Key.Severity.ToString()), KebabCase.Of(alike.Key.Code.ToString()),
                    Subjects([.. alike.Select(f => f.Subject)], alike.Key.Vcpus), alike.Key.Here, alike.Key.There, report.Trial is null ? alike.Key.Answer : TrialText.Answer(alike.Key), alike.Key.Remedy,
                ]));
        }
        if (report.Plan is { } plan) PlanText.Write(terminal, plan, report.Trial);
        terminal.Out.WriteLine(LastLine(report));
    }

    /// <summary>What a yes rests on: a loss that was accepted by name is still one.</summary>
    private static string Surviving(CheckReport report)
    {
        var accepted = report.Findings.Where(f => f.Accepted && f.Severity >= Severity.Lossy).Select(f => KebabCase.Of(f.Code.ToString())).Distinct().ToList();
        return accepted.Count == 0 ? "nothing that the guest relies on is lost" : $"only because accepted by name: {string.Join(", ", accepted)}";
    }

    /// <summary>Findings that differ in nothing but their subject are one line: <c>CCSIDR[3], CCSIDR[4] and 8 more</c> in a row says no less.</summary>
    private static string Subjects(IReadOnlyList<string> subjects, EquatableArray<int> vcpus)
    {
        var text = subjects.Count <= 3 ? string.Join(", ", subjects) : $"{subjects[0]} to {subjects[^1]} ({subjects.Count})";
        return vcpus.Count switch
        {
            0 => text,
            1 => $"{text} (vCPU {vcpus[0]})",
            _ => $"{text} (vCPUs {string.Join(',', vcpus)})",
        };
    }

    private static string LastLine(CheckReport report)
    {
        if (report.Verdict is Verdict.Yes) return report.Findings.Any(f => f.Accepted && f.Severity >= Severity.Lossy) ? "Remedy: what was accepted is in the table; \"vmmigrate explain CODE\" says what it means for the guest." : "Nothing to do.";
        if (report is { Verdict: Verdict.Unproven, Trial: not null })
            return "Remedy: what is assumed still was not tried; do what its line says, or --accept assumed.";
        if (report.Verdict is Verdict.Unproven) return "Remedy: probe the destination for a measured answer, or --accept assumed.";
        var remedies = Remedies(report);
        return remedies.Count switch
        {
            0 => "Remedy: none on this destination; choose another.",
            1 => $"Remedy: {remedies[0]}",
            _ => $"Remedies: {string.Join("; ", remedies)}",
        };
    }

    /// <summary>What only another destination cures comes first, since the rest does not help then; what is set at creation is said once.</summary>
    private static List<string> Remedies(CheckReport report)
    {
        const string create = "create the VM with ";
        var all = report.Findings.Where(f => f.Stops && f.Remedy.Length > 0).Select(f => f.Remedy).Distinct().ToList();
        var settings = all.Where(r => r.StartsWith(create, StringComparison.Ordinal)).ToList();
        if (settings.Count > 1)
        {
            all[all.IndexOf(settings[0])] = $"{create}{string.Join(", ", settings.Select(s => s[create.Length..]))} (vmmigrate baseline works out such a VM)";
            all.RemoveAll(settings.Contains);
        }
        return [.. all.OrderBy(r => r.StartsWith("choose a destination", StringComparison.Ordinal) ? 0 : 1)];
    }
}

/// <summary>A plan for people: one line a step that a person may want to know of, the rest counted.</summary>
internal static class PlanText
{
    public static void Write(Terminal terminal, RestorePlan plan, TrialReport? trial = null)
    {
        terminal.Out.WriteLine($"Plan: {plan.Steps.Count} steps");
        if (trial is null)
        {
            terminal.Write(["#", "Phase", "Step", "Value", "Why"], plan.Steps.Select((step, index) => Row(index, step)));
            return;
        }
        var answers = TrialText.Answers(plan, trial);
        terminal.Write(
            ["#", "Phase", "Step", "Value", "Why", "Tried"],
            plan.Steps.Select((step, index) => (IReadOnlyList<string>)[.. Row(index, step), answers[index]]));
    }

    private static IReadOnlyList<string> Row(int index, RestoreStep step)
    {
        var (what, value, why) = step switch
        {
            CreateVm s => ("create VM", s.Type.ToString(), ""),
            SetAttribute s => ($"attribute {s.Attribute.Name}", VmAttributes.Describe(s.Attribute), ""),
            MapMemory s => ($"memory slot {s.Slot.Slot}", $"0x{s.Slot.GuestAddress:x} + {Units.Bytes(s.Slot.Size)}", ""),
            CreateVcpu s => ($"create vCPU {s.Vcpu}", s.Features.ToString(), ""),
            CreateGic s => ("create GIC", s.Gic.Kind.ToString(), ""),
            FinalizeSve s => ($"finalize SVE, vCPU {s.Vcpu}", "", ""),
            ConfigurePmu s => (s.Attribute.Name, VmAttributes.Describe(s.Attribute), ""),
            InstallFilter s => ("SMCCC filter", $"0x{s.Range.Base:x} + {s.Range.Count}: {KebabCase.Of(s.Range.Action.ToString())}", ""),
            WriteRegister s => ($"write {RegisterCatalog.Name(s.Id)}, vCPU {s.Vcpu}", s.Value.ToShortString(), s.Captured is { } was ? $"instead of {was.ToShortString()}: {s.Why}" : ""),
            LeaveOut s => ($"leave out {RegisterCatalog.Name(s.Id)}, vCPU {s.Vcpu}", s.Captured.ToShortString(), s.Why),
            WriteDevice s => ($"write device {s.Device.Kind}", $"{s.Device.Attributes.Count} attributes", ""),
            RestoreHandler s => ($"restore handler {s.State.Handler}", $"{s.State.State.Count} bytes", ""),
            SetCounterOffset s => ("counter offset", $"the guest's counters go on from 0x{s.GuestCounter:x}", ""),
            SetEvents s => ($"pending events, vCPU {s.Vcpu}", s.Events.SErrorPending ? "SError" : "none", ""),
            SetMpState s => ($"power state, vCPU {s.Vcpu}", KebabCase.Of(s.State.ToString()), ""),
            _ => (step.GetType().Name, "", ""),
        };
        return [(index + 1).ToString(System.Globalization.CultureInfo.InvariantCulture), KebabCase.Of(step.Phase.ToString()), what, value, why];
    }
}
