namespace Migrate.Kvm.Handles;

/// <summary>Devices in the kernel, by KVM's own numbers.</summary>
/// <remarks>Source: include/uapi/linux/kvm.h, enum kvm_device_type.</remarks>
public enum DeviceKind
{
    /// <summary>KVM_DEV_TYPE_ARM_VGIC_V2.</summary>
    GicV2 = 5,

    /// <summary>KVM_DEV_TYPE_ARM_VGIC_V3.</summary>
    GicV3 = 7,

    /// <summary>KVM_DEV_TYPE_ARM_VGIC_ITS.</summary>
    Its = 8,

    /// <summary>KVM_DEV_TYPE_ARM_PV_TIME.</summary>
    StolenTime = 10,

    /// <summary>KVM_DEV_TYPE_ARM_VGIC_V5.</summary>
    GicV5 = 15,
}
