namespace Migrate.LabGuest.Jobs;

/// <summary>Something two hosts do together, over TCP.</summary>
/// <param name="Name">What `--jobs` calls it.</param>
/// <param name="Limit">How long it may take on emulated hosts.</param>
/// <param name="Destination">Listens on <see cref="Port"/>, says <see cref="JobContext.Listening"/>, answers.</param>
/// <param name="Source">Starts when the destination listens; connects to <see cref="JobContext.Peer"/>.</param>
public sealed record PairJob(string Name, TimeSpan Limit, Action<JobContext> Destination, Action<JobContext> Source)
{
    /// <summary>The port on which a destination listens.</summary>
    public const int Port = 7000;

    /// <summary>Whether it runs only where `--jobs` names it: it takes long, or needs what other runs need not fetch.</summary>
    public bool OnRequest { get; init; }

    /// <summary>Whether the hosts' image must hold their own kernel and a RAM disk for a guest: see <see cref="LinuxGuest"/>.</summary>
    public bool NeedsLinux { get; init; }

    /// <summary>Whether the hosts' image must hold a QEMU of their own: see <see cref="NativeQemu"/>.</summary>
    public bool NeedsQemu { get; init; }

    /// <summary>The destination's half, as the agent knows it.</summary>
    public LabJob DestinationHalf => new($"{Name}/destination", Limit, Destination);

    /// <summary>The source's half, as the agent knows it.</summary>
    public LabJob SourceHalf => new($"{Name}/source", Limit, Source);
}
