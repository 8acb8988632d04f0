namespace Migrate.Kvm.Vmm;

/// <summary>A part of the machine that lives in this process and not in KVM. What it holds of the guest moves with the machine under its name.</summary>
/// <remarks>
/// Called from vCPU threads and others at once. <see cref="Capture"/> and <see cref="Restore"/> while no vCPU runs, except that a capture
/// may be a sample of a running machine.
/// </remarks>
internal interface IVmHandler
{
    /// <summary>Its name, as in <see cref="Model.Machines.VmDescription.Handlers"/>.</summary>
    string Name { get; }

    /// <summary>The version of the encoding that <see cref="Capture"/> writes; <see cref="Restore"/> reads it and those before it.</summary>
    int Version { get; }

    /// <summary>What it holds of the guest. Two handlers that a guest cannot tell apart give the same bytes.</summary>
    byte[] Capture();

    /// <summary>Becomes what another one was. The bytes come from a peer: what is wrong with them is said, and then nothing has changed.</summary>
    /// <param name="version">Of the encoding.</param>
    /// <param name="state">What <see cref="Capture"/> gave there.</param>
    /// <exception cref="HandlerStateException">They are no state of such a handler.</exception>
    void Restore(int version, ReadOnlySpan<byte> state);

    /// <summary>The machine takes it over, before it runs.</summary>
    void Connect(VmmOptions options);

    /// <summary>From here on nothing from outside changes it; called when the vCPUs stand still. It begins so.</summary>
    void Freeze();

    /// <summary>The outside may reach it again.</summary>
    void Thaw();
}

/// <summary>A handler that answers accesses to guest physical addresses.</summary>
internal interface IMmioHandler : IVmHandler
{
    /// <summary>Whether an address is one of its registers.</summary>
    bool Has(ulong guestAddress);

    /// <summary>What a register reads as.</summary>
    ulong Read(ulong guestAddress);

    /// <summary>A write to a register.</summary>
    void Write(ulong guestAddress, ulong value);
}

/// <summary>Bytes that are no state of a handler.</summary>
internal sealed class HandlerStateException(string message) : Exception(message);
