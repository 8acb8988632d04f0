using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;
using Migrate.Model.Errors;
using Migrate.Model.Machines;
using Migrate.Model.Registers;

namespace Migrate.Model.Foreign;

/// <summary>Reads what Firecracker's <c>cpu-template-helper fingerprint dump</c> writes on an arm64 host.</summary>
/// <remarks>
/// A JSON object of <c>firecracker_version</c>, <c>kernel_version</c>, <c>microcode_version</c>, <c>bios_version</c>, <c>bios_revision</c> and <c>guest_cpu_config</c>;
/// the last holds <c>reg_modifiers</c>, an array of <c>addr</c> (0x and the KVM id) and <c>bitmap</c> (0b and the value in binary). Registers are sorted by id; PC and
/// the counters are left out, as are values wider than 128 bits, so a VM with SVE is not all there.
/// Source: Firecracker src/cpu-template-helper <c>fingerprint/mod.rs</c> and <c>template/dump/aarch64.rs</c>, src/vmm <c>cpu_config/aarch64/custom_cpu_template.rs</c>.
/// </remarks>
public static class FirecrackerFingerprint
{
    /// <summary>Bytes that a file may have; real ones have 50 to 70 thousand.</summary>
    public const int MaximumBytes = 4 << 20;

    private const int MaximumDepth = 8;

    private const int MaximumText = 256;

    private const int MaximumDigits = 128;

    private static readonly string[] Texts = ["firecracker_version", "kernel_version", "microcode_version", "bios_version", "bios_revision"];

    private static readonly RegisterId ProgramCounter = RegisterKinds.Id("PC");
    private static readonly RegisterId VirtualCounter = RegisterKinds.Id("CNTVCT_EL0");
    private static readonly RegisterId PhysicalCounter = RegisterKinds.Id("CNTPCT_EL0");
    private static readonly RegisterId PhysicalControl = RegisterKinds.Id("CNTP_CTL_EL0");
    private static readonly RegisterId VectorControl = RegisterKinds.Id("ZCR_EL1");
    private static readonly RegisterId FirstKey = RegisterKinds.Id("APIAKEYLO_EL1");

    /// <summary>Reads a whole file.</summary>
    /// <param name="file">Its bytes.</param>
    /// <param name="name">Its name, with or without folders; it becomes the host's name.</param>
    /// <exception cref="MigrateException">The file is too large, is not such JSON, or is of a VM that the format does not describe whole.</exception>
    public static ForeignCapture Read(ReadOnlySpan<byte> file, string name)
    {
        var host = Path.GetFileNameWithoutExtension(name);
        if (file.Length > MaximumBytes)
            throw Error(ErrorCode.TooLarge, host, $"has {file.Length} bytes, a fingerprint has at most {MaximumBytes}");
        using var document = Parse(file, host);
        return Read(document.RootElement, host) with { Digest = ForeignCapture.DigestOf(file) };
    }

    private static JsonDocument Parse(ReadOnlySpan<byte> file, string host)
    {
        try
        {
            return JsonDocument.Parse(file.ToArray(), new JsonDocumentOptions { MaxDepth = MaximumDepth, AllowDuplicateProperties = false });
        }
        catch (JsonException error)
        {
            throw new MigrateException(ErrorCode.Malformed,
                $"{host} is no JSON of a fingerprint: line {error.LineNumber + 1}, byte {error.BytePositionInLine + 1}", error)
            { Stage = Stage.Input };
        }
        catch (InvalidOperationException error)
        {
            // The search for duplicate names unescapes them, and an escape of half a surrogate pair comes out as this.
            throw new MigrateException(ErrorCode.Malformed, $"{host} is no JSON of a fingerprint: a name is no Unicode text", error) { Stage = Stage.Input };
        }
    }

    /// <summary>Whether a file looks like a fingerprint: a JSON object that names its CPU configuration.</summary>
    internal static bool Recognises(ReadOnlySpan<byte> file) => file.TrimStart(" \t\r\n"u8).StartsWith("{"u8) && file.IndexOf("\"guest_cpu_config\""u8) >= 0;

