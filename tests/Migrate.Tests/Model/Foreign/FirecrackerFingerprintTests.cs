using System.Text.Json;
using System.Text.Json.Nodes;
using Migrate.Model.Errors;
using Migrate.Model.Foreign;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Migrate.Preflight;

namespace Migrate.Tests.Model.Foreign;

public class FirecrackerFingerprintTests
{
    [Fact]
    public void A_fingerprint_becomes_a_state_with_the_registers_in_list_order()
    {
        var capture = Read(Sample());
        var state = capture.ToState();
        Assert.Equal(VcpuFeatures.Psci02, state.Vm.Features);
        Assert.Equal(("graviton", "6.1.172-216.amzn2023.aarch64"), (state.CapturedOn!.HostName, state.CapturedOn.KernelRelease));
        Assert.Equal(
            ["X0", "V0", "FPSR", "PSCI_VERSION", "STD_BMAP", "MIDR_EL1", "ID_AA64PFR0_EL1", "CTR_EL0", "CNTP_CTL_EL0", "CCSIDR[0]"],
            state.Vcpus[0].Registers.Select(register => RegisterCatalog.Name(register.Id)));
        Assert.True(state.Vcpus[0].Registers.TryGet(RegisterKinds.Id("V0"), out var vector));
        Assert.Equal("0x80000000000000000000000000000001", vector.ToString());
        Assert.Empty(state.Vcpus[0].Unreadable);
    }

    [Fact]
    public void A_fingerprint_becomes_an_assumed_profile_that_lists_what_the_tool_leaves_out()
    {
        var profile = ForeignProfile.Assume(Read(Sample()));
        Assert.Equal(Evidence.Assumed, profile.Evidence);
        Assert.Contains("graviton", profile.Origin, StringComparison.Ordinal);
        Assert.Empty(profile.IpaSizes);
        var shape = new ShapeIndex(Assert.Single(profile.Shapes.ToArray()));
        Assert.Equal(AnswerKind.Kept, shape.Predict(RegisterKinds.Id("PC"), new RegisterValue(4)).Kind);
        Assert.Equal(AnswerKind.Volatile, shape.Predict(RegisterKinds.Id("CNTVCT_EL0"), new RegisterValue(4)).Kind);
        Assert.Equal(AnswerKind.Volatile, shape.Predict(RegisterKinds.Id("CNTPCT_EL0"), new RegisterValue(4)).Kind);
        Assert.Equal(22, shape.Predict(RegisterKinds.Id("MIDR_EL1"), new RegisterValue(4)).Errno);
    }

    [Fact]
    public void What_the_tool_leaves_out_is_not_unreadable()
    {
        var machine = DefaultMachine.Of(ForeignProfile.Assume(Read(Sample())), null);
        Assert.Empty(machine.Vcpus[0].Unreadable);
        Assert.True(machine.Vcpus[0].Registers.TryGet(RegisterKinds.Id("PC"), out var pc) && pc.IsZero);
    }

    [Theory]
    [InlineData("5.4.1", "")]
    [InlineData("5.10.255-253.1008.amzn2.aarch64", "pv-time")]
    [InlineData("5.12.0", "func-feat,pv-time,trng")]
    [InlineData("5.13.0", "func-feat,ptp,pv-time,trng")]
    public void A_kernel_without_bitmaps_is_assumed_to_serve_what_its_release_brought(string kernel, string services)
    {
        var fingerprint = Sample();
        fingerprint["kernel_version"] = kernel;
        Assert.Equal(services, string.Join(',', ForeignProfile.Assume(Read(fingerprint)).Services.Order(StringComparer.Ordinal)));
    }

    [Fact]
    public void Stolen_time_moves_to_a_kernel_that_serves_it_without_a_bitmap_and_random_numbers_do_not()
    {
        // A guest without the hypervisor's own services loses none of them.
        var source = ForeignProfile.Assume(Read(Sample(registers =>
        {
            registers.Add(Modifier(RegisterKinds.Id("STD_HYP_BMAP").ToString(), "0b1"));
            registers.Add(Modifier(RegisterKinds.Id("VENDOR_HYP_BMAP").ToString(), "0b0"));
        })));
        var old = Sample(registers => registers.RemoveAt(Index("STD_BMAP")));
        old["kernel_version"] = "5.10.255";
        var plan = Planner.Plan(DefaultMachine.Of(source, null), ForeignProfile.Assume(Read(old)), new PlanOptions(), source);
        Assert.Equal(["STD_BMAP.TRNG"], plan.Findings.Where(f => f.Code == FindingCode.HypercallBitmap).Select(f => f.Subject));
        Assert.All(plan.Findings, finding => Assert.Equal(Evidence.Assumed, finding.Evidence));
    }

