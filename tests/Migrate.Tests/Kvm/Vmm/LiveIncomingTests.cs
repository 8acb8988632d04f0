using Migrate.Kvm.Vmm;
using Migrate.Model.Errors;
using Migrate.Model.Machines;

namespace Migrate.Tests.Kvm.Vmm;

/// <summary>What was built is started only if it is what is described.</summary>
public class LiveIncomingTests
{
    private static readonly VmDescription Described = new()
    {
        Name = "web1",
        Id = "0123456789abcdef0123456789abcdef",
        Type = new VmType(40),
        Features = VcpuFeatures.Psci02,
        VcpuCount = 3,
        Memory = [new MemorySlot(0, 0x4000_0000, 0x10000)],
    };

    [Fact]
    public void What_is_described_is_taken() => LiveIncoming.RequireDescribed(Described with { Features = Described.Features.Shape }, [0, 1, 2], Described);

    [Theory]
    [InlineData(0, 1, 3)]
    [InlineData(1, 2, 3)]
    [InlineData(0, 1)]
    [InlineData(0, 1, 2, 3)]
    [InlineData]
    public void Other_vCPUs_than_those_from_0_to_the_last_are_refused(params int[] vcpus)
    {
        var built = Described with { Features = Described.Features.Shape, VcpuCount = vcpus.Length };
        var error = Assert.Throws<MigrateException>(() => LiveIncoming.RequireDescribed(built, vcpus, Described));
        Assert.Equal((ErrorCode.WrongState, Stage.Apply, "the vCPUs that were built differ from the description"), (error.Code, error.Stage, error.Message));
    }

    [Fact]
    public void A_machine_without_vCPUs_is_none() => Assert.False((Described with { VcpuCount = 0 }).Has([]));

    [Fact]
    public void Another_part_is_refused_by_its_name()
    {
        var built = Described with { Features = Described.Features.Shape };
        Assert.Contains("VM type", Assert.Throws<MigrateException>(() => LiveIncoming.RequireDescribed(built with { Type = new VmType(36) }, [0, 1, 2], Described)).Message);
        Assert.Contains("memory slots", Assert.Throws<MigrateException>(() => LiveIncoming.RequireDescribed(built with { Memory = [] }, [0, 1, 2], Described)).Message);
    }
}
