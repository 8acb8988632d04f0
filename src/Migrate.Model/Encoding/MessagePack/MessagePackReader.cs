using System.Runtime.CompilerServices;
using System.Text.Unicode;

namespace Migrate.Model.Encoding.MessagePack;

/// <summary>
/// Reads MessagePack from bytes that nobody vouches for. Forward only, without recursion and, strings aside, without allocation. Every
/// method raises <see cref="MessagePackFormatException"/>, and nothing else, for bytes it does not accept; the reader is not to be used
/// after that.
/// </summary>
/// <remarks>
/// Shaped like MessagePack-CSharp's reader, and stricter: nesting is followed here and not left to the caller, nil is no string, and a
/// header is refused as soon as it and the containers around it are owed more elements than there are bytes left, since an element
/// takes a byte at least. So whoever sizes a buffer by a count returned here allocates in proportion to the input. Every encoding that
/// the specification allows for a value is accepted, not only the shortest. Duplicate keys are <see cref="MessagePackMapKeys"/>' part.
/// </remarks>
public ref struct MessagePackReader
{
    private readonly ReadOnlySpan<byte> _input;
    private readonly MessagePackLimits _limits;
    private int _position;
    private int _depth;
    private int _owed;
    private OpenContainers _open;

    /// <summary>Elements still due in each open container, a map's keys and values counted singly; outermost first.</summary>
    [InlineArray(MessagePackLimits.DeepestSupported)]
    private struct OpenContainers
    {
        private int _due;
    }

    /// <summary>A reader at the beginning of <paramref name="input"/>.</summary>
    /// <exception cref="MessagePackFormatException">The input is longer than the limit.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A depth limit beyond <see cref="MessagePackLimits.DeepestSupported"/>.</exception>
    public MessagePackReader(ReadOnlySpan<byte> input, MessagePackLimits limits)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limits.MaxDepth, MessagePackLimits.DeepestSupported);
        _input = input;
        _limits = limits;
        if (input.Length > limits.MaxInputBytes)
            throw Refuse(MessagePackFault.InputTooLarge, $"the input has {input.Length} bytes, the limit is {limits.MaxInputBytes}");
    }

    /// <summary>Bytes read so far.</summary>
    public readonly long Consumed => _position;

    /// <summary>Whether no byte is left.</summary>
    public readonly bool End => _position == _input.Length;

    /// <summary>Containers open around the next value. A container closes by itself with its last element.</summary>
    public readonly int Depth => _depth;

    /// <summary>The kind of the next value, which stays unread.</summary>
    public readonly MessagePackType NextMessagePackType => Peek().Type;

    /// <summary>Reads nil where nil is next; reads nothing and returns false where another value is.</summary>
    public bool TryReadNil()
    {
        var token = Peek();
        if (token.Type != MessagePackType.Nil) return false;
        Advance(token, 0);
        return true;
    }

    /// <summary>Reads a boolean.</summary>
    public bool ReadBoolean()
    {
        var token = Expect(MessagePackType.Boolean);
        Advance(token, 0);
        return token.Argument != 0;
    }

    /// <summary>Reads an integer from 0 to 2^64-1, in whichever integer encoding.</summary>
    public ulong ReadUInt64()
    {
        var token = Expect(MessagePackType.Integer);
        if (token.IsNegative) throw OutOfRange(token, "an unsigned 64-bit integer");
        Advance(token, 0);
        return token.Argument;
    }

    /// <summary>Reads an integer from -2^63 to 2^63-1, in whichever integer encoding.</summary>
    public long ReadInt64() => ReadSigned(long.MinValue, long.MaxValue, "a signed 64-bit integer");

    /// <summary>Reads an integer from 0 to 2^32-1, in whichever integer encoding.</summary>
    public uint ReadUInt32() => (uint)ReadSigned(uint.MinValue, uint.MaxValue, "an unsigned 32-bit integer");

    /// <summary>Reads an integer from -2^31 to 2^31-1, in whichever integer encoding.</summary>
    public int ReadInt32() => (int)ReadSigned(int.MinValue, int.MaxValue, "a signed 32-bit integer");

    /// <summary>Reads a string; nil is refused.</summary>
    public string ReadString()
    {
        var token = Expect(MessagePackType.String);
        var utf8 = Payload(token);
        Advance(token, utf8.Length);
        return System.Text.Encoding.UTF8.GetString(utf8);
    }

    /// <summary>Reads binary: a view of the input, not a copy; nil is refused.</summary>
    public ReadOnlySpan<byte> ReadBytes()
    {
        var token = Expect(MessagePackType.Binary);
        var bytes = Payload(token);
        Advance(token, bytes.Length);
        return bytes;
    }

    /// <summary>Reads the beginning of an array and returns how many values follow.</summary>
    public int ReadArrayHeader() => OpenContainer(Expect(MessagePackType.Array));

    /// <summary>Reads the beginning of a map and returns how many pairs of key and value follow.</summary>
    public int ReadMapHeader() => OpenContainer(Expect(MessagePackType.Map));

    /// <summary>
    /// Steps over the next value with all that it contains, under the same limits as reading it. Keys of a map that is stepped over are
    /// not compared: nobody is going to choose between their values.
    /// </summary>
    public void Skip()
    {
        var owedAfter = Math.Max(0, _owed - 1);
        do
        {
            var token = Peek();
            if (token.Type is MessagePackType.Array or MessagePackType.Map) OpenContainer(token);
            else Advance(token, Payload(token).Length);
        }
        while (_owed > owedAfter);
    }

    /// <summary>Refuses bytes that follow the document, and a document with a container still open.</summary>
    public readonly void EnsureEnd()
    {
        if (_owed > 0)
        {
            throw Refuse(End ? MessagePackFault.Truncated : MessagePackFault.TrailingBytes,
                $"{_owed} elements that the document's headers claim were not read");
        }
        if (!End) throw Refuse(MessagePackFault.TrailingBytes, $"{_input.Length - _position} bytes follow the end of the document");
    }

    internal readonly MessagePackFormatException Refuse(MessagePackFault fault, string detail) => new(fault, _position, detail);

    private readonly MessagePackToken Peek()
    {
        var fault = MessagePackToken.Decode(_input[_position..], out var token);
        return fault switch
        {
            MessagePackFault.None => token,
            MessagePackFault.ReservedByte => throw Refuse(fault, "the reserved byte 0xc1"),
            _ => throw Refuse(fault, $"the input ends inside a header, or where a value is due, after {_input.Length} bytes"),
        };
    }

    private readonly MessagePackToken Expect(MessagePackType type)
    {
        var token = Peek();
        return token.Type == type
            ? token
            : throw Refuse(MessagePackFault.UnexpectedType, $"{KebabCase.Of(type.ToString())} expected, {KebabCase.Of(token.Type.ToString())} found");
    }

    private long ReadSigned(long least, long most, string wanted)
    {
        var token = Expect(MessagePackType.Integer);
        var value = unchecked((long)token.Argument);
        var fits = token.IsNegative == value < 0 && value >= least && value <= most;
        if (!fits) throw OutOfRange(token, wanted);
        Advance(token, 0);
        return value;
    }

    private readonly MessagePackFormatException OutOfRange(MessagePackToken token, string wanted)
    {
        var value = token.IsNegative ? $"{unchecked((long)token.Argument)}" : $"{token.Argument}";
        return Refuse(MessagePackFault.IntegerOutOfRange, $"{value} is not {wanted}");
    }

    /// <summary>The bytes behind the header, checked: within the limit of their kind, within the input, and UTF-8 if a string.</summary>
    private readonly ReadOnlySpan<byte> Payload(MessagePackToken token)
    {
        var length = token.PayloadLength;
        var isString = token.Type == MessagePackType.String;
        if (isString && length > _limits.MaxStringBytes)
            throw Refuse(MessagePackFault.StringTooLong, $"a string of {length} bytes, the limit is {_limits.MaxStringBytes}");
        if (token.Type is MessagePackType.Binary or MessagePackType.Extension && length > _limits.MaxBinaryBytes)
            throw Refuse(MessagePackFault.BinaryTooLong, $"binary of {length} bytes, the limit is {_limits.MaxBinaryBytes}");
        var left = _input.Length - _position - token.HeaderLength;
        if (length > left)
            throw Refuse(MessagePackFault.Truncated, $"the header claims {length} bytes and only {left} follow it");
        var payload = _input.Slice(_position + token.HeaderLength, (int)length);
        return !isString || Utf8.IsValid(payload) ? payload : throw Refuse(MessagePackFault.InvalidUtf8, "a string that is not UTF-8");
    }

    private int OpenContainer(MessagePackToken token)
    {
        var count = (long)token.Argument;
        if (count > _limits.MaxElements)
            throw Refuse(MessagePackFault.TooManyElements, $"{count} elements, the limit is {_limits.MaxElements}");
        if (_depth >= _limits.MaxDepth)
            throw Refuse(MessagePackFault.TooDeep, $"more than {_limits.MaxDepth} containers inside each other");
        var values = token.Type == MessagePackType.Map ? 2 * count : count;
        var owedAround = _depth > 0 ? _owed - 1 : 0;
        var left = _input.Length - _position - token.HeaderLength;
        if (owedAround + values > left)
        {
            throw Refuse(MessagePackFault.CountBeyondInput,
                $"{values} values claimed and {owedAround} due around them, only {left} bytes left");
        }
        if (_depth > 0) _open[_depth - 1]--;
        _position += token.HeaderLength;
        _owed = owedAround + (int)values;
        _open[_depth++] = (int)values;
        CloseFinished();
        return (int)count;
    }

    private void Advance(MessagePackToken token, int payloadLength)
    {
        _position += token.HeaderLength + payloadLength;
        if (_depth == 0) return;
        _owed--;
        _open[_depth - 1]--;
        CloseFinished();
    }

    private void CloseFinished()
    {
        while (_depth > 0 && _open[_depth - 1] == 0) _depth--;
    }
}
