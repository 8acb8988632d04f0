using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Migrate.Kvm.State;
using Migrate.Kvm.Vmm;
using Migrate.Kvm.Vmm.Calls;
using Migrate.Linux;
using Migrate.Model;
using Migrate.Model.Encoding;
using Migrate.Model.Firmware;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Tests.Kvm.Vmm;

namespace Migrate.Tests.Kvm;

/// <summary>schemas/machine-state.md says what the tables say that capture and restore go by: its tables are made from them here.</summary>
public class MachineStatePageTests
{
    private static readonly string Page = File.ReadAllText(Path.Combine(Repository.Root, "schemas", "machine-state.md"));

    /// <summary>Two vCPUs, so that what each has can be told from what the VM has; as many interrupts as KVM gives unasked (VGIC_NR_IRQS_LEGACY).</summary>
    private static readonly DeviceGeometry Geometry = new([new(0, 0), new(1, 1)], Interrupts: 256, HasPmu: true, HasEl2: true);

    /// <summary>Names without their prefix, which the page says: KVM_ARM_VCPU_ or KVM_DEV_ARM_VGIC_GRP_ (arch/arm64/include/uapi/asm/kvm.h).</summary>
    private static readonly Dictionary<(string Device, uint Group), string> Groups = new()
    {
        [("vcpu", 0)] = "PMU_V3_CTRL",
        [("vcpu", 1)] = "TIMER_CTRL",
        [("vcpu", 2)] = "PVTIME_CTRL",
        [("gicv3", 1)] = "DIST_REGS",
        [("gicv3", 4)] = "CTRL",
        [("gicv3", 5)] = "REDIST_REGS",
        [("gicv3", 6)] = "CPU_SYSREGS",
        [("gicv3", 7)] = "LEVEL_INFO",
        [("its", 4)] = "CTRL",
        [("its", 8)] = "ITS_REGS",
    };

    /// <summary>The same header's names of what is a command.</summary>
    private static readonly Dictionary<(string Device, uint Group, ulong Attribute), string> Commands = new()
    {
        [("its", 4, 1)] = "KVM_DEV_ARM_ITS_SAVE_TABLES",
        [("gicv3", 4, 3)] = "KVM_DEV_ARM_VGIC_SAVE_PENDING_TABLES",
        [("its", 4, 2)] = "KVM_DEV_ARM_ITS_RESTORE_TABLES",
        [("vcpu", 0, 1)] = "KVM_ARM_VCPU_PMU_V3_INIT",
    };

    public static TheoryData<string> Devices => [.. StateTable.Devices.Select(d => d.Kind)];

    [Theory, MemberData(nameof(Devices))]
    public void Every_attribute_of_a_device_stands_there_in_its_order_with_its_reason(string kind)
    {
        var device = StateTable.Devices.Single(d => d.Kind == kind);
        Assert.Equal(device.Blocks.Select(b => $"| {b.Name} | {Group(kind, b.Group)} | {Where(b)} | {Value(b)} | {b.Why} |"), Table($"### `{kind}`"));
    }

    [Fact]
    public void The_devices_stand_there_in_their_order_with_its_reason()
    {
        var rows = Table("## Devices");
        Assert.Equal(StateTable.Devices.Select(d => $"`{d.Kind}`"), rows.Select(r => Cells(r)[0]));
        Assert.Equal(StateTable.Devices.Select(d => d.Why), rows.Select(r => Cells(r)[^1]));
    }

    [Fact]
    public void Every_command_stands_there_with_the_moment_when_it_is_given()
    {
        (string Device, (uint Group, ulong Attribute) Which, string When)[] commands =
        [
            ("its", GicTable.SaveItsTables, "`quiesce`"),
            ("gicv3", GicTable.SavePendingTables, "`quiesce`, with an ITS only"),
            .. from device in StateTable.Devices
               from block in device.Blocks
               where block.Use == AttributeUse.Command
               from attribute in block.Attributes(Geometry with { Vcpus = [new(0, 0)] })
               select (device.Kind, (block.Group, attribute), "`write-device`"),
        ];
        Assert.Equal(
            commands.Select(c => $"| {Commands[(c.Device, c.Which.Group, c.Which.Attribute)]} | `{c.Device}` | {Group(c.Device, c.Which.Group)} | {Hex(c.Which.Attribute)} | {c.When} |"),
            Table("### Commands"));
    }

