using Migrate.Kvm.Native;
using Migrate.Model.Hosts;
using Migrate.Model.Registers;

namespace Migrate.Kvm.Probe;

/// <summary>KVM_REG_ARM64_SVE_VLS, which is writable only before KVM_ARM_VCPU_FINALIZE.</summary>
/// <remarks>
/// Tried are the host's own lengths up to each of them, each of these with one length more or less, and none at all: the sets that
/// arch/arm64/kvm/guest.c <c>set_sve_vls</c> tells apart. Other sets are said to be refused.
/// </remarks>
internal static class VectorLengthProbe
{
    private const int MaximumQuads = 16;

    /// <summary>The register.</summary>
    public static RegisterId Id { get; } = RegisterId.Of(RegisterClass.Sve, 0xffff, 64);

    /// <summary>Measures on a VM whose SVE is not finalized.</summary>
    /// <param name="vm">The VM.</param>
    /// <param name="reset">The lengths of a new VM.</param>
    public static Measured Measure(IProbeVm vm, out RegisterValue reset)
    {
        if (vm.Get(0, Id, out reset) != 0) return Measured.Nothing;
        var own = reset.Low;
        var candidates = new SortedSet<ulong> { 0, own };
        for (var last = 0; last < MaximumQuads; last++)
        {
            var prefix = own & ((2UL << last) - 1);
            candidates.Add(prefix);
            for (var quads = 0; quads < MaximumQuads; quads++) candidates.Add(prefix ^ 1UL << quads);
        }
        var samples = new List<Sample>();
        foreach (var lengths in candidates)
        {
            var bytes = new byte[Id.Size];
            BitConverter.TryWriteBytes(bytes, lengths);
            var value = new RegisterValue(bytes);
            var errno = vm.Set(0, Id, value);
            var read = default(RegisterValue);
            if (errno == 0) errno = vm.Get(0, Id, out read);
            samples.Add(new Sample(value, errno, read));
        }
        vm.Set(0, Id, reset);
        if (!Samples.Explains(StoredAs.Unchanged, samples)) return Measured.Nothing;
        var accepts = Acceptance.OneOf([.. samples.Where(s => s.Errno == 0).Select(s => s.Written)]) with { Errno = Samples.Errno(samples) };
        return new(accepts, StoredAs.Unchanged, Samples.Others(samples, reset), Samples.Refused(samples));
    }

    /// <summary>Whether a finalized VM refuses even its own lengths.</summary>
    public static bool IsFrozen(IProbeVm finalized, RegisterValue reset) => finalized.Set(0, Id, reset) == KvmErrno.EPERM;
}
