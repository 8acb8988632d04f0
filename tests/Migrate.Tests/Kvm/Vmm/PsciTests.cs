using Migrate.Kvm.Vmm;
using Migrate.Kvm.Vmm.Calls;
using Migrate.Model.Firmware;
using Migrate.Model.Machines;

namespace Migrate.Tests.Kvm.Vmm;

/// <summary>PSCI in user space, against Arm DEN 0022.</summary>
public class PsciTests
{
    private const uint Version = 0x8400_0000, CpuSuspend = 0xc400_0001, CpuOff = 0x8400_0002, CpuOn32 = 0x8400_0003, CpuOn = 0xc400_0003, AffinityInfo = 0xc400_0004;
    private const uint MigrateInfoType = 0x8400_0006, SystemOff = 0x8400_0008, SystemReset = 0x8400_0009, Features = 0x8400_000a;

    private const ulong NotSupported = ulong.MaxValue, InvalidParameters = unchecked((ulong)-2L), AlreadyOn = unchecked((ulong)-4L), OnPending = unchecked((ulong)-5L), InternalFailure = unchecked((ulong)-6L), InvalidAddress = unchecked((ulong)-9L);

    private readonly FakeCallHost _host = new(4);
    private readonly Psci _psci;

    public PsciTests()
    {
        _psci = new Psci(_host, new PsciVersion(1, 1), [0]);
        _host.Handlers.Add(_psci);
        for (var i = 1; i < 4; i++) _host.Vcpus[i].MpState = MpState.Stopped;
    }

    [Fact]
    public void It_says_its_version_and_that_nothing_must_migrate()
    {
        Assert.Equal(0x1_0001UL, _host.Call(_psci, 0, Version));
        Assert.Equal(2UL, _host.Call(_psci, 0, MigrateInfoType));
        Assert.Equal(0UL, _host.Call(_psci, 0, CpuSuspend, 0));
    }

    [Fact]
    public void A_vcpu_is_switched_on_where_and_with_what_the_caller_says_on_its_own_thread()
    {
        Assert.Equal(0UL, _host.Call(_psci, 0, CpuOn, 2, 0x4000_1000, 77));
        Assert.Equal([2], _host.Kicked);
        Assert.Equal(2UL, _host.Call(_psci, 0, AffinityInfo, 2, 0));
        Assert.Equal(OnPending, _host.Call(_psci, 0, CpuOn, 2, 0x4000_1000, 77));
        _psci.Enter(_host.Vcpus[2]);
        var started = _host.Vcpus[2];
        Assert.Equal((0x4000_1000UL, 77UL, MpState.Runnable, 1), (started.Pc, started[0], started.MpState, started.Resets));
        Assert.Equal(0UL, _host.Call(_psci, 0, AffinityInfo, 2, 0));
        Assert.Equal(AlreadyOn, _host.Call(_psci, 0, CpuOn, 2, 0x4000_1000, 77));
        _psci.Enter(_host.Vcpus[2]);
        Assert.Equal(1, _host.Vcpus[2].Resets);
    }

    [Fact]
    public void A_vcpu_that_switches_itself_off_can_be_switched_on_again()
    {
        Assert.True(_psci.TryCall(_host.Vcpus[0], new SmcccCall(CpuOff)));
        Assert.Equal(MpState.Stopped, _host.Vcpus[0].MpState);
        Assert.Equal(1UL, _host.Call(_psci, 1, AffinityInfo, 0, 0));
        Assert.Equal(0UL, _host.Call(_psci, 1, CpuOn, 0, 0x4000_0000, 1));
    }

    [Fact]
    public void In_the_32_bit_convention_the_upper_halves_do_not_count()
    {
        Assert.Equal(0UL, _host.Call(_psci, 0, CpuOn32, 0xdead_0000_0003, 0xbeef_4000_0000, 0xffff_ffff_0000_0005));
        _psci.Enter(_host.Vcpus[3]);
        Assert.Equal((0x4000_0000UL, 5UL), (_host.Vcpus[3].Pc, _host.Vcpus[3][0]));
    }

    [Fact]
    public void Who_is_not_there_and_where_nothing_can_run_is_refused()
    {
        Assert.Equal(InvalidParameters, _host.Call(_psci, 0, CpuOn, 4, 0x4000_0000, 0));
        Assert.Equal(InvalidParameters, _host.Call(_psci, 0, CpuOn, 1UL << 24, 0x4000_0000, 0));
        Assert.Equal(InvalidAddress, _host.Call(_psci, 0, CpuOn, 1, 0x4000_0002, 0));
        Assert.Equal(InvalidParameters, _host.Call(_psci, 0, AffinityInfo, 9, 0));
        Assert.Equal(InvalidParameters, _host.Call(_psci, 0, AffinityInfo, 0, 4));
        Assert.Empty(_host.Kicked);
    }