    [Fact]
    public void A_host_without_physical_timer_registers_has_no_physical_counter()
    {
        var shape = new ShapeIndex(ForeignProfile.Assume(Read(Sample(registers => registers.RemoveAt(Index("CNTP_CTL_EL0"))))).Shapes[0]);
        Assert.Equal(AnswerKind.Unknown, shape.Predict(RegisterKinds.Id("CNTPCT_EL0"), new RegisterValue(4)).Kind);
    }

    [Fact]
    public void Pointer_authentication_keys_tell_of_the_feature() =>
        Assert.Equal(VcpuFeatures.Psci02 | VcpuFeatures.PointerAuthentication,
            Read(Sample(registers => registers.Add(Modifier(RegisterKinds.Id("APIAKEYLO_EL1").ToString(), "0b0")))).Features);

    [Fact]
    public void Refuses_a_vm_with_sve_because_the_format_leaves_registers_out() =>
        Refuses(ErrorCode.Unsupported, "SVE", Sample(registers => registers.Add(Modifier(RegisterKinds.Id("ZCR_EL1").ToString(), "0b0"))));

    [Theory]
    [InlineData("0x603000000013c000", "0b00x1", ErrorCode.Unsupported, "leaves bits open")]
    [InlineData("0x603000000013c000", "0b0", ErrorCode.Malformed, "repeats register 0x603000000013c000")]
    [InlineData("603000000013c003", "0b0", ErrorCode.Malformed, "addr is no hexadecimal number")]
    [InlineData("0x60300000001300000", "0b0", ErrorCode.Malformed, "addr is no hexadecimal number")]
    [InlineData("0x600000603000000013c003", "0b0", ErrorCode.Malformed, "addr is no hexadecimal number")]
    [InlineData("0xzz", "0b0", ErrorCode.Malformed, "addr is no hexadecimal number")]
    [InlineData("0x403000000013c003", "0b0", ErrorCode.Malformed, "is no arm64 KVM register")]
    [InlineData("0x606000000015ffff", "0b0", ErrorCode.Malformed, "is no arm64 KVM register of 32, 64 or 128 bits")]
    [InlineData("0x603000000013c003", "0", ErrorCode.Malformed, "bitmap is no binary number")]
    [InlineData("0x603000000013c003", "0b", ErrorCode.Malformed, "bitmap is no binary number")]
    [InlineData("0x603000000013c003", "0b2", ErrorCode.Malformed, "digits other than 0 and 1")]
    [InlineData("0x602000000011000d", "0b100000000000000000000000000000000", ErrorCode.Malformed, "does not fit register")]
    [InlineData("0x603000000013c003", "0b000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001",
        ErrorCode.Malformed, "bitmap is no binary number")]
    public void Refuses_a_register_that_is_not_as_described(string addr, string bitmap, ErrorCode code, string reason) =>
        Refuses(code, reason, Sample(registers => registers.Add(Modifier(addr, bitmap))));

    [Theory]
    [InlineData("firecracker_version")]
    [InlineData("kernel_version")]
    [InlineData("microcode_version")]
    [InlineData("bios_version")]
    [InlineData("bios_revision")]
    [InlineData("guest_cpu_config")]
    public void Refuses_a_fingerprint_without_one_of_its_members(string member)
    {
        var fingerprint = Sample();
        fingerprint.Remove(member);
        Refuses(ErrorCode.Malformed, $"has no {member}", fingerprint);
        fingerprint[member] = 1;
        Refuses(ErrorCode.Malformed, $"has no {member}", fingerprint);
    }

    [Theory]
    [InlineData("kvm_capabilities")]
    [InlineData("vcpu_features")]
    public void Refuses_a_template_that_changes_what_the_host_gives(string list)
    {
        var fingerprint = Sample();
        fingerprint["guest_cpu_config"]![list] = new JsonArray("170");
        Refuses(ErrorCode.Unsupported, list, fingerprint);
        fingerprint["guest_cpu_config"]![list] = "none";
        Refuses(ErrorCode.Malformed, $"has no {list}", fingerprint);
    }

    [Fact]
    public void Refuses_the_fingerprint_of_an_x86_host()
    {
        var fingerprint = Sample();
        fingerprint["guest_cpu_config"] = new JsonObject { ["kvm_capabilities"] = new JsonArray(), ["cpuid_modifiers"] = new JsonArray(), ["msr_modifiers"] = new JsonArray() };
        Refuses(ErrorCode.Unsupported, "x86", fingerprint);
    }

    [Fact]
    public void Refuses_a_fingerprint_without_registers() =>
        Refuses(ErrorCode.Malformed, "has no registers", Sample(registers => registers.Clear()));

    [Fact]
    public void Refuses_a_register_that_is_no_object() =>
        Refuses(ErrorCode.Malformed, "reg_modifiers[0] is no JSON object", Sample(registers => registers.Insert(0, 5)));

