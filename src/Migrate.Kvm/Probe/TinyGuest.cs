using Migrate.Model.Registers;

namespace Migrate.Kvm.Probe;

/// <summary>A guest of five instructions: it reports the counter's frequency, then makes one hypercall for each time it is run again.</summary>
/// <remarks>
/// The MMU is off after reset, so addresses are guest physical. A result leaves by a store to an address without memory (KVM_EXIT_MMIO); KVM advances the
/// program counter when the vCPU is entered again, so it is set once and never touched after that.
/// Encodings: Arm Architecture Reference Manual (DDI 0487), C6.2 MRS, STR (immediate), HVC, B.
/// </remarks>
internal sealed class TinyGuest
{
    /// <summary>Where the code lies: the first byte of the scratch VM's memory.</summary>
    public const ulong CodeAddress = 0x4000_0000;

    /// <summary>Where the guest stores its results; no memory and no device is there.</summary>
    public const ulong ReportAddress = 0x0900_0000;

    private static readonly RegisterId ProgramCounter = RegisterId.Core(8 * 32, 8);
    private static readonly RegisterId Report = X(20);

    private readonly IProbeVm _vm;

    private TinyGuest(IProbeVm vm, ulong frequency) => (_vm, CounterFrequency) = (vm, frequency);

    /// <summary>The instructions, little-endian words.</summary>
    public static ReadOnlySpan<uint> Code =>
    [
        0xD53B_E000, // mrs x0, cntfrq_el0
        0xF900_0280, // str x0, [x20]
        0xD400_0002, // hvc #0
        0xF900_0280, // str x0, [x20]
        0x17FF_FFFE, // b   .-8
    ];

    /// <summary>CNTFRQ_EL0 as the guest reads it.</summary>
    public ulong CounterFrequency { get; }

    /// <summary>Runs vCPU 0 of a runnable VM up to the first report.</summary>
    /// <returns>0, or the errno of what failed.</returns>
    public static int Start(IProbeVm vm, out TinyGuest? guest)
    {
        guest = null;
        var errno = vm.Set(0, ProgramCounter, new RegisterValue(CodeAddress));
        if (errno == 0) errno = vm.Set(0, Report, new RegisterValue(ReportAddress));
        if (errno != 0) return errno;
        errno = vm.Run(0, out var frequency);
        if (errno == 0) guest = new TinyGuest(vm, frequency);
        return errno;
    }

    /// <summary>One hypercall: the function in W0, one argument in X1.</summary>
    /// <param name="function">SMCCC function id.</param>
    /// <param name="argument">X1.</param>
    /// <param name="results">X0 to X3 afterwards.</param>
    public int Call(uint function, ulong argument, Span<ulong> results)
    {
        var errno = _vm.Set(0, X(0), new RegisterValue(function));
        if (errno == 0) errno = _vm.Set(0, X(1), new RegisterValue(argument));
        if (errno == 0) errno = _vm.Run(0, out _);
        for (var i = 0; errno == 0 && i < results.Length; i++)
        {
            errno = _vm.Get(0, X(i), out var value);
            results[i] = value.Low;
        }
        return errno;
    }

    private static RegisterId X(int number) => RegisterId.Core(8 * number, 8);
}
