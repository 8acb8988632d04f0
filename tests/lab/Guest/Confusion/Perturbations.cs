using System.Globalization;
using Migrate.Model;
using Migrate.Model.Firmware;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Registers;

namespace Migrate.LabGuest.Confusion;

/// <summary>Recorded states with something changed: one thing of every kind, and several registers at once.</summary>
/// <remarks>
/// A pure function of the recorded state, so that a replay tries the same. Most of a state has nothing to do with what is changed and is left away: what stays
/// is what was changed and every register whose answers may depend on it. On an emulated host that is the difference between minutes and hours.
/// </remarks>
/// <param name="from">The recorded state.</param>
/// <param name="there">The host's answers for such a VM; null where nobody measured it.</param>
public sealed class Perturbations(RecordedState from, HostShape? there)
{
    /// <summary>Joint changes follow from this and their number.</summary>
    public const int Seed = 20261128;

    /// <summary>How many joint changes a host is asked about.</summary>
    public const int JointTrials = 60;

    /// <summary>How many fields of ID registers are changed alone.</summary>
    private const int SingleFields = 40;

    private static readonly RegisterId VectorLengths = RegisterId.Of(RegisterClass.Sve, 0xffff, 64);

    private readonly HashSet<RegisterId> _dependents = there is null ? [] : [.. there.Registers.Where(r => r.When.Count > 0).Select(r => r.Id)];

    /// <summary>What joint changes choose from. By name: the order of a list differs from kernel to kernel.</summary>
    private readonly Lazy<Change[]> _choice = new(() => [.. Changes(from.State, each: 4).OrderBy(c => c.Name, StringComparer.Ordinal)]);

    /// <summary>One change of one register.</summary>
    private readonly record struct Change(RegisterId Id, ulong Mask, ulong Bits, string Name);

    /// <summary>Every change of one register: each firmware level, each bitmap bit, two values of each field of each ID register.</summary>
    /// <remarks>
    /// Making and ending a VM is what takes time. So the fields of ID registers go through in rounds, one change of every register in each: they do not depend on
    /// each other, and each is judged by itself. Some of them are tried alone besides, so that there is a verdict about a machine.
    /// </remarks>
    public IEnumerable<Trial> OfRegisters()
    {
        Trial Of(string name, Change[] changes) => new(from.Key, name, With(from.State, changes, r => _dependents.Contains(r) || r == VectorLengths));

        var all = Changes(from.State, each: 2).ToList();
        foreach (var change in all.Where(c => !IsIdentification(c.Id))) yield return Of(change.Name, [change]);
        var fields = all.Where(c => IsIdentification(c.Id)).ToList();
        for (var i = 0; i < fields.Count; i += Math.Max(1, fields.Count / SingleFields)) yield return Of(fields[i].Name, [fields[i]]);
        var rounds = fields.GroupBy(c => c.Id).Select(g => g.ToArray()).ToArray();
        for (var round = 0; round < rounds.Max(r => r.Length); round++)
            yield return Of(string.Create(CultureInfo.InvariantCulture, $"round {round}"), [.. rounds.Where(r => round < r.Length).Select(r => r[round])]);
    }

    /// <summary>A number of changes of two to eight registers at once, written into everything that decides about others.</summary>
    public Trial Joint(int number)
    {
        var random = new Pseudorandom(Seed + number);
        var changes = _choice.Value;
        var chosen = new Dictionary<(RegisterId, ulong), Change>();
        var want = 2 + random.Below(7);
        for (var i = 0; i < want * 4 && chosen.Count < want; i++)
        {
            var change = changes[random.Below(changes.Length)];
            if (chosen.Values.All(c => c.Id != change.Id || (c.Mask & change.Mask) == 0)) chosen.TryAdd((change.Id, change.Mask), change);
        }
        var name = string.Create(CultureInfo.InvariantCulture, $"joint {number}: {string.Join(", ", chosen.Values.Select(c => c.Name))}");
        return new Trial(from.Key, name, With(from.State, [.. chosen.Values], r => _dependents.Contains(r) || Decides(r)));
    }

