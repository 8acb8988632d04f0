using Migrate.Model.Errors;
using Migrate.Model.Machines;

namespace Migrate.Model.Encoding.Definitions;

/// <summary>The description of a VM and its parts.</summary>
internal static class VmDescriptions
{
    private const int MaxSlots = 512;
    private const int MaxFilterRanges = 1024;
    private const int MaxAttributes = 256;
    private const int MaxAttributeBytes = 1 << 16;

    public static Shape<VmType> Type { get; } = Shapes.Hex64.As(type => type.Raw, raw => new VmType(raw)).Where(type =>
        type.IpaBits is >= Rules.MinAddressBits and <= Rules.MaxAddressBits
            ? null
            : $"{type.IpaBits} bits of guest address; {Rules.MinAddressBits} to {Rules.MaxAddressBits} are possible");

    public static Shape<VcpuFeatures> Features { get; } = Shapes.List(Rules.Word, 64).As(features =>
        features.Names.ToEquatableArray(), FeaturesOf);

    public static Shape<MemorySlot> Slot { get; } = DefineSlot();

    public static Shape<GicDescription> Gic { get; } = DefineGic();

    public static Shape<SmcccFilterRange> FilterRange { get; } = DefineFilterRange();

    public static Shape<VmAttribute> Attribute { get; } = DefineAttribute();

    public static Shape<VmDescription> Vm { get; } = DefineVm();

    private static Shape<VmDescription> DefineVm()
    {
        var r = new RecordShape<VmDescription>("VmDescription",
            "What must be the same for a VM to be created again: everything that KVM does not give back.");
        var name = r.Required("name", Shapes.TextUpTo(256), v => v.Name, "The machine's name, for people.");
        var id = r.Required("id", Shapes.TextUpTo(32).Where(IdProblem), v => v.Id,
            "Identity of this VM, kept across moves: 32 lowercase hexadecimal digits.");
        var type = r.Required("type", Type, v => v.Type,
            "The argument of KVM_CREATE_VM: bits 7:0 are the guest's address bits, 0 meaning 40.");
        var features = r.Required("features", Features, v => v.Features, "vCPU features by name, the same for every vCPU.");
        var vcpus = r.Required("vcpuCount", Shapes.Int32Between(1, Rules.MaxVcpus), v => v.VcpuCount, "How many vCPUs.");
        var memory = r.Required("memory", Shapes.List(Slot, MaxSlots).Where(MemoryProblem), v => v.Memory, "Guest memory, each slot once.");
        var gic = r.Optional("gic", Gic, v => v.Gic, default, "The interrupt controller in the kernel; absent where there is none.");
        var filter = r.Optional("smcccFilter", Shapes.List(FilterRange, MaxFilterRanges), v => v.SmcccFilter, default,
            "SMCCC filter ranges in the order of their installation.");
        var handlers = r.Optional("handlers", Rules.Words(32), v => v.Handlers, default, "User-space handlers that the guest relies on.");
        var attributes = r.Optional("attributes", Shapes.List(Attribute, MaxAttributes).Where(a => Rules.Repeated(a, x => x.Name, x => $"'{x.Name}'")),
            v => v.Attributes, default, "Everything else, typed and sized.");
        return r.Build(v => new VmDescription
        {
            Name = v.Get(name),
            Id = v.Get(id),
            Type = v.Get(type),
            Features = v.Get(features),
            VcpuCount = v.Get(vcpus),
            Memory = v.Get(memory),
            Gic = v.Get(gic),
            SmcccFilter = v.Get(filter),
            Handlers = v.Get(handlers),
            Attributes = v.Get(attributes),
        });
    }

    private static Shape<MemorySlot> DefineSlot()
    {
        var r = new RecordShape<MemorySlot>("MemorySlot", "One range of guest memory: struct kvm_userspace_memory_region.").OneLine();
        var slot = r.Required("slot", Shapes.Int32Between(0, short.MaxValue), v => v.Slot, "Slot number.");
        var address = r.Required("guestAddress", Shapes.Hex64, v => v.GuestAddress, "First guest physical address, page aligned.");
        var size = r.Required("size", Shapes.Hex64, v => v.Size, "Bytes, page aligned.");
        var readOnly = r.Optional("readOnly", Shapes.Boolean, v => v.ReadOnly, false, "KVM_MEM_READONLY.");
        r.Rule(v => v.Size switch
        {
            0 => $"slot {v.Slot} has no memory",
            _ when v.Size % Rules.SmallestPage != 0 || v.GuestAddress % Rules.SmallestPage != 0 => $"slot {v.Slot} is not aligned to pages",
            _ when (UInt128)v.GuestAddress + v.Size > UInt128.One << Rules.MaxAddressBits =>
                $"slot {v.Slot} ends beyond {Rules.MaxAddressBits} bits of address",
            _ => null,
        });
        return r.Build(v => new MemorySlot(v.Get(slot), v.Get(address), v.Get(size), v.Get(readOnly)));
    }

