using Migrate.Model.Registers;

namespace Migrate.Tests.Model.Registers;

public class RegisterCatalogTests
{
    [Fact]
    public void Every_name_leads_back_to_its_register()
    {
        Assert.True(RegisterCatalog.All.Count > 500, $"only {RegisterCatalog.All.Count} registers");
        foreach (var info in RegisterCatalog.All)
        {
            Assert.Equal(info.Name, RegisterCatalog.Name(info.Id));
            Assert.Same(info, RegisterCatalog.Find(info.Id));
            Assert.True(RegisterCatalog.TryFind(info.Name.ToLowerInvariant(), out var id), info.Name);
            Assert.Equal(info.Id, id);
            Assert.True(id.IsWellFormed, info.Name);
        }
    }

    [Fact]
    public void No_two_registers_share_an_id_or_a_name()
    {
        Assert.Equal(RegisterCatalog.All.Count, RegisterCatalog.All.Select(r => r.Id).Distinct().Count());
        Assert.Equal(RegisterCatalog.All.Count, RegisterCatalog.All.Select(r => r.Name).Distinct(StringComparer.OrdinalIgnoreCase).Count());
    }

    [Theory]
    [InlineData(0x6030000000100000, "X0")]
    [InlineData(0x603000000010003c, "X30")]
    [InlineData(0x603000000010003e, "SP_EL0")]
    [InlineData(0x6030000000100040, "PC")]
    [InlineData(0x6030000000100042, "PSTATE")]
    [InlineData(0x6030000000100044, "SP_EL1")]
    [InlineData(0x6030000000100048, "SPSR_EL1")]
    [InlineData(0x6030000000100050, "SPSR_fiq")]
    [InlineData(0x6040000000100060, "V3")]
    [InlineData(0x60200000001000d4, "FPSR")]
    [InlineData(0x60200000001000d5, "FPCR")]
    [InlineData(0x606000000015ffff, "SVE_VLS")]
    [InlineData(0x6080000000150000, "Z0")]
    [InlineData(0x6080000000150020, "Z1")]
    [InlineData(0x6050000000150400, "P0")]
    [InlineData(0x6050000000150600, "FFR")]
    [InlineData(0x6020000000110002, "CCSIDR[2]")]
    [InlineData(0x6030000000140000, "PSCI_VERSION")]
    [InlineData(0x6030000000140001, "SMCCC_ARCH_WORKAROUND_1")]
    [InlineData(0x6030000000160000, "STD_BMAP")]
    [InlineData(0x6030000000160003, "VENDOR_HYP_BMAP_2")]
    [InlineData(0x603000000013c103, "TCR2_EL1")]
    [InlineData(0x603000000013c512, "PIRE0_EL1")]
    [InlineData(0x603000000013c513, "PIR_EL1")]
    [InlineData(0x603000000013c039, "ID_AA64MMFR1_EL1")]
    [InlineData(0x603000000013c000, "MIDR_EL1")]
    [InlineData(0x603000000013d801, "CTR_EL0")]
    [InlineData(0x603000000013df19, "CNTV_CTL_EL0")]
    [InlineData(0x603000000013df02, "CNTV_CVAL_EL0")]
    [InlineData(0x603000000013df1a, "CNTVCT_EL0")]
    [InlineData(0x603000000013df11, "CNTP_CTL_EL0")]
    [InlineData(0x603000000013df01, "CNTPCT_EL0")]
    [InlineData(0x603000000013801c, "DBGBVR3_EL1")]
    [InlineData(0x603000000013807f, "DBGWCR15_EL1")]
    [InlineData(0x603000000013df44, "PMEVCNTR4_EL0")]
    [InlineData(0x603000000013df7e, "PMEVTYPER30_EL0")]
    [InlineData(0x603000000013df7f, "PMCCFILTR_EL0")]
    [InlineData(0x603000000013f208, "SP_EL2")]
    [InlineData(0x603000000013c026, "S3_0_C0_C4_6")]
    public void Names_are_those_of_the_architecture_and_of_KVM(ulong id, string name)
    {
        Assert.Equal(name, RegisterCatalog.Name(new RegisterId(id)));
        Assert.True(RegisterCatalog.TryFind(name, out var found));
        Assert.Equal(id, found.Value);
    }

    [Theory]
    [InlineData(0UL)]
    [InlineData(ulong.MaxValue)]
    [InlineData(0x6020000000100000UL)] // X0 with four bytes
    [InlineData(0x602000000013c103UL)] // TCR2_EL1 with four bytes
    [InlineData(0x603000001013c103UL)] // TCR2_EL1 with a bit above the class
    [InlineData(0x613000000013c103UL)] // of another architecture
    [InlineData(0x6080000000150001UL)] // Z0, slice 1
    [InlineData(0x602000000011000eUL)] // a fifteenth cache
    [InlineData(0x6030000000990000UL)] // an unknown class
    public void An_id_without_a_name_keeps_its_hexadecimal_form(ulong id)
    {
        var expected = $"0x{id:x16}";
        Assert.Equal(expected, RegisterCatalog.Name(new RegisterId(id)));
        Assert.Null(RegisterCatalog.Find(new RegisterId(id)));
        Assert.True(RegisterCatalog.TryFind(expected, out var found));
        Assert.Equal(id, found.Value);
    }

    [Fact]
    public void An_encoding_finds_a_register_whether_or_not_it_has_a_name()
    {
        Assert.True(RegisterCatalog.TryFind("s3_0_c2_c0_3", out var named));
        Assert.Equal("TCR2_EL1", RegisterCatalog.Name(named));
        Assert.True(RegisterCatalog.TryFind("S3_7_C15_C15_7", out var unnamed));
        Assert.Equal("S3_7_C15_C15_7", RegisterCatalog.Name(unnamed));
    }

    [Theory]
    [InlineData("")]
    [InlineData("X31")]
    [InlineData("TCR2")]
    [InlineData("TCR2_EL1 ")]
    [InlineData("S4_0_C0_C0_0")]
    [InlineData("S3_8_C0_C0_0")]
    [InlineData("S3_0_C16_C0_0")]
    [InlineData("S3_0_C0_C99_0")]
    [InlineData("S3_0_C0_C0_8")]
    [InlineData("S3_0_C0_C0")]
    [InlineData("S3_0_C0_C0_0\n")]
    [InlineData("0x")]
    [InlineData("0x1 ")]
    [InlineData("0x60300000001000000")]
    [InlineData("603000000010003c")]
    public void Refuses_what_is_no_name(string name) => Assert.False(RegisterCatalog.TryFind(name, out _));
}
