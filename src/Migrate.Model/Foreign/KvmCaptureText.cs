using System.Globalization;
using Migrate.Model.Errors;
using Migrate.Model.Machines;
using Migrate.Model.Registers;

namespace Migrate.Model.Foreign;

/// <summary>Reads a raw register capture: the text that a few lines of C around KVM_GET_REG_LIST print.</summary>
/// <remarks>
/// The first line is <c>F 0xFEATURES target N type VMTYPE ipa LIMIT init RC</c>; every other is <c>R ID VALUE</c>, both hexadecimal without prefix,
/// most significant digit first, or <c>R ID errN</c> where KVM_GET_ONE_REG failed with errno N. The file's name is <c>KERNEL.CPU.FEATURES.txt</c>;
/// FEATURES <c>all</c> promises that the VM had every optional feature of the host. Errors name the line.
/// </remarks>
public static class KvmCaptureText
{
    /// <summary>Bytes that a file may have; real ones have 10 to 30 thousand.</summary>
    public const int MaximumBytes = 4 << 20;

    /// <summary>Registers that a file may list; real kernels list 250 to 700.</summary>
    public const int MaximumRegisters = 16384;

    private const int MaximumIpaBits = 52;

    private const int MaximumErrno = 4095;

    /// <summary>Reads a whole file.</summary>
    /// <param name="file">Its bytes.</param>
    /// <param name="name">Its name, with or without folders: it carries the kernel release and the host's name.</param>
    /// <exception cref="MigrateException">The file is too large, or a line is not as described; the message names the line.</exception>
    public static ForeignCapture Read(ReadOnlySpan<byte> file, string name)
    {
        if (file.Length > MaximumBytes)
            throw Error(ErrorCode.TooLarge, name, 0, $"has {file.Length} bytes, a capture has at most {MaximumBytes}");
        var capture = default(ForeignCapture);
        var registers = new List<ListedRegister>();
        var seen = new HashSet<RegisterId>();
        var number = 0;
        foreach (var range in file.Split((byte)'\n'))
        {
            number++;
            var bytes = file[range];
            if (bytes.EndsWith("\r"u8)) bytes = bytes[..^1];
            if (bytes.IsEmpty) continue;
            if (bytes.Length > 2 * RegisterValue.MaximumSize + 64)
                throw Error(ErrorCode.TooLarge, name, number, "is longer than any register needs");
            if (bytes.ContainsAnyExceptInRange((byte)' ', (byte)'~'))
                throw Error(ErrorCode.Malformed, name, number, "has characters other than printable ASCII");
            var words = System.Text.Encoding.ASCII.GetString(bytes).Split(' ');
            switch (words[0])
            {
                case "F" when capture is null && registers.Count == 0:
                    capture = Head(words, name, number);
                    break;
                case "F":
                    throw Error(ErrorCode.Malformed, name, number, "is a second F line");
                case "R" when capture is null:
                    throw Error(ErrorCode.Malformed, name, number, "is a register before the F line");
                case "R":
                    var register = Line(words, name, number);
                    if (!seen.Add(register.Id)) throw Error(ErrorCode.Malformed, name, number, $"repeats register {register.Id}");
                    if (registers.Count == MaximumRegisters)
                        throw Error(ErrorCode.TooLarge, name, number, $"is one register more than the {MaximumRegisters} that a capture may have");
                    registers.Add(register);
                    break;
                default:
                    throw Error(ErrorCode.Malformed, name, number, "begins neither with F nor with R");
            }
        }
        if (capture is null) throw Error(ErrorCode.Malformed, name, 0, "has no F line");
        if (registers.Count == 0) throw Error(ErrorCode.Malformed, name, 0, "lists no register");
        return capture with { Listed = registers.ToEquatableArray(), Digest = ForeignCapture.DigestOf(file) };
    }

    /// <summary>Whether a file looks like a capture: it begins with an F line.</summary>
    internal static bool Recognises(ReadOnlySpan<byte> file) => file.StartsWith("F 0x"u8);

