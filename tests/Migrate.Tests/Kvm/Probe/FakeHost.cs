using Migrate.Kvm.Handles;
using Migrate.Kvm.Probe;
using Migrate.Model.Firmware;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Ports;
using Migrate.Model.Registers;
using Migrate.Simulation.Hosts;

namespace Migrate.Tests.Kvm.Probe;

/// <summary>A host for the probe that answers as a profile says, plus what a profile cannot say: hypercalls, and a change to any answer.</summary>
internal sealed class FakeHost(HostProfile profile) : IProbeHost
{
    public HostProfile Profile => profile;

    public int Open { get; set; }

    public long Calls { get; set; }

    /// <summary>Replaces the answer to KVM_SET_ONE_REG: the VM, the register, the value, the errno so far; what comes back counts.</summary>
    public Func<FakeVm, RegisterId, RegisterValue, int, int>? OnSet { get; init; }

    /// <summary>Replaces what KVM_GET_ONE_REG reads.</summary>
    public Func<FakeVm, RegisterId, RegisterValue, RegisterValue>? OnGet { get; init; }

    public IReadOnlyList<GicKind> Gics { get; init; } = [];

    public int RunErrno { get; init; }

    public int CheckExtension(int capability)
    {
        Calls++;
        var features = (Capability)capability switch
        {
            Capability.ArmPsci02 => VcpuFeatures.Psci02,
            Capability.ArmPmuV3 => VcpuFeatures.PmuV3,
            Capability.ArmSve => VcpuFeatures.Sve,
            Capability.ArmPtrauthAddress or Capability.ArmPtrauthGeneric => VcpuFeatures.PointerAuthentication,
            _ => default,
        };
        return features != default && profile.Shapes.Any(s => s.Errno == 0 && s.Features.Has(features)) ? 1 : 0;
    }

    public int TryVmType(ulong type)
    {
        Calls++;
        return new SimulatedHost(profile).NewTarget().Execute([new CreateVm(new VmType(type))])[0].Errno;
    }

    public ScratchAnswer Create(in ScratchVm request)
    {
        Calls++;
        var vm = new FakeVm(this, request);
        var answer = vm.Build();
        if (answer.Errno == 0) Open++;
        return answer;
    }
}

/// <summary>One scratch VM on <see cref="SimulatedTarget"/>.</summary>
internal sealed class FakeVm : IProbeVm
{
    private const uint NotSupported = 0xffff_ffff;

    private readonly FakeHost _host;
    private readonly ScratchVm _request;
    private readonly SimulatedTarget _target;
    private bool _status;
    private bool _disposed;

    public FakeVm(FakeHost host, ScratchVm request)
    {
        _host = host;
        _request = request;
        _target = new SimulatedHost(host.Profile).NewTarget();
    }

    public bool HasRun { get; private set; }

    public ScratchAnswer Build()
    {
        if (_host.Profile.Shape(_request.Features, _request.Gic) is not { } shape) return new(22, "vcpu_init", null);
        if (shape.Errno != 0) return new(shape.Errno, shape.RefusedAt, null);
        Do(new CreateVm(new VmType(0)));
        for (var i = 0; i < _request.Vcpus; i++) Do(new CreateVcpu(i, _request.Features));
        for (var i = 0; _request.Finalize && _request.Features.Has(VcpuFeatures.Sve) && i < _request.Vcpus; i++) Do(new FinalizeSve(i));
        return new(0, "", this);
    }

    public int List(int vcpu, out RegisterId[] ids)
    {
        _host.Calls++;
        var all = _host.Profile.Shape(_request.Features, _request.Gic)!.Registers.Select(r => r.Id).ToArray();
        var answers = _target.Read([.. all.Select(id => new RegisterAddress(vcpu, id))]);
        ids = [.. all.Where((_, i) => answers[i].Errno != 2)];
        return 0;
    }

    public int Get(int vcpu, RegisterId id, out RegisterValue value)
    {
        _host.Calls++;
        var answer = _target.Read([new RegisterAddress(vcpu, id)])[0];
        value = answer.Value ?? default;
        if (answer.Errno != 0) return answer.Errno;
        // A timer's status and whatever else moves: the profile says that it does, the simulated host keeps it still.
        if (Acceptance(id) is { Stored.Volatile: true } && id.Size == 8 && (_status = !_status)) value = new RegisterValue(value.Low ^ 4);
        if (_host.OnGet is { } change) value = change(this, id, value);
        return 0;
    }

    public int Set(int vcpu, RegisterId id, RegisterValue value)
    {
        _host.Calls++;
        var errno = _target.Execute([new WriteRegister(vcpu, id, value, null, StepPhase.Apply)])[0].Errno;
        return _host.OnSet is { } change ? change(this, id, value, errno) : errno;
    }

