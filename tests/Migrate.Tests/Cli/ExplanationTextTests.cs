using Migrate.Cli.Output;
using Migrate.Model.Explanations;
using Migrate.Model.Plans;
using Migrate.Preflight;
using Migrate.Preflight.Explain;
using Migrate.Tests.Preflight;

namespace Migrate.Tests.Cli;

public sealed class ExplanationTextTests
{
    private static string Text(Explanation explanation)
    {
        var output = new StringWriter();
        ExplanationText.Write(Terminal.To(output, TextWriter.Null), explanation);
        return output.ToString();
    }

    [Fact]
    public void The_list_has_every_code()
    {
        var text = Text(Explainer.Codes());
        Assert.All(Enum.GetValues<FindingCode>(), code => Assert.Contains($"  {code.Text()} ", text));
    }

    [Fact]
    public void A_code_is_told_with_its_severity_its_remedies_and_how_to_accept_it()
    {
        var text = Text(Explainer.Of("psci-version"));
        Assert.StartsWith("psci-version (unsafe, refused)\n", text);
        Assert.Contains("kvm-psci-version=1.1", text);
        Assert.Contains("reg_modifiers", text);
        Assert.Contains("--accept psci-version: ", text);
    }

    [Fact]
    public void What_cannot_be_accepted_names_no_option() => Assert.DoesNotContain("--accept", Text(Explainer.Of("vcpu-features")));

    [Fact]
    public void A_register_on_a_host_is_told_field_by_field()
    {
        var text = Text(Explainer.Of("ID_AA64PFR1_EL1", Given.Host()));
        Assert.StartsWith("ID_AA64PFR1_EL1: identification of CPU and features\n", text);
        Assert.Contains("0x603000000013c021 (8 bytes)", text);
        Assert.Contains("On host (9.9.9), a VM with psci_0_2 (measured):", text);
        Assert.Matches(@"SSBS +7:4 +2 \(SSBS2\) +0 \(none\), 1 \(SSBS\), 2 \(SSBS2\)", text);
    }
}
