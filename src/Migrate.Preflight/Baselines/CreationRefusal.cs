using Migrate.Model.Registers;
using Migrate.Preflight.Registers;

namespace Migrate.Preflight.Baselines;

/// <summary>Why a host does not create a VM of a configuration.</summary>
/// <param name="Subject">A register by its name, or a part of the configuration.</param>
/// <param name="Register">The register, where it is one.</param>
/// <param name="Wanted">What the configuration says.</param>
/// <param name="There">What the host has or takes; empty where that says nothing.</param>
/// <param name="Errno">What the host would answer; 0 where it would not object, or was not asked.</param>
internal sealed record CreationRefusal(string Subject, RegisterId? Register, string Wanted, string There, int Errno)
{
    public override string ToString() =>
        $"{Subject} {Wanted}: {string.Join(", ", new[] { There, RegisterWords.Errno(Errno) }.Where(w => w.Length > 0))}";
}
