using Migrate.Model;

namespace Migrate.Kvm.Handles;

/// <summary>Capabilities by the name that profiles and VM attributes give them: KVM_CAP_* in kebab case without the prefix.</summary>
public static class CapabilityNames
{
    private static readonly Dictionary<Capability, string> Names = Enum.GetValues<Capability>().ToDictionary(c => c, Spell);

    private static readonly Dictionary<string, Capability> ByName = Names.ToDictionary(n => n.Value, n => n.Key);

    /// <summary><c>arm-writable-imp-id-regs</c>.</summary>
    public static string Name(this Capability capability) => Names[capability];

    /// <summary>The capability of this name.</summary>
    public static bool TryFind(string name, out Capability capability) => ByName.TryGetValue(name, out capability);

    private static string Spell(Capability capability) => capability switch
    {
        // Where KVM's underscore stands before a digit, PascalCase has lost it.
        Capability.ArmEl132bit => "arm-el1-32bit",
        Capability.ArmPsci02 => "arm-psci-0-2",
        Capability.ArmIrqLineLayout2 => "arm-irq-line-layout-2",
        _ => KebabCase.Of(capability.ToString()),
    };
}
