using System.Text;

namespace Migrate.LabGuest;

/// <summary>Messages over a stream: kind, name, text, payload, each of the last three with its length before it.</summary>
/// <remarks>Written by hand because under emulation a serializer's start-up costs seconds.</remarks>
public sealed class Channel(Stream stream) : IDisposable
{
    private const int LongestText = 1 << 20;
    private const int LongestPayload = 64 << 20;
    private readonly BinaryReader _reader = new(stream, Encoding.UTF8, leaveOpen: true);
    private readonly Lock _sending = new();

    /// <summary>Sends a message; safe from several threads.</summary>
    public void Send(Message message)
    {
        using var buffer = new MemoryStream();
        using (var writer = new BinaryWriter(buffer, Encoding.UTF8, leaveOpen: true))
        {
            writer.Write((byte)message.Kind);
            WriteBlock(writer, Encoding.UTF8.GetBytes(message.Name));
            WriteBlock(writer, Encoding.UTF8.GetBytes(message.Text));
            WriteBlock(writer, message.Payload.Span);
        }

        lock (_sending)
        {
            stream.Write(buffer.GetBuffer(), 0, (int)buffer.Length);
            stream.Flush();
        }
    }

    /// <summary>The next message.</summary>
    /// <exception cref="EndOfStreamException">The other side is gone.</exception>
    /// <exception cref="InvalidDataException">A length beyond the limits.</exception>
    public Message Receive()
    {
        var kind = (MessageKind)_reader.ReadByte();
        var name = Encoding.UTF8.GetString(ReadBlock(LongestText));
        var text = Encoding.UTF8.GetString(ReadBlock(LongestText));
        return new Message(kind, name, text, ReadBlock(LongestPayload));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _reader.Dispose();
        stream.Dispose();
    }

    private static void WriteBlock(BinaryWriter writer, ReadOnlySpan<byte> block)
    {
        writer.Write(block.Length);
        writer.Write(block);
    }

    private byte[] ReadBlock(int longest)
    {
        var length = _reader.ReadInt32();
        if (length < 0 || length > longest)
            throw new InvalidDataException($"a block of {length} bytes; at most {longest} are allowed");
        var block = _reader.ReadBytes(length);
        return block.Length == length ? block : throw new EndOfStreamException();
    }
}
