namespace Migrate.Model.Registers;

/// <summary>Names and encodings of the AArch64 system registers that KVM lists or can list, or serves through the vGIC.</summary>
/// <remarks>
/// A line is a name, then op0 op1 CRn CRm op2; <c>xCOUNT +STRIDE</c> after it makes COUNT registers whose index takes the place of
/// <c>#</c> and whose
/// encodings are STRIDE apart. A line in brackets names the <see cref="RegisterGroup"/> of those below it.
/// CNTV_CVAL_EL0 and CNTVCT_EL0 stand with each other's encoding: that is how KVM numbers them (KVM_REG_ARM_TIMER_CVAL and
/// KVM_REG_ARM_TIMER_CNT).
/// SP_EL1, ELR_EL1 and SPSR_EL1 are core registers to KVM and so are not here.
/// Source of the facts: Linux 7.2 arch/arm64/tools/sysreg, arch/arm64/include/asm/sysreg.h, and arch/arm64/kvm/sys_regs.c
/// <c>sys_reg_descs</c> for the choice.
/// </remarks>
internal static class SystemRegisterTable
{
    /// <summary>The table as text; read once by <see cref="RegisterCatalog"/>.</summary>
    public const string Text = """
        [Identification]
        MIDR_EL1 3 0 0 0 0
        MPIDR_EL1 3 0 0 0 5
        REVIDR_EL1 3 0 0 0 6
        ID_PFR0_EL1 3 0 0 1 0
        ID_PFR1_EL1 3 0 0 1 1
        ID_DFR0_EL1 3 0 0 1 2
        ID_AFR0_EL1 3 0 0 1 3
        ID_MMFR0_EL1 3 0 0 1 4
        ID_MMFR1_EL1 3 0 0 1 5
        ID_MMFR2_EL1 3 0 0 1 6
        ID_MMFR3_EL1 3 0 0 1 7
        ID_ISAR0_EL1 3 0 0 2 0
        ID_ISAR1_EL1 3 0 0 2 1
        ID_ISAR2_EL1 3 0 0 2 2
        ID_ISAR3_EL1 3 0 0 2 3
        ID_ISAR4_EL1 3 0 0 2 4
        ID_ISAR5_EL1 3 0 0 2 5
        ID_MMFR4_EL1 3 0 0 2 6
        ID_ISAR6_EL1 3 0 0 2 7
        MVFR0_EL1 3 0 0 3 0
        MVFR1_EL1 3 0 0 3 1
        MVFR2_EL1 3 0 0 3 2
        ID_PFR2_EL1 3 0 0 3 4
        ID_DFR1_EL1 3 0 0 3 5
        ID_MMFR5_EL1 3 0 0 3 6
        ID_AA64PFR0_EL1 3 0 0 4 0
        ID_AA64PFR1_EL1 3 0 0 4 1
        ID_AA64PFR2_EL1 3 0 0 4 2
        ID_AA64ZFR0_EL1 3 0 0 4 4
        ID_AA64SMFR0_EL1 3 0 0 4 5
        ID_AA64FPFR0_EL1 3 0 0 4 7
        ID_AA64DFR0_EL1 3 0 0 5 0
        ID_AA64DFR1_EL1 3 0 0 5 1
        ID_AA64DFR2_EL1 3 0 0 5 2
        ID_AA64AFR0_EL1 3 0 0 5 4
        ID_AA64AFR1_EL1 3 0 0 5 5
        ID_AA64ISAR0_EL1 3 0 0 6 0
        ID_AA64ISAR1_EL1 3 0 0 6 1
        ID_AA64ISAR2_EL1 3 0 0 6 2
        ID_AA64ISAR3_EL1 3 0 0 6 3
        ID_AA64MMFR0_EL1 3 0 0 7 0
        ID_AA64MMFR1_EL1 3 0 0 7 1
        ID_AA64MMFR2_EL1 3 0 0 7 2
        ID_AA64MMFR3_EL1 3 0 0 7 3
        ID_AA64MMFR4_EL1 3 0 0 7 4
        GMID_EL1 3 1 0 0 4
        SMIDR_EL1 3 1 0 0 6
        AIDR_EL1 3 1 0 0 7
        VPIDR_EL2 3 4 0 0 0
        VMPIDR_EL2 3 4 0 0 5
        [Cache]
        CCSIDR_EL1 3 1 0 0 0
        CLIDR_EL1 3 1 0 0 1
        CCSIDR2_EL1 3 1 0 0 2
        CSSELR_EL1 3 2 0 0 0
        CTR_EL0 3 3 0 0 1
        DCZID_EL0 3 3 0 0 7
        [Control]
        SCTLR_EL1 3 0 1 0 0
        ACTLR_EL1 3 0 1 0 1
        CPACR_EL1 3 0 1 0 2
        SCTLR2_EL1 3 0 1 0 3
        SCTLRMASK_EL1 3 0 1 4 0
        ACTLRMASK_EL1 3 0 1 4 1
        CPACRMASK_EL1 3 0 1 4 2
        SCTLR2MASK_EL1 3 0 1 4 3
        TPIDR_EL1 3 0 13 0 4
        ACCDATA_EL1 3 0 13 0 5
        SCXTNUM_EL1 3 0 13 0 7
        TPIDR_EL0 3 3 13 0 2
        TPIDRRO_EL0 3 3 13 0 3
        SCXTNUM_EL0 3 3 13 0 7
        [Translation]
        TTBR0_EL1 3 0 2 0 0
        TTBR1_EL1 3 0 2 0 1
        TCR_EL1 3 0 2 0 2
        TCR2_EL1 3 0 2 0 3
        TCRMASK_EL1 3 0 2 7 2
        TCR2MASK_EL1 3 0 2 7 3
        PAR_EL1 3 0 7 4 0
        MAIR_EL1 3 0 10 2 0
        MAIR2_EL1 3 0 10 2 1
        PIRE0_EL1 3 0 10 2 2
        PIR_EL1 3 0 10 2 3
        POR_EL1 3 0 10 2 4
        S2POR_EL1 3 0 10 2 5
        AMAIR_EL1 3 0 10 3 0
        AMAIR2_EL1 3 0 10 3 1
        LORSA_EL1 3 0 10 4 0
        LOREA_EL1 3 0 10 4 1
        LORN_EL1 3 0 10 4 2
        LORC_EL1 3 0 10 4 3
        LORID_EL1 3 0 10 4 7
        CONTEXTIDR_EL1 3 0 13 0 1
        RCWSMASK_EL1 3 0 13 0 3
        RCWMASK_EL1 3 0 13 0 6
        POR_EL0 3 3 10 2 4
        [Exception]
        ALLINT 3 0 4 3 0
        AFSR0_EL1 3 0 5 1 0
        AFSR1_EL1 3 0 5 1 1
        ESR_EL1 3 0 5 2 0
        FAR_EL1 3 0 6 0 0
        PFAR_EL1 3 0 6 0 5
        VBAR_EL1 3 0 12 0 0
        ISR_EL1 3 0 12 1 0
        [PointerAuthentication]
        APIAKEYLO_EL1 3 0 2 1 0
        APIAKEYHI_EL1 3 0 2 1 1
        APIBKEYLO_EL1 3 0 2 1 2
        APIBKEYHI_EL1 3 0 2 1 3
        APDAKEYLO_EL1 3 0 2 2 0
        APDAKEYHI_EL1 3 0 2 2 1
        APDBKEYLO_EL1 3 0 2 2 2
        APDBKEYHI_EL1 3 0 2 2 3
        APGAKEYLO_EL1 3 0 2 3 0
        APGAKEYHI_EL1 3 0 2 3 1
        [MemoryTagging]
        RGSR_EL1 3 0 1 0 5
        GCR_EL1 3 0 1 0 6
        TFSR_EL1 3 0 5 6 0
        TFSRE0_EL1 3 0 5 6 1
        TFSR_EL2 3 4 5 6 0
        [VectorControl]
        ZCR_EL1 3 0 1 2 0
        SMPRI_EL1 3 0 1 2 4
        SMCR_EL1 3 0 1 2 6
        SVCR 3 3 4 2 2
        FPMR 3 3 4 4 2
        TPIDR2_EL0 3 3 13 0 5
        ZCR_EL2 3 4 1 2 0
        SMPRIMAP_EL2 3 4 1 2 5
        SMCR_EL2 3 4 1 2 6
        [ControlStack]
        GCSCR_EL1 3 0 2 5 0
        GCSPR_EL1 3 0 2 5 1
        GCSCRE0_EL1 3 0 2 5 2
        GCSPR_EL0 3 3 2 5 1
        GCSCR_EL2 3 4 2 5 0
        GCSPR_EL2 3 4 2 5 1
        [Timer]
        CNTKCTL_EL1 3 0 14 1 0
        CNTFRQ_EL0 3 3 14 0 0
        CNTPCT_EL0 3 3 14 0 1
        CNTV_CVAL_EL0 3 3 14 0 2
        CNTP_TVAL_EL0 3 3 14 2 0
        CNTP_CTL_EL0 3 3 14 2 1
        CNTP_CVAL_EL0 3 3 14 2 2
        CNTV_TVAL_EL0 3 3 14 3 0
        CNTV_CTL_EL0 3 3 14 3 1
        CNTVCT_EL0 3 3 14 3 2
        CNTVOFF_EL2 3 4 14 0 3
        CNTPOFF_EL2 3 4 14 0 6
        CNTHCTL_EL2 3 4 14 1 0
        CNTHP_TVAL_EL2 3 4 14 2 0
        CNTHP_CTL_EL2 3 4 14 2 1
        CNTHP_CVAL_EL2 3 4 14 2 2
        CNTHV_TVAL_EL2 3 4 14 3 0
        CNTHV_CTL_EL2 3 4 14 3 1
        CNTHV_CVAL_EL2 3 4 14 3 2
        [Pmu]
        PMCCNTSVR_EL1 2 0 14 11 7
        PMICNTSVR_EL1 2 0 14 12 0
        PMSSCR_EL1 3 0 9 13 3
        PMINTENSET_EL1 3 0 9 14 1
        PMINTENCLR_EL1 3 0 9 14 2
        PMUACR_EL1 3 0 9 14 4
        PMECR_EL1 3 0 9 14 5
        PMMIR_EL1 3 0 9 14 6
        PMIAR_EL1 3 0 9 14 7
        PMICNTR_EL0 3 3 9 4 0
        PMICFILTR_EL0 3 3 9 6 0
        PMCR_EL0 3 3 9 12 0
        PMCNTENSET_EL0 3 3 9 12 1
        PMCNTENCLR_EL0 3 3 9 12 2
        PMOVSCLR_EL0 3 3 9 12 3
        PMSWINC_EL0 3 3 9 12 4
        PMSELR_EL0 3 3 9 12 5
        PMCEID0_EL0 3 3 9 12 6
        PMCEID1_EL0 3 3 9 12 7
        PMCCNTR_EL0 3 3 9 13 0
        PMXEVTYPER_EL0 3 3 9 13 1
        PMXEVCNTR_EL0 3 3 9 13 2
        PMZR_EL0 3 3 9 13 4
        PMUSERENR_EL0 3 3 9 14 0
        PMOVSSET_EL0 3 3 9 14 3
        PMCCFILTR_EL0 3 3 14 15 7
        PMEVCNTR#_EL0 3 3 14 8 0 x31 +1
        PMEVTYPER#_EL0 3 3 14 12 0 x31 +1
        [Profiling]
        PMSCR_EL1 3 0 9 9 0
        PMSNEVFR_EL1 3 0 9 9 1
        PMSICR_EL1 3 0 9 9 2
        PMSIRR_EL1 3 0 9 9 3
        PMSFCR_EL1 3 0 9 9 4
        PMSEVFR_EL1 3 0 9 9 5
        PMSLATFR_EL1 3 0 9 9 6
        PMSIDR_EL1 3 0 9 9 7
        PMBLIMITR_EL1 3 0 9 10 0
        PMBPTR_EL1 3 0 9 10 1
        PMBSR_EL1 3 0 9 10 3
        PMSDSFR_EL1 3 0 9 10 4
        PMBIDR_EL1 3 0 9 10 7
        PMSCR_EL2 3 4 9 9 0
        [Debug]
        OSDTRRX_EL1 2 0 0 0 2
        MDCCINT_EL1 2 0 0 2 0
        MDSCR_EL1 2 0 0 2 2
        OSDTRTX_EL1 2 0 0 3 2
        MDSELR_EL1 2 0 0 4 2
        MDSTEPOP_EL1 2 0 0 5 2
        OSECCR_EL1 2 0 0 6 2
        MDRAR_EL1 2 0 1 0 0
        OSLAR_EL1 2 0 1 0 4
        OSLSR_EL1 2 0 1 1 4
        OSDLR_EL1 2 0 1 3 4
        DBGPRCR_EL1 2 0 1 4 4
        DBGCLAIMSET_EL1 2 0 7 8 6
        DBGCLAIMCLR_EL1 2 0 7 9 6
        DBGAUTHSTATUS_EL1 2 0 7 14 6
        MDCCSR_EL0 2 3 0 1 0
        DBGDTR_EL0 2 3 0 4 0
        DBGDTRRX_EL0 2 3 0 5 0
        DBGVCR32_EL2 2 4 0 7 0
        TRFCR_EL1 3 0 1 2 1
        MDCR_EL2 3 4 1 1 1
        TRFCR_EL2 3 4 1 2 1
        DBGBVR#_EL1 2 0 0 0 4 x16 +8
        DBGBCR#_EL1 2 0 0 0 5 x16 +8
        DBGWVR#_EL1 2 0 0 0 6 x16 +8
        DBGWCR#_EL1 2 0 0 0 7 x16 +8
        [InterruptController]
        ICC_PMR_EL1 3 0 4 6 0
        ICC_IAR0_EL1 3 0 12 8 0
        ICC_EOIR0_EL1 3 0 12 8 1
        ICC_HPPIR0_EL1 3 0 12 8 2
        ICC_BPR0_EL1 3 0 12 8 3
        ICC_IDR0_EL1 3 0 12 10 2
        ICC_IAFFIDR_EL1 3 0 12 10 5
        ICC_PPI_ENABLER0_EL1 3 0 12 10 6
        ICC_PPI_ENABLER1_EL1 3 0 12 10 7
        ICC_DIR_EL1 3 0 12 11 1
        ICC_RPR_EL1 3 0 12 11 3
        ICC_SGI1R_EL1 3 0 12 11 5
        ICC_ASGI1R_EL1 3 0 12 11 6
        ICC_SGI0R_EL1 3 0 12 11 7
        ICC_IAR1_EL1 3 0 12 12 0
        ICC_EOIR1_EL1 3 0 12 12 1
        ICC_HPPIR1_EL1 3 0 12 12 2
        ICC_BPR1_EL1 3 0 12 12 3
        ICC_CTLR_EL1 3 0 12 12 4
        ICC_SRE_EL1 3 0 12 12 5
        ICC_IGRPEN0_EL1 3 0 12 12 6
        ICC_IGRPEN1_EL1 3 0 12 12 7
        ICC_SRE_EL2 3 4 12 9 5
        ICH_HCR_EL2 3 4 12 11 0
        ICH_VTR_EL2 3 4 12 11 1
        ICH_MISR_EL2 3 4 12 11 2
        ICH_EISR_EL2 3 4 12 11 3
        ICH_ELRSR_EL2 3 4 12 11 5
        ICH_VMCR_EL2 3 4 12 11 7
        ICC_AP0R#_EL1 3 0 12 8 4 x4 +1
        ICC_AP1R#_EL1 3 0 12 9 0 x4 +1
        ICH_AP0R#_EL2 3 4 12 8 0 x4 +1
        ICH_AP1R#_EL2 3 4 12 9 0 x4 +1
        ICH_LR#_EL2 3 4 12 12 0 x16 +1
        [Ras]
        ERRIDR_EL1 3 0 5 3 0
        ERRSELR_EL1 3 0 5 3 1
        ERXGSR_EL1 3 0 5 3 2
        ERXFR_EL1 3 0 5 4 0
        ERXCTLR_EL1 3 0 5 4 1
        ERXSTATUS_EL1 3 0 5 4 2
        ERXADDR_EL1 3 0 5 4 3
        ERXPFGF_EL1 3 0 5 4 4
        ERXPFGCTL_EL1 3 0 5 4 5
        ERXPFGCDN_EL1 3 0 5 4 6
        ERXMISC0_EL1 3 0 5 5 0
        ERXMISC1_EL1 3 0 5 5 1
        ERXMISC2_EL1 3 0 5 5 2
        ERXMISC3_EL1 3 0 5 5 3
        DISR_EL1 3 0 12 1 1
        VSESR_EL2 3 4 5 2 3
        VDISR_EL2 3 4 12 1 1
        [Mpam]
        MPAMIDR_EL1 3 0 10 4 4
        MPAM1_EL1 3 0 10 5 0
        MPAM0_EL1 3 0 10 5 1
        MPAMSM_EL1 3 0 10 5 3
        MPAMHCR_EL2 3 4 10 4 0
        MPAMVPMV_EL2 3 4 10 4 1
        MPAM2_EL2 3 4 10 5 0
        MPAMVPM#_EL2 3 4 10 6 0 x8 +1
        [Hypervisor]
        SCTLR_EL2 3 4 1 0 0
        ACTLR_EL2 3 4 1 0 1
        SCTLR2_EL2 3 4 1 0 3
        HCR_EL2 3 4 1 1 0
        CPTR_EL2 3 4 1 1 2
        HSTR_EL2 3 4 1 1 3
        HFGRTR_EL2 3 4 1 1 4
        HFGWTR_EL2 3 4 1 1 5
        HFGITR_EL2 3 4 1 1 6
        HACR_EL2 3 4 1 1 7
        HCRX_EL2 3 4 1 2 2
        TTBR0_EL2 3 4 2 0 0
        TTBR1_EL2 3 4 2 0 1
        TCR_EL2 3 4 2 0 2
        TCR2_EL2 3 4 2 0 3
        VTTBR_EL2 3 4 2 1 0
        VTCR_EL2 3 4 2 1 2
        VNCR_EL2 3 4 2 2 0
        HDBSSBR_EL2 3 4 2 3 2
        HDBSSPROD_EL2 3 4 2 3 3
        DACR32_EL2 3 4 3 0 0
        HDFGRTR2_EL2 3 4 3 1 0
        HDFGWTR2_EL2 3 4 3 1 1
        HFGRTR2_EL2 3 4 3 1 2
        HFGWTR2_EL2 3 4 3 1 3
        HDFGRTR_EL2 3 4 3 1 4
        HDFGWTR_EL2 3 4 3 1 5
        HAFGRTR_EL2 3 4 3 1 6
        HFGITR2_EL2 3 4 3 1 7
        SPSR_EL2 3 4 4 0 0
        ELR_EL2 3 4 4 0 1
        IFSR32_EL2 3 4 5 0 1
        AFSR0_EL2 3 4 5 1 0
        AFSR1_EL2 3 4 5 1 1
        ESR_EL2 3 4 5 2 0
        FPEXC32_EL2 3 4 5 3 0
        FAR_EL2 3 4 6 0 0
        HPFAR_EL2 3 4 6 0 4
        MAIR2_EL2 3 4 10 1 1
        MAIR_EL2 3 4 10 2 0
        PIRE0_EL2 3 4 10 2 2
        PIR_EL2 3 4 10 2 3
        POR_EL2 3 4 10 2 4
        S2PIR_EL2 3 4 10 2 5
        AMAIR_EL2 3 4 10 3 0
        AMAIR2_EL2 3 4 10 3 1
        VBAR_EL2 3 4 12 0 0
        RVBAR_EL2 3 4 12 0 1
        RMR_EL2 3 4 12 0 2
        CONTEXTIDR_EL2 3 4 13 0 1
        TPIDR_EL2 3 4 13 0 2
        SP_EL2 3 6 4 1 0
        SCXTNUM_EL2 3 4 13 0 7
        """;
}
