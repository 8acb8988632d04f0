using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Migrate.Preflight.Registers;

namespace Migrate.Preflight.Rules;

/// <summary>A register that the source lists and does not read: its value cannot be carried.</summary>
internal static class UnreadableRule
{
    public static void Examine(PlanContext context)
    {
        foreach (var vcpu in context.State.Vcpus)
        {
            foreach (var register in vcpu.Unreadable)
            {
                context.Plan.Add(new Finding
                {
                    Code = FindingCode.Unreadable,
                    Severity = Severity.Lossy,
                    Evidence = Evidence.Measured,
                    Subject = RegisterCatalog.Name(register.Id),
                    Register = register.Id,
                    Vcpus = [vcpu.Index],
                    Here = $"not read: {RegisterWords.Errno(register.Errno)}",
                    There = "its reset value",
                    Remedy = "accept unreadable if the guest does not use the register",
                });
            }
        }
    }
}
