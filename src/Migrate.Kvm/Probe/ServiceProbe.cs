using System.Globalization;
using Migrate.Model.Firmware;

namespace Migrate.Kvm.Probe;

/// <summary>The hypercalls that the kernel answers by itself, found by a guest that asks.</summary>
/// <remarks>
/// Sources: Arm DEN 0028 (SMCCC), DEN 0022 (PSCI), DEN 0098 (TRNG), DEN 0057 (PV time); include/linux/arm-smccc.h <c>ARM_SMCCC_VENDOR_HYP_*</c>;
/// arch/arm64/kvm/hypercalls.c <c>kvm_smccc_call_handler</c>. The words are those that the rules of the pre-flight check look for.
/// </remarks>
internal static class ServiceProbe
{
    private const uint SmcccVersion = 0x8000_0000;
    private const uint ArchFeatures = 0x8000_0001;
    private const uint PsciVersionCall = 0x8400_0000;
    private const uint TrngVersion = 0x8400_0050;
    private const uint PvTimeFeatures = 0xc500_0020;
    private const uint VendorFeatures = 0x8600_0000;
    private const uint VendorUid = 0x8600_ff01;

    private static readonly uint[] KvmUid = [0xb66f_b428, 0xe911_c52e, 0x564b_caa9, 0x743a_004d];

    private static readonly (int Number, uint Function)[] Workarounds = [(1, 0x8000_8000), (2, 0x8000_7fff), (3, 0x8000_3fff)];

    /// <summary>Every word, in the order of the questions.</summary>
    /// <returns>0, or the errno of the run that failed.</returns>
    public static int Ask(TinyGuest guest, out IReadOnlyList<string> words)
    {
        var found = new List<string>();
        words = found;
        Span<ulong> results = stackalloc ulong[4];

        var errno = guest.Call(PsciVersionCall, 0, results);
        if (errno != 0) return errno;
        if (Version(results[0]) is { } psci) found.Add("psci-" + psci);

        errno = guest.Call(SmcccVersion, 0, results);
        if (errno != 0) return errno;
        if (Version(results[0]) is { } smccc) found.Add("smccc-" + smccc);

        foreach (var (number, function) in Workarounds)
        {
            errno = guest.Call(ArchFeatures, function, results);
            if (errno != 0) return errno;
            found.Add(string.Create(CultureInfo.InvariantCulture, $"workaround-{number}-{Level((int)results[0])}"));
        }

        errno = guest.Call(TrngVersion, 0, results);
        if (errno != 0) return errno;
        if ((int)results[0] >= 0x1_0000) found.Add("trng");

        // PV_TIME_FEATURES itself says no until the VMM has given the vCPU a place for its stolen time.
        errno = guest.Call(ArchFeatures, PvTimeFeatures, results);
        if (errno != 0) return errno;
        if ((int)results[0] == 0) found.Add("pv-time");

        return AskVendor(guest, found, results);
    }

    private static int AskVendor(TinyGuest guest, List<string> found, Span<ulong> results)
    {
        var errno = guest.Call(VendorUid, 0, results);
        if (errno != 0) return errno;
        for (var i = 0; i < KvmUid.Length; i++)
            if ((uint)results[i] != KvmUid[i]) return 0;
        found.Add("kvm");

        errno = guest.Call(VendorFeatures, 0, results);
        if (errno != 0) return errno;
        foreach (var service in FirmwareRegisters.VendorHypervisor.Services)
            if ((results[0] >> service.Bit & 1) != 0) found.Add(Word(service.Name));
        foreach (var service in FirmwareRegisters.VendorHypervisor2.Services)
            if ((results[2] >> service.Bit & 1) != 0) found.Add(Word(service.Name));
        return 0;
    }

    private static string Word(string service) => service.ToLowerInvariant().Replace('_', '-');

    /// <summary>Major in bits 30:16, minor in 15:0; a negative answer is an error and no version.</summary>
    private static PsciVersion? Version(ulong answer) =>
        PsciVersion.TryFromRegister((uint)answer, out var version) ? version : null;

    /// <summary>SMCCC_ARCH_FEATURES of a workaround: 0 call it, 1 or -2 (WORKAROUND_2) no need to, else it is not there.</summary>
    private static string Level(int answer) => answer switch
    {
        0 => "available",
        1 or -2 => "not-required",
        _ => "not-available",
    };
}
