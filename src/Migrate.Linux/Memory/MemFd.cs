using System.Runtime.InteropServices;
using Migrate.Linux.Native;
using Migrate.Model.Errors;
using static Migrate.Linux.Native.MemoryConstants;

namespace Migrate.Linux.Memory;

/// <summary>Anonymous shared memory of a fixed size behind a descriptor: guest memory and dirty bitmaps.</summary>
/// <remarks>Its size is sealed against shrinking and growing, and the seals themselves are sealed, so that a mapping of it
/// can never be cut short by the process at the other end: touching a mapping beyond the end of its file kills a .NET process.</remarks>
public sealed class MemFd : FileDescriptor
{
    private const int RequiredSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

    private MemFd(int descriptor, string name, long length)
        : base(descriptor)
    {
        Name = name;
        Length = length;
    }

    /// <summary>The name for messages, and in <c>/proc/PID/maps</c> where it was created here.</summary>
    public string Name { get; }

    /// <summary>Size in bytes; it cannot change.</summary>
    public long Length { get; }

    /// <summary>Creates memory that reads as zeros and takes no room until it is written.</summary>
    /// <param name="name">For messages and <c>/proc</c>; at most 249 bytes.</param>
    /// <param name="bytes">Size in bytes, above zero.</param>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public static MemFd Create(string name, long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        var answer = Libc.memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (answer < 0)
            throw LinuxException.Last("memfd_create", name);
        var memory = new MemFd(answer, name, bytes);
        try
        {
            if (Libc.ftruncate(memory, bytes) != 0)
                throw LinuxException.Last("ftruncate", $"{name} to {bytes} bytes");
            if (Libc.fcntl(memory, F_ADD_SEALS, RequiredSeals) != 0)
                throw LinuxException.Last("fcntl(F_ADD_SEALS)", name);
            return memory;
        }
        catch
        {
            memory.Dispose();
            throw;
        }
    }

    /// <summary>Takes over a descriptor that a peer sent, once it is proven to be safe to map.</summary>
    /// <param name="descriptor">Owned by the result; closed when it is refused.</param>
    /// <param name="minimumBytes">The size that the peer claimed; refused unless above zero.</param>
    /// <param name="name">What the memory is called in messages.</param>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Refused"/>: not a memfd, a seal is missing, or smaller than claimed; nothing is mapped.</exception>
    public static unsafe MemFd Adopt(SafeHandle descriptor, long minimumBytes, string name)
    {
        using var received = new FileDescriptor(Take(descriptor));
        if (minimumBytes <= 0)
            throw Refusal(name, $"a size of {minimumBytes} bytes was claimed");
        var seals = Libc.fcntl(received, F_GET_SEALS, 0);
        if (seals < 0)
            throw Refusal(name, "it is not a memfd (it has no seals)");
        // A plain file on tmpfs answers too, but carries no more than F_SEAL_SEAL (mm/shmem.c, __shmem_get_inode).
        var missing = RequiredSeals & ~seals;
        if (missing != 0)
            throw Refusal(name, $"it lacks {SealNames(missing)}, so its size could change under a mapping");
        Statx status;
        if (Libc.statx(received, "", FileConstants.AT_EMPTY_PATH, FileConstants.STATX_BASIC_STATS, &status) != 0)
            throw LinuxException.Last("statx", name);
        if (status.Size < (ulong)minimumBytes || status.Size > long.MaxValue)
            throw Refusal(name, $"it has {status.Size} bytes where {minimumBytes} were claimed");
        return new MemFd(Take(received), name, (long)status.Size);
    }

    /// <summary>Maps all of it, shared with every other process that maps it.</summary>
    /// <exception cref="LinuxException">The kernel refused: too little address space, or sealed against writing.</exception>
    public MemoryMapping Map(MappingAccess access) => MemoryMapping.Of(this, access);

    /// <summary>Gives a range back to the kernel: it then reads as zeros and takes no room. Whole pages are freed, parts of pages zeroed.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range is empty or not inside.</exception>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public void PunchHole(long offset, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        if (offset > Length - length)
            throw new ArgumentOutOfRangeException(nameof(length), $"{offset} + {length} is beyond the {Length} bytes of {Name}");
        while (Libc.fallocate(this, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length) != 0)
        {
            if (Marshal.GetLastPInvokeError() != Errno.EINTR)
                throw LinuxException.Last("fallocate(FALLOC_FL_PUNCH_HOLE)", $"{Name} at {offset}, {length} bytes");
        }
    }

    /// <summary>Finds the next range that holds pages, without touching those that hold none.</summary>
    /// <param name="from">Where to begin, in bytes.</param>
    /// <param name="start">First byte of the range, at or above <paramref name="from"/>.</param>
    /// <param name="end">First byte behind the range.</param>
    /// <returns>False when there is nothing but holes from here on.</returns>
    /// <remarks>A page that another thread populates meanwhile may or may not be seen.</remarks>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public bool TryFindData(long from, out long start, out long end)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        start = from;
        end = from;
        while (start < Length)
        {
            var data = Libc.lseek(this, start, SEEK_DATA);
            if (data < 0)
                return Marshal.GetLastPInvokeError() == Errno.ENXIO ? false : throw LinuxException.Last("lseek(SEEK_DATA)", Name);
            var hole = Libc.lseek(this, data, SEEK_HOLE);
            if (hole < 0)
                throw LinuxException.Last("lseek(SEEK_HOLE)", Name);
            start = data;
            end = Math.Min(hole, Length);
            // Equal when somebody punched the range between the two calls: look again.
            if (end > start)
                return true;
        }
        return false;
    }

    private static MigrateException Refusal(string name, string reason) =>
        new(ErrorCode.Refused, $"memory {name} was refused before mapping: {reason}")
        {
            Remedy = "The sender must create it with memfd_create and seal it with F_SEAL_SHRINK, F_SEAL_GROW and F_SEAL_SEAL.",
        };

    private static string SealNames(int seals)
    {
        (int Bit, string Name)[] names = [(F_SEAL_SHRINK, "F_SEAL_SHRINK"), (F_SEAL_GROW, "F_SEAL_GROW"), (F_SEAL_SEAL, "F_SEAL_SEAL")];
        return string.Join(", ", names.Where(s => (seals & s.Bit) != 0).Select(s => s.Name));
    }
}
