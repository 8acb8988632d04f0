namespace Migrate.Model.Encoding.MessagePack;

/// <summary>One decoded header: the first byte of a value and the integer or length that follows it, but not the payload.</summary>
/// <param name="Type">The kind of value.</param>
/// <param name="HeaderLength">Bytes of the header: the first byte and its argument.</param>
/// <param name="Argument">The integer in two's complement, the length, the count, or 0 and 1 for a boolean.</param>
/// <param name="IsNegative">Whether <paramref name="Argument"/> is a negative integer.</param>
/// <param name="FixedPayload">Payload bytes that do not depend on <paramref name="Argument"/>: a float's, an extension's type byte.</param>
internal readonly record struct MessagePackToken(MessagePackType Type, int HeaderLength, ulong Argument, bool IsNegative, int FixedPayload)
{
    /// <summary>Bytes that follow the header and belong to the value; a container's elements are values of their own.</summary>
    public long PayloadLength => Type switch
    {
        MessagePackType.String or MessagePackType.Binary or MessagePackType.Extension => (long)Argument + FixedPayload,
        _ => FixedPayload,
    };

    private readonly record struct Form(MessagePackType Type, int ArgumentLength, bool IsSigned = false, int FixedPayload = 0);

    /// <summary>The forms of the first bytes 0xc0 to 0xdf, in order (MessagePack specification, "Formats": overview table).</summary>
    private static readonly Form[] Forms =
    [
        new(MessagePackType.Nil, 0),
        new(MessagePackType.Unknown, 0),
        new(MessagePackType.Boolean, 0),
        new(MessagePackType.Boolean, 0),
        new(MessagePackType.Binary, 1),
        new(MessagePackType.Binary, 2),
        new(MessagePackType.Binary, 4),
        new(MessagePackType.Extension, 1, FixedPayload: 1),
        new(MessagePackType.Extension, 2, FixedPayload: 1),
        new(MessagePackType.Extension, 4, FixedPayload: 1),
        new(MessagePackType.Float, 0, FixedPayload: 4),
        new(MessagePackType.Float, 0, FixedPayload: 8),
        new(MessagePackType.Integer, 1),
        new(MessagePackType.Integer, 2),
        new(MessagePackType.Integer, 4),
        new(MessagePackType.Integer, 8),
        new(MessagePackType.Integer, 1, IsSigned: true),
        new(MessagePackType.Integer, 2, IsSigned: true),
        new(MessagePackType.Integer, 4, IsSigned: true),
        new(MessagePackType.Integer, 8, IsSigned: true),
        new(MessagePackType.Extension, 0, FixedPayload: 2),
        new(MessagePackType.Extension, 0, FixedPayload: 3),
        new(MessagePackType.Extension, 0, FixedPayload: 5),
        new(MessagePackType.Extension, 0, FixedPayload: 9),
        new(MessagePackType.Extension, 0, FixedPayload: 17),
        new(MessagePackType.String, 1),
        new(MessagePackType.String, 2),
        new(MessagePackType.String, 4),
        new(MessagePackType.Array, 2),
        new(MessagePackType.Array, 4),
        new(MessagePackType.Map, 2),
        new(MessagePackType.Map, 4),
    ];

    /// <summary>Decodes the header at the beginning of <paramref name="input"/>; looks at nothing behind it.</summary>
    /// <returns><see cref="MessagePackFault.None"/>, or <see cref="MessagePackFault.Truncated"/> or <see cref="MessagePackFault.ReservedByte"/>.</returns>
    public static MessagePackFault Decode(ReadOnlySpan<byte> input, out MessagePackToken token)
    {
        token = default;
        if (input.IsEmpty) return MessagePackFault.Truncated;
        var first = input[0];
        switch (first)
        {
            case < 0x80:
                token = new(MessagePackType.Integer, 1, first, false, 0);
                return MessagePackFault.None;
            case < 0x90:
                token = new(MessagePackType.Map, 1, first & 0x0fu, false, 0);
                return MessagePackFault.None;
            case < 0xa0:
                token = new(MessagePackType.Array, 1, first & 0x0fu, false, 0);
                return MessagePackFault.None;
            case < 0xc0:
                token = new(MessagePackType.String, 1, first & 0x1fu, false, 0);
                return MessagePackFault.None;
            case >= 0xe0:
                token = new(MessagePackType.Integer, 1, unchecked((ulong)(sbyte)first), true, 0);
                return MessagePackFault.None;
        }
        var form = Forms[first - 0xc0];
        if (form.Type == MessagePackType.Unknown) return MessagePackFault.ReservedByte;
        if (input.Length - 1 < form.ArgumentLength) return MessagePackFault.Truncated;
        ulong argument = 0;
        foreach (var part in input.Slice(1, form.ArgumentLength)) argument = (argument << 8) | part;
        if (form.Type == MessagePackType.Boolean) argument = first & 1u;
        var negative = false;
        if (form.IsSigned)
        {
            var unused = 64 - 8 * form.ArgumentLength;
            var signed = (long)(argument << unused) >> unused;
            argument = (ulong)signed;
            negative = signed < 0;
        }
        token = new(form.Type, 1 + form.ArgumentLength, argument, negative, form.FixedPayload);
        return MessagePackFault.None;
    }
}
