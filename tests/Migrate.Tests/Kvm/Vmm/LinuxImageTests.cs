using System.Buffers.Binary;
using System.IO.Compression;
using Migrate.Kvm.Vmm;
using Migrate.Model.Errors;

namespace Migrate.Tests.Kvm.Vmm;

public class LinuxImageTests
{
    [Fact]
    public void An_Image_says_where_it_wants_to_lie_and_how_much_it_takes()
    {
        var image = LinuxImage.TryRead(Image(offset: 0x8_0000, size: 0x3_0000), "k")!;
        Assert.Equal((0x8_0000UL, 0x3_0000UL, 4096), (image.TextOffset, image.Size, image.Content.Length));
        // What is in the file is there, whatever the header claims.
        Assert.Equal(4096UL, LinuxImage.TryRead(Image(size: 100), "k")!.Size);
    }

    [Fact]
    public void A_compressed_one_is_unpacked_by_gzip_alone_or_as_EFI_has_it()
    {
        var image = Image();
        Assert.Equal(image, LinuxImage.TryRead(Gzip(image), "k")!.Content.ToArray());
        Assert.Equal(image, LinuxImage.TryRead(Zboot(Gzip(image), "gzip"), "k")!.Content.ToArray());
    }

    [Fact]
    public void What_is_no_kernel_may_be_a_program()
    {
        Assert.Null(LinuxImage.TryRead(new byte[] { 0, 0, 0, 0x14 }, "k"));
        Assert.Null(LinuxImage.TryRead(new byte[4096], "k"));
        Assert.Null(LinuxImage.TryRead(ReadOnlyMemory<byte>.Empty, "k"));
    }

    public static TheoryData<string, ErrorCode, byte[]> Bad() => new()
    {
        { "ELF", ErrorCode.Unsupported, [0x7f, (byte)'E', (byte)'L', (byte)'F', 0] },
        { "xz", ErrorCode.Unsupported, [0xfd, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0] },
        { "zstd", ErrorCode.Unsupported, [0x28, 0xb5, 0x2f, 0xfd, 0] },
        { "bzip2", ErrorCode.Unsupported, "BZh9"u8.ToArray() },
        { "lz4", ErrorCode.Unsupported, [0x02, 0x21, 0x4c, 0x18, 0] },
        { "lzma", ErrorCode.Unsupported, [0x5d, 0, 0, 0] },
        { "U-Boot", ErrorCode.Unsupported, [0x27, 0x05, 0x19, 0x56, 0] },
        { "EFI program", ErrorCode.Unsupported, "MZ"u8.ToArray() },
        { "EFI program", ErrorCode.Unsupported, [.. "MZ"u8, .. new byte[1000]] },
        { "3.17", ErrorCode.Unsupported, Image(size: 0) },
        { "big-endian", ErrorCode.Unsupported, Image(flags: 1) },
        { "text offset", ErrorCode.Malformed, Image(offset: 2 << 20) },
        { "text offset", ErrorCode.Malformed, Image(offset: 0x8_0001) },
        { "text offset", ErrorCode.Malformed, Image(offset: ulong.MaxValue - 7) },
        { "claims", ErrorCode.TooLarge, Image(size: ulong.MaxValue) },
        { "claims", ErrorCode.TooLarge, Image(size: (128UL << 20) + 1) },
        { "cannot be unpacked", ErrorCode.Malformed, [0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9] },
        { "no arm64 Linux kernel", ErrorCode.Malformed, Gzip(new byte[100]) },
        { "no arm64 Linux kernel", ErrorCode.Malformed, Gzip(Gzip(Image())) },
        { "zstd22", ErrorCode.Unsupported, Zboot(Gzip(Image()), "zstd22") },
        { "compressed by ?", ErrorCode.Unsupported, Zboot(Gzip(Image()), "; rm -r") },
        { "payload", ErrorCode.Malformed, Zboot(Gzip(Image()), "gzip", offset: uint.MaxValue) },
        { "payload", ErrorCode.Malformed, Zboot(Gzip(Image()), "gzip", size: uint.MaxValue) },
        { "unpacks to more", ErrorCode.TooLarge, Gzip(new byte[1 << 20], times: 129) },
    };

    [Theory]
    [MemberData(nameof(Bad), DisableDiscoveryEnumeration = true)]
    public void What_cannot_be_booted_is_named_with_the_remedy(string why, ErrorCode code, byte[] file)
    {
        var error = Assert.Throws<MigrateException>(() => LinuxImage.TryRead(file, "the/file"));
        Assert.Equal((code, Stage.Input), (error.Code, error.Stage));
        Assert.Contains(why, error.Message);
        Assert.StartsWith("the/file", error.Message);
        Assert.False(string.IsNullOrEmpty(error.Remedy));
    }

    /// <summary>Each byte of a header may be anything: the answer is an image, no kernel, or an error of ours.</summary>
    [Fact]
    public void No_header_breaks_the_reader()
    {
        var random = new Random(11);
        byte[][] seeds = [Image(), Gzip(Image()), Zboot(Gzip(Image()), "gzip")];
        for (var i = 0; i < 3000; i++)
        {
            var file = seeds[i % 3].ToArray();
            for (var n = random.Next(1, 6); n > 0; n--) file[random.Next(Math.Min(file.Length, 80))] = (byte)random.Next(256);
            try
            {
                LinuxImage.TryRead(file.AsMemory(0, random.Next(file.Length + 1)), "k");
            }
            catch (MigrateException)
            {
                // Named, as above.
            }
        }
    }

    internal static byte[] Image(ulong offset = 0, ulong size = 0x1_0000, ulong flags = 0xa, int length = 4096)
    {
        var image = new byte[length];
        BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(8), offset);
        BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(16), size);
        BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(24), flags);
        "ARM\x64"u8.CopyTo(image.AsSpan(56));
        return image;
    }

    private static byte[] Gzip(byte[] content, int times = 1)
    {
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
            for (var i = 0; i < times; i++) gzip.Write(content);
        return packed.ToArray();
    }

    private static byte[] Zboot(byte[] payload, string compression, uint offset = 512, uint? size = null)
    {
        var file = new byte[512 + payload.Length + 64];
        "MZ"u8.CopyTo(file);
        "zimg"u8.CopyTo(file.AsSpan(4));
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(8), offset);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(12), size ?? (uint)payload.Length);
        System.Text.Encoding.ASCII.GetBytes(compression, file.AsSpan(24));
        payload.CopyTo(file, 512);
        return file;
    }
}
