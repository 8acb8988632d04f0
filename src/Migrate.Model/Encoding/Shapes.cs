using Migrate.Model.Registers;

namespace Migrate.Model.Encoding;

/// <summary>The shapes that all others are made of.</summary>
public static class Shapes
{
    /// <summary>UTF-16 units of <see cref="Text"/> at most.</summary>
    public const int LongestText = 4096;

    /// <summary>One line of text: no control characters and no line separators, so that it is safe to print.</summary>
    public static Shape<string> Text { get; } = new TextShape(LongestText);

    /// <summary>True or false.</summary>
    public static Shape<bool> Boolean { get; } = new BooleanShape();

    /// <summary>A signed number of 32 bits.</summary>
    public static Shape<int> Int32 { get; } = Int32Between(int.MinValue, int.MaxValue);

    /// <summary>An unsigned number of 32 bits.</summary>
    public static Shape<uint> UInt32 { get; } = Number(uint.MinValue, uint.MaxValue, v => (uint)v, v => v);

    /// <summary>An unsigned number of 16 bits.</summary>
    public static Shape<ushort> UInt16 { get; } = Number(ushort.MinValue, ushort.MaxValue, v => (ushort)v, v => v);

    /// <summary>A signed number of 64 bits; in JSON its two's complement as 0x and 16 digits.</summary>
    public static Shape<long> Int64 { get; } = new Int64Shape();

    /// <summary>An unsigned number of 64 bits; in JSON 0x and 16 lowercase digits.</summary>
    public static Shape<ulong> Hex64 { get; } = new Hex64Shape();

    /// <summary>A register value of 1 to 256 bytes: little-endian binary, in JSON 0x and two digits a byte, most significant first.</summary>
    public static Shape<RegisterValue> RegisterValue { get; } = new RegisterValueShape();

    /// <summary>One line of text of at most <paramref name="maximum"/> UTF-16 units.</summary>
    public static Shape<string> TextUpTo(int maximum) => new TextShape(maximum);

    /// <summary>A signed number within bounds, both included.</summary>
    public static Shape<int> Int32Between(int minimum, int maximum) => Number(minimum, maximum, v => (int)v, v => v);

    /// <summary>At most <paramref name="maximum"/> bytes: binary, in JSON lowercase hexadecimal digits in memory order.</summary>
    public static Shape<EquatableArray<byte>> Bytes(int maximum) => new BytesShape(maximum);

    /// <summary>A word out of an enumeration, in kebab case in every encoding. A value without a name is refused.</summary>
    public static Shape<E> Enum<E>() where E : struct, Enum => EnumShape<E>.Instance;

    /// <summary>Up to <paramref name="maximum"/> elements.</summary>
    public static Shape<EquatableArray<T>> List<T>(Shape<T> element, int maximum) => new ListShape<T>(element, maximum);

    /// <summary>A value or null. As an optional member, null is not written at all.</summary>
    public static Shape<T?> Optional<T>(Shape<T> shape) where T : class => new OptionalShape<T>(shape);

    /// <summary>A value type's value or null. As an optional member, null is not written at all.</summary>
    public static Shape<T?> OptionalValue<T>(Shape<T> shape) where T : struct => new OptionalValueShape<T>(shape);

    /// <summary>Makes words of other programs fit <see cref="TextUpTo"/>: what may not stand in a line becomes a space, the end is cut off.</summary>
    public static string OneLine(string text, int maximum = LongestText)
    {
        var units = text.Length > maximum ? text[..maximum].ToCharArray() : text.ToCharArray();
        for (var i = 0; i < units.Length; i++)
        {
            var isPair = char.IsHighSurrogate(units[i]) && i + 1 < units.Length && char.IsLowSurrogate(units[i + 1]);
            if (isPair) i++;
            else if (!TextShape.IsAllowed(units[i])) units[i] = ' ';
        }
        return new string(units);
    }

    private static NumberShape<T> Number<T>(long minimum, long maximum, Func<long, T> from, Func<T, long> to) =>
        new(minimum, maximum, from, to);
}
