using System.Text;
using Migrate.Model.Errors;
using Migrate.Model.Foreign;
using Migrate.Model.Machines;
using Migrate.Model.Registers;

namespace Migrate.Tests.Model.Foreign;

public class KvmCaptureTextTests
{
    private const string Head = "F 0x4 target 5 type 0 ipa 48 init 0\n";

    [Fact]
    public void A_capture_becomes_a_state_of_one_vcpu_with_the_registers_in_list_order()
    {
        var state = Captures.All["6.12.max.all"].ToState();
        var lines = File.ReadLines(Repository.Data("captures", "6.12.max.all.txt")).Where(line => line.StartsWith('R')).Select(line => line.Split(' ')).ToArray();
        var vcpu = Assert.Single(state.Vcpus.ToArray());
        Assert.Equal(lines.Select(words => words[1]), vcpu.Registers.Select(register => register.Id.ToString()[2..]));
        Assert.Equal(lines.Select(words => words[2]), vcpu.Registers.Select(register => register.Value.ToString()[2..]));
        Assert.Equal(new VcpuFeatures(0x7c), state.Vm.Features);
        Assert.Equal("6.12.max.all", state.Vm.Name);
        Assert.Matches("^[0-9a-f]{32}$", state.Vm.Id);
        Assert.Equal(("6.12", "max"), (state.CapturedOn!.KernelRelease, state.CapturedOn.HostName));
        Assert.Equal(new MemorySlot(0, 0x4000_0000, 1UL << 30), Assert.Single(state.Vm.Memory.ToArray()));
    }

    [Fact]
    public void The_same_bytes_have_the_same_identity_and_other_bytes_another()
    {
        var text = Head + "R 6030000000100000 0000000000000001\n";
        Assert.Equal(Read(text).ToState().Vm.Id, Read(text, "other.txt").ToState().Vm.Id);
        Assert.NotEqual(Read(text).ToState().Vm.Id, Read(text + "R 6030000000100002 0000000000000001\n").ToState().Vm.Id);
    }

    [Fact]
    public void A_register_that_the_kernel_would_not_read_is_kept_with_its_errno()
    {
        var capture = Read(Head + "R 6030000000100000 err2\nR 6030000000100002 0000000000000001");
        var vcpu = capture.ToState().Vcpus[0];
        Assert.Equal(new UnreadableRegister(new RegisterId(0x6030000000100000), 2), Assert.Single(vcpu.Unreadable.ToArray()));
        Assert.Equal(new RegisterId(0x6030000000100002), Assert.Single(vcpu.Registers).Id);
    }

    [Theory]
    [InlineData("6.12.95-arm64.altra.min.txt", "6.12.95-arm64", "altra", false)]
    [InlineData("/some/where/7.2.max.all.txt", "7.2", "max", true)]
    [InlineData("notes.txt", "", "notes", false)]
    [InlineData("a.b.c", "", "a.b.c", false)]
    [InlineData("", "", "", false)]
    public void The_name_says_kernel_host_and_whether_every_feature_is_there(string name, string kernel, string host, bool every)
    {
        var capture = Read(Head + "R 6030000000100000 0000000000000001", name);
        Assert.Equal((kernel, host, every), (capture.KernelRelease, capture.HostName, capture.HasEveryFeature));
    }

    [Theory]
    [InlineData("", "has no F line")]
    [InlineData("\n\n", "has no F line")]
    [InlineData(Head, "lists no register")]
    [InlineData("X\n", "line 1 begins neither")]
    [InlineData("R 6030000000100000 0000000000000001\n" + Head, "line 1 is a register before the F line")]
    [InlineData(Head + "R 6030000000100000 0000000000000001\n" + Head, "line 3 is a second F line")]
    [InlineData("F 0x4 target 5 type 0 ipa 48\n", "line 1 is not 'F")]
    [InlineData("F 4 target 5 type 0 ipa 48 init 0\n", "line 1 has no hexadecimal feature set")]
    [InlineData("F 0xg target 5 type 0 ipa 48 init 0\n", "line 1 has no hexadecimal feature set")]
    [InlineData("F 0x4 target x type 0 ipa 48 init 0\n", "line 1 has no target number")]
    [InlineData("F 0x4 target 5 type -1 ipa 48 init 0\n", "line 1 has no VM type")]
    [InlineData("F 0x4 target 5 type 0 ipa 53 init 0\n", "line 1 has no IPA limit")]
    [InlineData("F 0x4 target 5 type 0 ipa 48 init -22\n", "line 1 says that the vCPU was not created")]
    [InlineData(Head + "R 6030000000100000\n", "line 2 is not 'R ID VALUE'")]
    [InlineData(Head + "R 6030000000100000 0000000000000001 2\n", "line 2 is not 'R ID VALUE'")]
    [InlineData(Head + "R 603000000010000 0000000000000001\n", "line 2 has no register id")]
    [InlineData(Head + "R 603000000010000g 0000000000000001\n", "line 2 has no register id")]
    [InlineData(Head + "R 4030000000100000 0000000000000001\n", "line 2 names 0x4030000000100000, which is no arm64 KVM register")]
    [InlineData(Head + "R 6090000000100000 00\n", "which is no arm64 KVM register")]
    [InlineData(Head + "R 6030000000100000 00000001\n", "line 2 gives 0x6030000000100000 8 digits, its size takes 16")]
    [InlineData(Head + "R 6030000000100000 0x00000000000001\n", "line 2 gives 0x6030000000100000 a value that is not hexadecimal")]
    [InlineData(Head + "R 6030000000100000 err\n", "line 2 has no errno")]
    [InlineData(Head + "R 6030000000100000 err0\n", "line 2 has no errno")]
    [InlineData(Head + "R 6030000000100000 err4096\n", "line 2 has no errno")]
    [InlineData(Head + "R 6030000000100000 0000000000000001\nR 6030000000100000 0000000000000001\n", "line 3 repeats register 0x6030000000100000")]
    [InlineData(Head + "R 6030000000100000 \u00e900000000000001\n", "line 2 has characters other than printable ASCII")]
    [InlineData(Head + "R\t6030000000100000 0000000000000001\n", "line 2 has characters other than printable ASCII")]
    public void Refuses_a_line_that_is_not_as_described_and_names_it(string text, string reason)
    {
        var error = Assert.Throws<MigrateException>(() => Read(text, "6.12.cpu.min.txt"));
        Assert.Equal(ErrorCode.Malformed, error.Code);
        Assert.StartsWith("6.12.cpu.min ", error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_a_file_longer_than_the_limit() =>
        Assert.Equal(ErrorCode.TooLarge, Assert.Throws<MigrateException>(() => KvmCaptureText.Read(new byte[KvmCaptureText.MaximumBytes + 1], "a")).Code);

    [Fact]
    public void Refuses_a_line_longer_than_any_register() =>
        Assert.Equal(ErrorCode.TooLarge, Assert.Throws<MigrateException>(() => Read(Head + "R 6080000000150000 " + new string('0', 600))).Code);

    [Fact]
    public void Refuses_more_registers_than_the_limit()
    {
        var text = new StringBuilder(Head);
        for (var i = 0; i <= KvmCaptureText.MaximumRegisters; i++) text.Append($"R 603000000013{i:x4} 0000000000000000\n");
        Assert.Equal(ErrorCode.TooLarge, Assert.Throws<MigrateException>(() => Read(text.ToString())).Code);
    }

    private static ForeignCapture Read(string text, string name = "6.12.cpu.min.txt") => KvmCaptureText.Read(System.Text.Encoding.UTF8.GetBytes(text), name);
}
