using Migrate.Linux;
using Migrate.Linux.Memory;
using Migrate.Linux.Native;
using Migrate.Model.Errors;
using static Migrate.Linux.Native.MemoryConstants;

namespace Migrate.Tests.Linux;

public unsafe class MemFdTests
{
    private const int Page = 65536;

    [Fact]
    public void Two_mappings_of_one_memfd_share_every_byte()
    {
        using var memory = MemFd.Create("shared", 3 * Page);
        using var writer = memory.Map(MappingAccess.ReadWrite);
        using var reader = memory.Map(MappingAccess.Read);
        writer.Slice((2 * Page) - 2, 4).Fill(7);
        Assert.Equal([0, 7, 7, 7, 7, 0], reader.View((2 * Page) - 3, 6).ToArray());
        Assert.Equal(7, reader.Pointer[2 * Page]);
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(0, -1)]
    [InlineData(Page, 1)]
    [InlineData(Page - 1, 2)]
    [InlineData(long.MaxValue, int.MaxValue)]
    public void Refuses_a_slice_that_is_not_inside(long offset, int length)
    {
        using var memory = MemFd.Create("bounds", Page);
        using var mapping = memory.Map(MappingAccess.ReadWrite);
        Assert.Throws<ArgumentOutOfRangeException>(() => { mapping.Slice(offset, length); });
        Assert.Throws<ArgumentOutOfRangeException>(() => { mapping.View(offset, length); });
    }

    [Fact]
    public void Refuses_to_write_a_mapping_for_reading()
    {
        using var memory = MemFd.Create("read-only", Page);
        using var mapping = memory.Map(MappingAccess.Read);
        Assert.Throws<InvalidOperationException>(() => { mapping.Slice(0, 1); });
    }

    [Fact]
    public void An_unmapped_mapping_gives_no_pointer()
    {
        using var memory = MemFd.Create("gone", Page);
        var mapping = memory.Map(MappingAccess.ReadWrite);
        mapping.Dispose();
        Assert.Throws<ObjectDisposedException>(() => { mapping.Slice(0, 1); });
    }

