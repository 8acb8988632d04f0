using System.Runtime.InteropServices;
using Migrate.Linux.Native;

namespace Migrate.Linux;

/// <summary>ioctl(2): the answer or, negated, the error number. What a refusal means is the caller's to say.</summary>
public static class Ioctl
{
    /// <summary>One request; repeated while a signal interrupts it.</summary>
    /// <param name="descriptor">The device; held for the length of the call.</param>
    /// <param name="request">The request's number, direction and size included (uapi asm-generic/ioctl.h).</param>
    /// <param name="argument">A number, or the address of memory that stays where it is for the length of the call.</param>
    /// <returns>The driver's answer, zero or above; or an error number, negated.</returns>
    public static int Call(SafeHandle descriptor, uint request, nint argument)
    {
        while (true)
        {
            var answer = CallOnce(descriptor, request, argument);
            if (answer != -Errno.EINTR) return answer;
        }
    }

    /// <summary>The same, but an interruption is an answer (-EINTR): for requests that are interrupted on purpose.</summary>
    public static int CallOnce(SafeHandle descriptor, uint request, nint argument)
    {
        var answer = Libc.ioctl(descriptor, request, argument);
        return answer >= 0 ? answer : -Marshal.GetLastPInvokeError();
    }
}
