using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Migrate.Kvm.Handles;
using Migrate.Kvm.Native;

namespace Migrate.Tests.Kvm;

/// <summary>Numbers and layouts of KVM, which nothing but the kernel itself would notice to be wrong.</summary>
public class NativeTests
{
    /// <summary>What the kernel's own _IO, _IOR, _IOW and _IOWR make of uapi linux/kvm.h and the arm64 asm/kvm.h, printed by a C program.</summary>
    private static readonly Dictionary<string, uint> Numbers = new()
    {
        ["KVM_GET_API_VERSION"] = 0xae00,
        ["KVM_CREATE_VM"] = 0xae01,
        ["KVM_CHECK_EXTENSION"] = 0xae03,
        ["KVM_GET_VCPU_MMAP_SIZE"] = 0xae04,
        ["KVM_CREATE_VCPU"] = 0xae41,
        ["KVM_SET_USER_MEMORY_REGION"] = 0x4020ae46,
        ["KVM_GET_DIRTY_LOG"] = 0x4010ae42,
        ["KVM_CLEAR_DIRTY_LOG"] = 0xc018aec0,
        ["KVM_IRQ_LINE"] = 0x4008ae61,
        ["KVM_ENABLE_CAP"] = 0x4068aea3,
        ["KVM_ARM_PREFERRED_TARGET"] = 0x8020aeaf,
        ["KVM_ARM_SET_COUNTER_OFFSET"] = 0x4010aeb5,
        ["KVM_ARM_GET_REG_WRITABLE_MASKS"] = 0x8040aeb6,
        ["KVM_CREATE_DEVICE"] = 0xc00caee0,
        ["KVM_SET_DEVICE_ATTR"] = 0x4018aee1,
        ["KVM_GET_DEVICE_ATTR"] = 0x4018aee2,
        ["KVM_HAS_DEVICE_ATTR"] = 0x4018aee3,
        ["KVM_RUN"] = 0xae80,
        ["KVM_SET_SIGNAL_MASK"] = 0x4004ae8b,
        ["KVM_GET_MP_STATE"] = 0x8004ae98,
        ["KVM_SET_MP_STATE"] = 0x4004ae99,
        ["KVM_SET_GUEST_DEBUG"] = 0x4208ae9b,
        ["KVM_GET_VCPU_EVENTS"] = 0x8040ae9f,
        ["KVM_SET_VCPU_EVENTS"] = 0x4040aea0,
        ["KVM_GET_ONE_REG"] = 0x4010aeab,
        ["KVM_SET_ONE_REG"] = 0x4010aeac,
        ["KVM_ARM_VCPU_INIT"] = 0x4020aeae,
        ["KVM_GET_REG_LIST"] = 0xc008aeb0,
        ["KVM_ARM_VCPU_FINALIZE"] = 0x4004aec2,
    };

    private static IEnumerable<IoctlRequest> Requests =>
        typeof(Ioctls).GetFields().Select(f => f.GetValue(null)).OfType<IoctlRequest>();

    [Fact]
    public void Every_request_has_the_number_that_the_kernels_macros_give_it() =>
        Assert.Equal(Numbers.OrderBy(n => n.Key).Select(n => (n.Key, n.Value)), Requests.OrderBy(r => r.Name).Select(r => (r.Name, r.Number)));

    [Fact]
    public void Every_layout_has_the_size_that_its_request_carries()
    {
        (int Expected, int Actual)[] sizes =
        [
            (32, Unsafe.SizeOf<UserspaceMemoryRegion>()), (16, Unsafe.SizeOf<OneReg>()), (32, Unsafe.SizeOf<VcpuInit>()),
            (64, Unsafe.SizeOf<VcpuEventsLayout>()), (12, Unsafe.SizeOf<CreateDevice>()), (24, Unsafe.SizeOf<DeviceAttr>()),
            (104, Unsafe.SizeOf<EnableCap>()), (24, Unsafe.SizeOf<SmcccFilter>()), (16, Unsafe.SizeOf<CounterOffset>()),
            (64, Unsafe.SizeOf<RegisterMaskRange>()), (8, Unsafe.SizeOf<IrqLevel>()), (12, Unsafe.SizeOf<SignalMask>()),
        ];
        Assert.All(sizes, s => Assert.Equal(s.Expected, s.Actual));
    }

    [Fact]
    public void Fields_lie_where_the_headers_put_them()
    {
        Assert.Equal([0, 4, 8, 16, 24], Offsets<UserspaceMemoryRegion>("Slot", "Flags", "GuestAddress", "Size", "HostAddress"));
        Assert.Equal([0, 1, 2, 8], Offsets<VcpuEventsLayout>("SErrorPending", "SErrorHasEsr", "ExternalDataAbortPending", "SErrorEsr"));
        Assert.Equal([0, 4, 8, 16], Offsets<DeviceAttr>("Flags", "Group", "Attribute", "Address"));
        Assert.Equal([0, 4, 8], Offsets<EnableCap>("Capability", "Flags", "Argument"));
        Assert.Equal([0, 4, 8], Offsets<SmcccFilter>("Base", "Count", "Action"));
        Assert.Equal([0, 4], Offsets<VcpuInit>("Target", "Features"));
        // struct kvm_signal_mask has its set at 4, not at 8.
        Assert.Equal([0, 4, 8], Offsets<SignalMask>("Length", "LowSignals", "HighSignals"));
        // offsetof(struct kvm_run, ...) of the same C program.
        Assert.Equal(
            (1, 8, 32, 40, 48, 52, 32, 96, 32),
            (RunLayout.ImmediateExit, RunLayout.ExitReason, RunLayout.MmioAddress, RunLayout.MmioData, RunLayout.MmioLength,
                RunLayout.MmioIsWrite, RunLayout.HypercallNumber, RunLayout.HypercallFlags, RunLayout.SystemEventType));
    }

    [Theory]
    [InlineData(Capability.ArmEl132bit, "arm-el1-32bit")]
    [InlineData(Capability.ArmPsci02, "arm-psci-0-2")]
    [InlineData(Capability.ArmWritableImpIdRegs, "arm-writable-imp-id-regs")]
    [InlineData(Capability.ArmInjectSerrorEsr, "arm-inject-serror-esr")]
    [InlineData(Capability.ArmEl2E2h0, "arm-el2-e2h0")]
    [InlineData(Capability.ManualDirtyLogProtect2, "manual-dirty-log-protect2")]
    public void A_capability_is_called_as_KVM_calls_it_and_found_by_that_name(Capability capability, string name)
    {
        Assert.Equal(name, capability.Name());
        Assert.True(CapabilityNames.TryFind(name, out var found));
        Assert.Equal(capability, found);
    }

    [Fact]
    public void A_capability_that_KVM_does_not_have_is_not_found() => Assert.False(CapabilityNames.TryFind("arm-telepathy", out _));

    private static int[] Offsets<T>(params string[] fields) => [.. fields.Select(f => (int)Marshal.OffsetOf<T>(f))];
}
