using Migrate.Model.Encoding;
using Migrate.Model.Plans;

namespace Migrate.Tests.Model.Encoding;

public class LosslessTests
{
    private const int Seeds = 150;

    public static TheoryData<string> Names => DocumentCase.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void Nothing_is_lost_in_either_encoding_and_equal_values_are_equal_bytes(string name)
    {
        for (var seed = 0; seed < Seeds; seed++) DocumentCase.Of(name).CheckLossless(seed);
    }

    [Fact]
    public void The_generated_plans_have_every_kind_of_step()
    {
        var kinds = typeof(RestoreStep).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(RestoreStep)));
        Assert.Equal(kinds.OrderBy(t => t.Name), new RandomModel(1).EveryStep().Select(s => s.GetType()).Distinct().OrderBy(t => t.Name));
    }

    [Fact]
    public void The_generated_registers_have_every_size_from_1_to_256_bytes()
    {
        var random = new RandomModel(1);
        var sizes = Enumerable.Range(0, 400).SelectMany(_ => random.Vcpu(0).Registers).Select(r => r.Value.Size).Distinct().Order();
        Assert.Equal([1, 2, 4, 8, 16, 32, 64, 128, 256], sizes);
    }

    [Fact]
    public void Json_writes_a_register_on_one_line_with_its_name_which_readers_ignore_and_MessagePack_does_not_have()
    {
        var id = Migrate.Model.Registers.RegisterId.System(3, 0, 0, 4, 0);
        var address = new Migrate.Model.Ports.RegisterAddress(1, id);
        var json = JsonEncoding.Encode(Documents.RegisterAddress, address);
        Assert.Equal("""{"name":"ID_AA64PFR0_EL1","vcpu":1,"id":"0x603000000013c020"}""", json);
        Assert.Equal(address, JsonEncoding.Decode(Documents.RegisterAddress, """{"vcpu":1,"name":"another","id":"0x603000000013c020"}"""u8));
        Assert.Equal(-1, MessagePackEncoding.Encode(Documents.RegisterAddress, address).AsSpan().IndexOf("ID_AA64PFR0_EL1"u8));
    }

    [Fact]
    public void An_indented_state_has_one_line_a_register()
    {
        var state = new RandomModel(3).State();
        var lines = JsonEncoding.Encode(Documents.MachineState, state).Split('\n');
        var registers = state.Vcpus.Sum(v => v.Registers.Count);
        Assert.Equal(registers, lines.Count(l => l.TrimStart().StartsWith("{\"name\":", StringComparison.Ordinal) && l.Contains("\"value\"")));
    }
}
