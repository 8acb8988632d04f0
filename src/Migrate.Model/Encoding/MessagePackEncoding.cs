using System.Buffers;
using Migrate.Model.Encoding.MessagePack;
using Migrate.Model.Errors;

namespace Migrate.Model.Encoding;

/// <summary>Shapes as MessagePack.</summary>
public static class MessagePackEncoding
{
    /// <summary>The bytes of a value; equal values give equal bytes.</summary>
    /// <exception cref="MigrateException">The value is not what its shape allows; the message says where.</exception>
    public static byte[] Encode<T>(Shape<T> shape, T value)
    {
        var output = new ArrayBufferWriter<byte>();
        Encode(shape, value, output);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Appends a value to an output.</summary>
    /// <exception cref="MigrateException">The value is not what its shape allows; the message says where.</exception>
    public static void Encode<T>(Shape<T> shape, T value, IBufferWriter<byte> output) =>
        shape.Write(new MessagePackDocumentWriter(output), value);

    /// <summary>Reads a value; the input is nothing but it.</summary>
    /// <exception cref="MigrateException">
    /// <see cref="ErrorCode.Malformed"/>, <see cref="ErrorCode.TooLarge"/> or <see cref="ErrorCode.Unsupported"/>; the message gives path, reason and byte.
    /// </exception>
    public static T Decode<T>(Shape<T> shape, ReadOnlySpan<byte> bytes) => Decode(shape, bytes, wholeInput: true);

    /// <summary>Reads a value and, unless <paramref name="wholeInput"/>, leaves what follows unread.</summary>
    internal static T Decode<T>(Shape<T> shape, ReadOnlySpan<byte> bytes, bool wholeInput)
    {
        var reader = new DocumentReader(new MessagePackInput(bytes, MessagePackLimits.Default));
        try
        {
            var value = shape.Read(ref reader);
            if (wholeInput) reader.EnsureEnd();
            return value;
        }
        catch (MessagePackFormatException e)
        {
            throw new MigrateException(e.Code, $"{reader.Path}: {e.Message}", e) { Stage = Stage.Input };
        }
    }
}
