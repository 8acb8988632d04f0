using System.Collections.Frozen;
using System.Globalization;
using Migrate.Model.Registers;

namespace Migrate.Model.Foreign;

/// <summary>Which of two values of a field KVM holds to be safe for a guest.</summary>
internal enum SafetyKind
{
    /// <summary>The lower, as the field is ordered (FTR_LOWER_SAFE).</summary>
    Lower,

    /// <summary>The higher (FTR_HIGHER_SAFE).</summary>
    Higher,

    /// <summary>0 where either is 0, else the higher (FTR_HIGHER_OR_ZERO_SAFE).</summary>
    HigherOrZero,

    /// <summary>Only one value, whatever the host has (FTR_EXACT).</summary>
    Exact,
}

/// <summary>KVM's rule for one writable field of an identification register.</summary>
/// <param name="Field">The field; <see cref="RegisterField.Signed"/> says how its values are ordered.</param>
/// <param name="Kind">Which value is safe.</param>
/// <param name="SafeValue">The kernel's fallback, as unsigned bits of the field; only <see cref="SafetyKind.Exact"/> compares.</param>
internal readonly record struct FieldRule(RegisterField Field, SafetyKind Kind, ulong SafeValue)
{
    /// <summary>Whether KVM takes this field of <paramref name="wanted"/> where the host's limit is <paramref name="limit"/>.</summary>
    /// <remarks>
    /// Both are whole register values. Only for a field in the register's writable mask; any other must equal the limit.
    /// Source: arch/arm64/kvm/sys_regs.c <c>arm64_check_features</c>, arch/arm64/kernel/cpufeature.c <c>arm64_ftr_safe_value</c>.
    /// </remarks>
    public bool Accepts(ulong wanted, ulong limit)
    {
        var (value, bound) = (Field.ExtractOrdered(wanted), Field.ExtractOrdered(limit));
        if (value == bound) return true;
        return Kind switch
        {
            SafetyKind.Lower => value < bound,
            SafetyKind.Higher => value > bound,
            SafetyKind.HigherOrZero => value == 0 || (bound != 0 && value > bound),
            _ => Field.Extract(wanted) == SafeValue,
        };
    }
}

