namespace Migrate.Lab.Fetching;

/// <summary>A kernel ready to boot.</summary>
/// <param name="Series">What `--kernels` called it, e.g. 6.12.</param>
/// <param name="Offer">The package it came from.</param>
/// <param name="Directory">Holds `vmlinuz` and the modules of <see cref="Modules"/>, unpacked.</param>
internal sealed record Kernel(string Series, Offer Offer, string Directory)
{
    /// <summary>The modules the network needs, in the order of loading.</summary>
    public static readonly string[] Modules = ["failover.ko", "net_failover.ko", "virtio_net.ko"];

    public string Image => Path.Combine(Directory, "vmlinuz");
}
