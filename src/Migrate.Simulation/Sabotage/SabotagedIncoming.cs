using Migrate.Linux.Memory;
using Migrate.Model.Errors;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Ports;
using Migrate.Model.Registers;

namespace Migrate.Simulation.Sabotage;

/// <summary>What <see cref="SabotagedIncoming"/> spoils.</summary>
public enum IncomingFault
{
    /// <summary>One byte of guest memory.</summary>
    Page = 1,

    /// <summary>One bit of a register.</summary>
    Register = 2,
}

/// <summary>An incoming machine that spoils one thing after everything was restored and read back, before it is complete.</summary>
public sealed class SabotagedIncoming(IIncomingMachine inner, IncomingFault fault) : IIncomingMachine
{
    // A callee-saved general register of vCPU 0: no guest is indifferent to it.
    private static readonly RegisterAddress Victim = new(0, RegisterId.Core(8 * 19, 8));

    /// <inheritdoc/>
    public IReadOnlyList<GuestMemory> Memory => inner.Memory;

    /// <inheritdoc/>
    public IReadOnlyList<StepAnswer> Execute(IReadOnlyList<RestoreStep> steps) => inner.Execute(steps);

    /// <inheritdoc/>
    public IReadOnlyList<ReadAnswer> Read(IReadOnlyList<RegisterAddress> registers) => inner.Read(registers);

    /// <inheritdoc/>
    /// <exception cref="MigrateException"><see cref="ErrorCode.WrongState"/>: there is nothing to spoil.</exception>
    public IMachine Complete(VmDescription description)
    {
        if (fault == IncomingFault.Page) SpoilPage();
        else SpoilRegister();
        return inner.Complete(description);
    }

    /// <inheritdoc/>
    public void Dispose() => inner.Dispose();

    private void SpoilPage()
    {
        foreach (var (_, handle) in inner.Memory)
        {
            if (handle is not MemFd memory || !memory.TryFindData(0, out var start, out _)) continue;
            using var mapping = memory.Map(MappingAccess.ReadWrite);
            mapping.Slice(start, 1)[0] ^= 1;
            return;
        }
        throw Nothing("page with data");
    }

    private void SpoilRegister()
    {
        if (inner.Read([Victim])[0].Value is not { } value) throw Nothing("register X19");
        var answer = inner.Execute([new WriteRegister(Victim.Vcpu, Victim.Id, new RegisterValue(value.Low ^ 1), null, StepPhase.Apply)])[0];
        if (!answer.Succeeded) throw Nothing("register X19 that can be written");
    }

    private static MigrateException Nothing(string what) => new(ErrorCode.WrongState, $"the incoming machine has no {what} to spoil");
}
