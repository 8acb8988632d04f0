using Migrate.Cli.Sources;
using Migrate.Model.Errors;
using Migrate.Model.Explanations;
using Migrate.Model.Firmware;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Migrate.Preflight.Explain;

namespace Migrate.Tests.Preflight.Explain;

public sealed class ExplainerTests
{
    [Theory]
    [InlineData("psci-version", FindingCode.PsciVersion)]
    [InlineData("PSCI-Version", FindingCode.PsciVersion)]
    [InlineData("assumed", FindingCode.Unproven)]
    public void A_code_is_found_whatever_its_case(string text, FindingCode code) => Assert.Equal(code, Assert.Single(Explainer.Of(text).Findings).Code);

    [Theory]
    [InlineData("ID_AA64PFR1_EL1", "ID_AA64PFR1_EL1", 15)]
    [InlineData("id_aa64pfr1_el1", "ID_AA64PFR1_EL1", 15)]
    [InlineData("S3_0_C0_C4_1", "ID_AA64PFR1_EL1", 15)]
    [InlineData("0x603000000013c021", "ID_AA64PFR1_EL1", 15)]
    [InlineData("ID_AA64PFR1_EL1.ssbs", "ID_AA64PFR1_EL1.SSBS", 1)]
    [InlineData("STD_BMAP", "STD_BMAP", 1)]
    [InlineData("S3_0_C0_C4_6", "S3_0_C0_C4_6", 0)]
    public void A_register_is_found_by_name_encoding_id_and_field(string text, string subject, int fields)
    {
        var explanation = Explainer.Of(text);
        Assert.Equal((subject, fields), (explanation.Subject, explanation.Register!.Fields.Count));
        Assert.Contains(explanation.Register.Rules, r => r.Name == "value-refused");
    }

    [Theory]
    [InlineData("psci", "psci-version")]
    [InlineData("PFR0", "ID_AA64PFR0_EL1")]
    [InlineData("ID_AA64PFR1_EL1.CSV9", "CSV2_frac")]
    [InlineData("", "lists the codes")]
    [InlineData("0x1234", "lists the codes")]
    [InlineData("X0.HIGH", "no named fields")]
    public void What_is_neither_is_refused_with_what_is_near(string text, string near)
    {
        var error = Assert.Throws<MigrateException>(() => Explainer.Of(text));
        Assert.Equal(ErrorCode.NotFound, error.Code);
        Assert.Contains(near, error.Remedy);
    }

    [Fact]
    public void Refuses_a_host_with_a_code_and_features_that_it_was_not_measured_with()
    {
        Assert.Equal(ErrorCode.Usage, Assert.Throws<MigrateException>(() => Explainer.Of("psci-version", Given.Host())).Code);
        var error = Assert.Throws<MigrateException>(() => Explainer.Of("X0", Given.Host(), VcpuFeatures.Sve));
        Assert.Equal(ErrorCode.NotFound, error.Code);
        Assert.Contains("psci_0_2", error.Remedy);
    }

    [Theory]
    [InlineData("ID_AA64MMFR3_EL1", "absent-feature")]
    [InlineData("TCR2_EL1", "absent-feature")]
    [InlineData("ID_AA64PFR0_EL1", "promised-field")]
    [InlineData("PSCI_VERSION", "psci-version")]
    [InlineData("SMCCC_ARCH_WORKAROUND_3", "workaround-level")]
    [InlineData("VENDOR_HYP_BMAP", "hypercall-bitmap")]
    [InlineData("PMCNTENSET_EL0", "pmu")]
    [InlineData("SVE_VLS", "sve-lengths")]
    [InlineData("CLIDR_EL1", "cache-geometry")]
    public void The_rules_that_speak_about_a_register_come_before_those_of_every_register(string register, string rule)
    {
        var rules = Explainer.Of(register).Register!.Rules.ToList();
        Assert.Contains(rule, rules.TakeWhile(r => !r.OfEvery).Select(r => r.Name));
        Assert.DoesNotContain(Explainer.Of("VBAR_EL1").Register!.Rules, r => r.Name == rule);
    }

