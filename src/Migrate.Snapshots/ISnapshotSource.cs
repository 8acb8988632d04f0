using Migrate.Model.Machines;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Pages;

namespace Migrate.Snapshots;

/// <summary>A machine that a snapshot is taken of.</summary>
public interface ISnapshotSource
{
    /// <summary>Guest memory, mapped for reading.</summary>
    MappedMemory Memory { get; }

    /// <summary>Bytes of a page: 4, 16 or 64 KiB.</summary>
    int PageSize { get; }

    /// <summary>Stops the machine; nothing writes its memory afterwards.</summary>
    void Quiesce();

    /// <summary>The state of the stopped machine.</summary>
    MachineState Capture();

    /// <summary>Lets the machine run on if it ran before.</summary>
    void Resume();
}

/// <summary>The source session of a machine socket as a snapshot's source.</summary>
/// <param name="session">It stays the caller's. Should this process die, its end lets the machine run on.</param>
public sealed class SessionSource(SourceSession session) : ISnapshotSource
{
    /// <inheritdoc/>
    public MappedMemory Memory => session.Memory;

    /// <inheritdoc/>
    public int PageSize => session.PageSize;

    /// <inheritdoc/>
    public void Quiesce() => session.Quiesce();

    /// <inheritdoc/>
    public MachineState Capture() => session.Capture();

    /// <inheritdoc/>
    public void Resume() => session.Resume();
}
