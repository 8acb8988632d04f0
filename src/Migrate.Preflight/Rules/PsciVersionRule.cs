using Migrate.Model.Firmware;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Preflight.Registers;

namespace Migrate.Preflight.Rules;

/// <summary>The guest's PSCI version must be one that the destination's KVM offers.</summary>
/// <remarks>Source: arch/arm64/kvm/psci.c, hypercalls.c <c>kvm_arm_set_fw_reg</c>. A kernel without the register has 0.2 with the vCPU feature psci_0_2 and 0.1 without.</remarks>
internal static class PsciVersionRule
{
    private const string ServicePrefix = "psci-";

    public static RegisterDecision? Relieve(in RegisterCase it)
    {
        if (it.Id != FirmwareRegisters.PsciVersion || it.Answer.Kind != AnswerKind.Unknown) return null;
        if (!PsciVersion.TryFromRegister(it.Value.Low, out var here)) return null;
        var measured = Offered(it.Context);
        if (measured.Count > 0)
            return measured.Contains(here.ToString())
                ? it.LeftOut($"the destination offers PSCI {here} and nothing else can be asked for") : null;

        var usual = it.Context.State.Vm.Features.Has(VcpuFeatures.Psci02) ? new PsciVersion(0, 2) : new PsciVersion(0, 1);
        return here == usual ? it.LeftOut($"a kernel without this register offers PSCI {usual}", Evidence.Assumed) : null;
    }

    public static IReadOnlyList<Finding>? Judge(in RegisterCase it)
    {
        if (it.Id != FirmwareRegisters.PsciVersion || it.Answer.IsAccepted) return null;
        if (it.Answer.Kind == AnswerKind.Unknown)
            return [it.Finding(FindingCode.PsciVersion, Severity.Refused, there: string.Join(", ", Offered(it.Context)),
                remedy: "the destination cannot offer another version than its own: create the VM with that one")];

        var versions = Versions(it.Accepts);
        var captured = it.Value.Low;
        var best = versions.Where(v => v.ToRegister() <= captured).DefaultIfEmpty(versions.LastOrDefault()).Max();
        return
        [
            it.Finding(FindingCode.PsciVersion, Severity.Refused, there: string.Join(", ", versions),
                remedy: versions.Count == 0 ? "" : $"create the VM with --psci {best} (QEMU: -cpu host,kvm-psci-version={best})"),
        ];
    }

    private static List<string> Offered(PlanContext context) =>
        [.. context.Destination.Services.Where(s => s.StartsWith(ServicePrefix, StringComparison.Ordinal)).Select(s => s[ServicePrefix.Length..])];

    private static List<PsciVersion> Versions(Acceptance? accepts)
    {
        var versions = new List<PsciVersion>();
        foreach (var value in accepts is null ? default : accepts.Values)
            if (PsciVersion.TryFromRegister(value.Low, out var version)) versions.Add(version);
        versions.Sort();
        return versions;
    }
}
