using System.Runtime.InteropServices;
using Migrate.Linux.Native;

namespace Migrate.Tests.Linux;

/// <summary>Numbers that a wrong architecture or a wrong layout would break silently.</summary>
public unsafe class NativeTests
{
    [Fact]
    public void Open_flags_differ_between_architectures_as_in_the_kernel_headers()
    {
        // The headers write them in octal: asm-generic/fcntl.h, and arch/arm64/include/uapi/asm/fcntl.h over it.
        Assert.Equal(new OpenFlags(Octal("200000"), Octal("400000")), OpenFlags.Of(Architecture.X64));
        Assert.Equal(new OpenFlags(Octal("40000"), Octal("100000")), OpenFlags.Of(Architecture.Arm64));
        Assert.Throws<PlatformNotSupportedException>(() => OpenFlags.Of(Architecture.Arm));
    }

    [Fact]
    public void The_open_flags_of_this_architecture_mean_what_they_say_to_this_kernel()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory["file"], "");
        File.CreateSymbolicLink(directory["link"], directory["file"]);
        Assert.Equal(-1, Libc.open(directory["file"], FileConstants.O_CLOEXEC | OpenFlags.Here.Directory, 0));
        Assert.Equal(Errno.ENOTDIR, Marshal.GetLastPInvokeError());
        Assert.Equal(-1, Libc.open(directory["link"], FileConstants.O_CLOEXEC | OpenFlags.Here.NoFollow, 0));
        Assert.Equal("ELOOP", Errno.Name(Marshal.GetLastPInvokeError()));
    }

    [Fact]
    public void Structures_have_the_sizes_of_a_64_bit_c_library()
    {
        Assert.Equal(
            (256, 56, 16, 16, 12, 8, 16),
            (sizeof(Statx), sizeof(MessageHeader), sizeof(ControlHeader), sizeof(TimeValue), sizeof(UserCredentials), sizeof(PollDescriptor), sizeof(Migrate.Linux.Sockets.IoVector)));
    }

    [Theory]
    [InlineData(1, 20, 24)]
    [InlineData(2, 24, 24)]
    [InlineData(3, 28, 32)]
    public void Control_messages_are_padded_to_eight_bytes(int descriptors, int length, int space) =>
        Assert.Equal((length, space), (ControlHeader.LengthFor(descriptors * 4), ControlHeader.SpaceFor(descriptors * 4)));

    [Theory]
    [InlineData(1, "EPERM")]
    [InlineData(11, "EAGAIN")]
    [InlineData(22, "EINVAL")]
    [InlineData(28, "ENOSPC")]
    [InlineData(40, "ELOOP")]
    [InlineData(71, "EPROTO")]
    [InlineData(98, "EADDRINUSE")]
    [InlineData(111, "ECONNREFUSED")]
    [InlineData(115, "EINPROGRESS")]
    [InlineData(133, "EHWPOISON")]
    [InlineData(134, "134")]
    [InlineData(-1, "-1")]
    public void Error_numbers_have_their_names(int errno, string name) => Assert.Equal(name, Errno.Name(errno));

    private static int Octal(string digits) => Convert.ToInt32(digits, 8);
}
