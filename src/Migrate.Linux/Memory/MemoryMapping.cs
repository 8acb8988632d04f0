using Microsoft.Win32.SafeHandles;
using Migrate.Linux.Native;
using static Migrate.Linux.Native.MemoryConstants;

namespace Migrate.Linux.Memory;

/// <summary>What a mapping may do to the memory behind it.</summary>
public enum MappingAccess
{
    /// <summary>Reading only.</summary>
    Read,

    /// <summary>Reading and writing.</summary>
    ReadWrite,
}

/// <summary>A whole <see cref="MemFd"/> in this process's address space. Whoever uses <see cref="Pointer"/> keeps the mapping alive.</summary>
public sealed unsafe class MemoryMapping : SafeHandleMinusOneIsInvalid
{
    private MemoryMapping(nint address, MemFd memory, MappingAccess access)
        : base(ownsHandle: true)
    {
        SetHandle(address);
        Name = memory.Name;
        Length = memory.Length;
        Access = access;
    }

    /// <summary>The name of the memory, for messages.</summary>
    public string Name { get; }

    /// <summary>Size in bytes.</summary>
    public long Length { get; }

    /// <summary>Whether it may be written.</summary>
    public MappingAccess Access { get; }

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

    /// <summary>Bytes to read and write.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range is not inside.</exception>
    /// <exception cref="InvalidOperationException">Mapped for reading only.</exception>
    public Span<byte> Slice(long offset, int length)
    {
        if (Access != MappingAccess.ReadWrite)
            throw new InvalidOperationException($"{Name} is mapped for reading only");
        CheckRange(offset, length);
        return new Span<byte>(Pointer + offset, length);
    }

    /// <summary>Bytes to read.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range is not inside.</exception>
    public ReadOnlySpan<byte> View(long offset, int length)
    {
        CheckRange(offset, length);
        return new ReadOnlySpan<byte>(Pointer + offset, length);
    }

    internal static MemoryMapping Of(MemFd memory, MappingAccess access)
    {
        var protection = access == MappingAccess.ReadWrite ? PROT_READ | PROT_WRITE : PROT_READ;
        var address = Libc.mmap(0, (nuint)memory.Length, protection, MAP_SHARED, memory, 0);
        return address != -1
            ? new MemoryMapping(address, memory, access)
            : throw LinuxException.Last("mmap", $"{memory.Name}, {memory.Length} bytes");
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => Libc.munmap(handle, (nuint)Length) == 0;

    private void CheckRange(long offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        if (offset > Length - length)
            throw new ArgumentOutOfRangeException(nameof(length), $"{offset} + {length} is beyond the {Length} bytes of {Name}");
    }
}
