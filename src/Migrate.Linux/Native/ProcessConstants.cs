namespace Migrate.Linux.Native;

/// <summary>Constants of processes. Equal on x86-64 and arm64 (uapi asm-generic/signal.h; glibc posix/spawn.h).</summary>
internal static class ProcessConstants
{
    public const int SIGINT = 2;
    public const int SIGKILL = 9;
    public const int SIGTERM = 15;

    public const int SIG_BLOCK = 0;

    public const short POSIX_SPAWN_SETSIGDEF = 0x04;
    public const short POSIX_SPAWN_SETSIGMASK = 0x08;
    public const short POSIX_SPAWN_SETSID = 0x80;

    /// <summary>Room for <c>posix_spawnattr_t</c> (336 bytes in glibc and musl) and <c>posix_spawn_file_actions_t</c> (80), with some to spare.</summary>
    public const int SpawnObjectBytes = 512;

    /// <summary>Bytes of <c>sigset_t</c> in glibc and musl.</summary>
    public const int SignalSetBytes = 128;
}
