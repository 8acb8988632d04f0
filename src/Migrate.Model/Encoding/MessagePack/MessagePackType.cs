namespace Migrate.Model.Encoding.MessagePack;

/// <summary>The kinds of value that MessagePack knows (MessagePack specification, "Type system"); numbered as in MessagePack-CSharp.</summary>
public enum MessagePackType
{
    /// <summary>The reserved byte 0xc1: never returned, always refused.</summary>
    Unknown = 0,

    /// <summary>A signed or unsigned integer of up to 64 bits.</summary>
    Integer = 1,

    /// <summary>Nil.</summary>
    Nil = 2,

    /// <summary>False or true.</summary>
    Boolean = 3,

    /// <summary>A 32- or 64-bit float: only stepped over, since no document of ours carries one.</summary>
    Float = 4,

    /// <summary>UTF-8 text.</summary>
    String = 5,

    /// <summary>Bytes.</summary>
    Binary = 6,

    /// <summary>A count and that many values.</summary>
    Array = 7,

    /// <summary>A count and that many pairs of key and value.</summary>
    Map = 8,

    /// <summary>A typed extension, timestamps included: only stepped over, since no document of ours carries one.</summary>
    Extension = 9,
}
