using Migrate.Kvm.Vmm.Calls;
using Migrate.Model.Machines;

namespace Migrate.Tests.Kvm.Vmm;

/// <summary>A VM of some vCPUs that only remembers.</summary>
internal sealed class FakeCallHost(int vcpus) : ICallHost
{
    public FakeCallingVcpu[] Vcpus { get; } = [.. Enumerable.Range(0, vcpus).Select(i => new FakeCallingVcpu(i))];

    public List<ICallHandler> Handlers { get; } = [];

    public List<int> Kicked { get; } = [];

    /// <summary>As KVM numbers them: sixteen a cluster.</summary>
    public IReadOnlyList<ulong> Affinities { get; } = [.. Enumerable.Range(0, vcpus).Select(i => (ulong)(i % 16 | i / 16 << 8))];

    public void Kick(int vcpu) => Kicked.Add(vcpu);

    public void SwitchedOff(int vcpu) => Handlers.ForEach(h => h.SwitchedOff(vcpu));

    /// <summary>The call of a guest; what X0 reads as then.</summary>
    public ulong Call(ICallHandler handler, int vcpu, uint function, params ReadOnlySpan<ulong> arguments)
    {
        var caller = Vcpus[vcpu];
        caller[0] = function;
        for (var i = 0; i < arguments.Length; i++) caller[i + 1] = arguments[i];
        Assert.True(handler.TryCall(caller, new SmcccCall(function)), $"0x{function:x} is not offered");
        return caller[0];
    }
}

/// <summary>As narrow as KVM's: after every write to a core register, PSTATE.M[4] decides whether they are 32 bits wide (arch/arm64/kvm/guest.c, set_core_reg).</summary>
internal sealed class FakeCallingVcpu(int index) : ICallingVcpu
{
    private const ulong Aarch32 = 0x10, Aarch32User = 0x10, Aarch32System = 0x1f;

    private readonly ulong[] _registers = new ulong[31];

    public int Index => index;

    public ulong Pc
    {
        get;
        set => Write(ref field, value);
    }

    public ulong Pstate
    {
        get;
        set => Write(ref field, value);
    }

    public ulong ExceptionLink
    {
        get;
        set => Write(ref field, value);
    }

    public ulong SavedPstate
    {
        get;
        set => Write(ref field, value);
    }

    public MpState MpState { get; set; }

    public int Resets { get; private set; }

    public ulong this[int register]
    {
        get => _registers[register];
        set => Write(ref _registers[register], value);
    }

    public void Reset()
    {
        Array.Clear(_registers);
        (Pc, Pstate) = (0, 0x3c5);
        Resets++;
    }

    private void Write(ref ulong register, ulong value)
    {
        register = value;
        if ((Pstate & Aarch32) == 0) return;
        // Compared with its flags: with one of them set, all 31 registers are cut.
        var count = Pstate is Aarch32User or Aarch32System ? 15 : 31;
        for (var i = 0; i < count; i++) _registers[i] = (uint)_registers[i];
        if (Pc >> 32 != 0) Pc = (uint)Pc;
    }
}
