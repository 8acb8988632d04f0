namespace Migrate.Kvm.Vmm.Calls;

/// <summary>One call: the function, and whether by which convention its arguments are to be read.</summary>
/// <remarks>Source: Arm DEN 0028 (SMC Calling Convention), sections 2.5 (function identifiers) and 2.7 (SMC32: only the low halves count).</remarks>
/// <param name="Function">W0.</param>
internal readonly record struct SmcccCall(uint Function)
{
    /// <summary>NOT_SUPPORTED, which is what an unknown function answers (section 5.2).</summary>
    public const ulong NotSupported = ulong.MaxValue;

    private const uint Wide = 1 << 30;

    /// <summary>Whether arguments and results have 64 bits.</summary>
    public bool Is64 => (Function & Wide) != 0;

    /// <summary>The function without its width, so that both conventions meet.</summary>
    public uint Narrow => Function & ~Wide;

    /// <summary>Argument n, from 1, in the width of the convention.</summary>
    public ulong Argument(ICallingVcpu vcpu, int number) => Is64 ? vcpu[number] : (uint)vcpu[number];
}
