using System.Diagnostics;
using Migrate.Kvm.Vmm;

namespace Migrate.Tests.Kvm.Vmm;

public class VcpuThrottleTests
{
    [Fact]
    public void It_takes_vCPUs_out_again_and_again_and_keeps_them_out_for_a_while()
    {
        using var kicked = new CountdownEvent(3);
        var closed = 0;
        VcpuThrottle? throttle = null;
        using var made = new ManualResetEventSlim();
        throttle = new VcpuThrottle(90, () =>
        {
            made.Wait();
            if (throttle!.IsOpen) return;
            Interlocked.Increment(ref closed);
            if (!kicked.IsSet) kicked.Signal();
        });
        made.Set();
        Assert.True(kicked.Wait(TimeSpan.FromSeconds(30)));
        throttle.Dispose();
        Assert.True(closed >= 3);
    }

    [Fact]
    public void A_kick_that_fails_ends_neither_process_nor_throttle()
    {
        using var kicked = new CountdownEvent(3);
        using var throttle = new VcpuThrottle(99, () =>
        {
            if (!kicked.IsSet) kicked.Signal();
            throw new InvalidOperationException("no such thread");
        });
        Assert.True(kicked.Wait(TimeSpan.FromSeconds(30)));
        throttle.Wait();
    }

    [Fact]
    public void When_it_ends_nobody_is_kept_out()
    {
        for (var i = 0; i < 20; i++)
        {
            var throttle = new VcpuThrottle(99, () => { });
            if (i % 2 == 0) Thread.Sleep(5);
            throttle.Dispose();
            Assert.True(throttle.IsOpen);
            throttle.Wait();
        }
    }

    [Fact]
    public void Even_the_strongest_lets_a_vCPU_in_again_and_again()
    {
        using var throttle = new VcpuThrottle(99, () => { });
        var waited = 0;
        for (var since = Stopwatch.StartNew(); waited < 5;)
        {
            Assert.True(since.Elapsed < TimeSpan.FromSeconds(30));
            if (throttle.IsOpen) continue;
            throttle.Wait();
            waited++;
        }
    }

    [Fact]
    public void When_it_ends_who_waits_is_let_in()
    {
        var throttle = new VcpuThrottle(99, () => { });
        SpinWait.SpinUntil(() => !throttle.IsOpen);
        var vcpu = new Thread(throttle.Wait);
        vcpu.Start();
        throttle.Dispose();
        Assert.True(vcpu.Join(TimeSpan.FromSeconds(30)));
        Assert.True(throttle.IsOpen);
    }
}
