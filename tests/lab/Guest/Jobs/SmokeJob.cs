using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Migrate.LabGuest.Jobs;

/// <summary>Is there an arm64 KVM that answers? Uses none of the code under test.</summary>
internal static class SmokeJob
{
    /// <summary>Capabilities by name and number (include/uapi/linux/kvm.h).</summary>
    private static readonly (string Name, int Number)[] Capabilities =
    [
        ("NR_VCPUS", 9), ("MAX_VCPUS", 66), ("ONE_REG", 70), ("ARM_PSCI_0_2", 102), ("ARM_EL1_32BIT", 105),
        ("GUEST_DEBUG_HW_BPS", 119), ("GUEST_DEBUG_HW_WPS", 120), ("ARM_PMU_V3", 126), ("VCPU_EVENTS", 41),
        ("ARM_INJECT_SERROR_ESR", 158), ("MANUAL_DIRTY_LOG_PROTECT2", 168), ("ARM_VM_IPA_SIZE", 165), ("ARM_SVE", 170),
        ("ARM_PTRAUTH_ADDRESS", 171), ("ARM_PTRAUTH_GENERIC", 172), ("STEAL_TIME", 187), ("DIRTY_LOG_RING", 192),
        ("ARM_MTE", 205), ("COUNTER_OFFSET", 227), ("ARM_SUPPORTED_BLOCK_SIZES", 229),
        ("ARM_SUPPORTED_REG_MASK_RANGES", 230), ("ARM_EL2", 240),
    ];

    public static void Run(JobContext context)
    {
        var answer = new StringBuilder();
        var release = File.ReadAllText("/proc/sys/kernel/osrelease").Trim();
        context.Note($"kernel {release}, boot {File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim()}");
        answer.Append("kernel ").AppendLine(release);
        answer.Append("build ").AppendLine(File.ReadAllText("/proc/sys/kernel/version").Trim());

        SafeFileHandle? kvm = null;
        if (!context.Case("opens /dev/kvm", () => kvm = RawKvm.Open()))
            return;
        using (kvm)
        {
            context.Case("API version is 12", () => CheckFailedException.Equal(
                12, RawKvm.Call(kvm!, RawKvm.GetApiVersion, 0, "KVM_GET_API_VERSION"), "KVM_GET_API_VERSION"));
            SafeFileHandle? vm = null;
            if (!context.Case("creates a VM", () => vm = new SafeFileHandle(RawKvm.Call(kvm!, RawKvm.CreateVm, 0, "KVM_CREATE_VM"), true)))
                return;
            using (vm)
            {
                context.Case("answers for capabilities", () => AskCapabilities(vm!, answer));
                context.Case("is arm64: names a preferred vCPU target", () => AskTarget(vm!, answer));
                context.Case("creates and initialises a vCPU", () => InitialiseVcpu(vm!));
            }
        }

        context.Answer("smoke.txt", answer.ToString());
    }

    private static void AskCapabilities(SafeFileHandle vm, StringBuilder answer)
    {
        foreach (var (name, number) in Capabilities)
        {
            var value = RawKvm.Call(vm, RawKvm.CheckExtension, number, $"KVM_CHECK_EXTENSION {name}");
            answer.Append(CultureInfo.InvariantCulture, $"capability {name} {value}\n");
            if (name == "ONE_REG")
                CheckFailedException.Equal(1, value, "KVM_CAP_ONE_REG");
        }
    }

    private static unsafe void AskTarget(SafeFileHandle vm, StringBuilder answer)
    {
        // struct kvm_vcpu_init: target, then seven words of features.
        var init = stackalloc uint[8];
        RawKvm.Call(vm, RawKvm.ArmPreferredTarget, (nint)init, "KVM_ARM_PREFERRED_TARGET");
        answer.Append(CultureInfo.InvariantCulture, $"target {init[0]}\n");
    }

    private static unsafe void InitialiseVcpu(SafeFileHandle vm)
    {
        using var vcpu = new SafeFileHandle(RawKvm.Call(vm, RawKvm.CreateVcpu, 0, "KVM_CREATE_VCPU"), true);
        var init = stackalloc uint[8];
        RawKvm.Call(vm, RawKvm.ArmPreferredTarget, (nint)init, "KVM_ARM_PREFERRED_TARGET");
        RawKvm.Call(vcpu, RawKvm.ArmVcpuInit, (nint)init, "KVM_ARM_VCPU_INIT");
    }
}
