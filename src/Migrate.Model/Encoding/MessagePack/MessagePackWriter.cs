using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace Migrate.Model.Encoding.MessagePack;

/// <summary>
/// Writes MessagePack, each value in its shortest encoding, so equal documents are equal bytes. Only the kinds that our documents use:
/// no floats, no extensions. <see cref="Flush"/> hands what was written to the output.
/// </summary>
/// <remarks>Shaped like MessagePack-CSharp's writer. Pass it by reference: a copy does not know what the original wrote.</remarks>
public ref struct MessagePackWriter
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly IBufferWriter<byte> _output;
    private Span<byte> _buffer;
    private int _used;

    /// <summary>A writer that appends to <paramref name="output"/>.</summary>
    public MessagePackWriter(IBufferWriter<byte> output) => _output = output;

    /// <summary>Hands all that was written so far to the output; the writer can go on afterwards.</summary>
    public void Flush()
    {
        if (_used > 0) _output.Advance(_used);
        _buffer = default;
        _used = 0;
    }

    /// <summary>Writes nil.</summary>
    public void WriteNil() => PutByte(0xc0);

    /// <summary>Writes a boolean.</summary>
    public void Write(bool value) => PutByte(value ? (byte)0xc3 : (byte)0xc2);

    /// <summary>Writes an integer in one to five bytes.</summary>
    public void Write(int value) => Write((long)value);

    /// <summary>Writes an integer in one to five bytes.</summary>
    public void Write(uint value) => Write((ulong)value);

    /// <summary>Writes an integer in one to nine bytes; one that is not negative is written as its unsigned self.</summary>
    public void Write(long value)
    {
        switch (value)
        {
            case >= 0: Write((ulong)value); break;
            case >= -32: PutByte(unchecked((byte)value)); break;
            case >= sbyte.MinValue: Put(0xd0, unchecked((byte)value)); break;
            case >= short.MinValue: Put(0xd1, unchecked((ushort)value)); break;
            case >= int.MinValue: Put(0xd2, unchecked((uint)value)); break;
            default: Put(0xd3, unchecked((ulong)value)); break;
        }
    }

    /// <summary>Writes an integer in one to nine bytes.</summary>
    public void Write(ulong value)
    {
        switch (value)
        {
            case < 0x80: PutByte((byte)value); break;
            case <= byte.MaxValue: Put(0xcc, (byte)value); break;
            case <= ushort.MaxValue: Put(0xcd, (ushort)value); break;
            case <= uint.MaxValue: Put(0xce, (uint)value); break;
            default: Put(0xcf, value); break;
        }
    }

    /// <summary>Writes a string.</summary>
    /// <exception cref="ArgumentException">A lone surrogate, which UTF-8 cannot carry.</exception>
    public void Write(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        var length = StrictUtf8.GetByteCount(value);
        PutStringHeader(length);
        var span = Reserve(length); // not inside the addition below: Reserve may flush, and += has read _used by then
        _used += StrictUtf8.GetBytes(value, span);
    }

    /// <summary>Writes a string that is UTF-8 already: the overload for literals (<c>"id"u8</c>), which <c>Write</c> takes for binary.</summary>
    /// <exception cref="ArgumentException">Not UTF-8.</exception>
    public void WriteString(ReadOnlySpan<byte> utf8)
    {
        if (!Utf8.IsValid(utf8)) throw new ArgumentException("A MessagePack string must be UTF-8.", nameof(utf8));
        PutStringHeader(utf8.Length);
        PutBytes(utf8);
    }

    /// <summary>Writes binary.</summary>
    public void Write(ReadOnlySpan<byte> value)
    {
        switch (value.Length)
        {
            case <= byte.MaxValue: Put(0xc4, (byte)value.Length); break;
            case <= ushort.MaxValue: Put(0xc5, (ushort)value.Length); break;
            default: Put(0xc6, (uint)value.Length); break;
        }
        PutBytes(value);
    }

    /// <summary>Begins an array; the caller writes <paramref name="count"/> values after it.</summary>
    public void WriteArrayHeader(int count) => PutContainerHeader(count, fixedForm: 0x90, form16: 0xdc, form32: 0xdd);

    /// <summary>Begins a map; the caller writes <paramref name="count"/> pairs of key and value after it.</summary>
    public void WriteMapHeader(int count) => PutContainerHeader(count, fixedForm: 0x80, form16: 0xde, form32: 0xdf);

    private void PutContainerHeader(int count, byte fixedForm, byte form16, byte form32)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        switch (count)
        {
            case <= 0x0f: PutByte((byte)(fixedForm | count)); break;
            case <= ushort.MaxValue: Put(form16, (ushort)count); break;
            default: Put(form32, (uint)count); break;
        }
    }

    private void PutStringHeader(int length)
    {
        switch (length)
        {
            case <= 0x1f: PutByte((byte)(0xa0 | length)); break;
            case <= byte.MaxValue: Put(0xd9, (byte)length); break;
            case <= ushort.MaxValue: Put(0xda, (ushort)length); break;
            default: Put(0xdb, (uint)length); break;
        }
    }

    private void PutByte(byte value)
    {
        Reserve(1)[0] = value;
        _used++;
    }

    private void Put(byte form, byte argument)
    {
        var span = Reserve(2);
        span[0] = form;
        span[1] = argument;
        _used += 2;
    }

    private void Put(byte form, ushort argument)
    {
        var span = Reserve(3);
        span[0] = form;
        BinaryPrimitives.WriteUInt16BigEndian(span[1..], argument);
        _used += 3;
    }

    private void Put(byte form, uint argument)
    {
        var span = Reserve(5);
        span[0] = form;
        BinaryPrimitives.WriteUInt32BigEndian(span[1..], argument);
        _used += 5;
    }

    private void Put(byte form, ulong argument)
    {
        var span = Reserve(9);
        span[0] = form;
        BinaryPrimitives.WriteUInt64BigEndian(span[1..], argument);
        _used += 9;
    }

    private void PutBytes(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Reserve(bytes.Length));
        _used += bytes.Length;
    }

    private Span<byte> Reserve(int size)
    {
        if (_buffer.Length - _used < size)
        {
            Flush();
            _buffer = _output.GetSpan(size);
        }
        return _buffer[_used..];
    }
}
