using System.Runtime.InteropServices;
using Migrate.Model.Errors;

namespace Migrate.Linux;

/// <summary>The kernel or the C library refused a call. The message names the call, the object it was made on, the error's name and meaning.</summary>
/// <remarks>The code is <see cref="ErrorCode.Denied"/> for EPERM and EACCES, <see cref="ErrorCode.NotFound"/> for ENOENT and ENOTDIR,
/// else <see cref="ErrorCode.System"/>.</remarks>
public sealed class LinuxException : MigrateException
{
    /// <summary>An error number that a call answered with.</summary>
    /// <param name="call">The C function, such as <c>open</c>.</param>
    /// <param name="errno">The positive error number.</param>
    /// <param name="subject">What the call was made on: a path, a peer, a memfd's name.</param>
    public LinuxException(string call, int errno, string subject)
        : base(CodeOf(errno), $"{call} {subject}: {Native.Errno.Name(errno)} ({Marshal.GetPInvokeErrorMessage(errno)})")
    {
        Call = call;
        Errno = errno;
        Subject = subject;
    }

    /// <summary>The C function that failed.</summary>
    public string Call { get; }

    /// <summary>The positive error number.</summary>
    public int Errno { get; }

    /// <summary>The error's symbolic name, such as <c>EINVAL</c>.</summary>
    public string ErrnoName => Native.Errno.Name(Errno);

    /// <summary>What the call was made on.</summary>
    public string Subject { get; }

    /// <summary>The symbolic name of an error number, such as <c>EINVAL</c>; the plain number where Linux has no name for it.</summary>
    public static string NameOf(int errno) => Native.Errno.Name(errno);

    /// <summary>The error of the call that this thread made last.</summary>
    internal static LinuxException Last(string call, string subject) => new(call, Marshal.GetLastPInvokeError(), subject);

    private static ErrorCode CodeOf(int errno) => errno switch
    {
        Native.Errno.EPERM or Native.Errno.EACCES => ErrorCode.Denied,
        Native.Errno.ENOENT or Native.Errno.ENOTDIR => ErrorCode.NotFound,
        _ => ErrorCode.System,
    };
}
