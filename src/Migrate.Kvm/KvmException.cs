using System.Runtime.InteropServices;
using Migrate.Linux;
using Migrate.Model.Errors;
using Migrate.Model.Registers;

namespace Migrate.Kvm;

/// <summary>KVM refused an ioctl, or what answers is no arm64 KVM. The message names the ioctl, the object, the value and the errno.</summary>
public sealed class KvmException : MigrateException
{
    /// <summary>An ioctl that was refused.</summary>
    /// <param name="ioctl">KVM_*.</param>
    /// <param name="errno">The positive error number.</param>
    /// <param name="subject">What it was made on, a register by its architectural name: <c>vCPU 0 ID_AA64PFR0_EL1</c>.</param>
    /// <param name="value">The value that was to be written; empty where there is none.</param>
    public KvmException(string ioctl, int errno, string subject, string value = "")
        : base(CodeOf(errno), Text(ioctl, errno, subject, value))
    {
        Ioctl = ioctl;
        Errno = errno;
    }

    /// <summary>An error with words of its own.</summary>
    internal KvmException(ErrorCode code, string message)
        : base(code, message) => Ioctl = "";

    /// <summary>The ioctl that was refused; empty where the answer to none is the reason.</summary>
    public string Ioctl { get; }

    /// <summary>The positive error number; 0 where there is none.</summary>
    public int Errno { get; }

    /// <summary>How errors call a register of a vCPU.</summary>
    internal static string Subject(int vcpu, RegisterId id) => $"vCPU {vcpu} {RegisterCatalog.Name(id)}";

    private static string Text(string ioctl, int errno, string subject, string value) =>
        $"{ioctl} {subject}{(value.Length == 0 ? "" : $" = {value}")}: {LinuxException.NameOf(errno)} ({Marshal.GetPInvokeErrorMessage(errno)})";

    private static ErrorCode CodeOf(int errno) => errno is Native.KvmErrno.EPERM ? ErrorCode.Denied : ErrorCode.System;
}
