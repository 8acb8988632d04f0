using Migrate.Transfer.Send;

namespace Migrate.Tests.Transfer.Handover;

public class ConvergenceTests
{
    private const long MiB = 1 << 20;

    [Fact]
    public void Stops_as_soon_as_what_is_left_fits_into_the_downtime()
    {
        var convergence = new Convergence(TimeSpan.FromMilliseconds(300), autoConverge: true);
        Assert.Equal(RoundVerdict.GoOn, convergence.After(1000 * MiB, 1, 301 * MiB));
        Assert.Equal(RoundVerdict.Stop, convergence.After(301 * MiB, 0.301, 299 * MiB));
    }

    [Fact]
    public void A_small_round_does_not_pass_its_latency_off_as_throughput()
    {
        var convergence = new Convergence(TimeSpan.FromMilliseconds(300), autoConverge: true);
        convergence.After(1000 * MiB, 1, 500 * MiB);
        // 4 KiB in 10 ms would be 400 KiB/s, at which nothing ever fitted.
        Assert.Equal(RoundVerdict.Stop, convergence.After(4096, 0.01, 200 * MiB));
    }

    [Fact]
    public void Slows_the_machine_step_by_step_while_rounds_do_not_shrink_and_gives_up_behind_the_last_step()
    {
        var convergence = new Convergence(TimeSpan.Zero, autoConverge: true);
        var throttles = new List<int>();
        RoundVerdict verdict;
        do
        {
            verdict = convergence.After(100 * MiB, 1, 100 * MiB);
            if (verdict == RoundVerdict.Throttle) throttles.Add(convergence.Throttle);
        }
        while (verdict != RoundVerdict.GiveUp);
        Assert.Equal([20, 40, 60, 80, 99], throttles);
    }

    [Fact]
    public void Leaves_a_machine_alone_whose_rounds_shrink()
    {
        var convergence = new Convergence(TimeSpan.Zero, autoConverge: true);
        for (var left = 1024 * MiB; left > MiB; left /= 2)
            Assert.Equal(RoundVerdict.GoOn, convergence.After(left * 2, 1, left));
        Assert.Equal(0, convergence.Throttle);
    }

    [Fact]
    public void Never_slows_a_machine_that_is_not_to_be_slowed()
    {
        var convergence = new Convergence(TimeSpan.Zero, autoConverge: false);
        for (var i = 0; i < 100; i++) Assert.Equal(RoundVerdict.GoOn, convergence.After(100 * MiB, 1, 100 * MiB));
    }
}
