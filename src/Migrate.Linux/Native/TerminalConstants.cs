namespace Migrate.Linux.Native;

/// <summary>Constants of terminals. Equal on x86-64 and arm64 (glibc bits/termios.h, bits/termios-struct.h).</summary>
internal static class TerminalConstants
{
    /// <summary>tcsetattr: after what was written has been sent.</summary>
    public const int TCSADRAIN = 1;

    /// <summary>Room for <c>struct termios</c> (60 bytes in glibc and musl), with some to spare.</summary>
    public const int TermiosBytes = 128;

    /// <summary>Where its <c>c_oflag</c> lies, four bytes.</summary>
    public const int OutputFlagsAt = 4;
}
