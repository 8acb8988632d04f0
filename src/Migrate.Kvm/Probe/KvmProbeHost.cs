using System.Buffers.Binary;
using Migrate.Kvm.Handles;
using Migrate.Kvm.Native;
using Migrate.Linux.Memory;
using Migrate.Linux.Processes;
using Migrate.Model.Machines;
using Migrate.Model.Registers;

namespace Migrate.Kvm.Probe;

/// <summary>The probe's host on a real /dev/kvm.</summary>
internal sealed class KvmProbeHost(KvmSystem system) : IProbeHost
{
    public long Calls => system.Count.Total;

    public int CheckExtension(int capability) => system.CheckExtension((Capability)capability);

    public int TryVmType(ulong type)
    {
        var errno = system.TryCreateVm(type, out var vm);
        vm?.Dispose();
        return errno;
    }

    public ScratchAnswer Create(in ScratchVm request)
    {
        var errno = system.TryCreateVm(DefaultType(), out var vm);
        if (vm is null) return new(errno, "create_vm", null);
        var scratch = new KvmProbeVm(vm);
        var answer = scratch.Build(request);
        if (answer.Errno != 0) scratch.Dispose();
        return answer;
    }

    /// <summary>Type 0 means 40 bits, which a host with a smaller limit refuses: then its limit.</summary>
    private ulong DefaultType()
    {
        var limit = system.CheckExtension(Capability.ArmVmIpaSize);
        return limit >= new VmType(0).IpaBits ? 0 : (ulong)limit;
    }
}

/// <summary>One scratch VM of a real KVM. Everything is closed with it.</summary>
internal sealed class KvmProbeVm(KvmVm vm) : IProbeVm
{
    private const int MemoryBytes = 64 << 10;
    private const ulong Distributor = 0x0800_0000;
    private const ulong Redistributors = 0x080a_0000;
    private const ulong CpuInterface = 0x0801_0000;
    private const uint PmuInterrupt = 23;

    private readonly List<KvmVcpu> _vcpus = [];
    private KvmDevice? _gic;
    private MappedRegion? _memory;

    /// <summary>
    /// Builds what was asked for in the order of a restore (<see cref="State.StateTable"/>): a GIC that is created before KVM_ARM_VCPU_INIT leaves other ID
    /// registers behind than one that is created after it (seen on 6.18: ID_PFR1_EL1 of a CPU without AArch32).
    /// </summary>
    public ScratchAnswer Build(in ScratchVm request)
    {
        var errno = 0;
        if (request.Runnable && (errno = GiveMemory()) != 0) return new(errno, "memory", null);
        var target = vm.PreferredTarget();
        for (var i = 0; i < request.Vcpus; i++)
        {
            errno = vm.TryCreateVcpu(i, out var vcpu);
            if (vcpu is null) return new(errno, "create_vcpu", null);
            _vcpus.Add(vcpu);
        }
        foreach (var vcpu in _vcpus)
        {
            errno = vcpu.TryInitialise(target, request.Features);
            if (errno != 0) return new(errno, "vcpu_init", null);
            if (!request.Finalize || !request.Features.Has(VcpuFeatures.Sve)) continue;
            errno = vcpu.TryFinalizeSve();
            if (errno != 0) return new(errno, "finalize", null);
        }
        if (request.Gic != GicKind.None)
        {
            errno = vm.TryCreateDevice(request.Gic == GicKind.GicV2 ? DeviceKind.GicV2 : DeviceKind.GicV3, out _gic);
            if (errno != 0 || (errno = PlaceGic()) != 0) return new(errno, "create_gic", null);
        }
        if (request.Runnable && (errno = MakeRunnable(request)) != 0) return new(errno, "run", null);
        return new(0, "", this);
    }

    public int List(int vcpu, out RegisterId[] ids) => _vcpus[vcpu].TryListRegisters(out ids);

    public int Get(int vcpu, RegisterId id, out RegisterValue value) => _vcpus[vcpu].TryGet(id, out value);

