using Migrate.Kvm.Handles;
using Migrate.Kvm.Vmm;
using Migrate.Model;
using Migrate.Model.Machines;

namespace Migrate.Kvm.State;

/// <summary>One VM: its descriptors, and what KVM does not give back once it is told (<see cref="Description"/>).</summary>
/// <remarks>Its vCPUs stand still while its state is captured or written: KVM answers EBUSY to the GIC's attributes otherwise.</remarks>
public sealed class KvmMachine : IDisposable
{
    private readonly SortedDictionary<int, KvmVcpu> _vcpus = [];
    private readonly List<SlotMemory> _memory = [];

    internal KvmMachine(KvmVm vm, VmType type)
    {
        Vm = vm;
        Type = type;
        Handlers = new MachineHandlers(kind => kind.Create(this));
    }

    /// <summary>The VM.</summary>
    public KvmVm Vm { get; }

    /// <summary>The argument of KVM_CREATE_VM.</summary>
    public VmType Type { get; }

    /// <summary>The vCPUs by number.</summary>
    public IReadOnlyDictionary<int, KvmVcpu> Vcpus => _vcpus;

    /// <summary>The features that every vCPU has.</summary>
    public VcpuFeatures Features { get; internal set; }

    /// <summary>The interrupt controller; null where there is none.</summary>
    public KvmDevice? Gic { get; private set; }

    /// <summary>The ITS; null where there is none.</summary>
    public KvmDevice? Its { get; private set; }

    /// <summary>What the interrupt controller was created as.</summary>
    public GicDescription GicDescription { get; private set; }

    /// <summary>The machine's name, for people.</summary>
    public string Name { get; init; } = "machine";

    /// <summary>Identity of the VM: 32 lowercase hexadecimal digits.</summary>
    public string Id { get; init; } = Guid.NewGuid().ToString("n");

    /// <summary>How to create the VM again.</summary>
    public VmDescription Description => new()
    {
        Name = Name,
        Id = Id,
        Type = Type,
        Features = Features.Shape,
        VcpuCount = _vcpus.Count,
        Memory = _memory.Select(m => m.Slot).ToEquatableArray(),
        Gic = GicDescription,
        SmcccFilter = Vm.Record.Filter.ToEquatableArray(),
        Handlers = Handlers.Promised.ToEquatableArray(),
        Attributes = Vm.Record.Attributes.ToEquatableArray(),
    };

    /// <summary>What of it lives in this process.</summary>
    internal MachineHandlers Handlers { get; }

    /// <summary>Guest memory by slot, in the order of its creation.</summary>
    internal IReadOnlyList<SlotMemory> Slots => _memory;

    /// <summary>What it has and no capture can carry, by name: each is a refusal (<see cref="Model.Ports.MachineReport.Undescribable"/>).</summary>
    public IReadOnlyList<string> Undescribable => Vm.Record.Undescribable;

    /// <summary>The memory behind a guest physical address, to its slot's end.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No slot has it.</exception>
    public Span<byte> Memory(ulong guestAddress, int length)
    {
        foreach (var (slot, memory, _) in _memory)
        {
            if (guestAddress >= slot.GuestAddress && guestAddress - slot.GuestAddress <= slot.Size - (ulong)length)
                return memory.Slice((long)(guestAddress - slot.GuestAddress), length);
        }
        throw new ArgumentOutOfRangeException(nameof(guestAddress), $"no slot has {length} bytes at 0x{guestAddress:x}");
    }

    /// <summary>Closes everything; KVM frees the VM with its last descriptor.</summary>
    public void Dispose()
    {
        Its?.Dispose();
        Gic?.Dispose();
        foreach (var vcpu in _vcpus.Values) vcpu.Dispose();
        Vm.Dispose();
        foreach (var memory in _memory) memory.Dispose();
    }

    internal void Add(SlotMemory memory) => _memory.Add(memory);

    internal void Add(KvmVcpu vcpu) => _vcpus.Add(vcpu.Index, vcpu);

    internal void Adopt(KvmDevice gic, KvmDevice? its, GicDescription description)
    {
        Gic = gic;
        Its = its;
        GicDescription = description;
    }
}
