using Migrate.Model.Registers;

namespace Migrate.Model.Encoding.Definitions;

/// <summary>The limits and rules that several definitions share. Each rule gives a text that says what is wrong, or null.</summary>
internal static class Rules
{
    /// <summary>vCPUs of a VM: KVM_MAX_VCPUS of arm64 (arch/arm64/include/asm/kvm_host.h, VGIC_V3_MAX_CPUS).</summary>
    public const int MaxVcpus = 512;

    /// <summary>Registers of one vCPU; kernels list some 250 to 900.</summary>
    public const int MaxRegisters = 4096;

    /// <summary>Bits of the largest physical address of the architecture (FEAT_D128).</summary>
    public const int MaxAddressBits = 56;

    /// <summary>Bits of the smallest guest address space that KVM creates (kvm_init_ipa_range, ARM64_MIN_PARANGE_BITS).</summary>
    public const int MinAddressBits = 32;

    /// <summary>The smallest page of arm64: guest memory is a multiple of it.</summary>
    public const ulong SmallestPage = 4096;

    /// <summary>The largest errno (MAX_ERRNO of the kernel).</summary>
    public const int MaxErrno = 4095;

    /// <summary>Positive errnos.</summary>
    public static Shape<int> Errno { get; } = Shapes.Int32Between(1, MaxErrno);

    /// <summary>Positive errnos, and 0 for success.</summary>
    public static Shape<int> ErrnoOrZero { get; } = Shapes.Int32Between(0, MaxErrno);

    /// <summary>A vCPU's number.</summary>
    public static Shape<int> VcpuIndex { get; } = Shapes.Int32Between(0, MaxVcpus - 1);

    /// <summary>Counts and indices.</summary>
    public static Shape<int> Count { get; } = Shapes.Int32Between(0, int.MaxValue);

    /// <summary>A page size of arm64 in bytes.</summary>
    public static Shape<int> PageSize { get; } = Shapes.Int32.Where(size =>
        size is 4096 or 16384 or 65536 ? null : $"{size} is no page size of arm64");

    /// <summary>A name that programs compare: letters, digits and <c>. - _</c>, at most 64.</summary>
    public static Shape<string> Word { get; } = Shapes.TextUpTo(64).Where(word =>
        word.Length > 0 && word.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_') ? null : "not a name of letters, digits, '.', '-' and '_'");

    /// <summary>Names, each once.</summary>
    public static Shape<EquatableArray<string>> Words(int maximum) =>
        Shapes.List(Word, maximum).Where(words => Repeated(words, w => w, w => $"'{w}'"));

    /// <summary>Finds a second element with the same key.</summary>
    public static string? Repeated<T, K>(EquatableArray<T> items, Func<T, K> key, Func<T, string> name)
    {
        var seen = new HashSet<K>(items.Count);
        foreach (var item in items)
            if (!seen.Add(key(item))) return $"{name(item)} is there twice";
        return null;
    }

    /// <summary>A value must have its register's size.</summary>
    public static string? Size(RegisterId id, RegisterValue? value) =>
        value is { } present && present.Size != id.Size ? $"register {id} has {id.Size} bytes, its value has {present.Size}" : null;

    /// <summary>A field must lie within so many bits.</summary>
    public static string? Field(int shift, int width, int maxWidth, int bits = 64)
    {
        if (width < 1 || width > maxWidth) return $"a field of {width} bits; 1 to {maxWidth} are possible";
        return shift < 0 || shift + width > bits ? $"a field of {width} bits at bit {shift} does not fit in {bits} bits" : null;
    }
}