    private static ForeignCapture Read(JsonElement root, string host)
    {
        if (root.ValueKind != JsonValueKind.Object) throw Error(ErrorCode.Malformed, host, "is no JSON object");
        foreach (var text in Texts) Text(root, text, host);
        var config = Member(root, "guest_cpu_config", JsonValueKind.Object, host);
        if (config.TryGetProperty("cpuid_modifiers", out _) || config.TryGetProperty("msr_modifiers", out _))
            throw Error(ErrorCode.Unsupported, host, "is the fingerprint of an x86 host; vmmigrate moves arm64 VMs");
        foreach (var list in (ReadOnlySpan<string>)["kvm_capabilities", "vcpu_features"])
            if (Member(config, list, JsonValueKind.Array, host).GetArrayLength() != 0)
                throw Error(ErrorCode.Unsupported, host, $"changes {list}: it is a CPU template, and only a fingerprint says what a host gives");

        var values = new Dictionary<RegisterId, RegisterValue>();
        var number = 0;
        foreach (var modifier in Member(config, "reg_modifiers", JsonValueKind.Array, host).EnumerateArray())
        {
            if (number == KvmCaptureText.MaximumRegisters)
                throw Error(ErrorCode.TooLarge, host, $"has more than {KvmCaptureText.MaximumRegisters} registers");
            var (id, value) = Modifier(modifier, host, number++);
            if (!values.TryAdd(id, value)) throw Error(ErrorCode.Malformed, host, $"repeats register {id} in reg_modifiers[{number - 1}]");
        }
        if (values.Count == 0) throw Error(ErrorCode.Malformed, host, "has no registers");
        if (values.ContainsKey(VectorControl))
            throw Error(ErrorCode.Unsupported, host, "is of a VM with SVE, and the format leaves the vector registers out");

        return new ForeignCapture
        {
            Name = host,
            HostName = host,
            KernelRelease = Text(root, "kernel_version", host),
            Features = VcpuFeatures.Psci02 | (values.ContainsKey(FirstKey) ? VcpuFeatures.PointerAuthentication : default),
            IsComplete = false,
            Listed = Listed(values).ToEquatableArray(),
            Digest = [],
        };
    }

    /// <summary>The registers in the order of KVM_GET_REG_LIST (sorted by id they are not), with those that the tool leaves out.</summary>
    private static IEnumerable<ListedRegister> Listed(Dictionary<RegisterId, RegisterValue> values)
    {
        var all = values.Select(pair => new ListedRegister(pair.Key, pair.Value)).ToList();
        foreach (var left in (ReadOnlySpan<RegisterId>)[ProgramCounter, VirtualCounter, PhysicalCounter])
            if (!values.ContainsKey(left) && (left != PhysicalCounter || values.ContainsKey(PhysicalControl))) all.Add(new ListedRegister(left, null));
        return all.OrderBy(register => Array.IndexOf(ClassOrder, register.Id.Class)).ThenBy(register => register.Id.Index);
    }

    private static readonly RegisterClass[] ClassOrder =
        [RegisterClass.Core, RegisterClass.Firmware, RegisterClass.FirmwareBitmap, RegisterClass.System, RegisterClass.Demux, RegisterClass.Unknown];

    private static Register Modifier(JsonElement modifier, string host, int number)
    {
        var where = string.Create(CultureInfo.InvariantCulture, $"reg_modifiers[{number}]");
        if (modifier.ValueKind != JsonValueKind.Object) throw Error(ErrorCode.Malformed, host, $"{where} is no JSON object");
        var addr = Text(modifier, "addr", host);
        if (!addr.StartsWith("0x", StringComparison.Ordinal) || addr.Length > 18 || !RegisterId.TryParse(addr, out var id))
            throw Error(ErrorCode.Malformed, host, $"{where}.addr is no hexadecimal number");
        if (!id.IsWellFormed || id.Size is not (4 or 8 or 16))
            throw Error(ErrorCode.Malformed, host, $"{where}.addr {id} is no arm64 KVM register of 32, 64 or 128 bits");
        var digits = Text(modifier, "bitmap", host).AsSpan();
        if (!digits.StartsWith("0b", StringComparison.Ordinal) || digits.Length - 2 is < 1 or > MaximumDigits)
            throw Error(ErrorCode.Malformed, host, $"{where}.bitmap is no binary number of at most {MaximumDigits} digits");
        digits = digits[2..];
        if (digits.Contains('x'))
            throw Error(ErrorCode.Unsupported, host, $"{where}.bitmap leaves bits open: it is a CPU template, and only a fingerprint says what a host gives");
        if (digits.ContainsAnyExcept('0', '1')) throw Error(ErrorCode.Malformed, host, $"{where}.bitmap has digits other than 0 and 1");
        var number128 = UInt128.Parse(digits, NumberStyles.AllowBinarySpecifier, CultureInfo.InvariantCulture);
        if (id.Size < 16 && number128 >> (id.Size * 8) != 0) throw Error(ErrorCode.Malformed, host, $"{where}.bitmap does not fit register {id}");
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128LittleEndian(bytes, number128);
        return new Register(id, new RegisterValue(bytes[..id.Size]));
    }

    private static string Text(JsonElement parent, string name, string host)
    {
        var value = Member(parent, name, JsonValueKind.String, host);
        string text;
        try
        {
            text = value.GetString()!;
        }
        catch (InvalidOperationException error)
        {
            throw new MigrateException(ErrorCode.Malformed, $"{host} has a {name} that is no Unicode text", error) { Stage = Stage.Input };
        }
        return text.Length <= MaximumText ? text : throw Error(ErrorCode.TooLarge, host, $"has {text.Length} characters in {name}, more than {MaximumText}");
    }

    private static JsonElement Member(JsonElement parent, string name, JsonValueKind kind, string host) =>
        parent.TryGetProperty(name, out var value) && value.ValueKind == kind
            ? value
            : throw Error(ErrorCode.Malformed, host, $"has no {name} of JSON type {kind.ToString().ToLowerInvariant()}");

    private static MigrateException Error(ErrorCode code, string host, string reason) => new(code, $"{host} {reason}") { Stage = Stage.Input };
}