    [Fact]
    public void Refuses_more_registers_than_the_limit() =>
        Refuses(ErrorCode.TooLarge, "registers", Sample(registers =>
        {
            registers.Clear();
            for (var i = 0; i <= KvmCaptureText.MaximumRegisters; i++) registers.Add(Modifier($"0x60300000001{i:x5}", "0b0"));
        }));

    [Fact]
    public void Refuses_text_longer_than_any_version()
    {
        var fingerprint = Sample();
        fingerprint["bios_version"] = new string('1', 257);
        Refuses(ErrorCode.TooLarge, "bios_version", fingerprint);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("{\"guest_cpu_config\": 1, \"guest_cpu_config\": 2}")]
    [InlineData("{\"a\":[[[[[[[[[[]]]]]]]]]]}")]
    [InlineData("{} {}")]
    [InlineData("")]
    public void Refuses_what_is_no_json_of_bounded_depth_with_each_member_once(string text) =>
        Assert.Equal(ErrorCode.Malformed, Assert.Throws<MigrateException>(() => FirecrackerFingerprint.Read(System.Text.Encoding.UTF8.GetBytes(text), "a.json")).Code);

    [Theory]
    [InlineData("[]")]
    [InlineData("{\"firecracker_version\": \"\\ud800\"}")]
    [InlineData("{\"\\ud800\": 1, \"\\ud801\": 1}")]
    public void Refuses_json_that_is_no_fingerprint(string text) =>
        Assert.Equal(ErrorCode.Malformed, Assert.Throws<MigrateException>(() => FirecrackerFingerprint.Read(System.Text.Encoding.UTF8.GetBytes(text), "a.json")).Code);

    [Fact]
    public void Refuses_a_file_longer_than_the_limit() =>
        Assert.Equal(ErrorCode.TooLarge, Assert.Throws<MigrateException>(() => FirecrackerFingerprint.Read(new byte[FirecrackerFingerprint.MaximumBytes + 1], "a")).Code);

    [Fact]
    public void A_file_is_read_by_its_content_whatever_its_name()
    {
        Assert.Equal("graviton", ForeignFile.TryRead(JsonSerializer.SerializeToUtf8Bytes(Sample()), "graviton.txt")!.HostName);
        Assert.Equal("notes.json", ForeignFile.TryRead(File.ReadAllBytes(Repository.Data("captures", "7.2.max.min.txt")), "notes.json")!.HostName);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"schema\": \"vmmigrate/host-profile\"}")]
    [InlineData("F for a letter")]
    [InlineData("\u007fELF")]
    public void A_file_of_no_known_format_is_nobodys(string text) => Assert.Null(ForeignFile.TryRead(System.Text.Encoding.UTF8.GetBytes(text), "7.2.max.min.txt"));

    [Theory]
    [InlineData("F 0x4 target\n")]
    [InlineData("{\"guest_cpu_config\": {}}")]
    public void A_file_of_a_known_format_that_is_broken_is_refused(string text) =>
        Assert.Equal(ErrorCode.Malformed, Assert.Throws<MigrateException>(() => ForeignFile.TryRead(System.Text.Encoding.UTF8.GetBytes(text), "a")).Code);

    /// <summary>A small fingerprint in the tool's format: sorted by id, values as 128 binary digits.</summary>
    internal static JsonObject Sample(Action<JsonArray>? change = null)
    {
        var registers = new JsonArray();
        foreach (var name in Names) registers.Add(Modifier(RegisterKinds.Id(name).ToString(), "0b" + (name is "V0" ? "1" : "0") + new string('0', 126) + "1"));
        change?.Invoke(registers);
        return new JsonObject
        {
            ["firecracker_version"] = "1.0.0",
            ["kernel_version"] = "6.1.172-216.amzn2023.aarch64",
            ["microcode_version"] = "0x0000000000000001",
            ["bios_version"] = "1.0",
            ["bios_revision"] = "1.0",
            ["guest_cpu_config"] = new JsonObject { ["kvm_capabilities"] = new JsonArray(), ["vcpu_features"] = new JsonArray(), ["reg_modifiers"] = registers },
        };
    }

    private static readonly string[] Names =
        ["FPSR", "CCSIDR[0]", "X0", "MIDR_EL1", "ID_AA64PFR0_EL1", "CTR_EL0", "CNTP_CTL_EL0", "PSCI_VERSION", "STD_BMAP", "V0"];

    private static int Index(string name) => Array.IndexOf(Names, name);

    private static JsonObject Modifier(string addr, string bitmap) => new() { ["addr"] = addr, ["bitmap"] = bitmap };

    private static ForeignCapture Read(JsonObject fingerprint) => FirecrackerFingerprint.Read(JsonSerializer.SerializeToUtf8Bytes(fingerprint), "/some/where/graviton.json");

    private static void Refuses(ErrorCode code, string reason, JsonObject fingerprint)
    {
        var error = Assert.Throws<MigrateException>(() => Read(fingerprint));
        Assert.Equal(code, error.Code);
        Assert.StartsWith("graviton ", error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }
}
