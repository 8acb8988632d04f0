using Migrate.Model.Plans;
using Migrate.Model.Registers;

namespace Migrate.Model.Ports;

/// <summary>Something a plan can be executed on: a scratch VM, a simulated host, or the real incoming VM, perhaps in another process.</summary>
/// <remarks>Both members take many at once because a target may be a socket away; order within a call is kept.</remarks>
public interface IRestoreTarget
{
    /// <summary>Executes steps in order and answers each one. A refusal is an answer, not an exception, and later steps still run: every refusal is wanted.</summary>
    IReadOnlyList<StepAnswer> Execute(IReadOnlyList<RestoreStep> steps);

    /// <summary>KVM_GET_ONE_REG for each register, one answer each.</summary>
    IReadOnlyList<ReadAnswer> Read(IReadOnlyList<RegisterAddress> registers);
}

/// <summary>What a target answered to a step.</summary>
/// <param name="Errno">0, or the positive errno.</param>
/// <param name="Note">More words where errno alone does not say it.</param>
public readonly record struct StepAnswer(int Errno, string Note = "")
{
    /// <summary>Success.</summary>
    public static StepAnswer Ok => new(0);

    /// <summary>Whether the step was done.</summary>
    public bool Succeeded => Errno == 0;
}

/// <summary>A register of one vCPU.</summary>
/// <param name="Vcpu">vCPU number.</param>
/// <param name="Id">Which register.</param>
public readonly record struct RegisterAddress(int Vcpu, RegisterId Id);

/// <summary>What reading a register gave.</summary>
/// <param name="Errno">0, or the positive errno.</param>
/// <param name="Value">The value; null when it could not be read.</param>
public readonly record struct ReadAnswer(int Errno, RegisterValue? Value);
