using System.Numerics;
using Migrate.Simulation.Program;

namespace Migrate.Simulation.Machines;

/// <summary>One vCPU's door to the console device: what the VMM itself writes into guest memory when the guest exits to it. Its writes are in the VMM's own dirty set,
/// which KVM's log would not show.</summary>
/// <remarks>The device has two pages, a counter of exits and a word of console ring for each vCPU; both follow from the program alone.</remarks>
internal readonly unsafe struct ConsolePort
{
    /// <summary>Bytes of the device's pages.</summary>
    public const ulong Size = 2 * GuestProgram.Page;

    private readonly ulong* _exits;
    private readonly ulong _offset;
    private readonly DirtyBitmap? _dirty;

    private ConsolePort(byte* device, ulong slotOffset, int vcpu, DirtyBitmap dirty)
    {
        _exits = (ulong*)device + vcpu;
        _offset = slotOffset + (ulong)vcpu * sizeof(ulong);
        _dirty = dirty;
    }

    /// <summary>Checks the address that the guest's register claims; 0 is no device, anything that is not two pages of one slot is refused.</summary>
    public static bool TryCreate(GuestRam ram, in ProgramState state, int vcpu, out ConsolePort port)
    {
        port = default;
        if (state.Console == 0) return true;
        if (vcpu * sizeof(ulong) >= GuestProgram.Page || state.Console % GuestProgram.Page != 0
            || !ram.TryTranslate(state.Console, out var slot, out var offset, out var rest) || rest < Size)
            return false;
        port = new ConsolePort(slot.Mapping.Pointer + offset, offset, vcpu, slot.Vmm);
        return true;
    }

    /// <summary>The VMM's answer to an exit: counts it and puts the guest's word into the ring.</summary>
    public void Exit(ulong word)
    {
        if (_dirty is null) return;
        var ring = _exits + GuestProgram.Page / sizeof(ulong);
        Volatile.Write(ref *_exits, Volatile.Read(ref *_exits) + 1);
        Volatile.Write(ref *ring, BitOperations.RotateLeft(Volatile.Read(ref *ring), 7) ^ word);
        _dirty.Mark(_offset);
        _dirty.Mark(_offset + GuestProgram.Page);
    }
}
