using Migrate.Model.Hosts;
using Migrate.Model.Plans;
using Migrate.Preflight.Registers;

namespace Migrate.Preflight.Rules;

/// <summary>A register that the destination does not list for this VM: ENOENT, and its value would be lost.</summary>
internal static class RegisterUnknownRule
{
    public static IReadOnlyList<Finding>? Judge(in RegisterCase it) => it.Answer.Kind == AnswerKind.Unknown
        ? [it.Finding(FindingCode.RegisterUnknown, Severity.Refused, there: "no such register",
            remedy: "create the VM without the feature that the register belongs to, or choose a destination whose kernel has it")]
        : null;
}
