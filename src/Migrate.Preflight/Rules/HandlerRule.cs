using Migrate.Model.Plans;

namespace Migrate.Preflight.Rules;

/// <summary>A forwarded call is a promise by the VMM: the handlers that the guest relies on must exist at the destination.</summary>
/// <remarks>A VMM that ignores KVM_EXIT_HYPERCALL carries on with a wrong result and says nothing.</remarks>
internal static class HandlerRule
{
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
        foreach (var handler in state.Handlers)
            if (there.Contains(handler.Handler)) context.Plan.Add(StepPlace.Handlers, new RestoreHandler(handler));
    }
}
