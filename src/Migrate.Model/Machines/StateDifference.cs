using Migrate.Model.Registers;

namespace Migrate.Model.Machines;

/// <summary>One difference between two states, or two hosts.</summary>
/// <param name="Subject">A register or field by its architectural name with its vCPU, or a part of the description.</param>
/// <param name="Here">What the first has; <c>-</c> where it has nothing.</param>
/// <param name="There">What the second has.</param>
public readonly record struct StateDifference(string Subject, string Here, string There)
{
    private const string Nothing = "-";

    /// <summary>Every difference, the description first, then vCPU by vCPU in the order of the first's register list.</summary>
    public static IEnumerable<StateDifference> Between(MachineState here, MachineState there) =>
        Description(here, there).Concat(Vcpus(here, there)).Concat(Rest(here, there));

    private static IEnumerable<StateDifference> Description(MachineState here, MachineState there)
    {
        var (a, b) = (here.Vm, there.Vm);
        (string Subject, string Here, string There)[] parts =
        [
            ("VM type", a.Type.ToString(), b.Type.ToString()),
            ("vCPU features", a.Features.ToString(), b.Features.ToString()),
            ("vCPUs", $"{a.VcpuCount}", $"{b.VcpuCount}"),
            ("memory", Text(a.Memory, s => $"slot {s.Slot} 0x{s.GuestAddress:x}+0x{s.Size:x}"), Text(b.Memory, s => $"slot {s.Slot} 0x{s.GuestAddress:x}+0x{s.Size:x}")),
            ("GIC", a.Gic.Kind.ToString(), b.Gic.Kind.ToString()),
            ("SMCCC filter", Text(a.SmcccFilter, f => $"0x{f.Base:x}+{f.Count} {f.Action}"), Text(b.SmcccFilter, f => $"0x{f.Base:x}+{f.Count} {f.Action}")),
            ("handlers", Text(a.Handlers, h => h), Text(b.Handlers, h => h)),
            ("attributes", Text(a.Attributes, Words), Text(b.Attributes, Words)),
            ("counter frequency", $"{here.CounterFrequency}", $"{there.CounterFrequency}"),
        ];
        return parts.Where(p => p.Here != p.There).Select(p => new StateDifference(p.Subject, p.Here, p.There));
    }

    private static string Words(VmAttribute attribute) => $"{attribute.Name} {VmAttributes.Describe(attribute)}".TrimEnd();

    private static string Text<T>(EquatableArray<T> items, Func<T, string> text) =>
        items.Count == 0 ? Nothing : string.Join("; ", items.Select(text));

    private static IEnumerable<StateDifference> Vcpus(MachineState here, MachineState there)
    {
        for (var i = 0; i < Math.Max(here.Vcpus.Count, there.Vcpus.Count); i++)
        {
            var a = i < here.Vcpus.Count ? here.Vcpus[i] : null;
            var b = i < there.Vcpus.Count ? there.Vcpus[i] : null;
            foreach (var difference in Registers(a?.Registers ?? RegisterSet.Empty, b?.Registers ?? RegisterSet.Empty))
                yield return difference with { Subject = $"vCPU {i} {difference.Subject}" };
            if (a?.MpState != b?.MpState) yield return new($"vCPU {i} power state", $"{a?.MpState}", $"{b?.MpState}");
            if (a?.Events != b?.Events) yield return new($"vCPU {i} pending events", $"{a?.Events}", $"{b?.Events}");
        }
    }

    private static IEnumerable<StateDifference> Registers(RegisterSet here, RegisterSet there)
    {
        foreach (var (id, value) in here)
        {
            if (!there.TryGet(id, out var other)) yield return new(RegisterCatalog.Name(id), RegisterText.Describe(id, value), Nothing);
            else
                foreach (var difference in RegisterText.Differences(id, value, other))
                    yield return new(difference.Where, difference.Here, difference.There);
        }
        foreach (var (id, value) in there)
            if (!here.Contains(id)) yield return new(RegisterCatalog.Name(id), Nothing, RegisterText.Describe(id, value));
    }

    private static IEnumerable<StateDifference> Rest(MachineState here, MachineState there)
    {
        if (here.Devices != there.Devices) yield return new("devices", Text(here.Devices, d => d.Kind), Text(there.Devices, d => d.Kind));
        if (here.Handlers != there.Handlers) yield return new("handler state", Text(here.Handlers, h => h.Handler), Text(there.Handlers, h => h.Handler));
    }
}
