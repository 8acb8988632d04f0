using Migrate.Model.Encoding.MessagePack;
using Migrate.Model.Errors;
using Migrate.Model.Registers;

namespace Migrate.Model.Encoding;

/// <summary>Reads MessagePack; the format's own bounds (depth, lengths, counts against the bytes left) are the reader's below.</summary>
internal ref struct MessagePackInput
{
    private MessagePackReader _reader;
    private string _key = "";

    public MessagePackInput(ReadOnlySpan<byte> bytes, MessagePackLimits limits) => _reader = new MessagePackReader(bytes, limits);

    public long Offset { readonly get; private set; }

    public int BeginMap()
    {
        Mark();
        return _reader.ReadMapHeader();
    }

    public bool NextMember(ref int left)
    {
        if (left-- == 0) return false;
        Mark();
        _key = _reader.ReadString();
        return true;
    }

    public readonly bool KeyIs(MemberName name) => _key == name.Text;

    public readonly string KeyText() => _key;

    public int BeginArray()
    {
        Mark();
        return _reader.ReadArrayHeader();
    }

    public readonly bool NextElement(ref int left) => left-- > 0;

    public bool TryNull()
    {
        Mark();
        return _reader.TryReadNil();
    }

    public string Text()
    {
        Mark();
        return _reader.ReadString();
    }

    public bool Boolean()
    {
        Mark();
        return _reader.ReadBoolean();
    }

    public ulong UInt64()
    {
        Mark();
        return _reader.ReadUInt64();
    }

    public long Int64()
    {
        Mark();
        return _reader.ReadInt64();
    }

    public byte[] Bytes(ref DocumentReader document, int maximum)
    {
        Mark();
        var bytes = _reader.ReadBytes();
        if (bytes.Length > maximum) throw document.Refuse($"{bytes.Length} bytes, the limit is {maximum}", ErrorCode.TooLarge);
        return bytes.ToArray();
    }

    public RegisterValue Value(ref DocumentReader document)
    {
        Mark();
        var bytes = _reader.ReadBytes();
        if (bytes.Length is 0 or > RegisterValue.MaximumSize) throw document.Refuse($"a register value of {bytes.Length} bytes; 1 to 256 are possible");
        return new RegisterValue(bytes);
    }

    public readonly void EnsureEnd() => _reader.EnsureEnd();

    private void Mark() => Offset = _reader.Consumed;
}
