using System.Diagnostics;
using System.Numerics;
using Migrate.Model;
using Migrate.Model.Errors;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;

namespace Migrate.Kvm.Probe;

/// <summary>Measures a host into a profile: everything is tried, nothing is derived from a version.</summary>
/// <remarks>
/// Two probes of one boot are equal. Between boots of one host they differ in <see cref="BootIdentity.BootId"/> and, where the operator changed them, in its other members.
/// What moves by itself (counters, timer status) has the reset value 0.
/// </remarks>
internal sealed class HostProbe(IProbeHost host, BootIdentity boot, Action<string>? progress = null)
{
    private readonly ProbeNotes _notes = new();

    /// <summary>Asks everything.</summary>
    /// <exception cref="MigrateException">The host makes no VM at all.</exception>
    public ProbeReport Measure()
    {
        var started = Stopwatch.GetTimestamp();
        var before = host.Calls;
        Say("address sizes and capabilities");
        var sizes = HostQuestions.IpaSizes(host);
        var capabilities = HostQuestions.Capabilities(host).ToList();
        var mode = HostQuestions.KvmMode(host);
        if (mode.Length == 0) _notes.Add("KVM mode", "neither protected VMs nor nesting show it; nothing else in user space does");

        Say("vCPU features");
        var shapes = new List<HostShape>();
        var accepted = Features(shapes);
        if (accepted.Count == 0) throw new MigrateException(ErrorCode.Refused, "this host creates no vCPU with any set of features") { Stage = Stage.Input };

        // The PMU's attributes are there only for a vCPU that has one.
        var richest = accepted.MaxBy(f => (f.Has(VcpuFeatures.PmuV3), BitOperations.PopCount(f.Bits), f.Bits));
        var measurable = FeatureCombinations.Measured(accepted);
        // Without psci_0_2 the guest would be offered PSCI 0.1, which has no function to ask for the version.
        var plainest = (measurable.Count > 0 ? measurable : accepted).MinBy(f => BitOperations.PopCount(f.Bits));
        var gics = Attributes(richest, capabilities, out var hasFilter);

        Say("services");
        var (services, frequency) = Services(plainest);
        if (accepted.Count > measurable.Count)
            _notes.Add($"{accepted.Count - measurable.Count} sets of features", "taken by KVM_ARM_VCPU_INIT, but their registers are not measured: those without psci_0_2, with el1_32bit, with has_el2_e2h0 alone, and of those with has_el2 all but the smallest and the largest");
        foreach (var features in measurable)
        {
            var without = default(MeasuredShape);
            foreach (var gic in gics)
            {
                Say($"registers with {features}, {(gic == GicKind.None ? "no GIC" : gic)}");
                var measured = new ShapeProbe(host, _notes).Measure(features, gic, without);
                if (measured.Shape.Errno == 0) without ??= measured;
                shapes.Add(measured.Shape);
            }
        }
        _notes.Add("VM capabilities", "shapes with MTE or writable implementation ids are not measured");
        _notes.Add("handlers", "they belong to the VMM that runs on this host, and no VMM was asked");

        var profile = new HostProfile
        {
            Boot = boot with { KvmMode = mode },
            Evidence = Evidence.Measured,
            IpaSizes = sizes,
            HasSmcccFilter = hasFilter,
            Capabilities = capabilities.ToEquatableArray(),
            Services = services.ToEquatableArray(),
            CounterFrequency = frequency,
            Shapes = shapes.ToEquatableArray(),
        };
        return new ProbeReport(profile, _notes.All.ToEquatableArray(), host.Calls - before, Stopwatch.GetElapsedTime(started));
    }

    /// <summary>Sorts the sets of features: refused ones become shapes at once.</summary>
    private List<VcpuFeatures> Features(List<HostShape> refused)
    {
        var accepted = new List<VcpuFeatures>();
        foreach (var features in FeatureCombinations.All)
        {
            var answer = host.Create(new ScratchVm(features, GicKind.None));
            if (answer.Vm is { } vm)
            {
                vm.Dispose();
                accepted.Add(features);
            }
            else refused.Add(new HostShape { Features = features, Errno = answer.Errno, RefusedAt = answer.RefusedAt });
        }
        return accepted;
    }

    private IReadOnlyList<GicKind> Attributes(VcpuFeatures features, List<HostCapability> capabilities, out bool? hasFilter)
    {
        hasFilter = null;
        var answer = host.Create(new ScratchVm(features, GicKind.None));
        if (answer.Vm is not { } vm) return [GicKind.None];
        using (vm)
        {
            var gics = HostQuestions.Gics(vm);
            hasFilter = HostQuestions.HasSmcccFilter(vm);
            // Timer and PMU attributes ask for a GIC, so they are looked up in a VM that has one.
            using var withGic = gics.Count > 1 ? host.Create(new ScratchVm(features, gics[1])).Vm : null;
            capabilities.AddRange(HostQuestions.Attributes(withGic ?? vm));
            if (withGic is not null && gics[1] == GicKind.GicV3) capabilities.AddRange(HostQuestions.GicV3(withGic));
            return gics;
        }
    }

    private (IReadOnlyList<string> Services, ulong Frequency) Services(VcpuFeatures features)
    {
        var answer = host.Create(new ScratchVm(features, GicKind.None, Runnable: true));
        using var vm = answer.Vm;
        var guest = default(TinyGuest);
        IReadOnlyList<string> words = [];
        var errno = vm is null ? answer.Errno : TinyGuest.Start(vm, out guest);
        if (errno == 0) errno = ServiceProbe.Ask(guest!, out words);
        if (errno != 0) _notes.Add("services", $"the guest that asks for them does not run: errno {errno}{(vm is null ? " at " + answer.RefusedAt : "")}");
        return (words, guest?.CounterFrequency ?? 0);
    }

    private void Say(string what) => progress?.Invoke(what);
}
