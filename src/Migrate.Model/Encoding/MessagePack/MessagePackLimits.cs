namespace Migrate.Model.Encoding.MessagePack;

/// <summary>What a <see cref="MessagePackReader"/> accepts at most. The default value, all zero, accepts nothing but an empty input.</summary>
/// <param name="MaxDepth">Containers inside each other, the outermost counted as one; at most <see cref="DeepestSupported"/>.</param>
/// <param name="MaxStringBytes">Bytes of UTF-8 in one string.</param>
/// <param name="MaxBinaryBytes">Bytes in one binary or extension.</param>
/// <param name="MaxElements">Elements of one array, or pairs of one map.</param>
/// <param name="MaxInputBytes">Bytes of the whole input.</param>
public readonly record struct MessagePackLimits(int MaxDepth, int MaxStringBytes, int MaxBinaryBytes, int MaxElements, int MaxInputBytes)
{
    /// <summary>The deepest nesting that a reader can follow: its stack is part of the struct and so has a fixed size.</summary>
    public const int DeepestSupported = 64;

    /// <summary>Generous for a document about one machine or host: depth 32, strings 64 KiB, binary 16 MiB, 2^20 elements, input 64 MiB.</summary>
    public static MessagePackLimits Default { get; } = new(
        MaxDepth: 32, MaxStringBytes: 1 << 16, MaxBinaryBytes: 1 << 24, MaxElements: 1 << 20, MaxInputBytes: 1 << 26);
}
