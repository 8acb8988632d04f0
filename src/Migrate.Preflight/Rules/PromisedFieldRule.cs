using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Migrate.Preflight.Registers;

namespace Migrate.Preflight.Rules;

/// <summary>ID_AA64PFR0_EL1.CSV2 and CSV3 are promises about the hardware: keeping the value on a host that would not offer it takes the mitigation away unseen.</summary>
internal static class PromisedFieldRule
{
    private static readonly (string Name, int Shift)[] Promises = [("CSV2", 56), ("CSV3", 60)];

    /// <summary>Whether a register holds such promises.</summary>
    public static bool IsSubject(RegisterId id) => id == KnownRegisters.Pfr0;

    /// <summary>Whether some bits of a register are such a promise.</summary>
    public static bool IsPromise(RegisterId id, ulong bits)
    {
        if (!IsSubject(id)) return false;
        foreach (var (_, shift) in Promises)
            if (bits == 0xfUL << shift) return true;
        return false;
    }

    public static IReadOnlyList<Finding>? Judge(in RegisterCase it)
    {
        if (!IsSubject(it.Id) || it.There?.Reset is not { } own) return null;
        var findings = new List<Finding>();
        foreach (var (name, shift) in Promises)
        {
            var (here, there) = (it.Value.Low >> shift & 0xf, own.Low >> shift & 0xf);
            if (there < here)
                findings.Add(it.Finding(FindingCode.WorkaroundLevel, Severity.Unsafe, "." + name, RegisterWords.Number(here),
                    RegisterWords.Number(there),
                    "", "choose a destination that offers it by itself"));
        }
        return findings;
    }
}
