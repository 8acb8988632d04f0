using Migrate.Kvm.Scratch;
using Migrate.Model.Machines;
using Migrate.Model.Plans;

namespace Migrate.Tests.Kvm;

public class ScratchTests
{
    /// <summary>DDI 0487 C6; the assembler's spelling beside each.</summary>
    [Fact]
    public void Instructions_are_encoded_as_an_assembler_encodes_them()
    {
        Assert.Equal([0xd2824680, 0xf2a00000, 0xf2d579a0, 0xf2ffdde0], A64.Load(0, 0xfeef_abcd_0000_1234));
        Assert.Equal(0xf900012au, A64.Store(10, 9));          // str x10, [x9]
        Assert.Equal(0xb900012au, A64.Store32(10, 9));        // str w10, [x9]
        Assert.Equal(0x91000673u, A64.Add(19, 19, 1));        // add x19, x19, #1
        Assert.Equal(0x17ffffffu, A64.Branch(-1));            // b .-4
        Assert.Equal(A64.Forever, A64.Branch(0));             // b .
        Assert.Equal(0xd51be320u, A64.WriteSystem(0, 3, 3, 14, 3, 1)); // msr cntv_ctl_el0, x0
        Assert.Equal(0xd53be040u, A64.ReadSystem(0, 3, 3, 14, 0, 2));  // mrs x0, cntvct_el0
    }

    [Fact]
    public void A_scratch_machine_is_built_in_the_order_of_a_restore()
    {
        var steps = ScratchMachine.Steps(new ScratchOptions
        {
            Vcpus = 2,
            Features = VcpuFeatures.Psci02 | VcpuFeatures.Sve,
            HasGic = true,
        });
        Assert.Equal(
            ["CreateVm", "MapMemory", "CreateVcpu", "CreateVcpu", "FinalizeSve", "FinalizeSve", "CreateGic"],
            steps.Select(s => s.GetType().Name));
    }

    [Fact]
    public void Only_started_vcpus_are_on_and_without_PSCI_all_are()
    {
        IEnumerable<bool> Off(VcpuFeatures features) => ScratchMachine.Steps(new ScratchOptions { Vcpus = 2, Features = features })
            .OfType<CreateVcpu>().Select(c => c.Features.Has(VcpuFeatures.PowerOff));
        Assert.Equal([false, true], Off(VcpuFeatures.Psci02));
        Assert.Equal([false, false], Off(default));
    }
}
