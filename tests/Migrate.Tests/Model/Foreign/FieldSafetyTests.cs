using Migrate.Model.Foreign;
using Migrate.Model.Registers;

namespace Migrate.Tests.Model.Foreign;

public class FieldSafetyTests
{
    [Fact]
    public void Every_rule_is_of_a_field_that_can_hold_its_safe_value()
    {
        Assert.True(FieldSafety.Registers.Count >= 40, $"only {FieldSafety.Registers.Count} registers");
        foreach (var id in FieldSafety.Registers)
            foreach (var rule in FieldSafety.Of(id))
            {
                Assert.Contains(rule.Field, RegisterCatalog.Find(id)!.Fields);
                Assert.True(rule.SafeValue <= rule.Field.Extract(ulong.MaxValue), $"{RegisterCatalog.Name(id)}.{rule.Field.Name}");
                Assert.Equal(rule, FieldSafety.Find(id, rule.Field.Shift));
            }
    }

    [Fact]
    public void The_rules_that_are_not_lower_safe_are_these()
    {
        var special =
            from id in FieldSafety.Registers.Order()
            let name = RegisterCatalog.Name(id)
            where name is not "ID_AA64SMFR0_EL1" and not "ID_AA64FPFR0_EL1"
            from rule in FieldSafety.Of(id)
            where rule.Kind != SafetyKind.Lower
            select $"{name}.{rule.Field.Name} {rule.Kind} {rule.SafeValue}";
        Assert.Equal(
            [
                "ID_MMFR4_EL1.SpecSEI Higher 0",
                "ID_AA64ISAR1_EL1.API Exact 0", "ID_AA64ISAR1_EL1.APA Exact 0", "ID_AA64ISAR2_EL1.APA3 Exact 0",
                "ID_AA64MMFR0_EL1.TGRAN4_2 Exact 1", "ID_AA64MMFR0_EL1.TGRAN64_2 Exact 1", "ID_AA64MMFR0_EL1.TGRAN16_2 Exact 1",
                "ID_AA64MMFR1_EL1.SpecSEI Higher 0",
                "CTR_EL0.RES1 Exact 1", "CTR_EL0.CWG HigherOrZero 0", "CTR_EL0.ERG HigherOrZero 0", "CTR_EL0.L1Ip Exact 2",
                "DCZID_EL0.DZP Exact 1",
            ],
            special);
    }

    [Fact]
    public void All_of_SMFR0_and_FPFR0_is_exact_at_zero()
    {
        foreach (var name in new[] { "ID_AA64SMFR0_EL1", "ID_AA64FPFR0_EL1" })
        {
            var rules = Rules(name);
            Assert.NotEmpty(rules);
            Assert.All(rules, rule => Assert.Equal((SafetyKind.Exact, 0UL), (rule.Kind, rule.SafeValue)));
        }
    }

    [Theory]
    [InlineData("ID_AA64PFR0_EL1", "CSV2", 1, 2, true)]
    [InlineData("ID_AA64PFR0_EL1", "CSV2", 3, 2, false)]
    [InlineData("ID_AA64PFR0_EL1", "FP", 0xf, 1, true)]
    [InlineData("ID_AA64PFR0_EL1", "FP", 1, 0xf, false)]
    [InlineData("ID_AA64PFR1_EL1", "MTE_frac", 0xf, 0, true)]
    [InlineData("ID_AA64DFR0_EL1", "PMUVer", 4, 6, true)]
    [InlineData("ID_AA64DFR0_EL1", "PMUVer", 6, 4, false)]
    [InlineData("ID_AA64DFR0_EL1", "DebugVer", 6, 9, true)]
    [InlineData("ID_AA64MMFR1_EL1", "SpecSEI", 1, 0, true)]
    [InlineData("ID_AA64MMFR1_EL1", "SpecSEI", 0, 1, false)]
    [InlineData("ID_AA64ISAR1_EL1", "API", 0, 4, true)]
    [InlineData("ID_AA64ISAR1_EL1", "API", 3, 4, false)]
    [InlineData("ID_AA64ISAR1_EL1", "API", 4, 4, true)]
    [InlineData("ID_AA64MMFR0_EL1", "TGRAN4_2", 1, 2, true)]
    [InlineData("ID_AA64MMFR0_EL1", "TGRAN4_2", 0, 2, false)]
    [InlineData("CTR_EL0", "CWG", 0, 4, true)]
    [InlineData("CTR_EL0", "CWG", 5, 4, true)]
    [InlineData("CTR_EL0", "CWG", 3, 4, false)]
    [InlineData("CTR_EL0", "CWG", 3, 0, false)]
    [InlineData("CTR_EL0", "L1Ip", 2, 3, true)]
    [InlineData("CTR_EL0", "L1Ip", 3, 2, false)]
    public void KVM_takes_a_field_where_its_value_is_the_safe_one(string register, string field, ulong wanted, ulong limit, bool accepted)
    {
        var rule = Assert.Single(Rules(register), r => r.Field.Name == field);
        Assert.Equal(accepted, rule.Accepts(rule.Field.Insert(0, wanted), rule.Field.Insert(ulong.MaxValue, limit)));
    }

    [Fact]
    public void A_field_or_register_without_a_rule_is_not_found()
    {
        Assert.True(RegisterCatalog.TryFind("ID_AA64PFR0_EL1", out var id));
        Assert.Null(FieldSafety.Find(id, 52)); // RME
        Assert.Null(FieldSafety.Find(id, 25)); // inside GIC
        Assert.True(RegisterCatalog.TryFind("ID_AA64DFR1_EL1", out var without));
        Assert.Empty(FieldSafety.Of(without));
    }

    private static IReadOnlyList<FieldRule> Rules(string register)
    {
        Assert.True(RegisterCatalog.TryFind(register, out var id), register);
        return FieldSafety.Of(id);
    }
}
