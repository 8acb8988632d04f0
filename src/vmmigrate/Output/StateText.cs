using Migrate.Model;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Registers;

namespace Migrate.Cli.Output;

/// <summary>A machine state for people.</summary>
internal static class StateText
{
    public static void Write(Terminal terminal, MachineState state, bool fields)
    {
        var vm = state.Vm;
        List<IReadOnlyList<string>> rows =
        [
            ["name", vm.Name], ["id", vm.Id], ["address size", vm.Type.ToString()], ["vCPU features", vm.Features.ToString()], ["vCPUs", $"{vm.VcpuCount}"],
            .. vm.Memory.Select(s => (IReadOnlyList<string>)[$"memory slot {s.Slot}", $"0x{s.GuestAddress:x} + {Units.Bytes(s.Size)}{(s.ReadOnly ? ", read-only" : "")}"]),
            ["interrupt controller", vm.Gic.Kind == GicKind.None ? "none" : vm.Gic.Kind.ToString()],
        ];
        rows.AddRange(vm.SmcccFilter.Select(f => (IReadOnlyList<string>)["SMCCC filter", $"0x{f.Base:x} + {f.Count}: {KebabCase.Of(f.Action.ToString())}"]));
        if (vm.Handlers.Count > 0) rows.Add(["handlers", string.Join(", ", vm.Handlers)]);
        rows.AddRange(vm.Attributes.Select(a => (IReadOnlyList<string>)["attribute", $"{a.Name}{(a.Required ? ", required" : "")}"]));
        if (state.CapturedOn is { } host) rows.Add(["captured on", HostText.Of(host)]);
        if (state.CounterFrequency != 0) rows.Add(["counter", $"{state.CounterFrequency} Hz"]);
        rows.AddRange(state.Devices.Select(d => (IReadOnlyList<string>)["device", $"{d.Kind}, {d.Attributes.Count} attributes"]));
        terminal.Write(["", ""], rows);
        foreach (var vcpu in state.Vcpus)
        {
            terminal.Out.WriteLine($"vCPU {vcpu.Index}: {KebabCase.Of(vcpu.MpState.ToString())}, {vcpu.Registers.Count} registers");
            terminal.Write(["Register", "Id", "Value"], vcpu.Registers.SelectMany(r => Rows(r, fields)));
            if (vcpu.Unreadable.Count > 0)
                terminal.Out.WriteLine($"could not be read: {string.Join(", ", vcpu.Unreadable.Select(u => $"{RegisterCatalog.Name(u.Id)} (errno {u.Errno})"))}");
        }
    }

    private static IEnumerable<IReadOnlyList<string>> Rows(Register register, bool fields)
    {
        yield return [RegisterCatalog.Name(register.Id), register.Id.ToString(), RegisterText.Describe(register.Id, register.Value)];
        if (!fields || RegisterCatalog.Find(register.Id) is not { Fields.Count: > 0 } info) yield break;
        foreach (var field in info.Fields) yield return [$"  .{field.Name}", $"  bits {field.Shift + field.Width - 1}:{field.Shift}", $"  {field.Extract(register.Value.Low)}"];
    }
}

/// <summary>A host in one line.</summary>
internal static class HostText
{
    /// <summary>What it calls itself: host name and kernel. A machine without a name has (none); empty where nothing is known.</summary>
    public static string Name(BootIdentity boot) => string.Join(' ', new[] { boot.HostName, boot.KernelRelease }.Where(w => w.Length > 0 && w != "(none)"));

    public static string Of(BootIdentity boot)
    {
        string[] parts = [boot.HostName, boot.KernelRelease.Length > 0 ? $"Linux {boot.KernelRelease}" : "", boot.KvmMode, boot.PageSize > 0 ? $"{boot.PageSize >> 10} KiB pages" : ""];
        var text = string.Join(", ", parts.Where(p => p.Length > 0));
        return text.Length > 0 ? text : "an unnamed host";
    }
}
