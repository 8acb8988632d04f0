using System.Runtime.InteropServices;
using Migrate.Model.Machines;
using Migrate.Model.Plans;

namespace Migrate.Model.Ports;

/// <summary>Guest memory of one slot as the VMM shares it.</summary>
/// <param name="Slot">Which slot.</param>
/// <param name="Handle">A memfd of the slot's size, sealed against shrinking, growing and sealing. Owned by the machine.</param>
public readonly record struct GuestMemory(MemorySlot Slot, SafeHandle Handle);

/// <summary>What a machine can be asked to tell before a move.</summary>
public sealed record MachineReport
{
    /// <summary>Description and current register values; the values of mutable registers are a sample, those frozen at first run are final.</summary>
    public required MachineState State { get; init; }

    /// <summary>What cannot be described (VFIO, vhost, an unknown device), by name: each is a refusal.</summary>
    public EquatableArray<string> Undescribable { get; init; }

    /// <summary>Bytes a bit of the dirty log stands for.</summary>
    public required int PageSize { get; init; }
}

/// <summary>A VM in this process, as its machine socket serves it to a source of a move. Members are called from one thread at a time.</summary>
public interface IMachine
{
    /// <summary>Describes the machine while it runs.</summary>
    MachineReport Describe();

    /// <summary>Guest memory, one entry a slot, in the order of the description.</summary>
    IReadOnlyList<GuestMemory> Memory { get; }

    /// <summary>Whether vCPUs run now.</summary>
    bool IsRunning { get; }

    /// <summary>Starts the dirty log: every page counts as clean from here on.</summary>
    void StartDirtyLog();

    /// <summary>Stops the dirty log and unthrottles.</summary>
    void StopDirtyLog();

    /// <summary>Moves the dirty bits of a slot into a bitmap (one bit a page, OR-ed in) and clears them, united with the VMM's own writes. The bit is cleared before the caller reads the page.</summary>
    void CollectDirty(int slot, Span<ulong> bitmap);

    /// <summary>Slows the vCPUs: 0 none, 99 almost stopped.</summary>
    void Throttle(int percent);

    /// <summary>Stops the vCPUs, completes pending MMIO, saves device tables into guest memory. No writer afterwards.</summary>
    void Quiesce();

    /// <summary>The state of a quiesced machine.</summary>
    MachineState Capture();

    /// <summary>Lets a quiesced machine run on.</summary>
    void Resume();

    /// <summary>Progress for people and for tests: name and value (instructions retired, pages written).</summary>
    IReadOnlyList<KeyValuePair<string, ulong>> Counters { get; }
}

/// <summary>A machine whose guest can be sent events of SDEI (Arm DEN 0054), because its VMM implements them.</summary>
public interface IEventTarget
{
    /// <summary>Sends an event; it is delivered as soon as the guest's masks let it, here or where the machine has moved to by then.</summary>
    /// <param name="vcpu">To which vCPU.</param>
    /// <param name="number">Its number.</param>
    /// <returns>False where the guest has registered no handler for it.</returns>
    bool TryInject(int vcpu, uint number);
}

/// <summary>A VM that is being built from a plan: the destination's half.</summary>
public interface IIncomingMachine : IRestoreTarget, IDisposable
{
    /// <summary>Guest memory, one entry for each executed <see cref="MapMemory"/>, in that order.</summary>
    IReadOnlyList<GuestMemory> Memory { get; }

    /// <summary>Turns the finished VM into a stopped machine; <see cref="IMachine.Resume"/> starts it. Afterwards this object is spent.</summary>
    IMachine Complete(VmDescription description);
}
