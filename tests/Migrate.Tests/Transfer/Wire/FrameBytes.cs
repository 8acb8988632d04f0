using Migrate.Model.Encoding;
using Migrate.Transfer.Wire;

namespace Migrate.Tests.Transfer.Wire;

/// <summary>Frames as bytes, right or wrong as the test wants them.</summary>
internal static class FrameBytes
{
    public static byte[] Preamble(StreamPurpose purpose)
    {
        var bytes = new byte[Migrate.Transfer.Wire.Preamble.Size];
        Migrate.Transfer.Wire.Preamble.For(purpose).CopyTo(bytes);
        return bytes;
    }

    public static byte[] Header(FrameHeader header)
    {
        var bytes = new byte[FrameHeader.Size];
        header.CopyTo(bytes);
        return bytes;
    }

    public static byte[] Of(FrameKind kind, byte[]? payload = null, FrameFlags flags = FrameFlags.None, int descriptors = 0) =>
        [.. Header(new FrameHeader(kind, flags, descriptors, payload?.Length ?? 0, Crc32C.Of(payload))), .. payload ?? []];

    public static byte[] Of<T>(FrameKind kind, Shape<T> shape, T value, int descriptors = 0) =>
        Of(kind, MessagePackEncoding.Encode(shape, value), descriptors: descriptors);
}
