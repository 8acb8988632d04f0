using Migrate.Model.Errors;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Pages;
using Migrate.Transfer.Wire;

namespace Migrate.Transfer.Conformance.Checks;

/// <summary>The dirty bitmap: what is marked, until when, and under which number.</summary>
internal static class DirtyChecks
{
    public static void CleanStart(Bench bench)
    {
        bench.Source.Connect().Pause();
        var collected = bench.Source.OpenSource().Collect();
        if (collected.Bits.Count > 0) throw new BrokenPromiseException($"{collected.Bits.Count} pages of a paused machine are marked in its first collection");
    }

    /// <summary>Content is compared, not believed: a page that differs between two readings was written between them, and both readings lie between collections.</summary>
    public static void Complete(Bench bench)
    {
        var session = bench.Source.OpenSource();
        session.CollectWrites(bench.Source.Options.Activity);
        var before = session.Hash();
        // One collection while it runs, one after the stop, one after the reading: what is written late must be marked, too, if it is written at all.
        bench.Source.Watch();
        var marks = session.Collect().Bits;
        bench.Source.Watch();
        session.Quiesce();
        Unite(marks, session.Collect().Bits);
        var after = session.Hash();
        Unite(marks, session.Collect().Bits);
        var changed = after.Changed(before).ToList();
        if (changed.Count == 0) throw new NotTriedException("no page changed its content while the guest was watched");
        var lost = changed.FindAll(c => !IsMarked(marks, c.Slot, c.Page));
        if (lost.Count > 0)
            throw new BrokenPromiseException($"{lost.Count} of {changed.Count} pages that changed are not marked, the first being page {lost[0].Page} of memory slot index {lost[0].Slot}");
    }

    public static void Again(Bench bench)
    {
        var session = bench.Source.OpenSource();
        var first = session.CollectWrites(bench.Source.Options.Activity);
        var second = session.Collect(first.Epoch - 1);
        if (!Contains(second.Bits, first.Bits))
            throw new BrokenPromiseException($"pages that collection {first.Epoch} marked, which was not consumed, are not marked in collection {second.Epoch}");
    }

    public static void Consumed(Bench bench)
    {
        var session = bench.Source.OpenSource();
        session.CollectWrites(bench.Source.Options.Activity);
        // Let it write some more, so that the last collection holds several pages of a machine that then stands still.
        bench.Source.Watch();
        session.Quiesce();
        var last = session.Collect();
        if (last.Bits.Count < 2) throw new NotTriedException("the guest wrote less than two pages while it was watched");
        var next = session.Collect();
        if (Contains(next.Bits, last.Bits))
            throw new BrokenPromiseException($"all {last.Bits.Count} pages of collection {last.Epoch} are marked again, though it was consumed and the machine stands still");
    }

    public static void Number(Bench bench)
    {
        var session = bench.Source.OpenSource();
        Refused(session, 1);
        Refused(session, -1);
        session.Collect();
        session.Collect();
        session.Collect();
        Refused(session, 1);
        Refused(session, 4);
    }

    public static void Epoch(Bench bench)
    {
        for (var opening = 0; opening < 2; opening++)
        {
            var session = bench.Source.OpenSource();
            for (var expected = 1; expected <= 3; expected++)
            {
                var collected = session.Collect();
                if (collected.Epoch != expected) throw new BrokenPromiseException($"collection {expected} of a session was answered as {collected.Epoch}");
                if (collected.Pages != collected.Bits.Count)
                    throw new BrokenPromiseException($"collection {expected} was answered with {collected.Pages} pages; {collected.Bits.Count} bits are set");
            }
            session.Close();
            session.Die();
        }
    }

    public static void Throttle(Bench bench)
    {
        var session = bench.Source.OpenSource();
        foreach (var percent in new[] { 0, 50, 99 }) session.Client.Tell(FrameKind.Throttle, MachineMessages.Percent, percent);
        foreach (var percent in new[] { -1, 100 })
            Subject.Refused(ErrorCode.Protocol, $"a throttle of {percent} percent", () => session.Client.Tell(FrameKind.Throttle, MachineMessages.Percent, percent));
    }

    private static void Refused(LoggedSession session, long consumed) =>
        Subject.Refused(ErrorCode.Protocol, $"a collect that names epoch {consumed} as consumed", () => session.Collect(consumed));

    private static bool IsMarked(DirtyBitmap marks, int slot, long page) => (marks.Slot(slot)[(int)(page / 64)] >> (int)(page % 64) & 1) != 0;

    private static bool Contains(DirtyBitmap whole, DirtyBitmap part)
    {
        for (var i = 0; i < part.Words.Length; i++)
            if ((part.Words[i] & ~whole.Words[i]) != 0) return false;
        return true;
    }

    private static void Unite(DirtyBitmap marks, DirtyBitmap more)
    {
        for (var i = 0; i < marks.Words.Length; i++) marks.Words[i] |= more.Words[i];
    }
}
