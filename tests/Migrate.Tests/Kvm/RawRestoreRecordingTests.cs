namespace Migrate.Tests.Kvm;

/// <summary>Our raw restore on the lab's kernels, against restore-answers.txt, which a program of others recorded on the same series.</summary>
public class RawRestoreRecordingTests
{
    /// <summary>Registers that move while they are compared: CNTVCT_EL0, CNTPCT_EL0 and CNTP_CTL_EL0 by their ids of KVM.</summary>
    private static readonly string[] Clocks = ["603000000013df1a", "603000000013df01", "603000000013df02"];

    /// <summary>Where another patch level answers otherwise: host, line and cause. There is none.</summary>
    private static readonly (string Host, string Line, string Cause)[] Causes = [];

    public static TheoryData<string> Hosts =>
        [.. Others().Select(line => line.Split(' ')[2]).Distinct().Where(host => File.Exists(Repository.Data("lab", host, "raw-answers.txt"))).Order()];

    [Theory]
    [MemberData(nameof(Hosts))]
    public void Answers_what_was_answered_before_line_by_line(string host)
    {
        var before = Others().Where(line => line.Split(' ')[2] == host).Select(WithoutClocks).ToHashSet();
        var now = File.ReadLines(Repository.Data("lab", host, "raw-answers.txt")).Select(WithoutClocks).ToHashSet();
        Assert.True(now.Count > 400);
        var known = Causes.Where(c => c.Host == host).Select(c => c.Line).ToHashSet();
        before.SymmetricExceptWith(now);
        Assert.Equal(known, before);
    }

    private static IEnumerable<string> Others() =>
        File.ReadLines(Repository.Data("captures", "restore-answers.txt")).Where(line => !line.StartsWith('#'));

    private static string WithoutClocks(string line) =>
        line.Split(' ') is ["D", _, _, var register, ..] words && Clocks.Contains(register) ? string.Join(' ', words[..4]) : line;
}
