using System.Text.Json.Nodes;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;

namespace Migrate.Tests.Model.Encoding;

/// <summary>The twins of <see cref="LosslessTests"/>: a valid document, one thing changed, and the sentence that refuses it.</summary>
public class DocumentRejectionTests
{
    private const string Id = "0x603000000013c020";
    private const string Value = "0x0000000000000001";

    private const string State = $$$"""
        {"schema":"vmmigrate/machine-state/1",
         "vm":{"name":"a","id":"00112233445566778899aabbccddeeff","type":"0x0000000000000028","features":["psci_0_2"],"vcpuCount":1,
          "memory":[{"slot":0,"guestAddress":"0x0000000040000000","size":"0x0000000000100000"},{"slot":1,"guestAddress":"0x0000000080000000","size":"0x0000000000001000"}],
          "smcccFilter":[{"base":0,"count":1,"action":"deny"}],
          "attributes":[{"name":"cap.arm-mte","type":"flag","required":true}]},
         "vcpus":[{"index":0,"registers":[{"id":"{{{Id}}}","value":"{{{Value}}}"}]}]}
        """;

    private const string Profile = $$$"""
        {"schema":"vmmigrate/host-profile/1","boot":{},"evidence":"measured",
         "shapes":[{"features":["psci_0_2"],"registers":[{"id":"{{{Id}}}","reset":"{{{Value}}}","stored":{"keep":"0x00000000000000ff"},
          "when":[{"controller":"{{{Id}}}","shift":0,"width":4,"values":1,"accepts":{"kind":"one-of","values":["{{{Value}}}"]}}],
          "accepts":{"kind":"fields","rest":"0x0000000000000000","fields":[{"shift":0,"width":4,"mask":3},{"shift":60,"width":4,"mask":3}]}}]}]}
        """;

    private const string Plan = $$$"""
        {"schema":"vmmigrate/restore-plan/1","verdict":"yes","policy":"vmmigrate","evidence":"measured","findings":[],
         "steps":[{"kind":"finalize-sve","vcpu":0},{"kind":"write-register","vcpu":0,"id":"{{{Id}}}","value":"{{{Value}}}","phase":"apply"}]}
        """;

