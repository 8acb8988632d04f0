namespace Migrate.Model.Encoding.MessagePack;

/// <summary>
/// Reads the keys of one map and refuses a key that the map already had: with two values for one name, two readers may each believe
/// another. Keys are compared as values, so another encoding of the same key is a duplicate too. One instance a map.
/// </summary>
public sealed class MessagePackMapKeys
{
    private const int LongestShown = 40;
    private HashSet<string>? _strings;
    private HashSet<ulong>? _integers;

    /// <summary>Reads the next key, a string.</summary>
    /// <exception cref="MessagePackFormatException">Not a string, or a key that was read before.</exception>
    public string ReadString(ref MessagePackReader reader)
    {
        var before = reader;
        var key = reader.ReadString();
        // HashSet falls back to a randomised hash by itself when strings collide on purpose.
        return (_strings ??= new(StringComparer.Ordinal)).Add(key) ? key : throw Duplicate(before, $"'{Shown(key)}'");
    }

    /// <summary>Reads the next key, an integer from 0 to 2^64-1.</summary>
    /// <exception cref="MessagePackFormatException">Not such an integer, or a key that was read before.</exception>
    public ulong ReadUInt64(ref MessagePackReader reader)
    {
        var before = reader;
        var key = reader.ReadUInt64();
        return (_integers ??= new(SeededComparer.Instance)).Add(key) ? key : throw Duplicate(before, $"{key}");
    }

    private static MessagePackFormatException Duplicate(MessagePackReader atKey, string key) =>
        atKey.Refuse(MessagePackFault.DuplicateKey, $"the map has the key {key} twice");

    /// <summary>A stranger's text made fit for a terminal: short, printable ASCII.</summary>
    private static string Shown(string key) =>
        string.Concat(key.Take(LongestShown).Select(c => c is >= ' ' and <= '~' ? c : '?')) + (key.Length > LongestShown ? "..." : "");

    /// <summary>The hash of an integer is itself, so a peer could choose keys that all collide; HashCode is seeded per process.</summary>
    private sealed class SeededComparer : IEqualityComparer<ulong>
    {
        public static readonly SeededComparer Instance = new();

        public bool Equals(ulong x, ulong y) => x == y;

        public int GetHashCode(ulong key) => HashCode.Combine(key);
    }
}
