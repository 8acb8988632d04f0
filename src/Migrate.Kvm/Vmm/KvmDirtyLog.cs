using Migrate.Kvm.Handles;
using Migrate.Kvm.Native;
using Migrate.Kvm.State;
using Migrate.Model.Errors;

namespace Migrate.Kvm.Vmm;

/// <summary>KVM's dirty log of every slot. Tables that KVM writes into guest memory (GIC, ITS) are in it; this VMM itself writes no guest memory once the guest runs.</summary>
internal sealed unsafe class KvmDirtyLog
{
    private readonly KvmMachine _machine;
    private readonly int _pageSize;
    private readonly bool _isManual;
    private readonly ulong[] _words;

    /// <summary>Not on yet.</summary>
    /// <param name="machine">Whose.</param>
    /// <param name="pageSize">Of the host: a bit stands for that many bytes.</param>
    public KvmDirtyLog(KvmMachine machine, int pageSize)
    {
        _machine = machine;
        _pageSize = pageSize;
        // Clearing what was read and nothing else spares the host the protection of pages that nobody looks at (api.rst, KVM_CLEAR_DIRTY_LOG).
        _isManual = (machine.Vm.CheckExtension(Capability.ManualDirtyLogProtect2) & 1) != 0 && machine.Vm.TryEnable(Capability.ManualDirtyLogProtect2, 1) == 0;
        _words = new ulong[machine.Slots.Select(Words).DefaultIfEmpty(0).Max()];
    }

    /// <summary>Whether it is on.</summary>
    public bool IsOn { get; private set; }

    /// <summary>Switches it; every page is clean where it was off.</summary>
    /// <exception cref="KvmException">KVM refused.</exception>
    public void Switch(bool on)
    {
        if (IsOn == on) return;
        foreach (var (slot, region, _) in _machine.Slots)
        {
            // KVM logs no writes to what the guest cannot write.
            if (slot.ReadOnly) continue;
            KvmHandle.Check(_machine.Vm.TrySetMemory(slot, region.Pointer, on), Ioctls.SetUserMemoryRegion, $"slot {slot.Slot}");
        }
        IsOn = on;
    }

    /// <summary>Adds the pages written since the last time; they count as clean before this returns.</summary>
    /// <exception cref="MigrateException"><see cref="ErrorCode.WrongState"/>: it is off.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such slot, or the bitmap has fewer bits than the slot has pages.</exception>
    public void Collect(int slot, Span<ulong> bitmap)
    {
        if (!IsOn) throw new MigrateException(ErrorCode.WrongState, "the dirty log is not on");
        var memory = _machine.Slots.FirstOrDefault(m => m.Slot.Slot == slot) ?? throw new ArgumentOutOfRangeException(nameof(slot), slot, "there is no such slot");
        if (memory.Slot.ReadOnly) return;
        var words = _words.AsSpan(0, Words(memory));
        if (bitmap.Length < words.Length) throw new ArgumentOutOfRangeException(nameof(bitmap), bitmap.Length, $"slot {slot} needs {words.Length} words");
        KvmHandle.Check(_machine.Vm.TryGetDirtyLog(slot, words), Ioctls.GetDirtyLog, $"slot {slot}");
        if (_isManual && words.ContainsAnyExcept(0UL))
            KvmHandle.Check(_machine.Vm.TryClearDirtyLog(slot, (uint)(memory.Slot.Size / (ulong)_pageSize), words), Ioctls.ClearDirtyLog, $"slot {slot}");
        for (var i = 0; i < words.Length; i++) bitmap[i] |= words[i];
    }

    private int Words(SlotMemory memory) => (int)((memory.Slot.Size / (ulong)_pageSize + 63) / 64);
}