    [Fact]
    public void A_host_answers_field_by_field_with_accepted_values_and_all_other_fields_fixed()
    {
        var answer = Answer("ID_AA64PFR1_EL1", Given.Host());
        Assert.Equal(("0x20", true, Evidence.Measured), (answer.New, answer.Listed, answer.Evidence));
        Assert.Equal(new FieldAnswer("SSBS", "7:4", "2 (SSBS2)", "0 (none), 1 (SSBS), 2 (SSBS2)"), Assert.Single(answer.Fields, f => f.Name == "SSBS"));
        Assert.Equal("0 (none)", Assert.Single(answer.Fields, f => f.Name == "MTE").Accepts);
        Assert.Contains(answer.Notes, n => n.StartsWith("frozen", StringComparison.Ordinal));
        Assert.Equal("SSBS", Assert.Single(Answer("ID_AA64PFR1_EL1.SSBS", Given.Host()).Fields).Name);
    }

    [Fact]
    public void A_register_that_the_host_does_not_list_is_ENOENT()
    {
        var answer = Answer("TCR2_EL1", Given.Host());
        Assert.False(answer.Listed);
        Assert.Contains("ENOENT", answer.Accepts);
    }

    [Fact]
    public void Conditions_replacements_and_unnamed_fields_are_told()
    {
        var host = Given.Host(
            Given.Any(Given.Tcr2) with { When = [new Conditional(Given.Mmfr3, 0, 4, 0b1, null, StoredAs.Unchanged)] },
            Given.Fields(RegisterId.System(3, 0, 0, 4, 6), 0x10, (4, 0b11)),
            Given.Any(Given.Vbar) with { Stored = new StoredAs { Fields = [new StoredField(4, 4, 3, 1)] } });
        var tcr2 = Answer("TCR2_EL1", host);
        Assert.Contains("a new VM does not have it", tcr2.Accepts);
        Assert.Contains("while ID_AA64MMFR3_EL1.TCRX is 0: it does not exist (ENOENT)", tcr2.Notes);
        Assert.Equal(new FieldAnswer("", "7:4", "1", "0, 1"), Assert.Single(Answer("S3_0_C0_C4_6", host).Fields));
        Assert.Contains("bits 7:4 written as 3 reads 1", Answer("VBAR_EL1", host).Notes);
    }

    [Fact]
    public void Words_of_the_firmware_are_told_as_words()
    {
        Assert.Equal("1.0; 1.1, else EINVAL", Answer("PSCI_VERSION", Psci()).Accepts);
        Assert.Contains("whatever is written is not kept: it reads available", Answer("SMCCC_ARCH_WORKAROUND_1", Given.Host()).Notes);

        static HostProfile Psci() => Given.Host(Given.Exactly(FirmwareRegisters.PsciVersion, Given.Psci11, Given.Psci10, Given.Psci11));
    }

    [Fact]
    public void Every_register_of_every_bundled_host_can_be_explained()
    {
        var explained = 0;
        foreach (var host in BundledHosts.Names.Select(BundledHosts.Load))
        {
            foreach (var register in host.Shapes.SelectMany(s => s.Registers).Select(r => r.Id).Concat(RegisterCatalog.All.Select(r => r.Id)).Distinct())
            {
                var explanation = Explainer.Of(register.ToString(), host);
                Assert.Equal(register, explanation.Register!.Id);
                Migrate.Model.Encoding.JsonEncoding.Encode(Migrate.Model.Encoding.Documents.Explanation, explanation);
                explained++;
            }
        }
        Assert.True(explained > 4000);
    }

    private static HostAnswer Answer(string text, HostProfile host) => Explainer.Of(text, host).Register!.Host!;
}
