using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Migrate.Lab.Fetching;
using Migrate.LabGuest.Jobs;

namespace Migrate.Lab.Hosts;

/// <summary>A kernel on emulated CPUs with EL2, GICv3 and ITS.</summary>
internal sealed class EmulatedMachine(string cpu, int cpus, Emulator emulator, Kernel kernel, string initramfs, bool reachable) : IMachine
{
    /// <summary>After this the emulator ends by itself even if the lab was killed.</summary>
    private static readonly TimeSpan LifeLimit = TimeSpan.FromHours(2);

    /// <inheritdoc/>
    /// <remarks>10 to 25 s on an idle machine.</remarks>
    public TimeSpan BootLimit => TimeSpan.FromMinutes(4);

    public int? ForwardedPort { get; } = reachable && kernel.HasNetwork ? FreePort() : null;

    public string Identity => $"kernel {kernel.Offer.Package} {kernel.Offer.Version}\nemulator qemu-system-arm {emulator.Version}\n{(cpus == 1 ? "" : $"CPUs {cpus}\n")}";

    public ProcessStartInfo Command(AgentSession session)
    {
        var forward = ForwardedPort is { } port ? $",hostfwd=tcp:127.0.0.1:{port}-:{PairJob.Port}" : "";
        string[] arguments =
        [
            "-n", "10",
            "timeout", "--kill-after=5", LifeLimit.TotalSeconds.ToString(CultureInfo.InvariantCulture),
            emulator.Program,
            "-machine", "virt,virtualization=on,gic-version=3", "-cpu", cpu, "-smp", $"{cpus}", "-m", "2G", "-nodefaults", "-display", "none",
            "-no-reboot", "-serial", "stdio", "-monitor", "none",
            .. kernel.HasNetwork
                ? (string[])["-netdev", $"user,id=n0,ipv6=off{forward}", "-device", "virtio-net-pci,netdev=n0,romfile="]
                :
                [
                    "-chardev", $"socket,id=lab,host=127.0.0.1,port={session.Port}",
                    "-device", "virtio-serial-pci", "-device", "virtserialport,chardev=lab,name=lab",
                ],
            "-kernel", kernel.Image, "-initrd", initramfs,
            "-append", $"console=ttyAMA0 loglevel=6 panic=-1 lab.port={session.Port} lab.token={session.Token}",
        ];
        var start = new ProcessStartInfo("nice", arguments);
        start.Environment["LD_LIBRARY_PATH"] = emulator.LibraryPath;
        return start;
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
