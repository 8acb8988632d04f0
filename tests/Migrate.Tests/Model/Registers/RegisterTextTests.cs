using Migrate.Model.Registers;

namespace Migrate.Tests.Model.Registers;

public class RegisterTextTests
{
    [Theory]
    [InlineData("PSCI_VERSION", 0x10003UL, "1.3")]
    [InlineData("PSCI_VERSION", 0xffffffffUL, "0xffffffff")]
    [InlineData("SMCCC_ARCH_WORKAROUND_1", 2UL, "not-required")]
    [InlineData("SMCCC_ARCH_WORKAROUND_2", 0x12UL, "available, enabled")]
    [InlineData("SMCCC_ARCH_WORKAROUND_3", 3UL, "0x3")]
    [InlineData("STD_BMAP", 0UL, "none")]
    [InlineData("VENDOR_HYP_BMAP", 3UL, "FUNC_FEAT, PTP")]
    [InlineData("VENDOR_HYP_BMAP", 0x82UL, "PTP, bit 7")]
    [InlineData("X0", 0x1de7UL, "0x1de7")]
    [InlineData("X0", 0UL, "0")]
    [InlineData("S3_0_C0_C4_6", 0x30UL, "0x30")]
    public void Values_read_as_people_say_them(string register, ulong value, string expected) =>
        Assert.Equal(expected, RegisterText.Describe(Id(register), new RegisterValue(value)));

    [Fact]
    public void Vector_lengths_are_named_in_bits()
    {
        var bytes = new byte[64];
        Assert.Equal("none", RegisterText.Describe(Id("SVE_VLS"), new RegisterValue(bytes)));
        bytes[0] = 0b1011;
        Assert.Equal("128, 256, 512 bits", RegisterText.Describe(Id("SVE_VLS"), new RegisterValue(bytes)));
    }

    [Fact]
    public void A_value_of_another_size_than_its_register_is_still_described()
    {
        Assert.Equal("0x3", RegisterText.Describe(Id("SVE_VLS"), new RegisterValue(3)));
        Assert.Equal("0x10001", RegisterText.Describe(Id("PSCI_VERSION"), new RegisterValue(0x10001, 4)));
        Assert.Equal("no value", RegisterText.Describe(Id("X0"), default));
    }

    [Fact]
    public void Equal_values_have_no_difference() => Assert.Empty(Compare("ID_AA64MMFR1_EL1", 5, 5));

    [Theory]
    [InlineData("ID_AA64MMFR1_EL1", 1UL << 60, 0UL, "ID_AA64MMFR1_EL1.ECBHB: 1 here, 0 there")]
    [InlineData("ID_AA64PFR0_EL1", 1UL << 24, 0UL, "ID_AA64PFR0_EL1.GIC: 1 (GICv3) here, 0 (none) there")]
    [InlineData("ID_AA64PFR0_EL1", 0xfUL << 16, 0UL, "ID_AA64PFR0_EL1.FP: -1 (none) here, 0 there")]
    [InlineData("ID_AA64MMFR0_EL1", 3UL << 48, 0UL, "ID_AA64MMFR0_EL1 bits 51:48: 3 here, 0 there")]
    [InlineData("ID_AA64SMFR0_EL1", 1UL << 62, 0UL, "ID_AA64SMFR0_EL1 bit 62: 1 here, 0 there")]
    [InlineData("CTR_EL0", 1UL << 30, 0UL, "CTR_EL0 bit 30: 1 here, 0 there")]
    [InlineData("CTR_EL0", 1UL << 63, 0UL, "CTR_EL0 bits 63:60: 8 here, 0 there")]
    [InlineData("MIDR_EL1", 0x41000000UL, 0xc0000000UL, "MIDR_EL1.Implementer: 0x41 (Arm) here, 0xc0 (Ampere) there")]
    [InlineData("PSCI_VERSION", 0x10003UL, 0x10001UL, "PSCI_VERSION: 1.3 here, 1.1 there")]
    [InlineData("STD_BMAP", 1UL, 0UL, "STD_BMAP.TRNG: 1 here, 0 there")]
    [InlineData("TCR2_EL1", 0x10UL, 0UL, "TCR2_EL1: 0x10 here, 0 there")]
    [InlineData("S3_0_C0_C4_6", 1UL, 0UL, "S3_0_C0_C4_6: 0x1 here, 0 there")]
    [InlineData("0x6030000000990000", 1UL, 0UL, "0x6030000000990000: 0x1 here, 0 there")]
    public void A_difference_names_its_place_and_both_values(string register, ulong here, ulong there, string expected) =>
        Assert.Equal(expected, Assert.Single(Compare(register, here, there)).ToString());

    [Fact]
    public void Differences_account_for_every_differing_bit_once_and_for_no_equal_place()
    {
        (ulong, ulong)[] pairs = [(0, ulong.MaxValue), (0x5aa5_0ff0_1248_8421, 0x1234_5678_9abc_def0), (1, 2)];
        foreach (var info in RegisterCatalog.All.Where(r => r.Id.Size == 8))
            foreach (var (here, there) in pairs)
            {
                var seen = 0UL;
                foreach (var difference in Compare(info.Name, here, there))
                {
                    Assert.Equal(0UL, seen & difference.Mask);
                    Assert.NotEqual(here & difference.Mask, there & difference.Mask);
                    seen |= difference.Mask;
                }
                Assert.Equal(here & ~seen, there & ~seen);
            }
    }

    [Fact]
    public void Several_fields_come_highest_first() =>
        Assert.Equal(
            ["ID_AA64MMFR3_EL1.S1PIE", "ID_AA64MMFR3_EL1.SCTLRX", "ID_AA64MMFR3_EL1.TCRX"],
            Compare("ID_AA64MMFR3_EL1", 0x111, 0).Select(d => d.Where));

    [Fact]
    public void A_wide_register_and_one_of_another_size_differ_as_a_whole()
    {
        var one = new RegisterValue([1, .. new byte[15]]);
        var wide = Assert.Single(RegisterText.Differences(Id("V3"), new RegisterValue(new byte[16]), one));
        Assert.Equal(("V3: 0 here, 0x1 there", 0UL), (wide.ToString(), wide.Mask));
        var sizes = Assert.Single(RegisterText.Differences(Id("CTR_EL0"), new RegisterValue(1), new RegisterValue(1, 4)));
        Assert.Equal("CTR_EL0", sizes.Where);
        var missing = Assert.Single(RegisterText.Differences(Id("CTR_EL0"), default, new RegisterValue(1)));
        Assert.Equal("CTR_EL0: no value here, 0x1 there", missing.ToString());
    }

    private static IReadOnlyList<RegisterDifference> Compare(string register, ulong here, ulong there) =>
        RegisterText.Differences(Id(register), new RegisterValue(here), new RegisterValue(there));

    private static RegisterId Id(string name)
    {
        Assert.True(RegisterCatalog.TryFind(name, out var id), name);
        return id;
    }
}
