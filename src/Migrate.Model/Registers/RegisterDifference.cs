namespace Migrate.Model.Registers;

/// <summary>One place in which two values of a register differ.</summary>
/// <param name="Id">The register.</param>
/// <param name="Where">The place by name: <c>ID_AA64MMFR1_EL1.ECBHB</c>, <c>ID_AA64MMFR1_EL1 bits 63:60</c>, or the register alone.</param>
/// <param name="Mask">The bits of that place; all bits of the register where it has no fields, 0 where it is wider than 64 bits.</param>
/// <param name="Here">The value on this side, for people.</param>
/// <param name="There">The value on the other side, for people.</param>
public readonly record struct RegisterDifference(RegisterId Id, string Where, ulong Mask, string Here, string There)
{
    /// <summary><c>ID_AA64MMFR1_EL1.ECBHB: 1 here, 0 there</c>.</summary>
    public override string ToString() => $"{Where}: {Here} here, {There} there";
}
