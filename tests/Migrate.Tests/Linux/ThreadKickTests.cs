using Migrate.Linux.Memory;
using Migrate.Linux.Processes;

namespace Migrate.Tests.Linux;

public class ThreadKickTests
{
    [Fact]
    public void A_kick_waits_until_the_thread_takes_it_and_disturbs_nothing()
    {
        var answers = new List<bool>();
        ThreadKick? kick = null;
        using var ready = new ManualResetEventSlim();
        using var sent = new ManualResetEventSlim();
        var thread = new Thread(() =>
        {
            kick = ThreadKick.OfThisThread();
            ready.Set();
            sent.Wait();
            answers.Add(kick.Drain());
            answers.Add(kick.Drain());
        });
        thread.Start();
        ready.Wait();
        kick!.Send();
        sent.Set();
        thread.Join();
        Assert.Equal([true, false], answers);
    }

    [Fact]
    public void Kicks_that_nobody_takes_are_one_and_fill_no_queue()
    {
        // More than RLIMIT_SIGPENDING lets a user queue on a machine of up to 50 GB.
        const int many = 200_000;
        var answers = new List<bool>();
        ThreadKick? kick = null;
        using var ready = new ManualResetEventSlim();
        using var sent = new ManualResetEventSlim();
        var thread = new Thread(() =>
        {
            kick = ThreadKick.OfThisThread();
            ready.Set();
            sent.Wait();
            answers.Add(kick.Drain());
            answers.Add(kick.Drain());
        });
        thread.Start();
        ready.Wait();
        Exception? failure = null;
        try
        {
            for (var i = 0; i < many; i++) kick!.Send();
        }
        catch (Exception e)
        {
            failure = e;
        }
        sent.Set();
        thread.Join();
        Assert.Null(failure);
        Assert.Equal([true, false], answers);
    }

    [Fact]
    public void A_kick_comes_after_whatever_was_done_before_it_and_none_is_lost()
    {
        const int rounds = 500;
        ThreadKick? kick = null;
        using var ready = new ManualResetEventSlim();
        var (wish, seen) = (0, 0);
        var thread = new Thread(() =>
        {
            kick = ThreadKick.OfThisThread();
            ready.Set();
            while (seen < rounds)
            {
                if (kick.Drain()) Volatile.Write(ref seen, Volatile.Read(ref wish));
                else Thread.Yield();
            }
        });
        thread.Start();
        ready.Wait();
        for (var i = 1; i <= rounds; i++)
        {
            Volatile.Write(ref wish, i);
            kick!.Send();
            // Every second one while the one before is still on its way.
            if (i % 2 == 0) Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref seen) == i, TimeSpan.FromSeconds(30)), $"kick {i} is lost");
        }
        thread.Join();
    }

    [Fact]
    public void The_mask_for_the_call_lets_the_kick_through()
    {
        ulong mask = ulong.MaxValue;
        var thread = new Thread(() => mask = ThreadKick.OfThisThread().MaskForCall);
        thread.Start();
        thread.Join();
        Assert.Equal(0UL, mask & 1UL << (ThreadKick.Signal - 1));
    }

    [Fact]
    public void Another_thread_cannot_drain()
    {
        ThreadKick? kick = null;
        var thread = new Thread(() => kick = ThreadKick.OfThisThread());
        thread.Start();
        thread.Join();
        Assert.Throws<InvalidOperationException>(() => kick!.Drain());
    }

    [Fact]
    public void Untouched_memory_of_a_terabyte_takes_no_room_and_reads_as_zeros()
    {
        using var region = MappedRegion.Untouched("huge", 1L << 40);
        Assert.Equal(0, region.Slice((1L << 40) - 8, 8)[7]);
        Assert.Throws<ArgumentOutOfRangeException>(() => region.Slice((1L << 40) - 8, 9).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => region.Slice(-1, 1).Length);
    }
}
