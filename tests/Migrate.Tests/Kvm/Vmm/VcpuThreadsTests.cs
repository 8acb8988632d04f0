using Migrate.Kvm;
using Migrate.Kvm.Vmm;
using Migrate.Model.Errors;

namespace Migrate.Tests.Kvm.Vmm;

/// <summary>At most one thread runs a vCPU, and a guest that was not told to stand still goes on.</summary>
public class VcpuThreadsTests
{
    private readonly List<FakeThread> _all = [];
    private readonly VcpuThreads<FakeThread> _threads;
    private Action<int> _begun = _ => { };
    private int _startsUntilFailure = int.MaxValue;

    public VcpuThreadsTests() => _threads = new VcpuThreads<FakeThread>(Begin);

    [Fact]
    public void They_run_until_they_are_stopped_and_are_kicked_while_they_run()
    {
        _threads.Kick(0);
        _threads.Start();
        Assert.True(_threads.IsRunning);
        _threads.Kick(1);
        _threads.Kick(9);
        Assert.Equal([0, 1, 0], _all.Select(t => t.Kicks));
        Assert.Same(_all[2], _threads[2]);
        _threads.Halt();
        Assert.False(_threads.IsRunning);
        Assert.All(_all, t => Assert.True(t.HasEnded));
        _threads.Kick(1);
        Assert.Equal([0, 1, 0], _all.Select(t => t.Kicks));
    }

    [Fact]
    public void A_vCPU_that_is_kicked_by_an_earlier_one_before_it_is_started_gets_the_kick()
    {
        Thread? kicker = null;
        _begun = vcpu =>
        {
            if (vcpu == 0) (kicker = new Thread(() => _threads.Kick(2))).Start();
            else kicker!.Join(50);
        };
        _threads.Start();
        Assert.True(kicker!.Join(TimeSpan.FromSeconds(30)));
        Assert.Equal([0, 0, 1], _all.Select(t => t.Kicks));
        _threads.Halt();
    }

    [Fact]
    public void A_vCPU_that_failed_is_told_when_all_have_ended()
    {
        _threads.Start();
        _all[1].Failed = new KvmException(ErrorCode.System, "vCPU 1: it failed");
        Assert.Equal("vCPU 1: it failed", Assert.Throws<KvmException>(_threads.Halt).Message);
        Assert.False(_threads.IsRunning);
        Assert.All(_all, t => Assert.True(t.HasEnded));
    }

    [Fact]
    public void A_thread_that_cannot_be_told_is_not_forgotten_and_gets_no_second_beside_it()
    {
        _threads.Start();
        _all[0].Unreachable = true;
        Assert.Throws<InvalidOperationException>(_threads.Halt);
        Assert.True(_threads.IsRunning);
        Assert.Equal([false, true, true], _all.Select(t => t.HasEnded));
        Assert.Throws<InvalidOperationException>(() => _threads.Throttle(10));
        Assert.True(_threads.IsRunning);
        Assert.Equal(3, _all.Count);
        _all[0].Unreachable = false;
        _threads.Halt();
        Assert.False(_threads.IsRunning);
        AssertOneThreadAVcpu();
    }

    [Fact]
    public void One_kick_that_fails_and_then_does_not_is_no_failure()
    {
        _threads.Start();
        _all[0].FailsToBegin = 1;
        _threads.Halt();
        Assert.False(_threads.IsRunning);
    }

    [Fact]
    public void A_start_that_fails_half_way_leaves_nothing_behind()
    {
        _startsUntilFailure = 2;
        Assert.Throws<OutOfMemoryException>(_threads.Start);
        Assert.False(_threads.IsRunning);
        Assert.Equal([true, true], _all.Select(t => t.HasEnded));
        _startsUntilFailure = int.MaxValue;
        _threads.Start();
        Assert.Equal(5, _all.Count);
        _threads.Halt();
        AssertOneThreadAVcpu();
    }

    [Fact]
    public void A_throttle_is_theirs_from_the_next_start_on_and_costs_a_stop_only_where_it_changes()
    {
        _threads.Throttle(50);
        Assert.Empty(_all);
        _threads.Start();
        Assert.All(_all, t => Assert.NotNull(t.Throttle));
        _threads.Throttle(50);
        Assert.Equal(3, _all.Count);
        _threads.Throttle(0);
        Assert.Equal([true, true, true, false, false, false], _all.Select(t => t.HasEnded));
        Assert.All(_all[3..], t => Assert.Null(t.Throttle));
        _threads.Halt();
    }

    [Theory]
    [InlineData(0, 30)]
    [InlineData(30, 60)]
    [InlineData(30, 0)]
    public void A_throttle_that_fails_leaves_the_guest_running_at_full_speed_and_can_be_tried_again(int before, int percent)
    {
        _threads.Throttle(before);
        _threads.Start();
        _all[2].Failed = new KvmException(ErrorCode.System, "vCPU 2: it failed");
        Assert.Throws<KvmException>(() => _threads.Throttle(percent));
        Assert.True(_threads.IsRunning);
        Assert.Equal(6, _all.Count);
        Assert.All(_all[3..], t => Assert.Null(t.Throttle));
        AssertOneThreadAVcpu();
        _threads.Throttle(60);
        Assert.Equal(9, _all.Count);
        Assert.All(_all[6..], t => Assert.NotNull(t.Throttle));
        _threads.Halt();
    }

    private IEnumerable<FakeThread> Begin(VcpuThrottle? throttle)
    {
        for (var i = 0; i < 3; i++)
        {
            if (i >= _startsUntilFailure) throw new OutOfMemoryException();
            _all.Add(new FakeThread(i, throttle));
            _begun(i);
            yield return _all[^1];
            AssertOneThreadAVcpu();
        }
    }

    private void AssertOneThreadAVcpu() => Assert.All(_all.Where(t => !t.HasEnded).CountBy(t => t.Vcpu), vcpu => Assert.Equal(1, vcpu.Value));

    private sealed class FakeThread(int vcpu, VcpuThrottle? throttle) : IVcpuThread
    {
        private int _kicks;

        public int Vcpu => vcpu;

        public VcpuThrottle? Throttle => throttle;

        public bool HasEnded { get; private set; }

        public int Kicks => _kicks;

        /// <summary>Why it ended before it was told to.</summary>
        public Exception? Failed { get; set; }

        /// <summary>It cannot be kicked.</summary>
        public bool Unreachable { get; set; }

        public int FailsToBegin { get; set; }

        public void Kick() => Interlocked.Increment(ref _kicks);

        public void BeginStop()
        {
            if (Unreachable || FailsToBegin-- > 0) throw new InvalidOperationException("no such thread");
        }

        public void Stop()
        {
            BeginStop();
            HasEnded = true;
            if (Failed is not null) throw Failed;
        }
    }
}
