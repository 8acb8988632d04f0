using System.Numerics;

namespace Migrate.Transfer.Pages;

/// <summary>Finds pages that are all zero.</summary>
internal static unsafe class ZeroPage
{
    /// <summary>Whether a page is all zero; stops at the first block of words that is not.</summary>
    /// <param name="page">Aligned and a multiple of 4096 bytes long.</param>
    /// <param name="bytes">Its length.</param>
    /// <remarks>A guest may write meanwhile: whatever the answer, the write is in the dirty log and the page comes again.</remarks>
    public static bool Is(byte* page, int bytes)
    {
        // Most pages that are not zero show it in their first word.
        if (*(ulong*)page != 0) return false;
        var step = Vector<byte>.Count * 4;
        for (var at = 0; at < bytes; at += step)
        {
            var any = Vector.Load(page + at)
                | Vector.Load(page + at + Vector<byte>.Count)
                | Vector.Load(page + at + Vector<byte>.Count * 2)
                | Vector.Load(page + at + Vector<byte>.Count * 3);
            if (any != Vector<byte>.Zero) return false;
        }
        return true;
    }
}
