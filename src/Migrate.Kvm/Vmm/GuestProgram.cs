using Migrate.Kvm.State;
using Migrate.Linux.Files;
using Migrate.Model;
using Migrate.Model.Errors;
using Migrate.Model.Firmware;
using Migrate.Model.Machines;
using Migrate.Model.Registers;

namespace Migrate.Kvm.Vmm;

/// <summary>Files that a machine begins with.</summary>
/// <param name="Kernel">A Linux kernel, or a flat program that is entered where memory begins.</param>
/// <param name="Initrd">An initial RAM disk; null for none. Of Linux only.</param>
/// <param name="CommandLine">The kernel's; null for none. Of Linux only.</param>
public sealed record GuestFiles(string Kernel, string? Initrd = null, string? CommandLine = null);

/// <summary>What a machine runs, and where in its memory it lies.</summary>
/// <remarks>
/// Linux: the Image at the beginning of memory, the device tree in the first 2 MiB behind it, then the RAM disk. That is what Documentation/arch/arm64/booting.rst asks
/// for: a tree of at most 2 MiB, 8-byte aligned, in 2 MiB of its own; a RAM disk in the same 32 GiB as the kernel.
/// </remarks>
public sealed class GuestProgram
{
    private const string MoreMemory = "Give the VM more memory: --memory SIZE.";

    private const ulong TwoMegabytes = 2 << 20;

    /// <summary>COMMAND_LINE_SIZE (arch/arm64/include/uapi/asm/setup.h), its final zero included.</summary>
    private const int LongestCommandLine = 2048;

    private static readonly RegisterId Mpidr = RegisterId.System(3, 0, 0, 0, 5);

    private readonly List<(ulong Address, ReadOnlyMemory<byte> Bytes)> _parts = [];
    private readonly string _commandLine;
    private (ulong Start, ulong End)? _initrd;

    private GuestProgram(ulong entry, string commandLine) => (Entry, _commandLine) = (entry, commandLine);

    /// <summary>Guest physical address of the first instruction.</summary>
    public ulong Entry { get; private init; }

    /// <summary>Where its device tree comes to lie; 0 for a program that gets none.</summary>
    public ulong DeviceTreeAddress { get; private set; }

    /// <summary>Handlers that it is told of.</summary>
    public EquatableArray<string> Handlers => DeviceTreeAddress == 0 ? [] : [Pl011.HandlerName];

    /// <summary>Reads the files and finds a place for everything.</summary>
    /// <exception cref="MigrateException">One cannot be read, is not what it should be, or there is no room.</exception>
    public static GuestProgram Read(GuestFiles files, MemorySlot memory)
    {
        var content = File(files.Kernel, (ulong)LinuxImage.Largest, memory, "kernel");
        if (LinuxImage.TryRead(content, files.Kernel) is { } image) return Linux(files, image, memory);
        if (files.Initrd is not null || files.CommandLine is not null)
            throw new MigrateException(ErrorCode.Usage, $"{files.Kernel} is no Linux kernel: a flat program has neither RAM disk nor command line") { Stage = Stage.Input, Remedy = "Give an arm64 kernel, or neither --initrd nor --append." };
        var program = new GuestProgram(memory.GuestAddress, "");
        program.Place(memory.GuestAddress, content, files.Kernel, memory);
        return program;
    }

    /// <summary>Says why this program cannot run on such a machine; null when it can.</summary>
    public string? Problem(VmDescription vm)
    {
        if (DeviceTreeAddress == 0) return null;
        if (vm.Gic.Kind != GicKind.GicV3) return "Linux needs a GICv3 here, the machine has no such interrupt controller";
        if (!vm.Features.Has(VcpuFeatures.Psci02)) return "Linux needs the vCPU feature psci_0_2 to start its CPUs";
        var room = (Board.Console - vm.Gic.Redistributors) / Board.RedistributorSize;
        return (ulong)vm.VcpuCount > room ? $"there is room for the redistributors of {room} vCPUs, not {vm.VcpuCount}" : null;
    }

