using Migrate.Model.Registers;

namespace Migrate.Tests.Model.Registers;

public class RegisterFieldTests
{
    [Fact]
    public void Fields_never_overlap_and_lie_inside_their_register()
    {
        foreach (var info in RegisterCatalog.All)
        {
            var taken = 0UL;
            foreach (var field in info.Fields)
            {
                Assert.True(field is { Shift: >= 0, Width: >= 1 }, $"{info.Name}.{field.Name}");
                Assert.True(field.Shift + field.Width <= 8 * info.Id.Size, $"{info.Name}.{field.Name}");
                Assert.True((taken & field.Mask) == 0, $"{info.Name}.{field.Name} overlaps");
                taken |= field.Mask;
            }
            Assert.Equal(info.Fields.Count, info.Fields.Select(f => f.Name).Distinct(StringComparer.OrdinalIgnoreCase).Count());
            Assert.Equal(info.Fields.OrderByDescending(f => f.Shift), info.Fields);
        }
    }

    [Fact]
    public void Every_allocated_feature_register_has_fields()
    {
        var bare = RegisterCatalog.All
            .Where(r => r.Name.StartsWith("ID_", StringComparison.Ordinal) || r.Name.StartsWith("MVFR", StringComparison.Ordinal))
            .Where(r => r.Fields.Count == 0)
            .Select(r => r.Name);
        Assert.Equal(["ID_AA64AFR1_EL1"], bare);
    }

    [Theory]
    [InlineData("ID_AA64MMFR1_EL1", "ECBHB", 60, 4, false)]
    [InlineData("ID_AA64MMFR3_EL1", "TCRX", 0, 4, false)]
    [InlineData("ID_AA64MMFR3_EL1", "S1PIE", 8, 4, false)]
    [InlineData("ID_AA64MMFR3_EL1", "SCTLRX", 4, 4, false)]
    [InlineData("ID_AA64PFR0_EL1", "GIC", 24, 4, false)]
    [InlineData("ID_AA64PFR0_EL1", "FP", 16, 4, true)]
    [InlineData("ID_AA64PFR1_EL1", "SSBS", 4, 4, false)]
    [InlineData("ID_AA64PFR1_EL1", "MTE_frac", 40, 4, true)]
    [InlineData("ID_AA64DFR0_EL1", "PMUVer", 8, 4, false)]
    [InlineData("ID_AA64SMFR0_EL1", "FA64", 63, 1, false)]
    [InlineData("ID_MMFR0_EL1", "InnerShr", 28, 4, true)]
    [InlineData("CTR_EL0", "L1Ip", 14, 2, false)]
    [InlineData("CLIDR_EL1", "LoC", 24, 3, false)]
    [InlineData("MIDR_EL1", "PartNum", 4, 12, false)]
    [InlineData("MPIDR_EL1", "Aff3", 32, 8, false)]
    [InlineData("VENDOR_HYP_BMAP", "PTP", 1, 1, false)]
    public void Fields_are_where_the_architecture_has_them(string register, string field, int shift, int width, bool signed)
    {
        Assert.True(RegisterCatalog.TryFind(register, out var id));
        Assert.Equal(new RegisterField(field, shift, width, signed), RegisterCatalog.Find(id)!.Field(field.ToUpperInvariant()));
    }

    [Fact]
    public void A_field_that_a_register_does_not_have_is_not_found()
    {
        Assert.True(RegisterCatalog.TryFind("ID_AA64MMFR1_EL1", out var id));
        Assert.Null(RegisterCatalog.Find(id)!.Field("GIC"));
    }

    [Fact]
    public void Insert_changes_the_field_and_nothing_else()
    {
        var field = new RegisterField("F", 60, 4, Signed: true);
        Assert.Equal(0x5fff_ffff_ffff_ffffUL, field.Insert(ulong.MaxValue, 5));
        Assert.Equal(5UL, field.Extract(0x5fff_ffff_ffff_ffff));
        var whole = new RegisterField("W", 0, 64, Signed: false);
        Assert.Equal(ulong.MaxValue, whole.Insert(0, ulong.MaxValue));
    }

    [Fact]
    public void Insert_refuses_a_value_wider_than_the_field() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new RegisterField("F", 60, 4, Signed: false).Insert(0, 16));

    [Theory]
    [InlineData(true, 0xf, -1)]
    [InlineData(true, 0x7, 7)]
    [InlineData(false, 0xf, 15)]
    public void A_signed_field_orders_its_values_as_twos_complement(bool signed, ulong raw, long ordered) =>
        Assert.Equal(ordered, new RegisterField("F", 16, 4, signed).ExtractOrdered(raw << 16));

    [Fact]
    public void Every_word_for_a_value_belongs_to_a_field_that_can_hold_it()
    {
        Assert.NotEmpty(FieldValues.All);
        foreach (var (id, name, value) in FieldValues.All)
        {
            var field = RegisterCatalog.Find(id)?.Field(name);
            Assert.True(field is not null, $"{RegisterCatalog.Name(id)}.{name}");
            Assert.True(value <= field.Value.Extract(ulong.MaxValue), $"{RegisterCatalog.Name(id)}.{name} {value}");
        }
    }
}
