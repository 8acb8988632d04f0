namespace Migrate.Lab.Fetching;

/// <summary>A kernel ready to boot.</summary>
/// <param name="Series">What `--kernels` called it, e.g. 6.12.</param>
/// <param name="Offer">The package it came from.</param>
/// <param name="Directory">Holds `vmlinuz` and `modules/`, whose names sort in the order of loading.</param>
internal sealed record Kernel(string Series, Offer Offer, string Directory)
{
    /// <summary>Whether it can have a network; without the modules it talks through a virtio serial port, which is built in.</summary>
    public bool HasNetwork => Modules.Any();

    public string Image => Path.Combine(Directory, "vmlinuz");

    /// <summary>The modules the network needs, in the order of loading.</summary>
    public IEnumerable<string> Modules => System.IO.Directory.GetFiles(Path.Combine(Directory, "modules")).Order(StringComparer.Ordinal);
}
