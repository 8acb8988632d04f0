namespace Migrate.Model.Machines;

/// <summary>The argument of KVM_CREATE_VM: the guest's physical address size and nothing else today.</summary>
/// <param name="Raw">Bits 7:0: address bits, 0 meaning 40. Bit 31: protected VM.</param>
/// <remarks>Source: arch/arm64/kvm/arm.c <c>kvm_arch_init_vm</c>, mmu.c <c>kvm_init_ipa_range</c>.</remarks>
public readonly record struct VmType(ulong Raw)
{
    /// <summary>Bits of guest physical (intermediate physical) address.</summary>
    public int IpaBits => (Raw & 0xff) == 0 ? 40 : (int)(Raw & 0xff);

    /// <summary>Whether pKVM protects the VM from its host.</summary>
    public bool IsProtected => (Raw & 1UL << 31) != 0;

    /// <summary>The first address that does not fit.</summary>
    public UInt128 AddressLimit => UInt128.One << IpaBits;

    /// <summary><c>40 bits</c>, or with the raw type where it says more.</summary>
    public override string ToString() => Raw <= 0xff ? $"{IpaBits} bits" : $"{IpaBits} bits (type 0x{Raw:x})";
}