    /// <summary>The five instructions of the tiny guest: the frequency at first, then a call each time.</summary>
    public int Run(int vcpu, out ulong reported)
    {
        _host.Calls++;
        reported = 0;
        if (_host.RunErrno != 0) return _host.RunErrno;
        if (!_request.Runnable) return IProbeVm.UnexpectedExit;
        if (!HasRun)
        {
            HasRun = true;
            _target.Run(vcpu);
            reported = _host.Profile.CounterFrequency;
            return 0;
        }
        Span<ulong> results = [NotSupported, 0, 0, 0];
        Answer((uint)X(0), X(1), results);
        for (var i = 0; i < 4; i++) Do(new WriteRegister(vcpu, RegisterId.Core(8 * i, 8), new RegisterValue(results[i]), null, StepPhase.Apply));
        reported = results[0];
        return 0;
    }

    public int HasVmAttribute(uint group, ulong attribute) => _host.Profile.HasSmcccFilter == true ? 0 : 6;

    public int HasVcpuAttribute(int vcpu, uint group, ulong attribute) => group == 1 ? 0 : 6;

    public IEnumerable<string> Pmus() => _host.Profile.Capabilities.Where(c => c.Name.StartsWith("pmu.", StringComparison.Ordinal)).Select(c => c.Name[4..]);

    public int InstallFilter(SmcccFilterRange range) => _target.Execute([new InstallFilter(range)])[0].Errno;

    private ulong? _iidr;

    public int GetGic(uint group, ulong attribute, out ulong value)
    {
        var name = group == GicV3State.CpuSystemRegisters ? GicV3State.OwnIccCtlr : attribute == GicV3State.Iidr ? GicV3State.OwnIidr : GicV3State.OwnTyper2;
        var own = _host.Profile.Capabilities.FirstOrDefault(c => c.Name == name);
        value = attribute == GicV3State.Iidr ? _iidr ?? (ulong)own.Value : (ulong)own.Value;
        return own.Name is null ? 6 : 0;
    }

    public int SetGic(uint group, ulong attribute, ulong value)
    {
        var taken = _host.Profile.Capabilities.FirstOrDefault(c => c.Name == GicV3State.TakesRevision(GicV3State.Revision(value)));
        if (taken.Value == GicV3State.Kept) _iidr = value;
        return taken.Name is null ? 22 : 0;
    }

    public int TryDevice(uint type) => _host.Gics.Any(g => type == (uint)(g == GicKind.GicV3 ? DeviceKind.GicV3 : DeviceKind.GicV2)) ? 0 : 19;

    public void Dispose()
    {
        Assert.False(_disposed, "a scratch VM is closed twice");
        _disposed = true;
        _host.Open--;
    }

    private void Answer(uint function, ulong argument, Span<ulong> results)
    {
        switch (function)
        {
            case 0x8400_0000 when Service("psci-") is { } psci && PsciVersion.TryParse(psci, out var version):
                results[0] = version.ToRegister();
                break;
            case 0x8000_0001 when argument is 0x8000_8000 or 0x8000_7fff or 0x8000_3fff:
                var number = argument == 0x8000_8000 ? 1 : argument == 0x8000_7fff ? 2 : 3;
                results[0] = Service($"workaround-{number}-") switch { "available" => 0, "not-required" => number == 2 ? unchecked((ulong)-2) : 1, _ => NotSupported };
                break;
            case 0x8400_0050 when Has("trng"):
                results[0] = 0x1_0000;
                break;
            case 0x8000_0001 when argument == 0xc500_0020 && Has("pv-time"):
                results[0] = 0;
                break;
            case 0x8600_ff01 when Has("kvm"):
                (results[0], results[1], results[2], results[3]) = (0xb66f_b428, 0xe911_c52e, 0x564b_caa9, 0x743a_004d);
                break;
            case 0x8600_0000 when Has("kvm"):
                results[0] = (Has("func-feat") ? 1UL : 0) | (Has("ptp") ? 2UL : 0);
                break;
        }
    }

    private bool Has(string service) => _host.Profile.Services.Contains(service);

    private string? Service(string prefix) => _host.Profile.Services.FirstOrDefault(s => s.StartsWith(prefix, StringComparison.Ordinal))?[prefix.Length..];

    private ulong X(int number)
    {
        Assert.Equal(0, Get(0, RegisterId.Core(8 * number, 8), out var value));
        return value.Low;
    }

    private RegisterAcceptance? Acceptance(RegisterId id) => _host.Profile.Shape(_request.Features, _request.Gic)!.Find(id);

    private void Do(RestoreStep step) => Assert.Equal(0, _target.Execute([step])[0].Errno);
}
