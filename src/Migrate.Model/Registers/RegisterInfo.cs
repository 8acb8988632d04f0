namespace Migrate.Model.Registers;

/// <summary>What the catalogue knows of one register.</summary>
/// <param name="Name">The architecture's name, or KVM's for a pseudo-register: <c>ID_AA64MMFR1_EL1</c>, <c>PSCI_VERSION</c>.</param>
/// <param name="Id">The KVM id, size included.</param>
/// <param name="Group">What the register is about.</param>
/// <param name="Fields">Named fields, highest first; empty where the catalogue has none. They never overlap.</param>
public sealed record RegisterInfo(string Name, RegisterId Id, RegisterGroup Group, IReadOnlyList<RegisterField> Fields)
{
    /// <summary>The field of that name (ASCII case is ignored), or null.</summary>
    public RegisterField? Field(string name)
    {
        foreach (var field in Fields)
            if (field.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) return field;
        return null;
    }
}
