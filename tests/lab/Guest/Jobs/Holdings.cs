using Migrate.Kvm.Handles;
using Migrate.Kvm.Scratch;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;

namespace Migrate.LabGuest.Jobs;

/// <summary>What this host really holds in the fields that proofs name: every value is written into a new VM and read back.</summary>
internal static class Holdings
{
    private const int Values = 16;

    /// <summary>A line a field and set of features: <c>psci_0_2 ID_AA64DFR0_EL1.DebugVer: 6</c>.</summary>
    public static IEnumerable<string> Of(KvmSystem system, BaselineReport report, string host)
    {
        foreach (var proof in report.Proofs.Where(p => p.Hosts.Contains(host)).DistinctBy(p => (p.Features, p.Subject, p.Register)).OrderBy(p => $"{p.Features} {p.Subject}", StringComparer.Ordinal))
        {
            if (proof is not { Features: { } features, Register: { } id }) continue;
            yield return $"{features} {proof.Subject}: {string.Join(' ', Kept(system, features, id, FieldOf(proof)))}";
        }
    }

    /// <summary>The bits that a proof is about.</summary>
    public static RegisterField FieldOf(BaselineProof proof)
    {
        var name = proof.Subject.Split('.')[^1];
        foreach (var field in RegisterCatalog.Find(proof.Register!.Value)?.Fields ?? [])
            if (field.Name == name) return field;
        // A firmware register is a level of four bits.
        return new RegisterField(proof.Subject, 0, 4, Signed: false);
    }

    private static IEnumerable<ulong> Kept(KvmSystem system, VcpuFeatures features, RegisterId id, RegisterField field)
    {
        using var machine = ScratchMachine.Create(system, new ScratchOptions { Features = features, HasGic = true });
        var vcpu = machine.Machine.Vcpus[0];
        if (vcpu.TryGet(id, out var own) != 0) yield break;
        for (var value = 0UL; value < Values && value <= field.Mask >> field.Shift; value++)
        {
            var wanted = new RegisterValue(field.Insert(own.Low, value), id.Size);
            if (vcpu.TrySet(id, wanted) == 0 && vcpu.TryGet(id, out var reads) == 0 && field.Extract(reads.Low) == value) yield return value;
        }
    }
}
