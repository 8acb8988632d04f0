using Migrate.Model.Firmware;
using Migrate.Model.Registers;

namespace Migrate.Tests.Model.Firmware;

public class FirmwareRegistersTests
{
    [Theory]
    [InlineData("0.2", 0x2UL)]
    [InlineData("1.0", 0x10000UL)]
    [InlineData("1.1", 0x10001UL)]
    [InlineData("1.3", 0x10003UL)]
    [InlineData("32767.65535", 0x7fffffffUL)]
    public void A_psci_version_survives_text_and_register(string text, ulong register)
    {
        Assert.True(PsciVersion.TryParse(text, out var version));
        Assert.Equal(register, version.ToRegister());
        Assert.True(PsciVersion.TryFromRegister(register, out var back));
        Assert.Equal(version, back);
        Assert.Equal(text, back.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("1.")]
    [InlineData(".1")]
    [InlineData("1.1.1")]
    [InlineData("+1.1")]
    [InlineData("1.-1")]
    [InlineData(" 1.1")]
    [InlineData("01.1")]
    [InlineData("1.01")]
    [InlineData("1.65536")]
    [InlineData("32768.0")]
    [InlineData("99999999999.0")]
    public void Refuses_what_is_no_psci_version(string text) => Assert.False(PsciVersion.TryParse(text, out _));

    [Theory]
    [InlineData(0x8000_0000UL)]
    [InlineData(0xffff_ffffUL)]
    [InlineData(0x1_0001_0001UL)]
    [InlineData(ulong.MaxValue)]
    public void Refuses_a_register_value_that_is_no_version(ulong register) => Assert.False(PsciVersion.TryFromRegister(register, out _));

    [Fact]
    public void Versions_are_ordered_by_major_then_minor()
    {
        PsciVersion[] versions = [new(1, 3), new(0, 2), new(2, 0), new(1, 0)];
        Assert.Equal(["0.2", "1.0", "1.3", "2.0"], versions.Order().Select(v => v.ToString()));
    }

    [Theory]
    [InlineData(1, 0UL, "not-available")]
    [InlineData(1, 1UL, "available")]
    [InlineData(1, 2UL, "not-required")]
    [InlineData(3, 2UL, "not-required")]
    [InlineData(2, 0UL, "not-available")]
    [InlineData(2, 1UL, "unknown")]
    [InlineData(2, 2UL, "available")]
    [InlineData(2, 3UL, "not-required")]
    [InlineData(2, 0x12UL, "available, enabled")]
    public void A_workaround_level_survives_its_name(ushort workaround, ulong value, string name)
    {
        var id = RegisterId.Firmware(workaround);
        Assert.Equal(name, WorkaroundLevel.Name(id, value));
        Assert.True(WorkaroundLevel.TryParse(id, name, out var back));
        Assert.Equal(value, back);
    }

    [Theory]
    [InlineData(0, 1UL, "available")]
    [InlineData(1, 3UL, "unknown")]
    [InlineData(1, 0x11UL, "available, enabled")]
    [InlineData(2, 4UL, "Available")]
    [InlineData(2, 0x22UL, "available, enabled, enabled")]
    [InlineData(3, ulong.MaxValue, "")]
    public void Refuses_levels_that_a_workaround_does_not_have(ushort register, ulong value, string name)
    {
        Assert.Null(WorkaroundLevel.Name(RegisterId.Firmware(register), value));
        Assert.False(WorkaroundLevel.TryParse(RegisterId.Firmware(register), name, out _));
    }

    [Theory]
    [InlineData("PSCI_VERSION", 0x10003UL, "PSCI 1.3")]
    [InlineData("SMCCC_ARCH_WORKAROUND_1", 1UL, "Spectre v2 workaround: available")]
    [InlineData("SMCCC_ARCH_WORKAROUND_2", 3UL, "Spectre v4 workaround: not-required")]
    [InlineData("SMCCC_ARCH_WORKAROUND_3", 0UL, "Spectre-BHB workaround: not-available")]
    [InlineData("STD_HYP_BMAP", 1UL, "STD_HYP_BMAP services: PV_TIME")]
    [InlineData("VENDOR_HYP_BMAP_2", 3UL, "VENDOR_HYP_BMAP_2 services: DISCOVER_IMPL_VER, DISCOVER_IMPL_CPUS")]
    public void A_firmware_value_is_explained_in_a_phrase(string register, ulong value, string expected)
    {
        Assert.True(RegisterCatalog.TryFind(register, out var id));
        Assert.Equal(expected, FirmwareRegisters.Explain(id, value));
    }

    [Fact]
    public void Other_registers_and_meaningless_values_are_not_explained()
    {
        Assert.Null(FirmwareRegisters.Explain(RegisterId.Core(0, 8), 1));
        Assert.Null(FirmwareRegisters.Explain(FirmwareRegisters.PsciVersion, ulong.MaxValue));
        Assert.Null(FirmwareRegisters.Bitmap(RegisterId.Firmware(0)));
    }
}