    [Fact]
    public void What_is_created_here_can_be_neither_cut_nor_grown_nor_sealed_further()
    {
        using var memory = MemFd.Create("sealed", Page);
        Assert.NotEqual(0, Libc.ftruncate(memory, Page / 2));
        Assert.NotEqual(0, Libc.ftruncate(memory, 2 * Page));
        Assert.NotEqual(0, Libc.fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK));
    }

    [Fact]
    public void Adopts_a_sealed_memfd_with_its_real_size()
    {
        using var memory = MemFd.Create("ours", 2 * Page);
        using var adopted = MemFd.Adopt(Duplicate(memory), Page, "theirs");
        Assert.Equal((2 * Page, "theirs"), (adopted.Length, adopted.Name));
        using var mapping = adopted.Map(MappingAccess.ReadWrite);
        mapping.Slice((2 * Page) - 1, 1)[0] = 9;
    }

    [Theory]
    [InlineData(0, "F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_SEAL")]
    [InlineData(F_SEAL_SHRINK | F_SEAL_GROW, "F_SEAL_SEAL")]
    [InlineData(F_SEAL_GROW | F_SEAL_SEAL, "F_SEAL_SHRINK")]
    [InlineData(F_SEAL_SHRINK | F_SEAL_SEAL, "F_SEAL_GROW")]
    public void Refuses_a_memfd_without_all_three_seals(int seals, string missing)
    {
        var name = $"unsealed-{Guid.NewGuid():N}";
        var descriptor = new FileDescriptor(Libc.memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
        Assert.Equal(0, Libc.ftruncate(descriptor, Page));
        if (seals != 0)
            Assert.Equal(0, Libc.fcntl(descriptor, F_ADD_SEALS, seals));
        var error = Assert.Throws<MigrateException>(() => MemFd.Adopt(descriptor, Page, "ram0"));
        Assert.Equal(ErrorCode.Refused, error.Code);
        Assert.Contains("ram0", error.Message);
        Assert.Contains($"lacks {missing},", error.Message);
        Assert.Equal(0, TestSupport.OpenDescriptors(name));
    }

    [Fact]
    public void Refuses_a_memfd_cut_to_less_than_claimed_before_it_was_sealed()
    {
        var name = $"cut-{Guid.NewGuid():N}";
        var descriptor = new FileDescriptor(Libc.memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
        Assert.Equal(0, Libc.ftruncate(descriptor, 4 * Page));
        Assert.Equal(0, Libc.ftruncate(descriptor, Page));
        Assert.Equal(0, Libc.fcntl(descriptor, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL));
        var error = Assert.Throws<MigrateException>(() => MemFd.Adopt(descriptor, 4 * Page, "ram0"));
        Assert.Equal(ErrorCode.Refused, error.Code);
        Assert.Contains($"{Page} bytes where {4 * Page} were claimed", error.Message);
        Assert.Equal(0, TestSupport.OpenDescriptors(name));
    }

    [Fact]
    public void Refuses_a_memfd_one_byte_smaller_than_claimed()
    {
        using var memory = MemFd.Create("small", Page);
        Assert.Throws<MigrateException>(() => MemFd.Adopt(Duplicate(memory), Page + 1, "ram0"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(long.MinValue)]
    public void Refuses_a_claim_of_no_bytes(long claimed)
    {
        using var memory = MemFd.Create("claimed", Page);
        Assert.Equal(ErrorCode.Refused, Assert.Throws<MigrateException>(() => MemFd.Adopt(Duplicate(memory), claimed, "ram0")).Code);
    }

    [Fact]
    public void Refuses_a_regular_file_a_directory_and_a_socket()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllBytes(directory["file"], new byte[Page]);
        int[] descriptors =
        [
            Libc.open(directory["file"], FileConstants.O_RDWR | FileConstants.O_CLOEXEC, 0),
            Libc.open(directory.Path, FileConstants.O_RDONLY | FileConstants.O_CLOEXEC, 0),
            Libc.socket(SocketConstants.AF_UNIX, SocketConstants.SOCK_STREAM | SocketConstants.SOCK_CLOEXEC, 0),
        ];
        foreach (var descriptor in descriptors)
        {
            Assert.True(descriptor >= 0);
            var error = Assert.Throws<MigrateException>(() => MemFd.Adopt(new FileDescriptor(descriptor), 1, "ram0"));
            Assert.Equal(ErrorCode.Refused, error.Code);
        }
    }

    [Fact]
    public void Finds_populated_ranges_and_nothing_else_without_populating_any()
    {
        using var memory = MemFd.Create("sparse", 1L << 34);
        using var mapping = memory.Map(MappingAccess.ReadWrite);
        Assert.False(memory.TryFindData(0, out _, out _));
        mapping.Slice(5 * Page, Page).Fill(1);
        mapping.Slice(memory.Length - Page, Page).Fill(1);
        Assert.Equal([(5L * Page, 6L * Page), (memory.Length - Page, memory.Length)], Ranges(memory));
        Assert.False(memory.TryFindData(memory.Length, out _, out _));
    }

    [Fact]
    public void A_punched_range_reads_as_zeros_and_is_a_hole_again()
    {
        using var memory = MemFd.Create("punched", 4 * Page);
        using var mapping = memory.Map(MappingAccess.ReadWrite);
        mapping.Slice(0, 4 * Page).Fill(1);
        memory.PunchHole(Page, 2 * Page);
        Assert.Equal([(0L, (long)Page), (3L * Page, 4L * Page)], Ranges(memory));
        Assert.Equal(-1, mapping.View(Page, 2 * Page).IndexOfAnyExcept((byte)0));
        Assert.Equal(1, mapping.View(Page - 1, 1)[0]);
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(0, 0)]
    [InlineData(1, Page)]
    [InlineData(long.MaxValue, long.MaxValue)]
    public void Refuses_to_punch_outside(long offset, long length)
    {
        using var memory = MemFd.Create("outside", Page);
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.PunchHole(offset, length));
    }

    [Fact]
    public void A_refused_call_names_itself_its_object_and_the_error()
    {
        var error = Assert.Throws<LinuxException>(() => MemFd.Create(new string('n', 300), Page));
        Assert.Equal(("memfd_create", "EINVAL", ErrorCode.System), (error.Call, error.ErrnoName, error.Code));
        Assert.StartsWith("memfd_create nnn", error.Message);
        Assert.Contains("EINVAL", error.Message, StringComparison.Ordinal);
    }

    private static List<(long Start, long End)> Ranges(MemFd memory)
    {
        var ranges = new List<(long, long)>();
        for (long from = 0; memory.TryFindData(from, out var start, out var end); from = end)
            ranges.Add((start, end));
        return ranges;
    }

    private static FileDescriptor Duplicate(MemFd memory)
    {
        const int dupFdCloexec = 1030;
        return new FileDescriptor(Libc.fcntl(memory, dupFdCloexec, 0));
    }
}
