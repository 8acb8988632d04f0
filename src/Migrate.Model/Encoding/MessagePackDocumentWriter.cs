using System.Buffers;
using Migrate.Model.Encoding.MessagePack;
using Migrate.Model.Registers;

namespace Migrate.Model.Encoding;

/// <summary>Writes MessagePack: text keys, numbers in their shortest form, register values as little-endian binary. No hints for people.</summary>
internal sealed class MessagePackDocumentWriter(IBufferWriter<byte> output) : DocumentWriter
{
    public override bool WritesHints => false;

    public override void BeginMap(int count, bool oneLine)
    {
        var writer = new MessagePackWriter(output);
        writer.WriteMapHeader(count);
        writer.Flush();
    }

    public override void EndMap()
    {
    }

    public override void Key(string name) => Text(name);

    public override void BeginArray(int count)
    {
        var writer = new MessagePackWriter(output);
        writer.WriteArrayHeader(count);
        writer.Flush();
    }

    public override void EndArray()
    {
    }

    public override void Null()
    {
        var writer = new MessagePackWriter(output);
        writer.WriteNil();
        writer.Flush();
    }

    public override void Text(string value)
    {
        var writer = new MessagePackWriter(output);
        writer.Write(value);
        writer.Flush();
    }

    public override void Boolean(bool value)
    {
        var writer = new MessagePackWriter(output);
        writer.Write(value);
        writer.Flush();
    }

    public override void Number(long value) => Int64(value);

    public override void Hex64(ulong value)
    {
        var writer = new MessagePackWriter(output);
        writer.Write(value);
        writer.Flush();
    }

    public override void Int64(long value)
    {
        var writer = new MessagePackWriter(output);
        writer.Write(value);
        writer.Flush();
    }

    public override void Bytes(ReadOnlySpan<byte> value)
    {
        var writer = new MessagePackWriter(output);
        writer.Write(value);
        writer.Flush();
    }

    public override void Value(RegisterValue value)
    {
        Span<byte> bytes = stackalloc byte[RegisterValue.MaximumSize];
        Bytes(bytes[..value.CopyTo(bytes)]);
    }
}
