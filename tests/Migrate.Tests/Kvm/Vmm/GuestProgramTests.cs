using Migrate.Kvm.Vmm;
using Migrate.Model.Errors;
using Migrate.Model.Machines;
using Migrate.Tests.Linux;

namespace Migrate.Tests.Kvm.Vmm;

public sealed class GuestProgramTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    private static MemorySlot Memory(ulong megabytes) => new(0, Board.MemoryBase, megabytes << 20);

    [Fact]
    public void A_flat_program_is_entered_where_memory_begins_and_is_told_nothing()
    {
        var program = GuestProgram.Read(new GuestFiles(Write("flat", new byte[100])), Memory(1));
        Assert.Equal((Board.MemoryBase, 0UL), (program.Entry, program.DeviceTreeAddress));
        Assert.Empty(program.Handlers);
        Assert.Null(program.Problem(Vm(new GicDescription(GicKind.None), default)));
    }

    [Fact]
    public void Linux_gets_its_tree_behind_everything_that_it_clears_in_two_megabytes_of_its_own()
    {
        var kernel = Write("Image", LinuxImageTests.Image(offset: 0x8_0000, size: 5 << 20));
        var program = GuestProgram.Read(new GuestFiles(kernel, Write("disk", new byte[1 << 20]), "quiet"), Memory(9));
        Assert.Equal(Board.MemoryBase + 0x8_0000, program.Entry);
        Assert.Equal(Board.MemoryBase + (6 << 20), program.DeviceTreeAddress);
        Assert.Equal(["pl011"], program.Handlers);
    }

    [Theory]
    [InlineData(8, "disk")]
    [InlineData(7, "the device tree")]
    [InlineData(6, "the device tree")]
    public void Where_there_is_no_room_the_error_says_for_what_and_what_to_do(ulong megabytes, string what)
    {
        var kernel = Write("Image", LinuxImageTests.Image(offset: 0x8_0000, size: 5 << 20));
        var error = Assert.Throws<MigrateException>(() => GuestProgram.Read(new GuestFiles(kernel, Write("disk", new byte[1 << 20])), Memory(megabytes)));
        Assert.Equal(ErrorCode.Usage, error.Code);
        Assert.Contains($"{what} needs memory", error.Message);
        Assert.Contains("--memory", error.Remedy);
    }

    [Fact]
    public void What_a_flat_program_cannot_have_and_what_is_no_file_is_refused_by_name()
    {
        var flat = Write("flat", new byte[100]);
        Assert.Equal(ErrorCode.Usage, Refusal(new GuestFiles(flat, CommandLine: "quiet")).Code);
        Assert.Equal(ErrorCode.Usage, Refusal(new GuestFiles(flat, Initrd: flat)).Code);
        Assert.Equal(ErrorCode.NotFound, Refusal(new GuestFiles(_directory["absent"])).Code);
        Assert.Equal(ErrorCode.NotFound, Refusal(new GuestFiles(_directory[""])).Code);
        Assert.Equal(ErrorCode.Malformed, Refusal(new GuestFiles(Write("empty", []))).Code);
        var large = Refusal(new GuestFiles(Write("large", new byte[(16 << 20) + 1])));
        Assert.Equal((ErrorCode.TooLarge, true), (large.Code, large.Remedy!.Contains("--memory", StringComparison.Ordinal)));
        var kernel = Write("Image", LinuxImageTests.Image());
        Assert.Equal(ErrorCode.TooLarge, Refusal(new GuestFiles(kernel, CommandLine: new string('a', 2048))).Code);
        GuestProgram.Read(new GuestFiles(kernel, CommandLine: new string('a', 2047)), Memory(16));

        MigrateException Refusal(GuestFiles files) => Assert.Throws<MigrateException>(() => GuestProgram.Read(files, Memory(16)));
    }

    [Fact]
    public void A_machine_that_cannot_run_Linux_is_told_before_it_is_made()
    {
        var program = GuestProgram.Read(new GuestFiles(Write("Image", LinuxImageTests.Image())), Memory(16));
        var gic = new GicDescription(GicKind.GicV3, 0x0800_0000, 0x080a_0000);
        Assert.Null(program.Problem(Vm(gic, VcpuFeatures.Psci02, 123)));
        Assert.Contains("123", program.Problem(Vm(gic, VcpuFeatures.Psci02, 124)));
        Assert.Contains("GICv3", program.Problem(Vm(new GicDescription(GicKind.None), VcpuFeatures.Psci02)));
        Assert.Contains("psci_0_2", program.Problem(Vm(gic, default)));
    }

    private static VmDescription Vm(GicDescription gic, VcpuFeatures features, int vcpus = 1) => new()
    {
        Name = "vm",
        Id = new string('0', 32),
        Type = default,
        Features = features,
        VcpuCount = vcpus,
        Memory = [Memory(16)],
        Gic = gic,
    };

    private string Write(string name, byte[] bytes)
    {
        File.WriteAllBytes(_directory[name], bytes);
        return _directory[name];
    }
}
