using Migrate.Snapshots;

namespace Migrate.Cli.Output;

/// <summary>A snapshot for people.</summary>
internal static class SnapshotText
{
    public static void Write(Terminal terminal, SnapshotInfo info) => terminal.Write(["", ""],
    [
        ["snapshot", info.Name],
        ["machine", $"{info.Machine} ({info.VmId})"],
        ["created", info.Created.ToString("u", System.Globalization.CultureInfo.InvariantCulture)],
        ["memory", $"{Units.Bytes(info.Memory.Sum(slot => (double)slot.Size))} in {info.Memory.Count} slots, {info.PageSize >> 10} KiB pages"],
        ["pages", $"{info.StoredPages} stored, {info.ZeroPages} zero and not stored"],
        ["file", Units.Bytes(info.FileBytes)],
        ["SHA-256", info.Sha256],
        ["parent", info.Parent ?? "none: a full snapshot"],
    ]);
}
