using System.Buffers.Binary;

namespace Migrate.Kvm.Vmm.Calls;

/// <summary>Writes a handler's state: 64-bit little-endian words, nothing else.</summary>
internal sealed class StateWriter
{
    private readonly List<byte> _bytes = [];

    public StateWriter Add(ulong word)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, word);
        _bytes.AddRange(bytes);
        return this;
    }

    public byte[] ToArray() => [.. _bytes];
}

/// <summary>Reads it again. Reading past the end gives zeros and is a <see cref="Problem"/> that shows at the end: whoever reads checks once.</summary>
internal ref struct StateReader(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private int _position;

    /// <summary>Whether exactly what is there was read.</summary>
    public readonly bool IsComplete => _position == _bytes.Length;

    /// <summary>What is wrong where it is not complete.</summary>
    public readonly string Problem => $"state of {_bytes.Length} bytes where {_position} are needed";

    public ulong Next()
    {
        var word = _position + 8 <= _bytes.Length ? BinaryPrimitives.ReadUInt64LittleEndian(_bytes[_position..]) : 0;
        _position += 8;
        return word;
    }
}