    [Fact]
    public void What_the_page_says_is_left_out_is_in_no_table()
    {
        var captured = StateTable.Devices
            .SelectMany(d => d.Blocks.SelectMany(b => b.Attributes(Geometry).Select(a => (Group(d.Kind, b.Group), (uint)a)))).ToHashSet();
        var left = Table("### Left out").Select(Cells).Select(c => (c[1], Convert.ToUInt32(c[2].Split(' ', ',')[0], 16))).ToList();
        Assert.True(left.Count >= 10, $"{left.Count} rows");
        Assert.All(left, l => Assert.DoesNotContain(l, captured));
    }

    [Fact]
    public void Every_kind_of_step_stands_there_in_the_order_of_a_restore_with_its_phase_and_reason()
    {
        // A register that is left out is left out where it would have been written.
        var types = StateTable.Parts.SelectMany(p => p.Step == typeof(WriteRegister) ? [p.Step, typeof(LeaveOut)] : new[] { p.Step }).ToList();
        var rows = Table("## Restore steps").Select(Cells).ToList();
        Assert.Equal(types.Select(t => ($"`{KebabCase.Of(t.Name)}`", Phase(t))), rows.Select(r => (r[0], r[1])));
        Assert.Equal(StateTable.Parts.Select(p => p.Why), rows.Where(r => r[0] != "`leave-out`").Select(r => r[^1]));

        var schema = JsonNode.Parse(File.ReadAllText(Path.Combine(Repository.Root, "schemas", "restore-plan.schema.json")))!["$defs"]!;
        var kinds = schema["RestoreStep"]!["oneOf"]!.AsArray().Select(c => schema[c!["$ref"]!.GetValue<string>().Split('/')[^1]]!["properties"]!["kind"]!["const"]!.GetValue<string>());
        Assert.Equal(kinds.Order(), rows.Select(r => r[0].Trim('`')).Order());

        static string Phase(Type step) => step.GetProperty(nameof(WriteRegister.When)) is not null
            ? "its `phase`" : KebabCase.Of(((RestoreStep)RuntimeHelpers.GetUninitializedObject(step)).Phase.ToString());
    }

    [Fact]
    public void Every_member_of_a_state_stands_there()
    {
        var schema = JsonNode.Parse(File.ReadAllText(Path.Combine(Repository.Root, "schemas", "machine-state.schema.json")))!;
        var members = schema["properties"]!.AsObject().Select(p => p.Key).Except(["schema", "vcpus"])
            .Concat(schema["$defs"]!["VcpuState"]!["properties"]!.AsObject().Select(p => $"vcpus[].{p.Key}"));
        Assert.Empty(members.Select(m => $"`{m}`").Except(Table("## Members").Select(r => Cells(r)[0])));
    }

    [Fact]
    public void Every_power_state_stands_there_with_KVMs_number() =>
        Assert.All(Enum.GetValues<MpState>(), s => Assert.Contains($"`{KebabCase.Of(s.ToString())}` ({(int)s})", Page));

    [Fact]
    public void Every_handler_stands_there_with_its_version_and_size()
    {
        var host = new FakeCallHost(3);
        Dictionary<string, (IVmHandler Handler, int Bytes)> three = new()
        {
            [Pl011.HandlerName] = (new Pl011(0, _ => { }), 16),
            [Psci.HandlerName] = (new Psci(host, new PsciVersion(1, 1), [0]), 16 + 3 * 24),
            [Sdei.HandlerName] = (new Sdei(host), 8 + 3 * 88),
        };
        var rows = Table("## Handlers").Select(Cells).ToList();
        Assert.Equal(HandlerTable.All.Select(kind => ($"`{kind.Name}`", $"{three[kind.Name].Handler.Version}")), rows.Select(r => (r[0], r[1])));
        Assert.Equal(["16, and 1 a character that waits", "16, and 24 a vCPU", "8, and 88 a vCPU, and 168 a handler that runs"], rows.Select(r => r[2]));
        Assert.All(three.Values, h => Assert.Equal(h.Bytes, h.Handler.Capture().Length));
        Assert.Contains($"the events {string.Join(", ", SdeiEvents.All.Select(e => Hex(e)))} in this order", Page);
        Assert.Contains($"At {Hex(Board.Console)}, interrupt {Board.ConsoleInterrupt}", Page);
        foreach (var kind in HandlerTable.All.Where(k => k.Forwarded.Count != 0))
            Assert.Contains($"Calls {string.Join(" and ", kind.Forwarded.Select(f => Hex(f.Base)))}, {kind.Forwarded.Select(f => f.Count).Distinct().Single()} each", rows.Single(r => r[0] == $"`{kind.Name}`")[^1]);
    }