    private static ForeignCapture Head(string[] words, string name, int number)
    {
        if (words is not ["F", var features, "target", var target, "type", var type, "ipa", var ipa, "init", var init])
            throw Error(ErrorCode.Malformed, name, number, "is not 'F 0xFEATURES target N type VMTYPE ipa LIMIT init RC'");
        if (!features.StartsWith("0x", StringComparison.Ordinal) || !Hex(features.AsSpan(2), out var featureBits))
            throw Error(ErrorCode.Malformed, name, number, "has no hexadecimal feature set");
        if (!Decimal(target, uint.MaxValue, out _)) throw Error(ErrorCode.Malformed, name, number, "has no target number");
        if (!Decimal(type, ulong.MaxValue, out var vmType)) throw Error(ErrorCode.Malformed, name, number, "has no VM type");
        if (!Decimal(ipa, MaximumIpaBits, out var limit)) throw Error(ErrorCode.Malformed, name, number, $"has no IPA limit of at most {MaximumIpaBits} bits");
        if (init is not "0")
            throw Error(ErrorCode.Malformed, name, number, "says that the vCPU was not created, so nothing after it was read from one");
        var (kernel, host, every) = NameParts(name);
        return new ForeignCapture
        {
            Name = BaseName(name),
            HostName = host,
            KernelRelease = kernel,
            Features = new VcpuFeatures(featureBits),
            Type = new VmType(vmType),
            IpaLimit = (int)limit,
            HasEveryFeature = every,
            Listed = [],
            Digest = [],
        };
    }

    private static ListedRegister Line(string[] words, string name, int number)
    {
        if (words is not ["R", var idText, var valueText])
            throw Error(ErrorCode.Malformed, name, number, "is not 'R ID VALUE'");
        if (idText.Length != 16 || !Hex(idText, out var raw))
            throw Error(ErrorCode.Malformed, name, number, "has no register id of sixteen hexadecimal digits");
        var id = new RegisterId(raw);
        if (!id.IsWellFormed) throw Error(ErrorCode.Malformed, name, number, $"names {id}, which is no arm64 KVM register");
        if (valueText.StartsWith("err", StringComparison.Ordinal))
        {
            if (!Decimal(valueText.AsSpan(3), MaximumErrno, out var errno) || errno == 0)
                throw Error(ErrorCode.Malformed, name, number, "has no errno after 'err'");
            return new ListedRegister(id, null, (int)errno);
        }
        if (valueText.Length != id.Size * 2)
            throw Error(ErrorCode.Malformed, name, number, $"gives {id} {valueText.Length} digits, its size takes {id.Size * 2}");
        if (valueText.AsSpan().ContainsAnyExcept(Digits) || !RegisterValue.TryParse(valueText, out var value))
            throw Error(ErrorCode.Malformed, name, number, $"gives {id} a value that is not hexadecimal");
        return new ListedRegister(id, value);
    }

    private static readonly System.Buffers.SearchValues<char> Digits = System.Buffers.SearchValues.Create("0123456789abcdefABCDEF");

    private static bool Hex(ReadOnlySpan<char> text, out ulong value) =>
        ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);

    private static bool Decimal(ReadOnlySpan<char> text, ulong maximum, out ulong value) =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value <= maximum;

    private static string BaseName(string name)
    {
        var file = name.AsSpan(name.AsSpan().LastIndexOfAny('/', '\\') + 1);
        return (file.EndsWith(".txt", StringComparison.OrdinalIgnoreCase) ? file[..^4] : file).ToString();
    }

    /// <summary>KERNEL.CPU.FEATURES, where KERNEL itself has dots; a name of another form carries the host's name alone.</summary>
    private static (string Kernel, string Host, bool Every) NameParts(string name)
    {
        var file = BaseName(name);
        var last = file.LastIndexOf('.');
        var middle = last > 0 ? file.LastIndexOf('.', last - 1) : -1;
        if (middle <= 0 || !KernelVersion.TryParse(file.AsSpan(0, middle), out _)) return ("", file, false);
        return (file[..middle], file[(middle + 1)..last], file.AsSpan(last + 1) is "all");
    }

    private static MigrateException Error(ErrorCode code, string name, int line, string reason) =>
        new(code, line == 0 ? $"{BaseName(name)} {reason}" : $"{BaseName(name)} line {line} {reason}") { Stage = Stage.Input };
}
