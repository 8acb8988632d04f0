using System.Collections.Frozen;
using Migrate.Model;

namespace Migrate.Transfer.Wire;

/// <summary>What the checksum of a frame's payload covers.</summary>
public enum PayloadCheck
{
    /// <summary>All of it.</summary>
    Whole = 1,

    /// <summary>The table of runs at its beginning; pages that a running guest writes to cannot carry one.</summary>
    Table = 2,
}

/// <summary>The law for one kind of frame.</summary>
/// <param name="Kind">Which.</param>
/// <param name="MaxPayload">Longest payload in bytes; 0 where there is none.</param>
/// <param name="MaxDescriptors">Most descriptors that travel with it; only on a machine socket.</param>
/// <param name="Check">What the payload's checksum covers.</param>
public readonly record struct FrameRule(FrameKind Kind, long MaxPayload, int MaxDescriptors = 0, PayloadCheck Check = PayloadCheck.Whole)
{
    /// <summary>The kind's name in messages and in schemas/wire.md: <c>round-end</c>.</summary>
    public string Name => KebabCase.Of(Kind.ToString());
}

/// <summary>Every kind of frame with its limits: the one place where they stand. A frame beyond them is refused by its header alone.</summary>
public static class FrameTable
{
    /// <summary>Most runs in the table of one page frame.</summary>
    public const int MaxRuns = 256;

    /// <summary>Most bytes of pages in one page frame.</summary>
    public const int MaxPageBytes = 1 << 20;

    /// <summary>Longest payload of an optional frame that this build does not know and skips.</summary>
    public const long MaxSkipped = 1 << 20;

    private const long None = 0;
    private const long Small = 16 << 10;
    private const long Medium = 8 << 20;
    private const long Document = 64 << 20;

    /// <summary>Every kind, by number.</summary>
    public static IReadOnlyList<FrameRule> All { get; } =
    [
        new(FrameKind.Error, Small),
        new(FrameKind.Done, None),
        new(FrameKind.Alive, None),
        new(FrameKind.Pages, Small + MaxPageBytes, Check: PayloadCheck.Table),
        new(FrameKind.ZeroPages, Small, Check: PayloadCheck.Table),
        new(FrameKind.Hello, Small),
        new(FrameKind.Welcome, Small),
        new(FrameKind.Offer, Document),
        new(FrameKind.Ready, Document),
        new(FrameKind.Refused, Document),
        new(FrameKind.RoundEnd, Small),
        new(FrameKind.RoundAck, Small),
        new(FrameKind.Final, Document),
        new(FrameKind.Applied, Document),
        new(FrameKind.Start, Small),
        new(FrameKind.Running, Small),
        new(FrameKind.Cancel, Small),
        new(FrameKind.OutcomeQuery, Small),
        new(FrameKind.Outcome, Small),
        new(FrameKind.AgentStatusQuery, None),
        new(FrameKind.AgentStatus, Medium),
        new(FrameKind.ProfileQuery, None),
        new(FrameKind.Profile, Document),
        new(FrameKind.CheckQuery, Document),
        new(FrameKind.Report, Document),
        new(FrameKind.DryRunQuery, Document),
        new(FrameKind.Status, None),
        new(FrameKind.MachineStatus, Medium),
        new(FrameKind.Describe, None),
        new(FrameKind.MachineReport, Document),
        new(FrameKind.OpenSource, None),
        new(FrameKind.OpenIncoming, None),
        new(FrameKind.SessionOpened, Small, MaxDescriptors: 1),
        new(FrameKind.CloseSession, None),
        new(FrameKind.GetMemory, Small),
        new(FrameKind.Memory, Small, MaxDescriptors: 32),
        new(FrameKind.Collect, Small),
        new(FrameKind.Collected, Small),
        new(FrameKind.Throttle, Small),
        new(FrameKind.Quiesce, None),
        new(FrameKind.Capture, None),
        new(FrameKind.Captured, Document),
        new(FrameKind.Unquiesce, None),
        new(FrameKind.Release, Small),
        new(FrameKind.Begin, Document),
        new(FrameKind.Execute, Document),
        new(FrameKind.Answers, Medium),
        new(FrameKind.Read, Medium),
        new(FrameKind.Values, Medium),
        new(FrameKind.StartMachine, Small),
        new(FrameKind.Pause, None),
        new(FrameKind.Resume, None),
        new(FrameKind.ResumeReleased, Small),
        new(FrameKind.Destroy, Small),
        new(FrameKind.InjectEvent, Small),
        new(FrameKind.SnapshotHead, Document),
        new(FrameKind.SnapshotState, Document),
        new(FrameKind.SnapshotIndex, Document),
        new(FrameKind.SnapshotEnd, Small),
    ];

    private static readonly FrozenDictionary<FrameKind, FrameRule> ByKind = All.ToFrozenDictionary(rule => rule.Kind);

    /// <summary>The law for a kind; false for one that this build does not know.</summary>
    public static bool TryFind(FrameKind kind, out FrameRule rule) => ByKind.TryGetValue(kind, out rule);

    /// <summary>The law for a kind that is in the table.</summary>
    public static FrameRule Of(FrameKind kind) => ByKind[kind];

    /// <summary>Name and number for messages: <c>hello (0x0201)</c>, or the number alone.</summary>
    public static string NameOf(FrameKind kind) => TryFind(kind, out var rule) ? $"{rule.Name} (0x{(ushort)kind:x4})" : $"0x{(ushort)kind:x4}";
}
