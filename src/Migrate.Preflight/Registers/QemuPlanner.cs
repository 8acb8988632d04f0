using Migrate.Model.Firmware;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Migrate.Preflight.Rules;

namespace Migrate.Preflight.Registers;

/// <summary>Policy qemu: what QEMU does with the same registers, and what it prints.</summary>
/// <remarks>
/// Source: QEMU target/arm/kvm.c <c>kvm_arm_init_cpreg_list</c> and <c>write_list_to_kvmstate</c>, target/arm/machine.c <c>cpu_post_load</c>,
/// target/arm/cpu-host.c <c>kvm_arm_set_cpreg_mig_tolerances</c>. Confirmed with QEMU 11.1.3 under KVM in the lab (tests/Data/lab-pairs).
/// It sorts the list by id, leaves core and SVE registers out of it (it writes those itself), goes through the incoming list and its own side by side,
/// drops the few registers it tolerates, fails on any other that its own list lacks, keeps the new VM's value of one that the incoming list lacks
/// (with a warning), writes all registers although some are refused, and never reads back. Each register that only the incoming list has decides anew
/// whether the load fails, so one that is tolerated clears the failure of those before it: QEMU then says that it fails, and goes on.
/// QEMU up to 10.1 tolerated nothing and refused a longer list by its length: "Failed to load cpu:cpreg_vmstate_array_len".
/// </remarks>
internal static class QemuPlanner
{
    /// <summary>Listed by kernels that do not show the guest the feature, and so by some hosts alone.</summary>
    private static readonly RegisterId[] ToleratedAtAnyValue = [KnownRegisters.Tcr2, KnownRegisters.Pire0, KnownRegisters.Pir];

    public static void Plan(PlanContext context)
    {
        var values = new PlannedValues(context.Prepared);
        var there = context.Shape?.Shape.Registers.Select(r => r.Id).ToHashSet();
        foreach (var vcpu in context.State.Vcpus)
        {
            if (context.CanPredict) CheckSizes(context, vcpu);
            var fails = there is not null && DecidesToFail(vcpu, there);
            foreach (var register in vcpu.Registers.OrderBy(r => IsListed(r.Id) ? 0 : 1).ThenBy(r => r.Id))
                Write(context, vcpu, register, fails, values);
        }
    }

    private static bool IsListed(RegisterId id) => id.Class is not (RegisterClass.Core or RegisterClass.Sve);

    private static bool IsTolerated(Register register) =>
        ToleratedAtAnyValue.Contains(register.Id) || (register.Id == FirmwareRegisters.VendorHypervisor2.Id && register.Value.Low == 0);

    /// <summary>Whether the last register that the destination lacks, which decides, is one that QEMU does not tolerate.</summary>
    private static bool DecidesToFail(VcpuState vcpu, HashSet<RegisterId> there)
    {
        Register? last = null;
        foreach (var register in vcpu.Registers)
            if (IsListed(register.Id) && !there.Contains(register.Id) && (last is null || register.Id.CompareTo(last.Value.Id) > 0)) last = register;
        return last is { } one && !IsTolerated(one);
    }

    private static void CheckSizes(PlanContext context, VcpuState vcpu)
    {
        foreach (var register in vcpu.Registers)
        {
            if (!IsListed(register.Id) || register.Id.Size is 4 or 8) continue;
            context.Plan.Add(new Finding
            {
                Code = FindingCode.RegisterUnknown,
                Severity = Severity.Refused,
                Evidence = context.RegisterEvidence,
                Subject = RegisterCatalog.Name(register.Id),
                Register = register.Id,
                Vcpus = [vcpu.Index],
                Here = $"{register.Id.Size} bytes",
                Answer = $"QEMU: {QemuWords.Size}",
            });
        }
    }

    private static void Write(PlanContext context, VcpuState vcpu, Register register, bool fails, PlannedValues values)
    {
        var it = RegisterPlanner.CaseOf(context, vcpu, register, context.Prepared?.Find(register.Id), values);
        if (context.CanPredict && it.There is null && IsListed(it.Id))
        {
            Drop(it, register, fails);
            return;
        }
        AsCapturedPlanner.Write(context, vcpu, register, values, finding => finding.Severity == Severity.Refused
            ? finding with { Answer = $"{finding.Answer}; QEMU: {QemuWords.Refused(register.Id, register.Value, it.Answer.Errno)}; {QemuWords.NotWritten}" }
            : finding);
    }

    /// <summary>A register that the destination lacks: tolerated, or the reason to fail unless a tolerated one follows.</summary>
    private static void Drop(in RegisterCase it, Register register, bool fails)
    {
        var tolerated = IsTolerated(register);
        var answer = tolerated ? "QEMU drops it without a word" : $"ENOENT; QEMU: {QemuWords.OnlyIncoming(it.Id)}";
        if (tolerated || !fails)
        {
            var place = it.Id == KnownRegisters.SveLengths ? StepPlace.SveLengths : StepPlace.System;
            it.Context.Plan.Add(place, new LeaveOut(it.Vcpu.Index, it.Id, it.Value, "QEMU drops it", StepOrder.PhaseOf(place)));
            if (!tolerated) answer += "; and yet it goes on without it, because a register that it tolerates comes later";
        }
        var harmless = RuleTable.Relieve(it) is { Act: Act.LeaveOut } decision && decision.Findings.All(f => !f.Stops);
        var severity = !tolerated && fails ? Severity.Refused : harmless ? Severity.Note : Severity.Lossy;
        it.Context.Plan.Add(it.Finding(FindingCode.RegisterUnknown, severity, there: "no such register", answer: answer));
    }
}
