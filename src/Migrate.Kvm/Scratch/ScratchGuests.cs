namespace Migrate.Kvm.Scratch;

/// <summary>Guests for scratch machines; each reports once by writing its vCPU's number plus <see cref="Ready"/> to the report page.</summary>
public static class ScratchGuests
{
    /// <summary>What a guest that reached its resting point writes, plus its vCPU's number.</summary>
    public const ulong Ready = 0x100;

    /// <summary>The virtual timer's interrupt.</summary>
    private const uint TimerBit = 1 << 27;

    /// <summary>Counts in X19 for ever, after it reported.</summary>
    public static uint[] Counting(int vcpu) => [.. Report(vcpu), A64.Add(19, 19, 1), A64.Branch(-1)];

    /// <summary>Waits in WFI for ever, after it reported.</summary>
    public static uint[] Waiting(int vcpu) => [.. Report(vcpu), A64.Wfi, A64.Branch(-1)];

    /// <summary>
    /// Turns the GIC's CPU interface and the virtual timer on, with a compare value that has passed, so that the timer's interrupt is pending and,
    /// interrupts being masked, stays so; then counts.
    /// </summary>
    public static uint[] TimerPending(int vcpu) =>
    [
        .. GicOn(vcpu),
        // CNTV_CVAL_EL0 = 1, CNTV_CTL_EL0 = ENABLE.
        .. A64.Load(0, 1), A64.WriteSystem(0, 3, 3, 14, 3, 2), A64.WriteSystem(0, 3, 3, 14, 3, 1), A64.Isb,
        .. Counting(vcpu),
    ];

    /// <summary>Turns everything on and starts a timer that is far from firing; then waits.</summary>
    public static uint[] TimerRunning(int vcpu) =>
    [
        .. GicOn(vcpu),
        .. A64.Load(0, 1UL << 52), A64.WriteSystem(0, 3, 3, 14, 3, 2),
        .. A64.Load(0, 1), A64.WriteSystem(0, 3, 3, 14, 3, 1), A64.Isb,
        .. Waiting(vcpu),
    ];

    /// <summary>Makes one SMCCC call by HVC and reports X0 of the answer instead of <see cref="Ready"/>; then counts.</summary>
    /// <param name="function">The function id.</param>
    /// <param name="argument">X1.</param>
    public static uint[] Calling(uint function, ulong argument) =>
    [
        .. A64.Load(0, function), .. A64.Load(1, argument), A64.Hvc,
        .. A64.Load(9, ScratchMachine.ReportPage), A64.Store(0, 9),
        A64.Add(19, 19, 1), A64.Branch(-1),
    ];

    /// <summary>Reports what a system register with op0 3 reads as; then waits.</summary>
    public static uint[] Reading(int op1, int crn, int crm, int op2) =>
    [
        A64.Isb, A64.ReadSystem(10, 3, op1, crn, crm, op2),
        .. A64.Load(9, ScratchMachine.ReportPage), A64.Store(10, 9),
        A64.Wfi, A64.Branch(-1),
    ];

    /// <summary>
    /// Writes its counter (X19) to one page after the other of a window of memory, while a timer interrupts it; counts the interrupts in X23, and in X28
    /// those at which the virtual counter had gone backwards. What the window holds follows from X19: a page that a move lost shows.
    /// </summary>
    /// <param name="vcpu">Whose redistributor it sets up.</param>
    /// <param name="code">Where it is loaded, a multiple of 2 KiB.</param>
    /// <param name="window">First address that it writes.</param>
    /// <param name="pages">Pages of 4 KiB in the window, a power of two.</param>
    /// <param name="ticks">Counter ticks between two interrupts.</param>
    public static uint[] Writing(int vcpu, ulong code, ulong window, ulong pages, uint ticks)
    {
        uint[] arm = [.. A64.Load(24, ticks), A64.WriteSystem(24, 3, 3, 14, 3, 0), .. A64.Load(24, 1), A64.WriteSystem(24, 3, 3, 14, 3, 1)];
        // Taken at EL1 on SP_ELx: 0x280 from VBAR_EL1. ICC_IAR1_EL1, CNTVCT_EL0, ICC_EOIR1_EL1.
        uint[] handler =
        [
            A64.ReadSystem(25, 3, 0, 12, 12, 0), A64.Add(23, 23, 1),
            A64.Isb, A64.ReadSystem(27, 3, 3, 14, 0, 2), A64.Compare(27, 26), A64.IncrementIfLower(28), A64.Add(26, 27, 0),
            .. arm, A64.WriteSystem(25, 3, 0, 12, 12, 1), A64.Eret,
        ];
        uint[] start =
        [
            .. GicOn(vcpu), .. A64.Load(10, code), A64.WriteSystem(10, 3, 0, 12, 0, 0),
            .. A64.Load(20, window), .. A64.Load(21, pages - 1), .. arm, A64.Isb, A64.UnmaskInterrupts,
            A64.Add(19, 19, 1), A64.And(22, 19, 21), A64.AddShifted(22, 20, 22, 12), A64.Store(19, 22), A64.Branch(-4),
        ];
        var program = new uint[0x800 / 4 + start.Length];
        Array.Fill(program, A64.Forever);
        handler.CopyTo(program, 0x280 / 4);
        start.CopyTo(program, 0x800 / 4);
        return program;
    }

    private static uint[] Report(int vcpu) => [.. A64.Load(9, ScratchMachine.ReportPage), .. A64.Load(10, Ready + (uint)vcpu), A64.Store(10, 9)];

    /// <summary>Turns the GIC on for the virtual timer and every SGI; the guest still masks them.</summary>
    public static uint[] InterruptsOn(int vcpu) => GicOn(vcpu, TimerBit | 0xffff);

    private static uint[] GicOn(int vcpu, uint enabled = TimerBit)
    {
        var privateFrame = ScratchMachine.Redistributors + (ulong)vcpu * 0x20000 + 0x10000;
        return
        [
            // GICD_CTLR: affinity routing, group 1. All private interrupts in group 1, some enabled, 27 with priority 0xa0.
            .. A64.Load(9, ScratchMachine.Distributor), .. A64.Load(10, 0x12), A64.Store32(10, 9),
            .. A64.Load(9, privateFrame + 0x80), .. A64.Load(10, 0xffff_ffff), A64.Store32(10, 9),
            .. A64.Load(9, privateFrame + 0x400 + 24), .. A64.Load(10, 0xa0a0_a0a0), A64.Store32(10, 9),
            .. A64.Load(9, privateFrame + 0x100), .. A64.Load(10, enabled), A64.Store32(10, 9),
            // ICC_PMR_EL1 = 0xf0, ICC_IGRPEN1_EL1 = 1.
            .. A64.Load(10, 0xf0), A64.WriteSystem(10, 3, 0, 4, 6, 0),
            .. A64.Load(10, 1), A64.WriteSystem(10, 3, 0, 12, 12, 7), A64.Isb,
        ];
    }
}
