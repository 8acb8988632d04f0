namespace Migrate.Transfer.Machines;

/// <summary>Where a served machine stands. The numbers are on the wire; <see cref="Lifecycle"/> says what is allowed in each.</summary>
public enum LifecycleState
{
    /// <summary>Waits for a machine to be built; there is none yet.</summary>
    Incoming = 1,

    /// <summary>Being built: what is frozen at first run is written.</summary>
    Prepared = 2,

    /// <summary>Mutable state is written too; it has never run.</summary>
    Applied = 3,

    /// <summary>Stopped by the operator.</summary>
    Paused = 4,

    /// <summary>Runs.</summary>
    Running = 5,

    /// <summary>A source session is open and its writes are logged.</summary>
    Logging = 6,

    /// <summary>Stopped by a source session.</summary>
    Quiesced = 7,

    /// <summary>Given away under a handover id: never runs again without that id.</summary>
    Released = 8,

    /// <summary>Gone; the process ends.</summary>
    Destroyed = 9,
}