    /// <summary>Everything of a machine that is no register: VM type, memory, GIC, features, filter, events, power states, vector lengths.</summary>
    public IEnumerable<Trial> OfParts()
    {
        // The least that a vCPU of such a VM needs.
        var state = With(from.State, [], r => r == VectorLengths);
        var vm = state.Vm;
        Trial Vm(string name, VmDescription changed) => new(from.Key, name, state with { Vm = changed });

        foreach (var bits in new[] { 31, 32, 33, 36, 39, 40, 41, 42, 43, 44, 45, 47, 48, 49, 51, 52, 53, 56, 63, 255 })
            yield return Vm($"IPA {bits}", vm with { Type = new VmType((ulong)bits) });
        foreach (var bit in new[] { 8, 30, 31, 40 }) yield return Vm($"VM type bit {bit}", vm with { Type = new VmType(40 | 1UL << bit) });

        var slot = vm.Memory[0];
        yield return Vm("slot misaligned", vm with { Memory = [slot with { GuestAddress = slot.GuestAddress + 0x800 }] });
        yield return Vm("slot of odd size", vm with { Memory = [slot with { Size = slot.Size + 0x200 }] });
        yield return Vm("slot to the end of the address space", vm with { Memory = [slot with { GuestAddress = (1UL << 40) - slot.Size }] });
        yield return Vm("slot beyond the address space", vm with { Memory = [slot with { GuestAddress = (1UL << 40) - slot.Size + 0x1_0000 }] });
        yield return Vm("slots that overlap", vm with { Memory = [slot, slot with { Slot = 1, GuestAddress = slot.GuestAddress + 0x1_0000 }] });
        yield return Vm("slots that touch", vm with { Memory = [slot, slot with { Slot = 1, GuestAddress = slot.GuestAddress + slot.Size }] });
        yield return Vm("slot read-only", vm with { Memory = [slot with { ReadOnly = true }] });

        foreach (var feature in VcpuFeatures.Known.Where(f => f.Bit > 0))
        {
            var bit = 1UL << feature.Bit;
            yield return Vm($"feature {feature.Name} {((vm.Features.Bits & bit) != 0 ? "off" : "on")}", vm with { Features = new VcpuFeatures(vm.Features.Bits ^ bit) });
        }
        yield return Vm("feature bit9 on", vm with { Features = new VcpuFeatures(vm.Features.Bits | 1 << 9) });

        var gic = new GicDescription(GicKind.GicV3, 0x0800_0000, 0x0a00_0000);
        yield return Vm("GIC", vm with { Gic = gic });
        yield return Vm("GIC distributor misaligned", vm with { Gic = gic with { Distributor = 0x0800_1000 } });
        yield return Vm("GIC redistributors misaligned", vm with { Gic = gic with { Redistributors = 0x0a00_8000 } });
        yield return Vm("GIC distributor beyond the address space", vm with { Gic = gic with { Distributor = 1UL << 40 } });
        yield return Vm("GIC redistributors beyond the address space", vm with { Gic = gic with { Redistributors = 1UL << 41 } });
        foreach (var count in new[] { 32, 64, 96, 100, 992, 1024, 1056 })
            yield return Vm($"GIC of {count} interrupts", vm with { Gic = gic with { Interrupts = count } });

        foreach (var (name, ranges) in Filters) yield return Vm($"filter {name}", vm with { SmcccFilter = ranges.ToEquatableArray() });

        foreach (var power in Enum.GetValues<MpState>()) yield return new Trial(from.Key, $"power {power}", EachVcpu(state, v => v with { MpState = power }));
        foreach (var (name, events) in Events) yield return new Trial(from.Key, $"events {name}", EachVcpu(state, v => v with { Events = events }));

        if (!state.Vcpus[0].Registers.TryGet(VectorLengths, out var lengths)) yield break;
        foreach (var quadwords in new[] { 1, 2, 3, 4, 5, 8, 16, 17, 32 })
        {
            var changed = lengths.ToArray();
            changed[(quadwords - 1) / 8] ^= (byte)(1 << (quadwords - 1) % 8);
            var name = $"vector length {quadwords * 128} {((changed[(quadwords - 1) / 8] >> (quadwords - 1) % 8 & 1) != 0 ? "on" : "off")}";
            yield return new Trial(from.Key, name, EachVcpu(state, v => v with { Registers = v.Registers.With(new Register(VectorLengths, new RegisterValue(changed))) }));
        }
    }

    private static readonly (string Name, SmcccFilterRange[] Ranges)[] Filters =
    [
        ("deny", [new(0x8600_ff00, 4, SmcccAction.Deny)]),
        ("forward SDEI", [new(0x8400_0020, 16, SmcccAction.ForwardToUser)]),
        ("handle", [new(0xc600_0000, 64, SmcccAction.Handle)]),
        ("apart", [new(0x8400_0020, 16, SmcccAction.ForwardToUser), new(0xc400_0020, 16, SmcccAction.ForwardToUser)]),
        ("touching", [new(0x8400_0020, 16, SmcccAction.ForwardToUser), new(0x8400_0030, 16, SmcccAction.Deny)]),
        ("overlapping", [new(0x8400_0020, 16, SmcccAction.ForwardToUser), new(0x8400_002f, 16, SmcccAction.Deny)]),
        ("twice", [new(0x8400_0020, 16, SmcccAction.Deny), new(0x8400_0020, 16, SmcccAction.Deny)]),
        ("reserved, 32 bits", [new(0x8000_8000, 1, SmcccAction.Deny)]),
        ("reserved, 64 bits", [new(0xc000_0000, 1, SmcccAction.Handle)]),
        ("around the reserved", [new(0x7fff_ffff, 0x10002, SmcccAction.Deny)]),
        ("up to the reserved", [new(0x7fff_fff0, 0x10, SmcccAction.Deny)]),
        ("of nothing", [new(0x8400_0020, 0, SmcccAction.Deny)]),
        ("past the end", [new(0xffff_fff0, 0x11, SmcccAction.Deny)]),
        ("to the end", [new(0xffff_fff0, 0x10, SmcccAction.Deny)]),
        ("unknown action", [new(0x8400_0020, 1, (SmcccAction)3)]),
    ];