    private static Shape<GicDescription> DefineGic()
    {
        var r = new RecordShape<GicDescription>("GicDescription",
            "The interrupt controller and where it lies in guest physical space.").OneLine();
        var kind = r.Required("kind", Shapes.Enum<GicKind>(), v => v.Kind, "Which controller.");
        var distributor = r.Optional("distributor", Shapes.Hex64, v => v.Distributor, 0UL, "Address of the distributor; 0 where unset.");
        var redistributors = r.Optional("redistributors", Shapes.Hex64, v => v.Redistributors, 0UL,
            "Address of the first redistributor; 0 where unset.");
        var its = r.Optional("its", Shapes.Hex64, v => v.Its, 0UL, "Address of the ITS; 0 for none.");
        var interrupts = r.Optional("interrupts", Shapes.Int32Between(0, 1 << 24), v => v.Interrupts, 0,
            "How many interrupts; 0 for the kernel's default.");
        return r.Build(v => new GicDescription(v.Get(kind), v.Get(distributor), v.Get(redistributors), v.Get(its), v.Get(interrupts)));
    }

    private static Shape<SmcccFilterRange> DefineFilterRange()
    {
        var r = new RecordShape<SmcccFilterRange>("SmcccFilterRange", "One range of the SMCCC filter: struct kvm_smccc_filter.").OneLine();
        var first = r.Required("base", Shapes.UInt32, v => v.Base, "First function id.");
        var count = r.Required("count", Shapes.UInt32, v => v.Count, "How many ids; at least 1.");
        var action = r.Required("action", Shapes.Enum<SmcccAction>(), v => v.Action, "What happens to them.");
        r.Rule(v => v.Count == 0 ? "a range of no function ids" : (ulong)v.Base + v.Count > 1UL << 32 ? "a range beyond 32-bit function ids" : null);
        return r.Build(v => new SmcccFilterRange(v.Get(first), v.Get(count), v.Get(action)));
    }

    private static Shape<VmAttribute> DefineAttribute()
    {
        var r = new RecordShape<VmAttribute>("VmAttribute", "One typed, sized attribute of a VM.");
        var name = r.Required("name", Rules.Word, v => v.Name, "Dotted lowercase name: cap.arm-system-suspend, counter-offset, pmu.filter.");
        var type = r.Required("type", Shapes.Enum<AttributeType>(), v => v.Type, "How to read the value.");
        var required = r.Required("required", Shapes.Boolean, v => v.Required,
            "Whether a destination that does not know the name must refuse.");
        var value = r.Optional("value", Shapes.Bytes(MaxAttributeBytes), v => v.Value, default,
            "Little-endian number, UTF-8 text, or bytes; absent for a flag.");
        r.Rule(AttributeProblem);
        return r.Build(v => new VmAttribute(v.Get(name), v.Get(type), v.Get(required), v.Get(value)));
    }

    private static string? AttributeProblem(VmAttribute attribute) => attribute.Type switch
    {
        AttributeType.Flag when attribute.Value.Count > 0 => $"the flag {attribute.Name} has a value",
        AttributeType.Number when attribute.Value.Count is 0 or > 8 =>
            $"the number {attribute.Name} has {attribute.Value.Count} bytes; 1 to 8 are possible",
        AttributeType.Text when !System.Text.Unicode.Utf8.IsValid(attribute.Value.Span) => $"the text {attribute.Name} is not UTF-8",
        _ => VmAttributes.Problem(attribute),
    };

    private static string? IdProblem(string id) =>
        id.Length == 32 && id.All(char.IsAsciiHexDigitLower) ? null : "not 32 lowercase hexadecimal digits";

    private static string? MemoryProblem(EquatableArray<MemorySlot> slots)
    {
        if (Rules.Repeated(slots, s => s.Slot, s => $"slot {s.Slot}") is { } repeated) return repeated;
        var byAddress = slots.Span.ToArray().OrderBy(s => s.GuestAddress).ToArray();
        for (var i = 1; i < byAddress.Length; i++)
        {
            if (byAddress[i].GuestAddress - byAddress[i - 1].GuestAddress < byAddress[i - 1].Size)
                return $"slots {byAddress[i - 1].Slot} and {byAddress[i].Slot} overlap";
        }
        return null;
    }

    private static VcpuFeatures FeaturesOf(EquatableArray<string> names)
    {
        var features = default(VcpuFeatures);
        foreach (var name in names)
        {
            if (!VcpuFeatures.TryParse(name, out var one) || one.Bits == 0 || !one.Names.SequenceEqual([name]))
                throw new MigrateException(ErrorCode.Malformed, $"'{DocumentPath.Shown(name)}' is no vCPU feature");
            if (features.Has(one)) throw new MigrateException(ErrorCode.Malformed, $"feature '{name}' is there twice");
            features |= one;
        }
        return features;
    }
}
