using System.Runtime.InteropServices;

namespace Migrate.Linux.Native;

/// <summary>The C library. Every function is its wrapper of the same name; a descriptor is held for the length of the call.</summary>
/// <remarks>
/// Nothing here suppresses the GC transition: each of these may block, or fault on memory that is filled by another thread.
/// <c>open</c>, <c>fcntl</c> and <c>ioctl</c> are variadic in C; on x86-64 and on arm64 Linux their named and variadic integers travel in the same registers.
/// </remarks>
internal static unsafe partial class Libc
{
    private const string Library = "libc";

    [LibraryImport(Library, SetLastError = true)]
    public static partial int close(int descriptor);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int memfd_create(string name, uint flags);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int ftruncate(SafeHandle descriptor, long length);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int fallocate(SafeHandle descriptor, int mode, long offset, long length);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int fcntl(SafeHandle descriptor, int command, int argument);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int ioctl(SafeHandle descriptor, nuint request, nint argument);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint mmap(nint address, nuint length, int protection, int flags, SafeHandle descriptor, long offset);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint mmap(nint address, nuint length, int protection, int flags, int descriptor, long offset);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int munmap(nint address, nuint length);

    [LibraryImport(Library, SetLastError = true)]
    public static partial long lseek(SafeHandle descriptor, long offset, int whence);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int open(string path, int flags, uint mode);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint read(SafeHandle descriptor, byte* buffer, nuint count);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint write(SafeHandle descriptor, byte* buffer, nuint count);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint pwrite(SafeHandle descriptor, byte* buffer, nuint count, long offset);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int fsync(SafeHandle descriptor);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int fchmod(SafeHandle descriptor, uint mode);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int flock(SafeHandle descriptor, int operation);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rename(string from, string to);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int unlink(string path);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int statx(int directory, string path, int flags, uint mask, Statx* result);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int statx(SafeHandle descriptor, string path, int flags, uint mask, Statx* result);
}
