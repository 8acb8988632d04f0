using System.Globalization;
using Migrate.Model.Registers;

namespace Migrate.Preflight.Registers;

/// <summary>What QEMU prints about registers while it loads a VM; word by word that of 11.1, without what it prints of its own process.</summary>
/// <remarks>Source: QEMU target/arm/kvm.c <c>kvm_print_register_name</c> and <c>write_list_to_kvmstate</c>, target/arm/machine.c <c>cpu_post_load</c>; confirmed in the lab.</remarks>
internal static class QemuWords
{
    /// <summary>The last line where KVM refused a value: QEMU writes all registers once more when the load is over, however it went, and exits on the first failure.</summary>
    public const string NotWritten = "Failed to put registers after init: Invalid argument";

    private const int InvalidArgument = 22;

    /// <summary>A size that no list of registers may hold.</summary>
    public const string Size = "Can't handle size of register in kernel list";

    /// <summary>A register by the name that QEMU gives it.</summary>
    public static string Name(RegisterId id) => id.Class switch
    {
        RegisterClass.System => string.Create(CultureInfo.InvariantCulture,
            $"system register op0:{id.Index >> 14} op1:{(id.Index >> 11) & 7} crn:{(id.Index >> 7) & 15} crm:{(id.Index >> 3) & 15} op2:{id.Index & 7}"),
        RegisterClass.Demux => string.Create(CultureInfo.InvariantCulture, $"demuxed reg {id.Value:x}"),
        RegisterClass.Firmware => string.Create(CultureInfo.InvariantCulture, $"fw reg {id.Index}"),
        RegisterClass.FirmwareBitmap => string.Create(CultureInfo.InvariantCulture, $"fw feat reg {id.Index}"),
        _ => id.ToString(),
    };

    /// <summary>A register of the incoming list that QEMU's own list lacks.</summary>
    public static string OnlyIncoming(RegisterId id) => $"{Name(id)} in the incoming stream but unknown on the destination: fail migration";

    /// <summary>A value that KVM refuses; for EINVAL, QEMU goes on with what stands there instead, for others with the errno's text.</summary>
    public static string Refused(RegisterId id, RegisterValue value, int errno) => string.Create(CultureInfo.InvariantCulture,
        $"Could not set register {Name(id)}{(errno == InvalidArgument ? $" to {value.Low:x}" : "")}");
}