/// <summary>How KVM compares each field of an identification register with what the host offers.</summary>
/// <remarks>
/// An assumption about kernels, for states and profiles that come without a measurement; a measured profile never needs it.
/// A register a line, an indented line continues it. A bare name is lower-safe with safe value 0; <c>!</c> exact, <c>+</c> higher,
/// <c>~</c> higher or zero; <c>=N</c> another safe value. A field that is not here is compared with the host's value for equality.
/// Source of the facts: Linux 7.2 arch/arm64/kernel/cpufeature.c <c>arm64_ftr_bits</c> tables, with PMUVer, DebugVer and PerfMon
/// lower-safe as
/// arch/arm64/kvm/sys_regs.c <c>kvm_arm64_ftr_safe_value</c> has them (they are exact to the host itself).
/// </remarks>
internal static class FieldSafety
{
    private const string Table = """
        ID_PFR0_EL1 DIT CSV2 State3 State2 State1 State0
        ID_PFR1_EL1 GIC Virt_frac Sec_frac GenTimer Virtualization MProgMod Security ProgMod
        ID_DFR0_EL1 PerfMon MProfDbg MMapTrc CopTrc MMapDbg CopSDbg CopDbg
        ID_MMFR0_EL1 InnerShr=15 FCSE AuxReg TCM ShareLvl OuterShr=15 PMSA VMSA
        ID_MMFR1_EL1 BPred L1TstCln L1Uni L1Hvd L1UniSW L1HvdSW L1UniVA L1HvdVA
        ID_MMFR2_EL1 HWAccFlg WFIStall MemBarr UniTLB HvdTLB L1HvdRng L1HvdBG L1HvdFG
        ID_MMFR3_EL1 Supersec CMemSz CohWalk PAN MaintBcst BPMaint CMaintSW CMaintVA
        ID_ISAR0_EL1 Divide Debug Coproc CmpBranch BitField BitCount Swap
        ID_ISAR1_EL1 Jazelle Interwork Immediate IfThen Extend Except_AR Except Endian
        ID_ISAR2_EL1 Reversal PSR_AR MultU MultS Mult MultiAccessInt MemHint LoadStore
        ID_ISAR3_EL1 T32EE TrueNOP T32Copy TabBranch SynchPrim SVC SIMD Saturate
        ID_ISAR4_EL1 SWP_frac PSR_M SynchPrim_frac Barrier SMC Writeback WithShifts Unpriv
        ID_ISAR5_EL1 RDM CRC32 SHA2 SHA1 AES SEVL
        ID_MMFR4_EL1 EVT CCIDX LSM HPDS CnP XNX AC2 +SpecSEI
        ID_ISAR6_EL1 I8MM BF16 SPECRES SB FHM DP JSCVT
        MVFR0_EL1 FPRound FPShVec FPSqrt FPDivide FPTrap FPDP FPSP SIMDReg
        MVFR1_EL1 SIMDFMAC FPHP SIMDHP SIMDSP SIMDInt SIMDLS FPDNaN FPFtZ
        MVFR2_EL1 FPMisc SIMDMisc
        ID_PFR2_EL1 SSBS CSV3
        ID_DFR1_EL1 MTPMU
        ID_MMFR5_EL1 ETS
        ID_AA64PFR0_EL1 CSV3 CSV2 DIT AMU MPAM SEL2 SVE RAS GIC AdvSIMD=15 FP=15 EL3 EL2 EL1=1 EL0=1
        ID_AA64PFR1_EL1 DF2 GCS MTE_frac SME MPAM_frac RAS_frac MTE SSBS BT
        ID_AA64PFR2_EL1 FPMR GCIE MTEFAR MTESTOREONLY
        ID_AA64ZFR0_EL1 F64MM F32MM F16MM I8MM SM4 SHA3 B16B16 BF16 BitPerm EltPerm AES SVEver
        ID_AA64SMFR0_EL1 !FA64 !LUT6 !LUTv2 !SMEver !I16I64 !F64F64 !I16I32 !B16B16 !F16F16 !F8F16 !F8F32 !I8I32 !F16F32
          !B16F32 !BI32I32 !F32F32 !SF8FMA !SF8DP4 !SF8DP2 !SBitPerm !AES !SFEXPA !STMOP !SMOP4
        ID_AA64FPFR0_EL1 !F8CVT !F8FMA !F8DP4 !F8DP2 !F8MM8 !F8MM4 !F16MM2 !F8E4M3 !F8E5M2
        ID_AA64DFR0_EL1 DoubleLock PMSVer CTX_CMPs WRPs BRPs PMUVer DebugVer=6
        ID_AA64ISAR0_EL1 RNDR TLB TS FHM DP SM4 SM3 SHA3 RDM ATOMIC CRC32 SHA2 SHA1 AES
        ID_AA64ISAR1_EL1 LS64 XS I8MM DGH BF16 SPECRES SB FRINTTS GPI GPA LRCPC FCMA JSCVT !API !APA DPB
        ID_AA64ISAR2_EL1 ATS1A LUT CSSC RPRFM CLRBHB BC MOPS !APA3 GPA3 RPRES WFxT
        ID_AA64ISAR3_EL1 FPRCVT LSUI LSFE FAMINMAX
        ID_AA64MMFR0_EL1 ECV FGT EXS !TGRAN4_2=1 !TGRAN64_2=1 !TGRAN16_2=1 TGRAN4=15 TGRAN64=15 TGRAN16 BIGENDEL0 SNSMEM
          BIGEND ASIDBITS PARANGE
        ID_AA64MMFR1_EL1 ECBHB TIDCP1 AFP HCX ETS TWED XNX +SpecSEI PAN LO HPDS VH VMIDBits HAFDBS
        ID_AA64MMFR2_EL1 E0PD EVT BBM TTL FWB IDS AT ST NV CCIDX VARange IESB LSM UAO CnP
        ID_AA64MMFR3_EL1 S1POE S1PIE SCTLRX TCRX
        ID_AA64MMFR4_EL1 E2H0 NV_frac
        GMID_EL1 BS
        CTR_EL0 !RES1=1 DIC=1 IDC=1 ~CWG ~ERG DminLine=1 !L1Ip=2 IminLine
        DCZID_EL0 !DZP=1 BS
        MPAMIDR_EL1 PMG_MAX VPMR_MAX HAS_HCR PARTID_MAX
        """;

    private static readonly FrozenDictionary<RegisterId, FieldRule[]> Rules = RegisterTable.Lines(Table)
        .Select(line => (Register: Info(line[0]), Words: line[1..]))
        .ToFrozenDictionary(line => line.Register.Id, line => Array.ConvertAll(line.Words, word => Rule(line.Register, word)));

    /// <summary>Every register with rules.</summary>
    public static IReadOnlyCollection<RegisterId> Registers => Rules.Keys;

    /// <summary>
    /// The rules of a register, highest field first; empty where the kernel has none and every bit must equal the host's.
    /// </summary>
    public static IReadOnlyList<FieldRule> Of(RegisterId id) => Rules.GetValueOrDefault(id, []);

    /// <summary>The rule of the field whose lowest bit is <paramref name="shift"/>; null where there is none.</summary>
    public static FieldRule? Find(RegisterId id, int shift)
    {
        foreach (var rule in Of(id))
            if (rule.Field.Shift == shift) return rule;
        return null;
    }

    private static RegisterInfo Info(string name)
    {
        RegisterCatalog.TryFind(name, out var id);
        return RegisterCatalog.Find(id)
            ?? throw new InvalidOperationException($"the table of field rules names {name}, the catalogue does not");
    }

    private static FieldRule Rule(RegisterInfo register, string word)
    {
        var (kind, rest) = word[0] switch
        {
            '!' => (SafetyKind.Exact, word[1..]),
            '+' => (SafetyKind.Higher, word[1..]),
            '~' => (SafetyKind.HigherOrZero, word[1..]),
            _ => (SafetyKind.Lower, word),
        };
        var parts = rest.Split('=');
        var field = register.Field(parts[0])
            ?? throw new InvalidOperationException($"the table of field rules names {register.Name}.{parts[0]}, the catalogue does not");
        return new FieldRule(field, kind, parts.Length > 1 ? ulong.Parse(parts[1], CultureInfo.InvariantCulture) : 0);
    }
}
