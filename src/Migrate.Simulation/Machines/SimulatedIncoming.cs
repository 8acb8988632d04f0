using Migrate.Linux;
using Migrate.Model;
using Migrate.Model.Errors;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Ports;
using Migrate.Simulation.Hosts;

namespace Migrate.Simulation.Machines;

/// <summary>The destination's half of a simulated move: a <see cref="SimulatedTarget"/> whose slots have memory. Used from one thread at a time.</summary>
public sealed class SimulatedIncoming : IIncomingMachine
{
    private readonly SimulatedTarget _target;
    private bool _spent;

    /// <summary>The machine of a description, to be built on a host that answers as the profile says.</summary>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Refused"/>: the host's VMM has not a handler that the guest was promised;
    /// <see cref="ErrorCode.Malformed"/>: the profile's page size is none.</exception>
    public SimulatedIncoming(HostProfile host, VmDescription description)
        : this(host)
    {
        if (description.Handlers.FirstOrDefault(h => !host.Handlers.Contains(h)) is not { } missing) return;
        Dispose();
        throw new MigrateException(ErrorCode.Refused, $"the VM needs a handler {missing}, which this VMM has not") { Stage = Stage.Prepare };
    }

    /// <summary>A VM to be built on a host that answers as the profile says.</summary>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Malformed"/>: the profile's page size is none.</exception>
    public SimulatedIncoming(HostProfile host)
    {
        var page = SimulatedTarget.PageSizeOf(host);
        if (page is not (4096 or 16384 or 65536))
            throw new MigrateException(ErrorCode.Malformed, $"the host profile says pages of {page} bytes; arm64 has 4096, 16384 and 65536");
        Ram = new GuestRam(page);
        _target = new SimulatedTarget(host) { OnMap = Map };
    }

    internal GuestRam Ram { get; }

    /// <inheritdoc/>
    public IReadOnlyList<GuestMemory> Memory => Ram.Memory;

    /// <inheritdoc/>
    public IReadOnlyList<StepAnswer> Execute(IReadOnlyList<RestoreStep> steps)
    {
        ThrowIfSpent();
        return _target.Execute(steps);
    }

    /// <inheritdoc/>
    public IReadOnlyList<ReadAnswer> Read(IReadOnlyList<RegisterAddress> registers)
    {
        ThrowIfSpent();
        return _target.Read(registers);
    }

    /// <inheritdoc/>
    /// <exception cref="MigrateException"><see cref="ErrorCode.WrongState"/>: what was built is not what is described, or this object is spent.</exception>
    public IMachine Complete(VmDescription description) => Complete(description, default);

    internal SimulatedMachine Complete(VmDescription description, EquatableArray<string> undescribable)
    {
        ThrowIfSpent();
        if (!_target.Slots.SequenceEqual(description.Memory)) throw Unlike("memory slots");
        if (!description.Has(_target.Vcpus)) throw Unlike("vCPUs");
        if (_target.Features != description.Features.Shape) throw Unlike("vCPU features");
        if (_target.Type != description.Type) throw Unlike("VM type");
        if (_target.Gic != description.Gic) throw Unlike("interrupt controller");
        var machine = new SimulatedMachine(_target, Ram, description, undescribable);
        _spent = true;
        return machine;
    }

    /// <summary>Gives the memory back, unless a machine has taken it over.</summary>
    public void Dispose()
    {
        if (_spent) return;
        _spent = true;
        Ram.Dispose();
    }

    private StepAnswer Map(MemorySlot slot)
    {
        try
        {
            Ram.Add(slot);
            return StepAnswer.Ok;
        }
        catch (LinuxException refused)
        {
            return new(Errno.ENOMEM, refused.Message);
        }
    }

    private void ThrowIfSpent()
    {
        if (_spent) throw new MigrateException(ErrorCode.WrongState, "this incoming machine is complete or was given up");
    }

    private static MigrateException Unlike(string part) =>
        new(ErrorCode.WrongState, $"the {part} that were built differ from the description") { Stage = Stage.Apply };
}
