using System.Buffers.Binary;
using System.Diagnostics;
using Migrate.Kvm.Vmm;
using Migrate.Model.Firmware;
using Migrate.Model.Machines;

namespace Migrate.Tests.Kvm.Vmm;

/// <summary>Decoded by Debian's device-tree-compiler, which shares no line with our writer, and compared text by text.</summary>
public class DeviceTreeTests
{
    private const string Reader = "/usr/bin/dtc";

    private static DeviceTree Tree => new()
    {
        Memory = [new MemorySlot(0, 0x4000_0000, 512 << 20)],
        Affinities = [0x8000_0000, 0x8000_0001, 0x8000_0100],
        InterruptController = new GicDescription(GicKind.GicV3, 0x0800_0000, 0x080a_0000),
        Psci = new PsciVersion(1, 1),
    };

    [Fact]
    public void The_tree_of_a_machine_with_everything_reads_as_it_should() => Assert.Equal(
        Expected(
            "bootargs = \"root=/dev/ram0 \\\"quiet\\\"\";", "linux,initrd-start = <0x00 0x44200000>;", "linux,initrd-end = <0x01 0x44200123>;",
            "\"arm,psci-1.0\\0arm,psci-0.2\"", "\"hvc\"", "pmu {\ncompatible = \"arm,armv8-pmuv3\";\ninterrupts = <0x01 0x07 0x04>;\n};\n"),
        Read((Tree with { HasPmu = true, CommandLine = "root=/dev/ram0 \"quiet\"", Initrd = (0x4420_0000, 0x1_4420_0123) }).Write()));

    [Fact]
    public void What_a_machine_lacks_is_not_in_its_tree() => Assert.Equal(
        Expected("bootargs = [00];", "", "", "\"arm,psci-0.2\"", "\"smc\"", ""),
        Read((Tree with { Psci = new PsciVersion(0, 2), PsciBySmc = true }).Write()));

    /// <summary>Chapter 5: what a reader that trusts nothing looks at.</summary>
    [Fact]
    public void The_header_says_what_is_there()
    {
        var blob = Tree.Write();
        var header = Enumerable.Range(0, 10).Select(i => BinaryPrimitives.ReadUInt32BigEndian(blob.AsSpan(4 * i))).ToArray();
        Assert.Equal([0xd00dfeed, (uint)blob.Length, 56, header[3], 40, 17, 16, 0, header[8], header[9]], header);
        Assert.Equal(56 + header[9], header[3]);
        Assert.Equal((uint)blob.Length, header[3] + header[8]);
        Assert.Equal(0u, header[9] % 4);
        Assert.All(blob[40..56], b => Assert.Equal(0, b));
        Assert.Equal(9u, BinaryPrimitives.ReadUInt32BigEndian(blob.AsSpan((int)header[3] - 4)));
    }

    [Fact]
    public void It_stays_within_what_a_kernel_reads_with_as_many_CPUs_as_the_board_has_room_for() =>
        Assert.InRange((Tree with { Affinities = [.. Enumerable.Range(0, 123).Select(i => 0x8000_0000UL | (uint)(i >> 4) << 8 | (uint)(i & 15))] }).Write().Length, 1, 2 << 20);

    [Fact]
    public void A_node_that_stays_open_is_noticed()
    {
        var writer = new DeviceTreeWriter();
        Assert.Throws<InvalidOperationException>(() => writer.Node("", () => writer.Finish()));
    }

    private static string Expected(string arguments, string start, string end, string psci, string method, string pmu) => Lines($$"""
        /dts-v1/;
        / {
        #address-cells = <0x02>;
        #size-cells = <0x02>;
        interrupt-parent = <0x01>;
        compatible = "linux,dummy-virt";
        model = "vmmigrate";
        chosen {
        {{arguments}}
        stdout-path = "/pl011@9000000";
        {{start}}
        {{end}}
        };
        memory@40000000 {
        device_type = "memory";
        reg = <0x00 0x40000000 0x00 0x20000000>;
        };
        cpus {
        #address-cells = <0x01>;
        #size-cells = <0x00>;
        cpu@0 {
        device_type = "cpu";
        compatible = "arm,armv8";
        reg = <0x00>;
        enable-method = "psci";
        };
        cpu@1 {
        device_type = "cpu";
        compatible = "arm,armv8";
        reg = <0x01>;
        enable-method = "psci";
        };
        cpu@100 {
        device_type = "cpu";
        compatible = "arm,armv8";
        reg = <0x100>;
        enable-method = "psci";
        };
        };
        psci {
        compatible = {{psci}};
        method = {{method}};
        };
        interrupt-controller@8000000 {
        compatible = "arm,gic-v3";
        #interrupt-cells = <0x03>;
        #address-cells = <0x00>;
        interrupt-controller;
        #redistributor-regions = <0x01>;
        reg = <0x00 0x8000000 0x00 0x10000 0x00 0x80a0000 0x00 0x60000>;
        phandle = <0x01>;
        };
        timer {
        compatible = "arm,armv8-timer";
        interrupts = <0x01 0x0d 0x04 0x01 0x0e 0x04 0x01 0x0b 0x04 0x01 0x0a 0x04>;
        always-on;
        };
        {{pmu}}
        apb-pclk {
        compatible = "fixed-clock";
        #clock-cells = <0x00>;
        clock-frequency = <0x16e3600>;
        phandle = <0x02>;
        };
        pl011@9000000 {
        compatible = "arm,pl011\0arm,primecell";
        reg = <0x00 0x9000000 0x00 0x1000>;
        interrupts = <0x00 0x01 0x04>;
        clocks = <0x02 0x02>;
        clock-names = "uartclk\0apb_pclk";
        };
        };
        """);

    private static string Read(byte[] blob)
    {
        if (!File.Exists(Reader))
        {
            const string reason = "device-tree-compiler is not installed: apt-get install device-tree-compiler";
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true", reason);
            Assert.Skip(reason);
        }
        using var process = Process.Start(new ProcessStartInfo(Reader, ["-I", "dtb", "-O", "dts", "-"])
        { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        process.StandardInput.BaseStream.Write(blob);
        process.StandardInput.Close();
        process.WaitForExit();
        // It also checks what bindings have in common: unit addresses, cells, phandles.
        Assert.Equal(("", 0), (errors.Result, process.ExitCode));
        return Lines(output.Result);
    }

    private static string Lines(string text) => string.Join('\n', text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
}
