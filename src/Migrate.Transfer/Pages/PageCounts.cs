namespace Migrate.Transfer.Pages;

/// <summary>What was moved.</summary>
/// <param name="Pages">Pages whose content was sent.</param>
/// <param name="ZeroPages">Pages that were all zero: left out of the first round, named in later ones.</param>
/// <param name="Bytes">Bytes on the wire, headers and tables included.</param>
public readonly record struct PageCounts(long Pages, long ZeroPages, long Bytes)
{
    /// <summary>Both together.</summary>
    public static PageCounts operator +(PageCounts left, PageCounts right) =>
        new(left.Pages + right.Pages, left.ZeroPages + right.ZeroPages, left.Bytes + right.Bytes);
}

/// <summary>Page sizes that a session may have.</summary>
public static class PageSizes
{
    /// <summary>Whether a page of so many bytes is one that an arm64 host has: 4, 16 or 64 KiB.</summary>
    public static bool IsValid(long bytes) => bytes is 4096 or 16384 or 65536;
}
