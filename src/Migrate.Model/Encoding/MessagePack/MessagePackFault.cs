namespace Migrate.Model.Encoding.MessagePack;

/// <summary>Why bytes were refused as MessagePack.</summary>
public enum MessagePackFault
{
    /// <summary>No fault: never raised.</summary>
    None = 0,

    /// <summary>The input ends inside a value, or where a value is due.</summary>
    Truncated = 1,

    /// <summary>The byte 0xc1, which the specification reserves.</summary>
    ReservedByte = 2,

    /// <summary>Another kind of value than the one asked for.</summary>
    UnexpectedType = 3,

    /// <summary>An integer that does not fit the type asked for.</summary>
    IntegerOutOfRange = 4,

    /// <summary>A string that is not UTF-8.</summary>
    InvalidUtf8 = 5,

    /// <summary>A key that its map already has.</summary>
    DuplicateKey = 6,

    /// <summary>Bytes after the end of the document.</summary>
    TrailingBytes = 7,

    /// <summary>A header that claims more elements than the bytes that are left could hold.</summary>
    CountBeyondInput = 8,

    /// <summary>More containers inside each other than <see cref="MessagePackLimits.MaxDepth"/>.</summary>
    TooDeep = 9,

    /// <summary>A string longer than <see cref="MessagePackLimits.MaxStringBytes"/>.</summary>
    StringTooLong = 10,

    /// <summary>Binary or an extension longer than <see cref="MessagePackLimits.MaxBinaryBytes"/>.</summary>
    BinaryTooLong = 11,

    /// <summary>An array or map with more elements than <see cref="MessagePackLimits.MaxElements"/>.</summary>
    TooManyElements = 12,

    /// <summary>An input longer than <see cref="MessagePackLimits.MaxInputBytes"/>.</summary>
    InputTooLarge = 13,
}
