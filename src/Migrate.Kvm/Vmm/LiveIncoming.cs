using Migrate.Kvm.Handles;
using Migrate.Kvm.State;
using Migrate.Model.Errors;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Ports;

namespace Migrate.Kvm.Vmm;

/// <summary>The destination's half of a move: a real VM that grows step by step. Used from one thread at a time.</summary>
public sealed class LiveIncoming : IIncomingMachine
{
    private readonly KvmTarget _target;
    private readonly VmmOptions _options;
    private bool _spent;

    /// <summary>A VM that does not exist yet.</summary>
    /// <param name="system">Where it is to be; outlives the machine.</param>
    /// <param name="description">Of the machine that comes.</param>
    /// <param name="options">What the VMM is given.</param>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Refused"/>: a handler that the guest was promised is missing here, or what it needs. Later would be too late for the guest.</exception>
    public LiveIncoming(KvmSystem system, VmDescription description, VmmOptions options)
    {
        if (MachineHandlers.Obstacle(description) is { } obstacle) throw new MigrateException(ErrorCode.Refused, obstacle) { Stage = Stage.Prepare };
        _target = new KvmTarget(system, new KvmIdentity(description.Name, description.Id));
        _options = options;
    }

    /// <inheritdoc/>
    public IReadOnlyList<GuestMemory> Memory => [.. (_target.Machine?.Slots ?? []).Select(s => new GuestMemory(s.Slot, s.File!))];

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
    public IMachine Complete(VmDescription description)
    {
        ThrowIfSpent();
        var built = _target.Machine ?? throw new MigrateException(ErrorCode.WrongState, "no VM was built") { Stage = Stage.Apply };
        RequireDescribed(built.Description, built.Vcpus.Keys, description);
        _spent = true;
        var machine = _target.Take();
        machine.Handlers.Promise(description.Handlers);
        return new LiveMachine(machine, _options);
    }

    /// <summary>Throws away what was built, unless a machine has taken it over.</summary>
    public void Dispose()
    {
        if (_spent) return;
        _spent = true;
        _target.Dispose();
    }

    /// <summary>Whether what was built is what is described.</summary>
    /// <param name="built">How to create it again.</param>
    /// <param name="vcpus">The numbers of its vCPUs: a count alone does not tell that one is missing and another too many.</param>
    /// <param name="description">What the source says.</param>
    internal static void RequireDescribed(VmDescription built, IEnumerable<int> vcpus, VmDescription description)
    {
        (string Part, bool IsSame)[] parts =
        [
            ("memory slots", built.Memory == description.Memory), ("vCPUs", description.Has(vcpus)),
            ("vCPU features", built.Features == description.Features.Shape), ("VM type", built.Type == description.Type),
            ("interrupt controller", built.Gic == description.Gic), ("SMCCC filter", built.SmcccFilter == description.SmcccFilter),
        ];
        if (parts.FirstOrDefault(p => !p.IsSame).Part is { } other)
            throw new MigrateException(ErrorCode.WrongState, $"the {other} that were built differ from the description") { Stage = Stage.Apply };
    }

    private void ThrowIfSpent()
    {
        if (_spent) throw new MigrateException(ErrorCode.WrongState, "this incoming machine is complete or was given up");
    }
}