    /// <summary>Document, member to change, its new JSON (empty: remove it), the path and the reason.</summary>
    public static TheoryData<string, string, string, string> Changes => new()
    {
        { State, "vm.vcpuCount", "0", "$.vm.vcpuCount: 0 is not within 1 to 512" },
        { State, "vm.vcpuCount", "513", "$.vm.vcpuCount: 513 is not within 1 to 512" },
        { State, "vm.vcpuCount", "2", "$: 1 vCPU states for 2 vCPUs" },
        { State, "vm.vcpuCount", "1.5", "$.vm.vcpuCount: not a whole number" },
        { State, "vm.vcpuCount", "\"1\"", "$.vm.vcpuCount: a number expected, text found" },
        { State, "vm.vcpuCount", "99999999999999999999", "$.vm.vcpuCount: not a whole number" },
        { State, "vm.memory", "", "$.vm: member 'memory' is missing" },
        { State, "vm.memory", "null", "$.vm.memory: an array expected, null found" },
        { State, "vm.colour", "1", "$.vm: unknown member 'colour'" },
        { State, "vm.name", "\"a\\u001b[2J\"", "$.vm.name: character 001b may not be in a line of text" },
        { State, "vm.name", $"\"{LongName}\"", "$.vm.name: a text of 257 characters, the limit is 256" },
        { State, "vm.id", "\"00112233445566778899AABBCCDDEEFF\"", "$.vm.id: not 32 lowercase hexadecimal digits" },
        { State, "vm.type", "\"0x0000000000000039\"", "$.vm.type: 57 bits of guest address" },
        { State, "vm.type", "\"0x28\"", "$.vm.type: not 0x and 16 lowercase hexadecimal digits" },
        { State, "vm.type", "\"0x000000000000002A\"", "$.vm.type: not 0x and lowercase hexadecimal digits" },
        { State, "vm.features", "[\"psci_0_2\",\"psci_0_2\"]", "$.vm.features: feature 'psci_0_2' is there twice" },
        { State, "vm.features", "[\"turbo\"]", "$.vm.features: 'turbo' is no vCPU feature" },
        { State, "vm.memory.0.size", "\"0x0000000000000000\"", "$.vm.memory[0]: slot 0 has no memory" },
        { State, "vm.memory.0.size", "\"0x0000000000000800\"", "$.vm.memory[0]: slot 0 is not aligned" },
        { State, "vm.memory.0.size", "\"0x0000000080000000\"", "$.vm.memory: slots 0 and 1 overlap" },
        { State, "vm.memory.0.guestAddress", "\"0xfffffffffffff000\"", "$.vm.memory[0]: slot 0 ends beyond 56 bits" },
        { State, "vm.memory.0.slot", "-1", "$.vm.memory[0].slot: -1 is not within 0 to 32767" },
        { State, "vm.memory.1.slot", "0", "$.vm.memory: slot 0 is there twice" },
        { State, "vm.smcccFilter.0.count", "0", "$.vm.smcccFilter[0]: a range of no function ids" },
        { State, "vm.smcccFilter.0.base", "4294967296", "$.vm.smcccFilter[0].base: 4294967296 is not within" },
        { State, "vm.smcccFilter.0.action", "\"explode\"", "$.vm.smcccFilter[0].action: 'explode' is no smccc action; known: handle, deny, forward-to-user" },
        { State, "vm.attributes.0.value", "\"00\"", "$.vm.attributes[0]: the flag cap.arm-mte has a value" },
        { State, "vm.attributes.0.type", "\"number\"", "$.vm.attributes[0]: the number cap.arm-mte has 0 bytes" },
        { State, "vm.attributes.0.value", "\"0\"", "$.vm.attributes[0].value: not lowercase hexadecimal digits" },
        { State, "vm.attributes.0.name", "\"no name\"", "$.vm.attributes[0].name: not a name" },
        { State, "vcpus.0.index", "1", "$: vCPU 1 stands where vCPU 0 is due" },
        { State, "vcpus.0.registers.0.value", "\"0x01\"", "$.vcpus[0].registers[0]: register 0x603000000013c020 has 8 bytes, its value has 1" },
        { State, "vcpus.0.registers.0.value", "\"0x\"", "$.vcpus[0].registers[0].value: not 0x and two lowercase hexadecimal digits a byte" },
        { State, "vcpus.0.registers.0.id", "\"0x403000000013c020\"", "$.vcpus[0].registers[0].id: 0x403000000013c020 is no arm64 KVM register id" },
        { State, "vcpus.0.registers", $$$"""[{"id":"{{{Id}}}","value":"{{{Value}}}"},{"id":"{{{Id}}}","value":"{{{Value}}}"}]""", "$.vcpus[0].registers: register 0x603000000013c020 appears twice" },
        { State, "vcpus.0.unreadable", $$"""[{"id":"{{Id}}","errno":2}]""", "$.vcpus[0]: register 0x603000000013c020 is both readable and unreadable" },
        { State, "schema", "\"vmmigrate/host-profile/1\"", "$: the schema is 'vmmigrate/host-profile/1', wanted is 'vmmigrate/machine-state/1'" },
        { Profile, "shapes.0.registers.0.accepts.fields.0.width", "0", "accepts.fields[0].width: 0 is not within 1 to 4" },
        { Profile, "shapes.0.registers.0.accepts.fields.0.width", "5", "accepts.fields[0].width: 5 is not within 1 to 4" },
        { Profile, "shapes.0.registers.0.accepts.fields.0.mask", "65536", "accepts.fields[0].mask: 65536 is not within 0 to 65535" },
        { Profile, "shapes.0.registers.0.accepts.fields.1.shift", "61", "accepts.fields[1]: a field of 4 bits at bit 61 does not fit in 64 bits" },
        { Profile, "shapes.0.registers.0.accepts.fields.1.shift", "3", "accepts: the field at bit 3 overlaps another" },
        { Profile, "shapes.0.registers.0.accepts.kind", "\"any\"", "accepts: fields or rest without fields as its kind" },
        { Profile, "shapes.0.registers.0.accepts.errno", "0", "accepts.errno: 0 is not within 1 to 4095" },
        { Profile, "shapes.0.registers.0.reset", "\"0x01\"", "$.shapes[0].registers[0]: register 0x603000000013c020 has 8 bytes, its value has 1" },
        { Profile, "shapes.0.registers.0.stored.set", "\"0x0000000000000001\"", "stored: a bit is both kept and set" },
        { Profile, "shapes.0.registers.0.accepts.fields.0", """{"shift":0,"width":1,"mask":4}""", "accepts.fields[0]: a mask of 0x4 names values" },
        { Profile, "shapes.0.registers.0.when.0.values", "4294967296", "when[0].values: 4294967296 is not within" },
        { Profile, "shapes.0.registers.0.when.0.accepts.values", "[\"0x01\"]", "$.shapes[0].registers[0]: register 0x603000000013c020 has 8 bytes, its value has 1" },
        { Profile, "shapes.0.features", "[\"power_off\"]", "$.shapes[0].features: power_off is no part of a shape" },
        { Profile, "shapes.0.evidence", "\"tried\"", "$: the shape psci_0_2 has stronger evidence than its profile" },
        { Profile, "evidence", "\"tried\"", "$.evidence: a profile is measured or assumed" },
        { Profile, "boot.pageSize", "8192", "$.boot.pageSize: 8192 is no page size of arm64" },
        { Profile, "ipaSizes", "[40,40]", "$.ipaSizes: 40 is there twice" },
        { Plan, "steps.0.kind", "\"reboot\"", "$.steps[0].kind: 'reboot' is no kind of RestoreStep; known: create-vm" },
        { Plan, "steps.0.kind", "", "$.steps[0]: the first member must be 'kind'" },
        { Plan, "steps.0.vcpu", "512", "$.steps[0].vcpu: 512 is not within 0 to 511" },
        { Plan, "steps.1.readsBack", "\"0x01\"", "$.steps[1]: register 0x603000000013c020 has 8 bytes, its value has 1" },
        { Plan, "steps.1.captured", "\"0x01\"", "$.steps[1]: register 0x603000000013c020 has 8 bytes, its value has 1" },
        { Plan, "steps.1.phase", "\"later\"", "$.steps[1].phase: 'later' is no step phase; known: prepare, apply" },
        { Plan, "verdict", "\"maybe\"", "$.verdict: 'maybe' is no verdict; known: yes, no, unproven" },
    };