    private static readonly (string Name, VcpuEvents Events)[] Events =
    [
        ("SError", new(true, false, 0, false)),
        ("SError with syndrome", new(true, true, 0x1234, false)),
        ("SError with the largest syndrome", new(true, true, 0x1ff_ffff, false)),
        ("SError with a syndrome too large", new(true, true, 1UL << 25, false)),
        ("syndrome without SError", new(false, true, 0x1234, false)),
        ("syndrome too large without SError", new(false, true, 1UL << 25, false)),
        ("abort", new(false, false, 0, true)),
        ("SError and abort", new(true, false, 0, true)),
    ];

    /// <summary>Registers that other registers depend on, and those that do: what stays in a joint change.</summary>
    private static bool Decides(RegisterId id) =>
        id.Class is RegisterClass.Firmware or RegisterClass.FirmwareBitmap || id == VectorLengths
        || IsIdentification(id);

    /// <summary>op0 3, CRn 0.</summary>
    private static bool IsIdentification(RegisterId id) => id.Class == RegisterClass.System && id.Index >> 14 == 3 && (id.Index >> 7 & 15) == 0;

    private static IEnumerable<Change> Changes(MachineState state, int each)
    {
        foreach (var (id, value) in state.Vcpus[0].Registers)
        {
            var name = RegisterCatalog.Name(id);
            if (id == FirmwareRegisters.PsciVersion)
            {
                foreach (var version in new ulong[] { 0, 1, 2, 0x1_0000, 0x1_0001, 0x1_0002, 0x1_0003, 0x1_0004, 0x2_0000, 1UL << 32 | 2 })
                    if (version != value.Low) yield return Whole(id, version, name);
            }
            else if (id.Class == RegisterClass.Firmware)
            {
                foreach (var level in new ulong[] { 0, 1, 2, 3, 4, 0xf, 0x10, 0x11, 0x12, 0x13, 0x100 })
                    if (level != value.Low) yield return Whole(id, level, name);
            }
            else if (id.Class == RegisterClass.FirmwareBitmap)
            {
                foreach (var bit in new[] { 0, 1, 2, 3, 63 }) yield return new Change(id, 1UL << bit, ~value.Low & 1UL << bit, $"{name} bit {bit}");
            }
            else if (id.Size == 8 && IsIdentification(id))
            {
                foreach (var change in OfIdentification(id, value.Low, name, each)) yield return change;
            }
        }
    }

    private static Change Whole(RegisterId id, ulong value, string name) => new(id, ulong.MaxValue, value, $"{name}={Hex(value)}");

    private static IEnumerable<Change> OfIdentification(RegisterId id, ulong value, string name, int each)
    {
        var fields = RegisterCatalog.Find(id)?.Fields.ToArray() ?? [];
        // Without named fields: the lowest, one in the middle and the highest nibble.
        if (fields.Length == 0) fields = [new("bits_0_3", 0, 4, false), new("bits_20_23", 20, 4, false), new("bits_60_63", 60, 4, false)];
        var random = new Pseudorandom(Seed ^ (int)id.Index);
        foreach (var field in fields)
        {
            var (own, most) = (field.Extract(value), field.Mask >> field.Shift);
            var values = new SortedSet<ulong>();
            ulong[] near = [own > 0 ? own - 1 : 1, own < most ? own + 1 : 0, most, (ulong)random.Below(16) & most];
            foreach (var one in near.Take(each))
                if (one != own && one <= most) values.Add(one);
            foreach (var one in values) yield return new Change(id, field.Mask, one << field.Shift, $"{name}.{field.Name}={Hex(one)}");
        }
    }

    private static string Hex(ulong value) => string.Create(CultureInfo.InvariantCulture, $"0x{value:x}");

    private static MachineState With(MachineState state, Change[] changes, Func<RegisterId, bool> stays)
    {
        var byRegister = changes.ToLookup(c => c.Id);
        return EachVcpu(state with { Devices = [] }, vcpu => vcpu with
        {
            Unreadable = [],
            Registers = new RegisterSet(vcpu.Registers.Where(r => stays(r.Id) || byRegister.Contains(r.Id)).Select(r => byRegister[r.Id]
                .Aggregate(r, (now, c) => now with { Value = new RegisterValue((now.Value.Low & ~c.Mask) | c.Bits, now.Id.Size) }))),
        });
    }

    private static MachineState EachVcpu(MachineState state, Func<VcpuState, VcpuState> change) => state with { Vcpus = state.Vcpus.Select(change).ToEquatableArray() };

    /// <summary>The same numbers on every runtime, which System.Random does not promise: splitmix64.</summary>
    private sealed class Pseudorandom(int seed)
    {
        private ulong _state = (ulong)seed;

        public int Below(int limit)
        {
            _state += 0x9e37_79b9_7f4a_7c15;
            var z = (_state ^ _state >> 30) * 0xbf58_476d_1ce4_e5b9;
            z = (z ^ z >> 27) * 0x94d0_49bb_1331_11eb;
            return (int)((z ^ z >> 31) % (ulong)limit);
        }
    }
}
