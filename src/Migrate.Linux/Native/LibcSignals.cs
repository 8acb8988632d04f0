using System.Runtime.InteropServices;

namespace Migrate.Linux.Native;

internal static unsafe partial class Libc
{
    [LibraryImport(Library)]
    public static partial int sigaddset(byte* set, int signal);

    [LibraryImport(Library)]
    public static partial nint pthread_self();

    // The pthread functions answer with an error number instead of setting errno.
    [LibraryImport(Library)]
    public static partial int pthread_sigmask(int how, byte* set, byte* old);

    [LibraryImport(Library)]
    public static partial int pthread_kill(nint thread, int signal);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int sigtimedwait(byte* set, byte* info, Timespec* timeout);
}

/// <summary><c>struct timespec</c> of a 64-bit C library.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Timespec
{
    public long Seconds;

    public long Nanoseconds;
}