    [Fact]
    public void A_cluster_is_on_when_one_of_it_is()
    {
        Assert.Equal(0UL, _host.Call(_psci, 0, AffinityInfo, 3, 1));
        Assert.True(_psci.TryCall(_host.Vcpus[0], new SmcccCall(CpuOff)));
        Assert.Equal(1UL, _host.Call(_psci, 1, AffinityInfo, 0, 1));
        Assert.Equal(InvalidParameters, _host.Call(_psci, 0, AffinityInfo, 0x100, 1));
        Assert.Equal(1UL, _host.Call(_psci, 0, AffinityInfo, 0x100, 3));
    }

    [Theory]
    [InlineData(SystemOff, "the guest switched itself off")]
    [InlineData(SystemReset, "the guest asked for a reset")]
    public void The_guest_ends_the_vm_once_and_no_vcpu_goes_on(uint function, string said)
    {
        var ends = new List<string>();
        _psci.Connect(new VmmOptions { Ended = ends.Add });
        Assert.Equal(0UL, _host.Call(_psci, 0, CpuOn, 1, 0x4000_1000, 0));
        _psci.Enter(_host.Vcpus[1]);
        _host.Kicked.Clear();

        Assert.Equal(InternalFailure, _host.Call(_psci, 0, function));
        Assert.Equal(MpState.Stopped, _host.Vcpus[0].MpState);
        Assert.Equal([1, 2, 3], _host.Kicked);
        // One that called before it saw the kick is stopped by it, and starts nobody.
        Assert.Equal(InternalFailure, _host.Call(_psci, 1, CpuOn, 2, 0x4000_1000, 0));
        _psci.Enter(_host.Vcpus[1]);
        Assert.Equal(MpState.Stopped, _host.Vcpus[1].MpState);
        _host.Call(_psci, 1, SystemOff);
        Assert.Equal([said], ends);
    }

    [Fact]
    public void A_level_is_a_32_bit_parameter() => Assert.Equal(0UL, _host.Call(_psci, 0, AffinityInfo, 0, 0xdead_0000_0000));

    [Fact]
    public void Features_say_what_is_offered_and_nothing_else_is()
    {
        uint[] offered = [Version, CpuSuspend, 0x8400_0001, CpuOff, CpuOn, CpuOn32, AffinityInfo, MigrateInfoType, SystemOff, SystemReset, Features, 0x8000_0000];
        foreach (var function in offered) Assert.Equal(0UL, _host.Call(_psci, 0, Features, function));
        // Wide forms of what has none, MIGRATE, SYSTEM_SUSPEND, and what is no function.
        foreach (var function in new uint[] { 0xc400_0000, 0xc400_0002, 0xc400_0008, 0x8400_0005, 0xc400_000e, 0x8400_001f, 0 })
        {
            Assert.Equal(NotSupported, _host.Call(_psci, 0, Features, function));
            Assert.False(_psci.TryCall(_host.Vcpus[0], new SmcccCall(function)));
        }
    }

    [Fact]
    public void Version_0_2_has_no_features_and_an_older_word_for_a_bad_address()
    {
        var old = new Psci(_host, new PsciVersion(0, 2), [0]);
        Assert.Equal(2UL, _host.Call(old, 0, Version));
        Assert.False(old.TryCall(_host.Vcpus[0], new SmcccCall(Features)));
        Assert.Equal(InvalidParameters, _host.Call(old, 0, CpuOn, 1, 1, 0));
    }

    [Fact]
    public void An_order_that_was_not_carried_out_moves_with_the_vm()
    {
        _host.Call(_psci, 0, CpuOn, 3, 0x4000_2000, 9);
        var there = new Psci(_host, new PsciVersion(0, 2), []);
        there.Restore(1, _psci.Capture());
        Assert.Equal(_psci.Capture(), there.Capture());
        Assert.Equal(0x1_0001UL, _host.Call(there, 0, Version));
        there.Enter(_host.Vcpus[3]);
        Assert.Equal((0x4000_2000UL, 9UL, MpState.Runnable), (_host.Vcpus[3].Pc, _host.Vcpus[3][0], _host.Vcpus[3].MpState));
    }

    [Fact]
    public void A_state_that_is_none_is_refused_and_changes_nothing()
    {
        var good = _psci.Capture();
        Assert.Contains("vCPUs", Assert.Throws<HandlerStateException>(() => new Psci(new FakeCallHost(2), default, []).Restore(1, good)).Message);
        Assert.Contains("version 1", Assert.Throws<HandlerStateException>(() => _psci.Restore(2, good)).Message);
        for (var length = 0; length < good.Length; length += 5) Assert.Throws<HandlerStateException>(() => _psci.Restore(1, good.AsSpan(0, length)));
        Assert.Throws<HandlerStateException>(() => _psci.Restore(1, [.. good, 0]));
        foreach (var (offset, value, word) in new[] { (16, (byte)3, "power state 3"), (3, (byte)0x80, "PSCI version") })
        {
            byte[] bad = [.. good];
            bad[offset] = value;
            Assert.Contains(word, Assert.Throws<HandlerStateException>(() => _psci.Restore(1, bad)).Message);
        }
        Assert.Equal(good, _psci.Capture());
    }
}
