using Migrate.Model.Hosts;
using Migrate.Model.Registers;

namespace Migrate.Model.Foreign;

/// <summary>Cache geometry: CLIDR_EL1 and the CCSIDR values.</summary>
internal static class CacheRules
{
    private static readonly RegisterId CacheType = RegisterKinds.Id("CTR_EL0");

    private const ulong IdcBit = 1UL << 28;
    private const int DminLine = 16;
    private const int LoUU = 27;
    private const int LoC = 24;
    private const int FirstTagBit = 33;
    private const int LastLevelsBit = 47;
    private const int LineSizeWidth = 3;
    private const int KnownSizeBits = 32;

    /// <summary>The hardware's own value.</summary>
    /// <remarks>arch/arm64/kvm/sys_regs.c <c>demux_c15_set</c> and <c>set_invariant_sys_reg</c> up to 6.1.</remarks>
    public static RegisterAcceptance Exact(AssumedHost host, RegisterId id, RegisterValue reset) =>
        RawRules.Any(host, id, reset) with { Accepts = Acceptance.Exactly(reset) };

    /// <summary>Any levels, unless they promise a coherence (IDC) that the host's caches lack.</summary>
    /// <remarks>
    /// arch/arm64/kvm/sys_regs.c <c>set_clidr</c>: without CTR.IDC a value is refused where LoC is 0 or LoUIS and LoUU are both 0. Fields are judged one by one here,
    /// so a zero LoUU is taken for a promise whatever LoUIS says.
    /// </remarks>
    public static RegisterAcceptance FabricatedLevels(AssumedHost host, RegisterId id, RegisterValue reset)
    {
        var coherent = (host.Value(CacheType) & IdcBit) != 0;
        var fields = new List<FieldAcceptance>();
        for (var shift = 0; shift < LastLevelsBit; shift += shift < FirstTagBit ? 3 : 2)
        {
            var width = shift < FirstTagBit ? 3 : 2;
            var all = (1 << (1 << width)) - 1;
            fields.Add(new FieldAcceptance(shift, width, (ushort)(!coherent && shift is LoC or LoUU ? all & ~1 : all)));
        }
        return RawRules.Any(host, id, reset) with { Accepts = Acceptance.PerField(0, fields) };
    }

    /// <summary>Any geometry whose lines are no shorter than the host's shortest.</summary>
    /// <remarks>arch/arm64/kvm/sys_regs.c <c>set_ccsidr</c>, <c>get_min_cache_line_size</c>: LineSize + 4 is compared with CTR's field + 2. Index bit 0: instruction cache.</remarks>
    public static RegisterAcceptance FabricatedSize(AssumedHost host, RegisterId id, RegisterValue reset)
    {
        var shortest = (int)(host.Value(CacheType) >> ((id.Index & 1) == 0 ? DminLine : 0) & 15) - 2;
        var fields = new List<FieldAcceptance> { new(0, LineSizeWidth, (ushort)(0xff & (0xff << Math.Max(0, shortest)))) };
        for (var shift = LineSizeWidth; shift < KnownSizeBits; shift += 4)
        {
            var width = Math.Min(4, KnownSizeBits - shift);
            fields.Add(new FieldAcceptance(shift, width, (ushort)((1 << (1 << width)) - 1)));
        }
        return RawRules.Any(host, id, reset) with { Accepts = Acceptance.PerField(0, fields) };
    }
}
