using Migrate.Kvm.Vmm;
using Migrate.Kvm.Vmm.Calls;
using Migrate.Model.Machines;

namespace Migrate.Tests.Kvm.Vmm;

/// <summary>SDEI in user space, against Arm DEN 0054.</summary>
public class SdeiTests
{
    private const uint Base = 0xc400_0020;
    private const uint Version = Base, Register = Base + 1, Enable = Base + 2, Disable = Base + 3, Context = Base + 4, Complete = Base + 5, CompleteAndResume = Base + 6;
    private const uint Unregister = Base + 7, Status = Base + 8, GetInfo = Base + 9, Mask = Base + 0xb, Unmask = Base + 0xc, Signal = Base + 0xf, PrivateReset = Base + 0x11;

    private const ulong InvalidParameters = unchecked((ulong)-2L), Denied = unchecked((ulong)-3L), Pending = unchecked((ulong)-5L);

    private const ulong Event = SdeiEvents.Normal;
    private const ulong Handler = 0x4000_8000;

    private readonly FakeCallHost _host = new(2);
    private readonly Sdei _sdei;

    public SdeiTests()
    {
        _sdei = new Sdei(_host);
        _host.Handlers.Add(_sdei);
    }

    private FakeCallingVcpu Guest => _host.Vcpus[0];

    [Fact]
    public void An_event_has_its_life()
    {
        Assert.Equal(1UL << 48, Call(Version));
        Assert.Equal(Denied, Call(Enable, Event));
        Assert.Equal(0UL, Call(Status, Event));
        Assert.Equal(0UL, Call(Register, Event, Handler, 42, 0, 0));
        Assert.Equal(Denied, Call(Register, Event, Handler, 42, 0, 0));
        Assert.Equal(1UL, Call(Status, Event));
        Assert.Equal(0UL, Call(Enable, Event));
        Assert.Equal(3UL, Call(Status, Event));
        Assert.Equal(0UL, Call(Disable, Event));
        Assert.Equal(1UL, Call(Status, Event));
        Assert.Equal(0UL, Call(Unregister, Event));
        Assert.Equal(0UL, Call(Status, Event));
        Assert.Equal(Denied, Call(Unregister, Event));
        Assert.Equal(InvalidParameters, Call(Register, 7, Handler, 0, 0, 0));
    }

    [Fact]
    public void The_routing_of_a_private_event_is_ignored_and_a_flag_that_is_none_refused()
    {
        foreach (var flags in new ulong[] { 2, 3, 1UL << 32, ulong.MaxValue }) Assert.Equal(InvalidParameters, Call(Register, Event, Handler, 0, flags, 0));
        Assert.Equal(0UL, Call(Status, Event));
        Assert.Equal(0UL, Call(Register, Event, Handler, 0, 0, 0));
        Assert.Equal(0UL, Call(Register, SdeiEvents.Software, Handler, 0, 1, 0));
        // Nobody has this affinity.
        Assert.Equal(0UL, Call(Register, SdeiEvents.Critical, Handler, 0, 1, 0xff00));
        Assert.Equal(1UL, Call(Status, SdeiEvents.Critical));
    }

    [Fact]
    public void A_delivered_event_interrupts_and_its_end_gives_everything_back()
    {
        Enabled(Event);
        for (var x = 0; x < 31; x++) Guest[x] = 0x100UL + (ulong)x;
        (Guest.Pc, Guest.Pstate) = (0x4000_0040, 0x6000_0000);
        Assert.True(_sdei.TryInject(0, (uint)Event));
        Assert.Equal([0], _host.Kicked);
        Assert.Equal(0x4000_0040UL, Guest.Pc);
        _sdei.Enter(Guest);
        Assert.Equal((Handler, 0x3c5UL, Event, 42UL, 0x4000_0040UL, 0x6000_0000UL), (Guest.Pc, Guest.Pstate, Guest[0], Guest[1], Guest[2], Guest[3]));
        Assert.Equal(7UL, Call(Status, Event));
        Assert.Equal(0x105UL, Call(Context, 5));
        Assert.Equal(0x111UL, Call(Context, 17));
        Assert.Equal(InvalidParameters, Call(Context, 18));
        Guest[20] = 5;
        Guest[0] = Complete;
        Assert.True(_sdei.TryCall(Guest, new SmcccCall(Complete)));
        Assert.Equal((0x4000_0040UL, 0x6000_0000UL), (Guest.Pc, Guest.Pstate));
        for (var x = 0; x < 18; x++) Assert.Equal(0x100UL + (ulong)x, Guest[x]);
        Assert.Equal((0x112UL, 5UL), (Guest[18], Guest[20]));
        Assert.Equal(Denied, Call(Complete));
        Assert.Equal(Denied, Call(Context, 0));
    }

