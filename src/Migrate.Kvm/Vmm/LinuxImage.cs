using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Migrate.Model.Errors;

namespace Migrate.Kvm.Vmm;

/// <summary>An arm64 Linux kernel: what is loaded, and where it wants to lie.</summary>
/// <param name="Content">The Image.</param>
/// <param name="TextOffset">From a boundary of 2 MiB.</param>
/// <param name="Size">Bytes that it takes, content and what it clears behind it.</param>
/// <remarks>Source: Documentation/arch/arm64/booting.rst, section 4; of a kernel that EFI unpacks: drivers/firmware/efi/libstub/zboot-header.S.</remarks>
internal sealed record LinuxImage(ReadOnlyMemory<byte> Content, ulong TextOffset, ulong Size)
{
    /// <summary>Largest Image, unpacked, and largest claim of one: three times what distributions build.</summary>
    public const int Largest = 128 << 20;

    private static readonly byte[] GzipMagic = [0x1f, 0x8b];

    private const int HeaderBytes = 64;
    private const ulong Alignment = 2 << 20;

    /// <summary>What a file begins with that is a kernel, but none that can be entered; and what makes one of it.</summary>
    private static readonly (byte[] Magic, string What, string Remedy)[] Foreign =
    [
        ([0x7f, (byte)'E', (byte)'L', (byte)'F'], "an ELF file", "Give the Image: arch/arm64/boot/Image of a kernel's build, or /boot/vmlinuz-VERSION of an arm64 distribution."),
        ([0xfd, (byte)'7', (byte)'z', (byte)'X', (byte)'Z'], "compressed by xz", "Unpack it: xz -dc FILE > Image."),
        ([0x28, 0xb5, 0x2f, 0xfd], "compressed by zstd", "Unpack it: zstd -dc FILE > Image."),
        ("BZh"u8.ToArray(), "compressed by bzip2", "Unpack it: bzip2 -dc FILE > Image."),
        ([0x02, 0x21, 0x4c, 0x18], "compressed by lz4", "Unpack it: lz4 -dc FILE > Image."),
        ([0x5d, 0x00, 0x00], "compressed by lzma", "Unpack it: lzma -dc FILE > Image."),
        ([0x27, 0x05, 0x19, 0x56], "a U-Boot image", "Give the Image that it was made of."),
    ];

    /// <summary>Reads a kernel; null for what is no kernel at all, and so may be a program.</summary>
    /// <param name="file">The bytes.</param>
    /// <param name="name">Of the file, for errors.</param>
    /// <exception cref="MigrateException">It is one that cannot be booted, with the remedy.</exception>
    public static LinuxImage? TryRead(ReadOnlyMemory<byte> file, string name)
    {
        var bytes = file.Span;
        foreach (var (magic, what, remedy) in Foreign)
            if (bytes.StartsWith(magic)) throw Error(ErrorCode.Unsupported, $"{name} is {what}", remedy);
        if (bytes.StartsWith(GzipMagic)) return Inside(file, name);
        if (HasMagic(bytes)) return Read(file, name);
        if (!bytes.StartsWith("MZ"u8)) return null;
        return bytes.Length >= HeaderBytes && bytes[4..8].SequenceEqual("zimg"u8)
            ? Unzboot(file, name)
            : throw Error(ErrorCode.Unsupported, $"{name} is an EFI program, but no arm64 Linux kernel", "Give a kernel for arm64.");
    }

    private static bool HasMagic(ReadOnlySpan<byte> bytes) => bytes.Length >= HeaderBytes && bytes.Slice(56, 4).SequenceEqual("ARM\x64"u8);

    private static LinuxImage Read(ReadOnlyMemory<byte> image, string name)
    {
        var header = image.Span[..HeaderBytes];
        var offset = BinaryPrimitives.ReadUInt64LittleEndian(header[8..]);
        var size = BinaryPrimitives.ReadUInt64LittleEndian(header[16..]);
        var flags = BinaryPrimitives.ReadUInt64LittleEndian(header[24..]);
        if (size == 0) throw Error(ErrorCode.Unsupported, $"{name} is a kernel from before 3.17: its header does not say how large it is", "Give a newer kernel.");
        if ((flags & 1) != 0) throw Error(ErrorCode.Unsupported, $"{name} is a big-endian kernel", "Give a little-endian one.");
        if (offset >= Alignment || offset % 8 != 0) throw Error(ErrorCode.Malformed, $"{name} claims a text offset of 0x{offset:x}, which is not within 2 MiB or not aligned", "Give an intact kernel.");
        if (size > Largest || image.Length > Largest)
            throw Error(ErrorCode.TooLarge, $"{name} claims {size} bytes and has {image.Length}; a kernel may have {Largest}", "Give an intact kernel.");
        return new LinuxImage(image, offset, Math.Max(size, (ulong)image.Length));
    }

    /// <summary>A kernel for EFI that unpacks itself: its payload's place, length and compression are in its header.</summary>
    private static LinuxImage Unzboot(ReadOnlyMemory<byte> file, string name)
    {
        var header = file.Span[..HeaderBytes];
        var offset = BinaryPrimitives.ReadUInt32LittleEndian(header[8..]);
        var size = BinaryPrimitives.ReadUInt32LittleEndian(header[12..]);
        var type = header[24..56];
        var compression = type.IndexOf((byte)0) is var end and >= 0 ? Printable(type[..end]) : "?";
        if (offset > file.Length || size > file.Length - offset)
            throw Error(ErrorCode.Malformed, $"{name} claims a payload of {size} bytes at {offset}, the file has {file.Length}", "Give an intact kernel.");
        if (compression != "gzip")
        {
            throw Error(ErrorCode.Unsupported, $"{name} is an EFI kernel whose payload is compressed by {compression}; gzip is read here",
                $"Unpack it: tail -c +{offset + 1} FILE | head -c {size} | {compression} -dc > Image.");
        }
        return Inside(file.Slice((int)offset, (int)size), name);
    }

    private static LinuxImage Inside(ReadOnlyMemory<byte> packed, string name)
    {
        // A length is a claim here as well, and this one can be checked: what unpacks to too much costs time and no memory.
        var file = new MemoryStream(packed.ToArray(), writable: false);
        byte[] image;
        try
        {
            var (scratch, length) = (new byte[1 << 16], 0);
            using (var counting = new GZipStream(file, CompressionMode.Decompress, leaveOpen: true))
            {
                for (int read; (read = counting.Read(scratch)) > 0;)
                    if ((length += read) > Largest) throw Error(ErrorCode.TooLarge, $"{name} unpacks to more than {Largest} bytes", "Give an intact kernel.");
            }
            file.Position = 0;
            image = new byte[length];
            using var unpacking = new GZipStream(file, CompressionMode.Decompress);
            unpacking.ReadExactly(image);
        }
        catch (InvalidDataException e)
        {
            throw Error(ErrorCode.Malformed, $"{name} cannot be unpacked: {e.Message}", "Give an intact kernel.");
        }
        return HasMagic(image) ? Read(image, name) : throw Error(ErrorCode.Malformed, $"{name} unpacks to what is no arm64 Linux kernel", "Give a kernel for arm64.");
    }

    private static string Printable(ReadOnlySpan<byte> text) =>
        text.ContainsAnyExceptInRange((byte)'0', (byte)'z') ? "?" : Encoding.ASCII.GetString(text);

    private static MigrateException Error(ErrorCode code, string message, string remedy) => new(code, message) { Stage = Stage.Input, Remedy = remedy };
}
