using System.Collections.Frozen;
using System.Globalization;
using Migrate.Model.Firmware;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;

namespace Migrate.Preflight.Rules;

/// <summary>
/// Services that the source's kernel answers without a register that carries the promise: nothing in the state asks for them, so no kernel refuses, and where the destination
/// does not answer them the guest loses what it was given. The discussion's words for that: it migrates, but is not safe for the guest.
/// </summary>
/// <remarks>
/// Both sides' services are what a guest was answered there (Arm DEN 0022, 0028, 0057, 0098; arch/arm64/kvm/hypercalls.c <c>kvm_smccc_call_handler</c>). What has a register in the
/// state is judged by its own rule.
/// </remarks>
internal static class ServiceRule
{
    private const string PsciPrefix = "psci-";
    private const string WorkaroundPrefix = "workaround-";

    /// <summary>Levels from the weakest.</summary>
    private static readonly string[] Levels = ["not-available", "available", "not-required"];

    private static readonly RegisterId[] Workarounds = [FirmwareRegisters.Workaround1, FirmwareRegisters.Workaround2, FirmwareRegisters.Workaround3];

    private static readonly FrozenDictionary<string, RegisterId> Bits = FirmwareRegisters.Bitmaps
        .SelectMany(b => b.Services.Select(s => (Word: s.Name.ToLowerInvariant().Replace('_', '-'), b.Id))).ToFrozenDictionary(s => s.Word, s => s.Id);

    public static void Examine(PlanContext context)
    {
        if (context.Source is not { Services.Count: > 0 } source) return;
        foreach (var service in source.Services)
        {
            if (Carrier(service) is not { } carrier || HasRegister(context, carrier)) continue;
            // PSCI in user space is the handler's promise, and a guest without the feature was given none by the kernel.
            if (carrier == FirmwareRegisters.PsciVersion && (context.State.Vm.Handlers.Contains("psci") || !context.State.Vm.Features.Has(VcpuFeatures.Psci02))) continue;
            if (context.Destination.Services.Count == 0)
            {
                context.Find(FindingCode.Unproven, Severity.Note, $"service {service}", "answered by the kernel, no register says so",
                    remedy: "probe the destination: what its kernel answers is not known", evidence: Evidence.Assumed);
                continue;
            }
            if (Missing(context, service) is { } there)
                context.Find(CodeOf(carrier), Severity.Unsafe, $"service {service}", "answered by the kernel, no register says so", there,
                    remedy: $"choose a destination whose kernel answers it, or accept {CodeOf(carrier).Text()} by name and restart the guest there");
        }
    }

    /// <summary>The register that carries a service's promise where the kernel has it; null for a word that promises nothing.</summary>
    private static RegisterId? Carrier(string service)
    {
        if (service.StartsWith(PsciPrefix, StringComparison.Ordinal)) return FirmwareRegisters.PsciVersion;
        if (TryLevel(service, out var number, out var level)) return level > 0 ? Workarounds[number - 1] : null;
        return Bits.TryGetValue(service, out var bitmap) ? bitmap : null;
    }

    /// <summary>What the destination does instead; null where it does as much.</summary>
    private static string? Missing(PlanContext context, string service)
    {
        if (context.HasService(service)) return null;
        var there = "not answered";
        foreach (var offered in context.Destination.Services)
        {
            if (service.StartsWith(PsciPrefix, StringComparison.Ordinal) && offered.StartsWith(PsciPrefix, StringComparison.Ordinal)
                && PsciVersion.TryParse(service.AsSpan(PsciPrefix.Length), out var wanted) && PsciVersion.TryParse(offered.AsSpan(PsciPrefix.Length), out var version))
            {
                // A kernel that can be asked for a version gives the newest unless asked: a guest was told another one, which asking would not mend either.
                if (version.CompareTo(wanted) >= 0) return null;
                there = offered;
            }
            else if (TryLevel(service, out var number, out var level) && TryLevel(offered, out var other, out var has) && number == other)
            {
                if (has >= level) return null;
                there = offered;
            }
        }
        return there;
    }

    private static FindingCode CodeOf(RegisterId carrier) =>
        carrier == FirmwareRegisters.PsciVersion ? FindingCode.PsciVersion
        : FirmwareRegisters.Bitmap(carrier) is not null ? FindingCode.HypercallBitmap
        : FindingCode.WorkaroundLevel;

    private static bool TryLevel(string service, out int number, out int level)
    {
        (number, level) = (0, -1);
        if (!service.StartsWith(WorkaroundPrefix, StringComparison.Ordinal) || service.Length < WorkaroundPrefix.Length + 2) return false;
        level = Array.IndexOf(Levels, service[(WorkaroundPrefix.Length + 2)..]);
        return int.TryParse(service.AsSpan(WorkaroundPrefix.Length, 1), NumberStyles.None, CultureInfo.InvariantCulture, out number)
            && number >= 1 && number <= Workarounds.Length && level >= 0;
    }

    private static bool HasRegister(PlanContext context, RegisterId id)
    {
        foreach (var vcpu in context.State.Vcpus)
            if (vcpu.Registers.Contains(id)) return true;
        return false;
    }
}