    [Theory]
    [InlineData(0x10)]
    [InlineData(0x6000_0010)]
    public void An_event_that_interrupts_AArch32_finds_all_64_bits_and_gives_32_back(ulong pstate)
    {
        const ulong entry = 0xffff_8000_1000_8000, argument = 0xffff_0000_8000_1234;
        Assert.Equal(0UL, Call(Register, Event, entry, argument, 0, 0));
        Assert.Equal(0UL, Call(Enable, Event));
        Call(Unmask);
        for (var x = 0; x < 18; x++) Guest[x] = 0xf000_0000UL + (ulong)x;
        (Guest.Pc, Guest.Pstate) = (0x1_0040, pstate);
        Assert.True(_sdei.TryInject(0, (uint)Event));
        _sdei.Enter(Guest);
        Assert.Equal((entry, 0x3c5UL, Event, argument, 0x1_0040UL, pstate), (Guest.Pc, Guest.Pstate, Guest[0], Guest[1], Guest[2], Guest[3]));
        for (var x = 1; x < 18; x++) Guest[x] = ulong.MaxValue;
        Guest[0] = Complete;
        Assert.True(_sdei.TryCall(Guest, new SmcccCall(Complete)));
        Assert.Equal((0x1_0040UL, pstate), (Guest.Pc, Guest.Pstate));
        for (var x = 0; x < 18; x++) Assert.Equal(0xf000_0000UL + (ulong)x, Guest[x]);
    }

    [Theory]
    [InlineData(0x5)]
    [InlineData(0x6000_0010)]
    public void Complete_and_resume_goes_on_elsewhere_as_after_an_exception(ulong pstate)
    {
        Enabled(Event);
        (Guest.Pc, Guest.Pstate) = (0x4000_0040, pstate);
        Assert.True(_sdei.TryInject(0, (uint)Event));
        _sdei.Enter(Guest);
        Guest[1] = 0xffff_8000_4000_9000;
        Assert.True(_sdei.TryCall(Guest, new SmcccCall(CompleteAndResume)));
        Assert.Equal((0xffff_8000_4000_9000UL, 0x3c5UL, 0x4000_0040UL, pstate), (Guest.Pc, Guest.Pstate, Guest.ExceptionLink, Guest.SavedPstate));
    }

    [Fact]
    public void What_comes_while_masked_or_disabled_waits_and_comes_once()
    {
        Call(Register, Event, Handler, 0, 0, 0);
        Assert.True(_sdei.TryInject(0, (uint)Event));
        Guest.Pc = 0x4000_0000;
        _sdei.Enter(Guest);
        Assert.Equal(0x4000_0000UL, Guest.Pc);
        Call(Enable, Event);
        Assert.Equal(0UL, Call(Mask));
        Assert.Equal(0x4000_0000UL, Guest.Pc);
        // The call that unmasks is answered first: the handler finds 0 in what it interrupted.
        Call(Unmask);
        Assert.Equal(Handler, Guest.Pc);
        Assert.Equal(0UL, Call(Context, 0));
        Guest[0] = Complete;
        Assert.True(_sdei.TryCall(Guest, new SmcccCall(Complete)));
        Assert.Equal(0x4000_0000UL, Guest.Pc);
        Assert.Equal(1UL, Call(Mask));
        Assert.Equal(0UL, Call(Mask));
    }

    [Fact]
    public void A_critical_event_interrupts_a_normal_one_and_not_the_other_way()
    {
        Enabled(Event);
        Enabled(SdeiEvents.Critical);
        Enabled(SdeiEvents.Software);
        foreach (var number in new uint[] { (uint)Event, SdeiEvents.Software }) Assert.True(_sdei.TryInject(0, number));
        _sdei.Enter(Guest);
        Assert.Equal(SdeiEvents.Software, Guest[0]);
        _sdei.Enter(Guest);
        Assert.Equal(SdeiEvents.Software, Guest[0]);
        Assert.True(_sdei.TryInject(0, SdeiEvents.Critical));
        _sdei.Enter(Guest);
        Assert.Equal(SdeiEvents.Critical, Guest[0]);
        Assert.True(_sdei.TryCall(Guest, new SmcccCall(Complete)));
        Assert.True(_sdei.TryCall(Guest, new SmcccCall(Complete)));
        Assert.Equal(Event, Guest[0]);
    }

