using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Migrate.Linux.Native;

namespace Migrate.Linux;

/// <summary>A file descriptor that this process owns: closed once, and not while a call on it runs.</summary>
public class FileDescriptor : SafeHandleMinusOneIsInvalid
{
    /// <summary>Takes over a descriptor number; -1 makes an invalid handle.</summary>
    protected internal FileDescriptor(int descriptor)
        : base(ownsHandle: true) => SetHandle(descriptor);

    /// <summary>A descriptor from a call that answers -1 on failure.</summary>
    /// <exception cref="LinuxException">The answer was -1.</exception>
    internal static FileDescriptor FromCall(int answer, string call, string subject) =>
        answer >= 0 ? new FileDescriptor(answer) : throw LinuxException.Last(call, subject);

    /// <summary>Opens a file or device for reading and writing: the number for a handle that the caller makes at once.</summary>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    protected static int OpenReadWrite(string path)
    {
        var answer = Libc.open(path, FileConstants.O_RDWR | FileConstants.O_CLOEXEC, 0);
        return answer >= 0 ? answer : throw LinuxException.Last("open", path);
    }

    /// <summary>Takes the number out of a handle that then owns nothing any more.</summary>
    internal static int Take(SafeHandle handle)
    {
        ObjectDisposedException.ThrowIf(handle.IsClosed || handle.IsInvalid, handle);
        var number = (int)handle.DangerousGetHandle();
        handle.SetHandleAsInvalid();
        return number;
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => Libc.close((int)handle) == 0;
}
