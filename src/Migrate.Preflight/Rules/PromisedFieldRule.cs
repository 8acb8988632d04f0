using System.Numerics;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Migrate.Preflight.Registers;

namespace Migrate.Preflight.Rules;

/// <summary>A field of an ID register that tells the guest something about the hardware on which it relies without asking again.</summary>
/// <param name="Register">The register.</param>
/// <param name="Name">The field's architectural name; empty: the whole register.</param>
/// <param name="Bits">Its bits in place.</param>
/// <param name="Code">What a broken promise is called, whoever finds it: its acceptance lifts this and nothing else.</param>
/// <param name="IsBroken">Whether hardware of the second value does not keep what a guest was told by the first.</param>
/// <param name="Remedy">What to do.</param>
internal sealed record PromisedField(
    RegisterId Register, string Name, ulong Bits, FindingCode Code, Func<ulong, ulong, bool> IsBroken, string Remedy)
{
    public ulong In(ulong value) => (value & Bits) >> BitOperations.TrailingZeroCount(Bits);
}

/// <summary>
/// Values that a kernel keeps for a guest although its hardware would not offer them take the promise away unseen. They are compared with the value of a new VM
/// there, whatever the kernel answers to the write.
/// </summary>
/// <remarks>Which fields, and why: the tables of <see cref="MitigationFieldRule"/>, <see cref="PointerAuthenticationRule"/>, <see cref="CacheClaimRule"/>, <see cref="ImplementationRule"/>.</remarks>
internal static class PromisedFieldRule
{
    private static readonly PromisedField[] All =
        [.. MitigationFieldRule.Fields, .. PointerAuthenticationRule.Fields, .. CacheClaimRule.Fields, .. ImplementationRule.Fields];

    private static readonly RegisterId[] Subjects = [.. All.Select(f => f.Register).Distinct()];

    /// <summary>Whether a register holds such promises.</summary>
    public static bool IsSubject(RegisterId id) => KnownRegisters.IsIdentification(id) && Array.IndexOf(Subjects, id) >= 0;

    /// <summary>The promise that a change of these bits breaks; null where it breaks none.</summary>
    public static PromisedField? Broken(RegisterId id, ulong bits, ulong here, ulong? there)
    {
        if (Array.IndexOf(Subjects, id) < 0) return null;
        foreach (var field in All)
        {
            if (field.Register != id || (field.Bits & bits) == 0) continue;
            // A refused field of which the host's own value is not known is taken for a broken promise.
            if (there is not { } own || field.IsBroken(field.In(here), field.In(own))) return field;
        }
        return null;
    }

    /// <summary>Every promise of an accepted register that the destination's hardware does not keep; null where the register promises nothing.</summary>
    public static IReadOnlyList<Finding>? Judge(in RegisterCase it)
    {
        if (!IsSubject(it.Id) || it.There?.Reset is not { } own) return null;
        List<Finding>? findings = null;
        foreach (var field in All)
        {
            if (field.Register != it.Id) continue;
            var (here, there) = (field.In(it.Value.Low), field.In(own.Low));
            if (!field.IsBroken(here, there)) continue;
            var (whole, old) = (field.Name.Length == 0, IsOldNews(it, field, there));
            (findings ??= []).Add(it.Finding(field.Code, old ? Severity.Note : Severity.Unsafe, whole ? null : "." + field.Name,
                whole ? null : RegisterWords.Number(here), whole ? RegisterText.Describe(it.Id, own) : RegisterWords.Number(there), "",
                old ? "none by this move: the source's hardware is no better" : field.Remedy));
        }
        return findings;
    }

    /// <summary>Whether the source's hardware is no other than the destination's: the promise was broken before, and this move changes nothing.</summary>
    private static bool IsOldNews(in RegisterCase it, PromisedField field, ulong there) =>
        it.Context.SourceOwn(it.Id) is { } before && field.In(before) == there;
}