    [Fact]
    public void An_event_that_is_unregistered_by_its_own_handler_goes_when_it_ends()
    {
        Enabled(Event);
        Assert.True(_sdei.TryInject(0, (uint)Event));
        _sdei.Enter(Guest);
        Assert.Equal(Pending, Call(Unregister, Event));
        Assert.Equal(4UL, Call(Status, Event));
        Assert.Equal(Denied, Call(Enable, Event));
        Assert.False(_sdei.TryInject(0, (uint)Event));
        Assert.Equal(Denied, Call(PrivateReset));
        Assert.True(_sdei.TryCall(Guest, new SmcccCall(Complete)));
        Assert.Equal(0UL, Call(Status, Event));
        Assert.Equal(0UL, Call(PrivateReset));
    }

    [Fact]
    public void Only_the_software_event_is_signalled_by_software_and_to_whom_it_is_said()
    {
        Assert.Equal(InvalidParameters, Call(Signal, Event, 1));
        Assert.Equal(InvalidParameters, Call(Signal, SdeiEvents.Software, 9));
        Assert.Equal(1UL, Call(GetInfo, SdeiEvents.Software, 1));
        Assert.Equal(0UL, Call(GetInfo, Event, 1));
        Assert.Equal(1UL, Call(GetInfo, SdeiEvents.Critical, 2));
        Assert.Equal(InvalidParameters, Call(GetInfo, Event, 3));
        _host.Call(_sdei, 1, Register, SdeiEvents.Software, Handler, 0, 0, 0);
        _host.Call(_sdei, 1, Enable, SdeiEvents.Software);
        _host.Call(_sdei, 1, Unmask);
        Assert.Equal(0UL, Call(Signal, SdeiEvents.Software, 1));
        Assert.Equal([1], _host.Kicked);
        _sdei.Enter(_host.Vcpus[1]);
        Assert.Equal(Handler, _host.Vcpus[1].Pc);
    }

    [Fact]
    public void A_signal_takes_out_of_the_guest_only_who_is_to_be_interrupted_now()
    {
        Assert.Equal(0UL, Call(Signal, SdeiEvents.Software, 1));
        _host.Call(_sdei, 1, Register, SdeiEvents.Software, Handler, 0, 0, 0);
        _host.Call(_sdei, 1, Enable, SdeiEvents.Software);
        for (var i = 0; i < 3; i++) Assert.Equal(0UL, Call(Signal, SdeiEvents.Software, 1));
        Assert.Empty(_host.Kicked);
        _host.Call(_sdei, 1, Unmask);
        Assert.Equal(Handler, _host.Vcpus[1].Pc);
        // Once more, for when its handler has ended; then it comes with that call.
        for (var i = 0; i < 3; i++) Assert.Equal(0UL, Call(Signal, SdeiEvents.Software, 1));
        Assert.Empty(_host.Kicked);
        _host.Vcpus[1].Pc = 0;
        Assert.True(_sdei.TryCall(_host.Vcpus[1], new SmcccCall(Complete)));
        Assert.Equal(Handler, _host.Vcpus[1].Pc);
        Assert.True(_sdei.TryCall(_host.Vcpus[1], new SmcccCall(Complete)));
        Assert.Equal(0UL, Call(Signal, SdeiEvents.Software, 1));
        Assert.Equal([1], _host.Kicked);
    }

    [Fact]
    public void An_event_for_a_machine_that_stands_still_is_part_of_its_state_and_comes_at_the_start_wherever_that_is()
    {
        Enabled(Event);
        var before = _sdei.Capture();
        Assert.True(_sdei.TryInject(0, (uint)Event));
        var there = new Sdei(_host);
        there.Restore(1, _sdei.Capture());
        Assert.NotEqual(before, there.Capture());
        there.Enter(Guest);
        Assert.Equal((Handler, Event), (Guest.Pc, Guest[0]));
    }

    [Fact]
    public void What_nobody_registered_cannot_be_injected()
    {
        Assert.False(_sdei.TryInject(0, (uint)Event));
        Enabled(Event);
        Assert.False(_sdei.TryInject(1, (uint)Event));
        Assert.False(_sdei.TryInject(2, (uint)Event));
        Assert.False(_sdei.TryInject(0, 5));
    }

    [Fact]
    public void A_vcpu_that_is_off_gets_nothing_and_one_that_was_switched_off_starts_masked()
    {
        Enabled(Event);
        Assert.True(_sdei.TryInject(0, (uint)Event));
        Guest.MpState = MpState.Stopped;
        _sdei.Enter(Guest);
        Assert.Equal(0UL, Guest.Pc);
        _host.SwitchedOff(0);
        Guest.MpState = MpState.Runnable;
        _sdei.Enter(Guest);
        Assert.Equal(0UL, Guest.Pc);
        Assert.Equal(0UL, Call(Status, Event));
        Enabled(Event);
        Assert.Equal(0UL, Guest.Pc);
    }

