using System.Text;
using Migrate.Kvm.Handles;
using Migrate.Kvm.Scratch;
using Migrate.Kvm.State;
using Migrate.Model.Foreign;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Preflight;

namespace Migrate.LabGuest.Jobs;

/// <summary>Captures a fresh VM, restores it into another of the same host and captures that: nothing may differ but clocks.</summary>
internal static class CaptureRestoreJob
{
    /// <summary>The VMs, by the name of their case.</summary>
    private static readonly (string Name, ScratchOptions Options)[] Shapes =
    [
        ("one vCPU", new ScratchOptions()),
        ("one vCPU with GICv3", new ScratchOptions { HasGic = true }),
        ("one vCPU with PMU and GICv3", new ScratchOptions { HasGic = true, Features = VcpuFeatures.Psci02 | VcpuFeatures.PmuV3 }),
        ("four vCPUs with GICv3 and ITS", new ScratchOptions { HasGic = true, HasIts = true, Vcpus = 4 }),
    ];

    /// <summary>What runs on between two captures: the counters, and what is derived from them.</summary>
    private static readonly string[] Clocks = ["CNTVCT", "CNTPCT", "CNT_", "TIMER_CNT", "counter frequency"];

    public static void Run(JobContext context)
    {
        using var kvm = KvmSystem.Open();
        foreach (var (name, options) in Shapes)
            context.Case($"{name} comes back as captured", () => RoundTrip(context, kvm, name, options));
    }

    private static void RoundTrip(JobContext context, KvmSystem kvm, string name, ScratchOptions options)
    {
        using var original = ScratchMachine.Create(kvm, options);
        KvmCapture.SaveTables(original.Machine);
        var state = KvmCapture.Capture(original.Machine);

        // The host itself is the destination: what it just gave is all that the plan must know of it.
        var text = Encoding.ASCII.GetBytes(RawRestore.CaptureText(kvm, state));
        var profile = ForeignProfile.Assume(KvmCaptureText.Read(text, $"{context.Host}.min.txt"));
        var plan = Planner.Plan(state, profile, new PlanOptions { Policy = Policy.Strict, AcceptAssumed = true });
        using var target = new KvmTarget(kvm);
        Execute(plan, StepPhase.Prepare, target);
        Execute(plan, StepPhase.Apply, target);

        using var restored = target.Take();
        var again = KvmCapture.Capture(restored);
        CheckFailedException.That(state.Vcpus.Sum(vcpu => vcpu.Registers.Count) > 200 * options.Vcpus, "fewer than 200 registers a vCPU were captured");
        var all = StateDifference.Between(state, again).Where(d => d.Subject != "devices").Concat(Devices(state, again)).ToList();
        foreach (var clock in all.Where(IsClock))
            context.Note($"{name}: {clock.Subject} runs on");
        var differences = all.Where(difference => !IsClock(difference)).Select(d => $"{d.Subject}: {d.Here}, then {d.There}").ToList();
        CheckFailedException.That(differences.Count == 0, $"{differences.Count} differences: {string.Join("; ", differences.Take(12))}");
    }

    /// <summary>Differences of devices, attribute by attribute.</summary>
    private static IEnumerable<StateDifference> Devices(MachineState here, MachineState there)
    {
        var before = Attributes(here);
        var after = Attributes(there);
        return
            from key in before.Keys.Union(after.Keys)
            let a = before.GetValueOrDefault(key, "-")
            let b = after.GetValueOrDefault(key, "-")
            where a != b
            select new StateDifference(key, a, b);
    }

    private static Dictionary<string, string> Attributes(MachineState state)
    {
        var attributes = new Dictionary<string, string>();
        foreach (var (index, device) in state.Devices.Index())
        {
            foreach (var attribute in device.Attributes)
                attributes[$"device {index} {device.Kind} group {attribute.Group} attribute 0x{attribute.Attribute:x}"] = attribute.Value.ToString();
        }

        return attributes;
    }

    private static void Execute(RestorePlan plan, StepPhase phase, KvmTarget target)
    {
        var report = PlanRunner.Run(plan, phase, target);
        var failed = report.Failed.Select(step => $"{plan.Steps[step.Step]}: errno {step.Errno} {step.Note}").ToList();
        CheckFailedException.That(failed.Count == 0, $"{phase}: {failed.Count} steps refused: {string.Join("; ", failed.Take(8))}");
    }

    private static bool IsClock(StateDifference difference) => Clocks.Any(clock => difference.Subject.Contains(clock, StringComparison.Ordinal));
}
