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
}
