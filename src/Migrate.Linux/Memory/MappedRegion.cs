using Microsoft.Win32.SafeHandles;
using Migrate.Linux.Native;
using static Migrate.Linux.Native.MemoryConstants;

namespace Migrate.Linux.Memory;

/// <summary>Memory in this process's address space of a VM: fresh memory, guest memory behind a memfd, or a page that a device shares.</summary>
/// <remarks>Whoever uses <see cref="Pointer"/> keeps the region alive.</remarks>
public sealed unsafe class MappedRegion : SafeHandleMinusOneIsInvalid
{
    private MappedRegion(nint address, string name, long length)
        : base(ownsHandle: true)
    {
        SetHandle(address);
        Name = name;
        Length = length;
    }

    /// <summary>For messages.</summary>
    public string Name { get; }

    /// <summary>Size in bytes.</summary>
    public long Length { get; }

    /// <summary>The first byte.</summary>
    /// <exception cref="ObjectDisposedException">It is unmapped.</exception>
    public byte* Pointer
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed, this);
            return (byte*)handle;
        }
    }

    /// <summary>Private memory that reads as zeros, takes no room until it is written and is not counted against the overcommit limit.</summary>
    /// <param name="name">For messages.</param>
    /// <param name="bytes">Size, above zero; address space is all that it takes.</param>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public static MappedRegion Untouched(string name, long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        var address = Libc.mmap(0, (nuint)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        return address != -1 ? new MappedRegion(address, name, bytes) : throw LinuxException.Last("mmap", $"{name}, {bytes} bytes");
    }

    /// <summary>All of a memfd, for reading and writing; what is written there, every other mapping of it sees.</summary>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public static MappedRegion OfMemory(MemFd memory)
    {
        var address = Libc.mmap(0, (nuint)memory.Length, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
        return address != -1 ? new MappedRegion(address, memory.Name, memory.Length) : throw LinuxException.Last("mmap", $"{memory.Name}, {memory.Length} bytes");
    }

    /// <summary>The pages that a device shares with this process, for reading and writing.</summary>
    /// <param name="device">Whose.</param>
    /// <param name="name">For messages.</param>
    /// <param name="bytes">Size as the device says it, above zero.</param>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public static MappedRegion OfDevice(FileDescriptor device, string name, long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        var address = Libc.mmap(0, (nuint)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, device, 0);
        return address != -1 ? new MappedRegion(address, name, bytes) : throw LinuxException.Last("mmap", $"{name}, {bytes} bytes");
    }

    /// <summary>Bytes to read and write.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range is not inside.</exception>
    public Span<byte> Slice(long offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        if (offset > Length - length)
            throw new ArgumentOutOfRangeException(nameof(length), $"{offset} + {length} is beyond the {Length} bytes of {Name}");
        return new Span<byte>(Pointer + offset, length);
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => Libc.munmap(handle, (nuint)Length) == 0;
}
