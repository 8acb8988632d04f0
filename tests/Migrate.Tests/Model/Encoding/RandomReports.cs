using Migrate.Model;
using Migrate.Model.Explanations;
using Migrate.Model.Plans;

namespace Migrate.Tests.Model.Encoding;

/// <summary>Valid matrices and explanations, the same for the same seed.</summary>
internal static class RandomReports
{
    public static MatrixReport Matrix(this RandomModel random)
    {
        var hosts = Enumerable.Range(0, 1 + random.Below(4)).Select(i => new MatrixHost
        {
            Name = $"{random.Text()}{i}",
            Description = random.Text(),
            Evidence = random.Any<Evidence>(),
            Features = random.Text(),
        }).ToList();
        var first = hosts.Select(h => h.Name).ToList();
        if (random.Coin()) hosts.Add(new MatrixHost { Name = "alike", Evidence = Evidence.Measured, SameAs = first[0] });
        var reasons = random.Some(3, _ => random.Finding());
        return new()
        {
            Policy = random.Any<Policy>(),
            Features = random.Text(),
            Yes = random.Below(10),
            Unproven = random.Below(10),
            No = random.Below(10),
            Hosts = hosts.ToEquatableArray(),
            Pairs = random.Some(first.Count, i => new MatrixPair
            {
                From = first[i],
                To = first[0],
                Verdict = random.Any<Verdict>(),
                Evidence = random.Any<Evidence>(),
                Stops = random.Below(5),
                Reasons = reasons.Count == 0 ? [] : random.Some(8, _ => random.Below(reasons.Count)),
            }),
            Reasons = reasons,
        };
    }

    public static BaselineReport Baseline(this RandomModel random)
    {
        var pools = Enumerable.Range(0, 1 + random.Below(3)).Select(i => random.Pool(i)).ToEquatableArray();
        return new()
        {
            Verdict = pools.Count > 1 ? Verdict.No : pools[0].Verdict,
            Hosts = pools.Sum(p => p.Hosts.Count),
            Profiles = pools.Count,
            IsExact = random.Coin(),
            Pools = pools,
            Proofs = pools.Count == 1 ? [] : random.Some(3, _ => random.Proof()),
        };
    }

    private static BaselinePool Pool(this RandomModel random, int index) => new()
    {
        Hosts = Enumerable.Range(0, 1 + random.Below(3)).Select(i => $"{random.Text()}{index}.{i}").ToEquatableArray(),
        Config = random.Config(),
        Verdict = random.Coin() ? Verdict.Yes : Verdict.Unproven,
        Pairs = 1 + random.Below(20),
        Qemu = new Expression(random.Text(), random.Some(3, _ => random.Text())),
        GivenUp = random.Some(3, i => new GivenUp(random.Some(2, _ => random.Text()), random.Text(), random.Text(), random.Text(),
            random.Coin() ? random.Setting(i) : null, random.Witness())),
    };

    private static BaselineProof Proof(this RandomModel random) => new()
    {
        Hosts = random.Some(3, _ => random.Text()),
        Features = random.Coin() ? random.Config().Features : null,
        Subject = random.Text(),
        Register = random.Coin() ? random.Id(random.Below(100)) : null,
        Witness = random.Witness(),
        Holdings = random.Some(3, _ => new Holding(random.Text(), random.Text())),
        Evidence = random.Any<Evidence>(),
    };

    private static Witness Witness(this RandomModel random) => new(random.Text(), random.Text(), random.Text());

    public static Explanation Explanation(this RandomModel random) => new()
    {
        Subject = random.Text(),
        Findings = random.Some(3, _ => random.FindingExplanation()),
        Register = random.Coin() ? random.RegisterExplanation() : null,
    };

    private static FindingExplanation FindingExplanation(this RandomModel random) => new()
    {
        Code = random.Any<FindingCode>(),
        Severities = random.Some(4, _ => random.Any<Severity>()),
        Meaning = random.Text(),
        Guest = random.Text(),
        Remedy = random.Text(),
        Qemu = random.Text(),
        Firecracker = random.Text(),
        Accept = random.Text(),
        Accepting = random.Text(),
        Rules = random.Some(3, _ => random.Rule()),
    };

    private static RuleExplanation Rule(this RandomModel random) => new(random.Text(), random.Text(), random.Some(3, _ => random.Any<FindingCode>()), random.Coin());

    private static RegisterExplanation RegisterExplanation(this RandomModel random) => new()
    {
        Name = random.Text(),
        Id = random.Id(random.Below(100)),
        Group = random.Text(),
        Restored = random.Text(),
        Fields = random.Some(3, _ => new FieldExplanation(random.Text(), random.Text(), random.Text())),
        Rules = random.Some(3, _ => random.Rule()),
        Host = random.Coin() ? random.Host() : null,
    };

    private static HostAnswer Host(this RandomModel random) => new()
    {
        Host = random.Text(),
        Features = random.Text(),
        Evidence = random.Any<Evidence>(),
        Listed = random.Coin(),
        New = random.Text(),
        Accepts = random.Text(),
        Notes = random.Some(3, _ => random.Text()),
        Fields = random.Some(3, _ => new FieldAnswer(random.Text(), random.Text(), random.Text(), random.Text())),
    };
}
