using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Migrate.Preflight.Rules;

namespace Migrate.Preflight.Registers;

/// <summary>Policy qemu: what QEMU does with the same registers, and what it prints.</summary>
/// <remarks>
/// Source: QEMU target/arm/kvm.c <c>kvm_arm_init_cpreg_list</c> and <c>write_list_to_kvmstate</c>, target/arm/machine.c <c>cpu_post_load</c>.
/// As of QEMU 10.1: it sorts the list by id, leaves core and SVE registers out of it (it writes those itself), refuses an incoming list that is longer than its own,
/// fails on an incoming register that its own list lacks, keeps the new VM's value of one that the incoming list lacks, and never reads back.
/// </remarks>
internal static class QemuPlanner
{
    private const string LoadFails = "QEMU: error while loading state for instance of device 'cpu'; load of migration failed: Operation not permitted";

    public static void Plan(PlanContext context)
    {
        var values = new PlannedValues(context.Prepared);
        var there = context.Shape is { } shape ? Listed(shape.Shape.Registers.Select(r => r.Id)) : null;
        foreach (var vcpu in context.State.Vcpus)
        {
            var here = Listed(vcpu.Registers.Select(r => r.Id));
            if (context.CanPredict) CompareLists(context, vcpu, here, there!);
            foreach (var register in vcpu.Registers.OrderBy(r => IsListed(r.Id) ? 0 : 1).ThenBy(r => r.Id))
                Write(context, vcpu, register, here.Count, there, values);
        }
    }

    private static bool IsListed(RegisterId id) => id.Class is not (RegisterClass.Core or RegisterClass.Sve);

    private static List<RegisterId> Listed(IEnumerable<RegisterId> ids) => [.. ids.Where(IsListed).Order()];

    private static void CompareLists(PlanContext context, VcpuState vcpu, List<RegisterId> here, List<RegisterId> there)
    {
        foreach (var id in here.Where(id => id.Size is not (4 or 8)))
            Fail(context, vcpu, RegisterCatalog.Name(id), $"{id.Size} bytes", "QEMU: Can't handle size of register in kernel list", id);
        if (here.Count > there.Count)
            Fail(context, vcpu, "cpreg list", $"{here.Count} registers",
                $"QEMU: Invalid value {here.Count} expecting positive value <= {there.Count}; Failed to load cpu:cpreg_vmstate_array_len",
                null, $"{there.Count} registers");
    }

    private static void Fail(PlanContext context, VcpuState vcpu, string subject, string here, string answer, RegisterId? id,
        string there = "") => context.Plan.Add(new Finding
        {
            Code = FindingCode.RegisterUnknown,
            Severity = Severity.Refused,
            Evidence = context.RegisterEvidence,
            Subject = subject,
            Register = id,
            Vcpus = [vcpu.Index],
            Here = here,
            There = there,
            Answer = answer,
        });

    private static void Write(PlanContext context, VcpuState vcpu, Register register, int listed, List<RegisterId>? there, PlannedValues values)
    {
        var it = RegisterPlanner.CaseOf(context, vcpu, register, context.Prepared?.Find(register.Id), values);
        var place = register.Id == KnownRegisters.SveLengths ? StepPlace.SveLengths : StepPlace.System;
        if (context.CanPredict && it.There is null && IsListed(it.Id))
        {
            // The matching loop ends with QEMU's own list: a register behind its last one is dropped without a word, if the lengths let it come that far.
            var behind = listed <= there!.Count && there.Count > 0 && it.Id.CompareTo(there[^1]) > 0;
            if (behind) context.Plan.Add(place, new LeaveOut(vcpu.Index, it.Id, it.Value, "QEMU drops it without a word", StepOrder.PhaseOf(place)));
            var harmless = behind && RuleTable.Relieve(it) is { Act: Act.LeaveOut } decision && decision.Findings.All(f => !f.Stops);
            var severity = harmless ? Severity.Note : behind ? Severity.Lossy : Severity.Refused;
            context.Plan.Add(it.Finding(FindingCode.RegisterUnknown, severity, there: "no such register",
                answer: behind ? "QEMU drops it without a word" : "ENOENT; " + LoadFails));
            return;
        }
        AsCapturedPlanner.Write(context, vcpu, register, values,
            static f => f.Severity == Severity.Refused ? f with { Answer = $"{f.Answer}; {LoadFails}" } : f);
    }
}
