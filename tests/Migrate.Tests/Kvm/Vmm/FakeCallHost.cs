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

internal sealed class FakeCallingVcpu(int index) : ICallingVcpu
{
    private readonly ulong[] _registers = new ulong[31];

    public int Index => index;

    public ulong Pc { get; set; }

    public ulong Pstate { get; set; }

    public ulong ExceptionLink { get; set; }

    public ulong SavedPstate { get; set; }

    public MpState MpState { get; set; }

    public int Resets { get; private set; }

    public ulong this[int register]
    {
        get => _registers[register];
        set => _registers[register] = value;
    }

    public void Reset()
    {
        Array.Clear(_registers);
        (Pc, Pstate) = (0, 0x3c5);
        Resets++;
    }
}
