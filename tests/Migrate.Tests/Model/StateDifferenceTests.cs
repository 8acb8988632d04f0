using Migrate.Model.Foreign;
using Migrate.Model.Machines;
using Migrate.Model.Registers;

namespace Migrate.Tests.Model;

public class StateDifferenceTests
{
    private static MachineState Capture(string name) => ForeignFile.TryRead(File.ReadAllBytes(Repository.Data("captures", name + ".txt")), name + ".txt")!.ToState();

    [Fact]
    public void A_state_does_not_differ_from_itself() => Assert.Empty(StateDifference.Between(Capture("6.12.max.all"), Capture("6.12.max.all")));

    [Fact]
    public void A_changed_field_is_named_with_both_values()
    {
        var here = Capture("6.12.max.all");
        RegisterCatalog.TryFind("ID_AA64MMFR1_EL1", out var id);
        here.Vcpus[0].Registers.TryGet(id, out var value);
        var changed = here with { Vcpus = [here.Vcpus[0] with { Registers = here.Vcpus[0].Registers.With(new Register(id, new RegisterValue(value.Low ^ 1UL << 60))) }] };
        var difference = Assert.Single(StateDifference.Between(here, changed));
        Assert.Equal("vCPU 0 ID_AA64MMFR1_EL1.ECBHB", difference.Subject);
        Assert.NotEqual(difference.Here, difference.There);
    }

    [Fact]
    public void A_register_that_one_side_lacks_is_a_dash_there()
    {
        var differences = StateDifference.Between(Capture("7.2.neoverse-n1.all"), Capture("6.12.neoverse-n1.all")).ToList();
        Assert.Contains(new StateDifference("vCPU 0 VENDOR_HYP_BMAP_2", "none", "-"), differences);
        Assert.Contains(differences, d => d.Subject == "vCPU 0 TCR2_EL1" && d.Here == "-");
    }

    [Fact]
    public void The_description_is_compared_too()
    {
        var here = Capture("6.12.max.all");
        var there = here with { Vm = here.Vm with { VcpuCount = 1, SmcccFilter = [new SmcccFilterRange(0x8400_0000, 32, SmcccAction.ForwardToUser)] } };
        Assert.Equal("SMCCC filter", Assert.Single(StateDifference.Between(here, there)).Subject);
    }
}
