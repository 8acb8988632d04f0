using Migrate.Kvm.Handles;
using Migrate.Model.Ports;

namespace Migrate.Kvm.State;

/// <summary>Scratch VMs of this host, for dry runs; beside its live VMs, and without their descriptors.</summary>
/// <param name="system">Where they are; outlives them.</param>
public sealed class KvmScratchHost(KvmSystem system) : IScratchHost
{
    /// <inheritdoc/>
    public IScratchTarget NewScratch() => new KvmTarget(system, isScratch: true);
}
