using System.Runtime.InteropServices;

namespace Migrate.Linux.Native;

internal static unsafe partial class Libc
{
    [LibraryImport(Library, SetLastError = true)]
    public static partial int tcgetattr(SafeHandle descriptor, byte* termios);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int tcsetattr(SafeHandle descriptor, int actions, byte* termios);

    [LibraryImport(Library)]
    public static partial void cfmakeraw(byte* termios);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int tcgetpgrp(SafeHandle descriptor);

    [LibraryImport(Library)]
    public static partial int getpgrp();
}