    private static string LongName => new('x', 257);

    [Fact]
    public void The_documents_that_the_changes_start_from_are_valid()
    {
        foreach (var json in new[] { State, Profile, Plan }) Decode(json);
    }

    [Theory]
    [MemberData(nameof(Changes))]
    public void Refuses_one_wrong_member_with_its_path_and_the_reason(string document, string member, string json, string message)
    {
        var root = JsonNode.Parse(document)!;
        var steps = member.Split('.');
        var parent = steps[..^1].Aggregate(root, (node, step) => int.TryParse(step, out var i) ? node[i]! : node[step]!);
        if (json.Length == 0) parent.AsObject().Remove(steps[^1]);
        else if (parent is JsonArray list) list[int.Parse(steps[^1])] = JsonNode.Parse(json);
        else parent[steps[^1]] = JsonNode.Parse(json);

        var error = Assert.ThrowsAny<MigrateException>(() => Decode(root.ToJsonString(), document));
        Assert.Contains(message, error.Message);
        Assert.Contains("at byte ", error.Message);
        Assert.DoesNotContain('\n', error.Message);
        Assert.Equal(Stage.Input, error.Stage);
    }

    [Theory]
    [InlineData("""{"vcpu":1,"vcpu":1,"id":"0x603000000013c020"}""", "$.vcpu: the member is there twice (at byte 10)")]
    [InlineData("""{"vcpu":1,"id":"0x603000000013c020",}""", "line 1, column 37")]
    [InlineData("""{"vcpu":1,/* */"id":"0x603000000013c020"}""", "not JSON")]
    [InlineData("""{"vcpu":1,"id":"0x603000000013c020"} {}""", "not JSON")]
    [InlineData("""{"vcpu":1,"id":"0x603000000013c020" """, "not JSON")]
    [InlineData("""{"vcpu":01,"id":"0x603000000013c020"}""", "not JSON")]
    [InlineData("""{"vcpu":1,"id":"0x603000000013c020","name":["X0"]}""", "$.name: text expected, an array found")]
    [InlineData("""{"vcpu":1,"id":"\ud800"}""", "$.id: not 0x and lowercase hexadecimal digits")]
    [InlineData("""{"vcpu":1,"name":"\ud800"}""", "$.name: text that is not Unicode")]
    [InlineData("", "not JSON")]
    public void Refuses_JSON_that_is_only_almost_right(string json, string message)
    {
        var error = Assert.ThrowsAny<MigrateException>(() => JsonEncoding.Decode(Documents.RegisterAddress, System.Text.Encoding.UTF8.GetBytes(json)));
        Assert.Equal(ErrorCode.Malformed, error.Code);
        Assert.Contains(message, error.Message);
    }