    [Fact]
    public void The_bytes_of_a_handler_in_the_page_are_those_that_it_gives()
    {
        var host = new FakeCallHost(2);
        var psci = new Psci(host, new PsciVersion(1, 1), [0]);
        Assert.Equal(0UL, host.Call(psci, 0, 0xc400_0003, 1, 0x4008_0000, 0x4400_0000));
        var lines = Page.Split('\n').SkipWhile(l => !l.StartsWith("psci   ", StringComparison.Ordinal)).TakeWhile(l => l != "```").ToList();
        Assert.Equal(psci.Capture(), Convert.FromHexString(string.Concat(lines)["psci".Length..].Replace(" ", "")));
    }

    [Fact]
    public void The_attributes_in_the_page_are_those_of_a_recorded_state()
    {
        var state = (MachineState)DocumentFile.Read(File.ReadAllBytes(Repository.Data("lab", "6.12.neoverse-n1", "ran.state")), "ran.state").Value;
        var json = JsonEncoding.Encode(Documents.MachineState, state, indented: false);
        var lines = Page[Page.IndexOf("```json\n", StringComparison.Ordinal)..].Split('\n').Skip(1).TakeWhile(l => l != "```").ToList();
        Assert.True(lines.Count >= 4, $"{lines.Count} lines");
        Assert.Contains(string.Concat(lines), json);
    }

    private static string Group(string device, uint group) => string.Create(CultureInfo.InvariantCulture, $"{group} {Groups[(device, group)]}");

    /// <summary>Where a block's attributes are: bits 31:0, and whether each vCPU has them.</summary>
    private static string Where(AttributeBlock block)
    {
        var (first, second) = Halves(block);
        if (second.Count == 0) return Runs(first);
        var shared = first.Except(second).ToList();
        return $"{Runs(second)}, each vCPU{(shared.Count == 0 ? "" : $"; then {Runs(shared)}, once")}";
    }

    private static string Value(AttributeBlock block)
    {
        if (block.Use == AttributeUse.Command) return $"command, {block.Bytes} zero bytes";
        var (first, second) = Halves(block);
        var words = $"{block.Bytes} bytes";
        if (block.Use == AttributeUse.ClearOthers)
            words += $", the complement of {Runs([.. (second.Count == 0 ? first : second).Select(a => (uint)(a + block.SetRegisterAt))])}";
        if (block.Unset == 0) words += ", none where 0";
        else if (block.Unset is not null) words += ", none where all ones";
        if (block.AbsentWhen.Length != 0) words += $", none where {string.Join(", ", block.AbsentWhen.Select(LinuxException.NameOf))}";
        if (block.Reads.Length != 0) words += $"; reads the {block.Reads}";
        return block.ReadsWith == 0 ? words : $"{words} where bit {BitOperations.TrailingZeroCount(block.ReadsWith)} is set";
    }

    private static (List<uint> First, List<uint> Second) Halves(AttributeBlock block)
    {
        var vcpus = block.Attributes(Geometry).ToLookup(a => a >> 32, a => (uint)a);
        return ([.. vcpus[0]], [.. vcpus[1]]);
    }

    /// <summary>Three or more at one distance are a run; the order is kept.</summary>
    private static string Runs(IReadOnlyList<uint> numbers)
    {
        var words = new List<string>();
        for (var i = 0; i < numbers.Count;)
        {
            var end = i + 1;
            while (end + 1 < numbers.Count && numbers[end + 1] - numbers[end] == numbers[i + 1] - numbers[i]) end++;
            var isRun = end - i >= 2 && end < numbers.Count;
            words.Add(isRun ? $"{Hex(numbers[i])} to {Hex(numbers[end])} by {Hex(numbers[i + 1] - numbers[i])}" : Hex(numbers[i]));
            i = isRun ? end + 1 : i + 1;
        }
        return string.Join(", ", words);
    }

    private static string Hex(ulong value) => string.Create(CultureInfo.InvariantCulture, $"0x{value:x}");

    /// <summary>The rows of the first table under a heading.</summary>
    private static List<string> Table(string heading)
    {
        var lines = Page.Split('\n');
        var at = Array.IndexOf(lines, heading);
        Assert.True(at >= 0, $"no heading {heading}");
        return [.. lines.Skip(at + 1).TakeWhile(l => !l.StartsWith('#')).SkipWhile(l => !l.StartsWith("|---", StringComparison.Ordinal)).Skip(1).TakeWhile(l => l.StartsWith('|'))];
    }

    private static string[] Cells(string row) => [.. row.Trim('|', ' ').Split(" | ")];
}
