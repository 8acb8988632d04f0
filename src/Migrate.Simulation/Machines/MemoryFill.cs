namespace Migrate.Simulation.Machines;

/// <summary>Puts something into a fresh machine's memory: in some stretches data that compresses about as guest memory does, in the rest nothing at all.</summary>
internal static unsafe class MemoryFill
{
    /// <summary>What is filled or left as a whole.</summary>
    private const ulong Stretch = MachineOptions.MemoryUnit;

    /// <summary>A page begins with this many random words; small numbers follow.</summary>
    private const int RandomWords = 160;

    private const int WordsPerPage = 512;

    /// <summary>Fills all slots, in parallel; memory from <paramref name="end"/> to the end of the last slot stays empty.</summary>
    public static void Fill(GuestRam ram, double fraction, ulong seed, ulong end)
    {
        var limit = (ulong)(fraction * uint.MaxValue);
        foreach (var slot in ram.Slots)
        {
            var region = slot.Region;
            var bytes = Math.Min(region.Size, end - region.GuestAddress);
            Parallel.For(0, (long)(bytes / Stretch), i =>
            {
                var address = region.GuestAddress + (ulong)i * Stretch;
                if (limit == 0 || Mix(seed ^ address) >> 32 > limit) return;
                var words = (ulong*)(slot.Mapping.Pointer + (ulong)i * Stretch);
                for (var page = 0UL; page < Stretch / (WordsPerPage * sizeof(ulong)); page++, words += WordsPerPage)
                    FillPage(words, Mix(seed + address + page));
            });
        }
    }

    /// <summary>A bijection that spreads every bit (the finalizer of SplitMix64).</summary>
    public static ulong Mix(ulong value)
    {
        value += 0x9e37_79b9_7f4a_7c15;
        value = (value ^ value >> 30) * 0xbf58_476d_1ce4_e5b9;
        value = (value ^ value >> 27) * 0x94d0_49bb_1331_11eb;
        return value ^ value >> 31;
    }

    private static void FillPage(ulong* words, ulong state)
    {
        for (var i = 0; i < RandomWords; i++)
        {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            words[i] = state;
        }
        for (var i = RandomWords; i < WordsPerPage; i++) words[i] = (uint)i;
    }
}
