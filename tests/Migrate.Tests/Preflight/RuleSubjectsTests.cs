using Migrate.Model.Encoding;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Registers;
using Migrate.Preflight;
using Migrate.Preflight.Registers;
using Migrate.Preflight.Rules;

namespace Migrate.Tests.Preflight;

public class RuleSubjectsTests
{
    private static readonly string[] Recordings = ["5.10.neoverse-n1", "6.1.neoverse-v1", "6.12.a64fx", "7.2.neoverse-n1"];

    private static readonly HostProfile[] Hosts =
        [.. Recordings.Select(r => (HostProfile)DocumentFile.Read(File.ReadAllBytes(Repository.Data("lab", r, "probe.profile")), r).Value)];

    /// <summary>A prepared host asks a rule about its subjects alone. A rule that would have spoken about another register would be silenced by that.</summary>
    [Fact]
    public void No_rule_has_a_word_about_a_register_that_is_not_among_its_subjects()
    {
        var asked = 0;
        foreach (var (source, destination) in Hosts.SelectMany(s => Hosts.Select(d => (s, d))))
        {
            var context = new PlanContext(DefaultMachine.Of(source, null), new PreparedHost(destination), new PlanOptions(), source, keepsSteps: false);
            if (!context.CanPredict) continue;
            var values = new PlannedValues(context.Prepared);
            var vcpu = context.State.Vcpus[0];
            foreach (var register in vcpu.Registers.SelectMany(Variants))
            {
                var prepared = context.Prepared!.Find(register.Id);
                var it = RegisterPlanner.CaseOf(context, vcpu, register, prepared, values);
                var all = it with { Rules = RuleSet.All };
                Assert.Equal(RuleTable.Relieve(all)?.Why, RuleTable.Relieve(it)?.Why);
                Assert.Equal(RuleTable.Judge(all), RuleTable.Judge(it));
                if (!RuleTable.IsSilent(it.Rules, it.Answer.Kind)) asked++;
                else Assert.True(RuleTable.Relieve(all) is null && RuleTable.Judge(all).Count == 0);
            }
        }
        Assert.True(asked > 1000, $"rules were asked {asked} times");
    }

    /// <summary>The value itself and, of a register with fields, some others.</summary>
    private static IEnumerable<Register> Variants(Register register)
    {
        yield return register;
        if (register.Value.Size != 8) yield break;
        foreach (var bits in (ulong[])[1, 0xf0, 0xfUL << 24, 0xfUL << 56, ulong.MaxValue]) yield return new Register(register.Id, new RegisterValue(register.Value.Low ^ bits));
    }
}