    public int Set(int vcpu, RegisterId id, RegisterValue value) => _vcpus[vcpu].TrySet(id, value);

    public int Run(int vcpu, out ulong reported)
    {
        var run = _vcpus[vcpu].Run;
        reported = 0;
        int errno;
        do errno = _vcpus[vcpu].TryRun();
        while (errno == KvmErrno.EINTR);
        if (errno != 0) return errno;
        if (run.ExitReason != ExitReason.Mmio || !run.MmioIsWrite || run.MmioAddress != TinyGuest.ReportAddress) return IProbeVm.UnexpectedExit;
        reported = run.MmioData;
        return 0;
    }

    public int HasVmAttribute(uint group, ulong attribute) => vm.HasAttribute(group, attribute);

    public int HasVcpuAttribute(int vcpu, uint group, ulong attribute) => _vcpus[vcpu].HasAttribute(group, attribute);

    public IEnumerable<string> Pmus() => PerfDevices.List()
        .Where(pmu => _vcpus[0].TrySetAttribute32(VcpuAttributes.PmuControl, VcpuAttributes.PmuSetPmu, (uint)pmu.Type) == 0).Select(pmu => pmu.Name);

    public int InstallFilter(SmcccFilterRange range) => vm.TryInstallFilter(range);

    public int GetGic(uint group, ulong attribute, out ulong value)
    {
        if (group == VgicGroup.CpuSystemRegisters) return _gic!.TryGetAttribute64(group, attribute, out value);
        var errno = _gic!.TryGetAttribute32(group, attribute, out var word);
        value = word;
        return errno;
    }

    public int SetGic(uint group, ulong attribute, ulong value) => group == VgicGroup.CpuSystemRegisters
        ? _gic!.TrySetAttribute64(group, attribute, value) : _gic!.TrySetAttribute32(group, attribute, (uint)value);

    public int TryDevice(uint type) => vm.TestDevice((DeviceKind)type);

    public void Dispose()
    {
        foreach (var vcpu in _vcpus) vcpu.Dispose();
        _gic?.Dispose();
        vm.Dispose();
        _memory?.Dispose();
    }

    private unsafe int GiveMemory()
    {
        _memory = MappedRegion.Untouched("scratch memory of a probe", MemoryBytes);
        for (var i = 0; i < TinyGuest.Code.Length; i++) BinaryPrimitives.WriteUInt32LittleEndian(_memory.Slice(4 * i, 4), TinyGuest.Code[i]);
        return vm.TrySetMemory(new MemorySlot(0, TinyGuest.CodeAddress, MemoryBytes), _memory.Pointer);
    }

    private int PlaceGic()
    {
        var errno = _gic!.Kind == DeviceKind.GicV3
            ? Place(VgicAddress.V3Distributor, Distributor, VgicAddress.V3Redistributor, Redistributors)
            : Place(VgicAddress.V2Distributor, Distributor, VgicAddress.V2Cpu, CpuInterface);
        return errno != 0 ? errno : _gic.TrySetAttribute(VgicGroup.Control, VgicControl.Init, default);
    }

    /// <summary>What KVM_RUN asks for at first: a PMU with an interrupt.</summary>
    private int MakeRunnable(in ScratchVm request)
    {
        var errno = 0;
        if (!request.Features.Has(VcpuFeatures.PmuV3)) return errno;
        foreach (var vcpu in _vcpus)
        {
            if (errno == 0 && _gic is not null) errno = vcpu.TrySetAttribute32(VcpuAttributes.PmuControl, VcpuAttributes.PmuInterrupt, PmuInterrupt);
            if (errno == 0) errno = vcpu.TrySetAttribute(VcpuAttributes.PmuControl, VcpuAttributes.PmuInit, default);
        }
        return errno;
    }

    private int Place(ulong first, ulong firstAddress, ulong second, ulong secondAddress)
    {
        var errno = _gic!.TrySetAttribute64(VgicGroup.Address, first, firstAddress);
        return errno != 0 ? errno : _gic.TrySetAttribute64(VgicGroup.Address, second, secondAddress);
    }
}
