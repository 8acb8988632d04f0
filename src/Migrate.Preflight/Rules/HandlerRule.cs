using Migrate.Model.Machines;
using Migrate.Model.Plans;

namespace Migrate.Preflight.Rules;

/// <summary>A forwarded call is a promise by the VMM: the handlers that the guest relies on must exist at the destination.</summary>
/// <remarks>
/// A VMM that ignores KVM_EXIT_HYPERCALL carries on with a wrong result and says nothing. Which calls are whose: Arm DEN 0022 (PSCI, functions 0x00 to 0x1f of the standard
/// service, both widths), DEN 0054 (SDEI, 0x20 to 0x3f).
/// </remarks>
internal static class HandlerRule
{
    private static readonly (string Handler, uint First, uint Last)[] Services =
    [
        ("psci", 0x8400_0000, 0x8400_001f), ("psci", 0xc400_0000, 0xc400_001f),
        ("sdei", 0x8400_0020, 0x8400_003f), ("sdei", 0xc400_0020, 0xc400_003f),
    ];

    public static void Examine(PlanContext context)
    {
        var state = context.State;
        var there = context.Destination.Handlers;
        foreach (var handler in state.Vm.Handlers.Concat(state.Handlers.Select(h => h.Handler)).Distinct())
        {
            if (there.Contains(handler)) continue;
            context.Find(FindingCode.HandlerMissing, Severity.Refused, $"handler {handler}", "in use",
                there.Count == 0 ? "none" : string.Join(", ", there), remedy: $"choose a destination whose VMM implements {handler}");
        }
        foreach (var range in state.Vm.SmcccFilter)
            if (range.Action == SmcccAction.ForwardToUser) Unnamed(context, range);
        foreach (var handler in state.Handlers)
            if (there.Contains(handler.Handler)) context.Plan.Add(StepPlace.Handlers, new RestoreHandler(handler));
    }

    /// <summary>A forwarded range whose service the description names no handler for: the guest relies on whoever answered it, and that was a VMM.</summary>
    private static void Unnamed(PlanContext context, SmcccFilterRange range)
    {
        var last = range.Base + Math.Max(range.Count, 1UL) - 1;
        var known = false;
        foreach (var (handler, first, end) in Services)
        {
            if (range.Base > end || last < first) continue;
            known = true;
            if (context.State.Vm.Handlers.Contains(handler) || context.Destination.Handlers.Contains(handler)) continue;
            context.Find(FindingCode.HandlerMissing, Severity.Unsafe, $"handler {handler}", "its calls are forwarded, the description names no handler", "none",
                remedy: $"name the handler in the VM's description and choose a destination whose VMM implements {handler}; accept handler-missing where nobody ever answered these calls");
        }
        if (!known && context.State.Vm.Handlers.Count == 0)
            context.Find(FindingCode.HandlerMissing, Severity.Note, $"SMCCC range 0x{range.Base:x}-0x{last:x}", "forwarded, the description names no handler", "nobody answers it: -1",
                remedy: "none where nobody answered it before; else name the handler in the VM's description");
    }
}
