using Migrate.Model.Machines;
using Migrate.Model.Registers;

namespace Migrate.Model.Foreign;

/// <summary>What a VM without a feature does not see: from the registers of a VM with it, those of one without.</summary>
internal static class HiddenFeatures
{
    private readonly record struct Hidden(VcpuFeatures Feature, KernelVersion Since, RegisterGroup[] Groups, string[] Registers, string[] Fields);

    // arch/arm64/kvm/sys_regs.c pmu_visibility, ptrauth_visibility, sve_visibility and __kvm_read_sanitised_id_reg; 5.10 hides nothing of the PMU.
    private static readonly Hidden[] Table =
    [
        new(VcpuFeatures.PmuV3, new(6, 1), [RegisterGroup.Pmu], [], ["ID_AA64DFR0_EL1.PMUVer", "ID_DFR0_EL1.PerfMon"]),
        new(VcpuFeatures.Sve, KernelVersion.Any, [RegisterGroup.Sve], ["ZCR_EL1"], ["ID_AA64PFR0_EL1.SVE", "ID_AA64ZFR0_EL1.*"]),
        new(VcpuFeatures.PointerAuthentication, KernelVersion.Any, [RegisterGroup.PointerAuthentication], [],
            ["ID_AA64ISAR1_EL1.APA", "ID_AA64ISAR1_EL1.API", "ID_AA64ISAR1_EL1.GPA", "ID_AA64ISAR1_EL1.GPI", "ID_AA64ISAR2_EL1.APA3", "ID_AA64ISAR2_EL1.GPA3"]),
    ];

    private static readonly RegisterId FirstAfterVectors = RegisterKinds.Id("FPSR");
    private static readonly RegisterValue Zero = new(new byte[16]);
    private static readonly RegisterId[] Vectors = [.. Enumerable.Range(0, 32).Select(i => RegisterKinds.Id($"V{i}"))];

    /// <summary>The optional features that this table knows how to take away; the rest of a VM's features stays.</summary>
    public static VcpuFeatures Known => VcpuFeatures.PmuV3 | VcpuFeatures.Sve | VcpuFeatures.PointerAuthentication;

    /// <summary>Every combination of the known features.</summary>
    public static IEnumerable<VcpuFeatures> Combinations()
    {
        for (var set = 0; set < 1 << Table.Length; set++)
        {
            var features = default(VcpuFeatures);
            for (var i = 0; i < Table.Length; i++)
                if ((set >> i & 1) != 0) features |= Table[i].Feature;
            yield return features;
        }
    }

    /// <summary>The registers of a new VM of <paramref name="features"/>, a subset of those of the VM that was captured.</summary>
    public static IReadOnlyList<ListedRegister> Without(ForeignCapture capture, VcpuFeatures features, KernelVersion version)
    {
        var gone = capture.Features.Except(features);
        var hidden = Array.FindAll(Table, row => gone.Has(row.Feature) && row.Since.CompareTo(version) <= 0);
        var listed = new List<ListedRegister>(capture.Listed.Count + Vectors.Length);
        foreach (var register in capture.Listed)
        {
            if (Array.Exists(hidden, row => Hides(row, register.Id))) continue;

            // With SVE the low halves of Z0 to Z31 are V0 to V31 and KVM does not list these; without it they are core registers again.
            if (register.Id == FirstAfterVectors && gone.Has(VcpuFeatures.Sve))
                foreach (var vector in Vectors) listed.Add(new ListedRegister(vector, Zero));
            listed.Add(register with { Value = Mask(register.Value, register.Id, hidden) });
        }
        return listed;
    }

    private static bool Hides(Hidden row, RegisterId id) =>
        (RegisterCatalog.Find(id) is { } info && (row.Groups.Contains(info.Group) || row.Registers.Contains(info.Name)));

    private static RegisterValue? Mask(RegisterValue? value, RegisterId id, Hidden[] hidden)
    {
        if (value is not { Size: 8 } known || RegisterCatalog.Find(id) is not { } info) return value;
        var bits = known.Low;
        foreach (var row in hidden)
            foreach (var name in row.Fields)
            {
                var dot = name.IndexOf('.');
                if (!name.AsSpan(0, dot).SequenceEqual(info.Name)) continue;
                bits &= ~(name.AsSpan(dot + 1) is "*" ? ulong.MaxValue : info.Field(name[(dot + 1)..])!.Value.Mask);
            }
        return new RegisterValue(bits);
    }
}