    /// <summary>Writes it into the memory of a machine that has all its vCPUs.</summary>
    public void Load(KvmMachine machine)
    {
        foreach (var (address, bytes) in _parts) bytes.Span.CopyTo(machine.Memory(address, bytes.Length));
        if (DeviceTreeAddress == 0) return;
        var vm = machine.Description;
        var boot = machine.Vcpus[0];
        var psci = boot.TryGet(FirmwareRegisters.PsciVersion, out var register) == 0 && PsciVersion.TryFromRegister(register.Low, out var version) ? version : new PsciVersion(0, 2);
        var tree = new DeviceTree
        {
            Memory = vm.Memory,
            Affinities = machine.Vcpus.Values.Select(vcpu => vcpu.Get(Mpidr).Low).ToEquatableArray(),
            InterruptController = vm.Gic,
            Psci = psci,
            PsciBySmc = vm.Features.Has(VcpuFeatures.El2),
            HasPmu = vm.Features.Has(VcpuFeatures.PmuV3),
            CommandLine = _commandLine,
            Initrd = _initrd,
        }.Write();
        tree.CopyTo(machine.Memory(DeviceTreeAddress, tree.Length));
    }

    private static GuestProgram Linux(GuestFiles files, LinuxImage image, MemorySlot memory)
    {
        var commandLine = files.CommandLine ?? "";
        var bytes = System.Text.Encoding.UTF8.GetByteCount(commandLine);
        if (bytes >= LongestCommandLine)
            throw new MigrateException(ErrorCode.TooLarge, $"the command line has {bytes} bytes; a kernel takes {LongestCommandLine - 1}") { Stage = Stage.Input, Remedy = "Give a shorter --append." };
        var start = memory.GuestAddress + image.TextOffset;
        var tree = AlignUp(start + image.Size);
        var program = new GuestProgram(start, commandLine) { DeviceTreeAddress = tree };
        program.Place(start, image.Content, files.Kernel, memory);
        program.Place(tree, ReadOnlyMemory<byte>.Empty, "the device tree", memory);
        if (files.Initrd is not { } initrd) return program;
        var disk = File(initrd, int.MaxValue / 2, memory, "RAM disk");
        var address = tree + TwoMegabytes;
        program.Place(address, disk, initrd, memory);
        program._initrd = (address, address + (ulong)disk.Length);
        return program;
    }

    private static ReadOnlyMemory<byte> File(string path, ulong largest, MemorySlot memory, string what)
    {
        byte[] bytes;
        try
        {
            bytes = BoundedFile.Read(path, (int)Math.Min(largest, memory.Size));
        }
        catch (MigrateException e) when (e.Code == ErrorCode.TooLarge)
        {
            throw new MigrateException(e.Code, $"{e.Message}, which a {what} here can have", e) { Stage = Stage.Input, Remedy = memory.Size < largest ? MoreMemory : $"Give a smaller {what}." };
        }
        return bytes.Length > 0 ? bytes : throw new MigrateException(ErrorCode.Malformed, $"{path}: empty, so no {what}") { Stage = Stage.Input };
    }

    private void Place(ulong address, ReadOnlyMemory<byte> bytes, string name, MemorySlot memory)
    {
        // A kernel's size is more than its bytes, but the tree lies behind it all.
        var end = address - memory.GuestAddress + Math.Max((ulong)bytes.Length, DeviceTreeAddress == address ? TwoMegabytes : 0);
        if (end > memory.Size)
            throw new MigrateException(ErrorCode.Usage, $"{name} needs memory up to {end} bytes, the machine has {memory.Size}") { Stage = Stage.Input, Remedy = MoreMemory };
        if (!bytes.IsEmpty) _parts.Add((address, bytes));
    }

    private static ulong AlignUp(ulong address) => (address + TwoMegabytes - 1) & ~(TwoMegabytes - 1);
}