    [Fact]
    public void Upper_halves_of_32_bit_parameters_do_not_count()
    {
        const ulong Rubbish = 0xdead_beef_0000_0000;
        Enabled(Rubbish | Event);
        Assert.Equal(3UL, Call(Status, Rubbish | Event));
        Assert.Equal(0UL, Call(GetInfo, Event, Rubbish));
        Assert.True(_sdei.TryInject(0, (uint)Event));
        Guest[3] = 9;
        _sdei.Enter(Guest);
        Assert.Equal(9UL, Call(Context, Rubbish | 3));
    }

    [Fact]
    public void A_handler_in_the_middle_moves_with_the_vm()
    {
        Enabled(Event);
        Enabled(SdeiEvents.Critical);
        for (var x = 0; x < 18; x++) Guest[x] = 0x200UL + (ulong)x;
        (Guest.Pc, Guest.Pstate) = (0x4000_0044, 0x5);
        foreach (var number in new uint[] { (uint)Event, SdeiEvents.Critical })
        {
            Assert.True(_sdei.TryInject(0, number));
            _sdei.Enter(Guest);
        }
        Assert.True(_sdei.TryInject(0, SdeiEvents.Critical));
        var there = new Sdei(_host);
        there.Restore(1, _sdei.Capture());
        Assert.Equal(_sdei.Capture(), there.Capture());
        // The first's event, and 21 words on the second's.
        var swapped = _sdei.Capture();
        (swapped[96], swapped[96 + 21 * 8]) = (swapped[96 + 21 * 8], swapped[96]);
        Assert.Contains("may not interrupt", Assert.Throws<HandlerStateException>(() => there.Restore(1, swapped)).Message);
        // The second critical one, the first's end, then the normal one's.
        foreach (var (pc, first) in new[] { (Handler, SdeiEvents.Critical), (Handler, Event), (0x4000_0044UL, 0x200UL) })
        {
            Assert.True(there.TryCall(Guest, new SmcccCall(Complete)));
            Assert.Equal((pc, first), (Guest.Pc, Guest[0]));
        }
    }

    [Fact]
    public void A_state_that_is_none_is_refused_and_changes_nothing()
    {
        Enabled(Event);
        Assert.True(_sdei.TryInject(0, (uint)Event));
        _sdei.Enter(Guest);
        var good = _sdei.Capture();
        Assert.Contains("vCPUs", Assert.Throws<HandlerStateException>(() => new Sdei(new FakeCallHost(3)).Restore(1, good)).Message);
        Assert.Contains("version 1", Assert.Throws<HandlerStateException>(() => _sdei.Restore(9, good)).Message);
        for (var length = 0; length < good.Length; length += 7) Assert.Throws<HandlerStateException>(() => _sdei.Restore(1, good.AsSpan(0, length)));
        Assert.Throws<HandlerStateException>(() => _sdei.Restore(1, [.. good, 0]));
        // 8 bytes of count, of mask, three events of 24; then how many handlers run, and the first's event.
        foreach (var (offset, value, word) in new[]
        {
            (88, (byte)200, "inside each other"), (96, (byte)200, "of event"), (96, (byte)((SdeiEvents.IndexOf(Event) + 1) % 3), "not registered"),
            (112, (byte)0x9, "PSTATE"),
        })
        {
            byte[] bad = [.. good];
            bad[offset] = value;
            Assert.Contains(word, Assert.Throws<HandlerStateException>(() => _sdei.Restore(1, bad)).Message);
        }
        Assert.Equal(good, _sdei.Capture());
    }

    [Fact]
    public void What_is_no_function_is_not_offered()
    {
        foreach (var function in new uint[] { Base + 0xa, Base + 0xd, Base + 0xe, Base + 0x1f, 0x8400_0000, 0x8600_0020 })
            Assert.False(_sdei.TryCall(Guest, new SmcccCall(function)));
    }

    private void Enabled(ulong number)
    {
        Assert.Equal(0UL, Call(Register, number, Handler, 42, 0, 0));
        Assert.Equal(0UL, Call(Enable, number));
        Call(Unmask);
    }

    private ulong Call(uint function, params ReadOnlySpan<ulong> arguments) => _host.Call(_sdei, 0, function, arguments);
}
