namespace Migrate.Simulation.Verification;

/// <summary>What a stopped machine is, in two numbers: equal for two machines that no guest could tell apart. No protection against forgery.</summary>
/// <param name="Memory">Over guest memory; a hole equals zeros.</param>
/// <param name="Registers">Over the registers of all vCPUs; one that is missing equals one that is zero.</param>
public readonly record struct MachineDigest(UInt128 Memory, UInt128 Registers)
{
    /// <summary>Both as hexadecimal digits, memory first.</summary>
    public override string ToString() => $"{Memory:x32}-{Registers:x32}";
}