    [Fact]
    public void Refuses_nesting_where_the_shape_has_none()
    {
        var deep = System.Text.Encoding.UTF8.GetBytes($$"""{"schema":{{new string('[', 100_000)}}""");
        Assert.Contains("$.schema: text expected, an array found", Assert.ThrowsAny<MigrateException>(() => JsonEncoding.Decode(Documents.MachineState, deep)).Message);
    }

    [Fact]
    public void Refuses_a_help_for_people_in_MessagePack()
    {
        byte[] bytes = [0x83, 0xa4, .. "name"u8, 0xa2, .. "X0"u8, 0xa4, .. "vcpu"u8, 0, 0xa2, .. "id"u8, 0xcf, 0x60, 0x30, 0, 0, 0, 0x13, 0xc0, 0x20];
        var error = Assert.ThrowsAny<MigrateException>(() => MessagePackEncoding.Decode(Documents.RegisterAddress, bytes));
        Assert.Contains("$: unknown member 'name'", error.Message);
        byte[] without = [0x82, .. bytes.AsSpan(9)];
        Assert.Equal(0, MessagePackEncoding.Decode(Documents.RegisterAddress, without).Vcpu);
    }

    [Fact]
    public void Refuses_a_MessagePack_map_with_a_member_twice_or_bytes_behind_it()
    {
        byte[] address = MessagePackEncoding.Encode(Documents.RegisterAddress, new RandomModel(0).Address());
        byte[] twice = [0x83, .. address.AsSpan(1), 0xa4, .. "vcpu"u8, 0];
        Assert.Contains("$.vcpu: the member is there twice", Assert.ThrowsAny<MigrateException>(() => MessagePackEncoding.Decode(Documents.RegisterAddress, twice)).Message);
        Assert.ThrowsAny<MigrateException>(() => MessagePackEncoding.Decode(Documents.RegisterAddress, [.. address, 0]));
    }

    [Fact]
    public void Writes_nothing_that_could_not_be_read()
    {
        var vm = new RandomModel(1).Vm(1) with { Memory = [new(3, 0, 0)] };
        var error = Assert.ThrowsAny<MigrateException>(() => MessagePackEncoding.Encode(Documents.VmDescription, vm));
        Assert.Equal("cannot be written: $.memory[0]: slot 3 has no memory", error.Message);
        Assert.ThrowsAny<MigrateException>(() => JsonEncoding.Encode(Documents.StepAnswer, new(0, "two\nlines")));
        Assert.Equal("two lines", JsonEncoding.Decode(Shapes.Text, System.Text.Encoding.UTF8.GetBytes(JsonEncoding.Encode(Shapes.Text, Shapes.OneLine("two\nlines")))));
    }

    private static void Decode(string json, string? kind = null)
    {
        var utf8 = System.Text.Encoding.UTF8.GetBytes(json);
        switch (kind ?? json)
        {
            case State: JsonEncoding.Decode(Documents.MachineState, utf8); break;
            case Profile: JsonEncoding.Decode(Documents.HostProfile, utf8); break;
            default: JsonEncoding.Decode(Documents.RestorePlan, utf8); break;
        }
    }
}
