namespace Migrate.Service.Hosting;

/// <summary>Every bound of the service in one place.</summary>
internal sealed record ServiceLimits
{
    /// <summary>Bytes of a request's body. A state of 512 vCPUs fits.</summary>
    public long BodyBytes { get; init; } = 16 << 20;

    /// <summary>Checks that are read or answered at once; each holds at most its body and its report.</summary>
    public int InFlight { get; init; } = 8;

    /// <summary>Connections at once; more wait for the kernel's backlog to reject them.</summary>
    public int Connections { get; init; } = 128;

    /// <summary>How long a request's headers may take.</summary>
    public TimeSpan Headers { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a whole body may take.</summary>
    public TimeSpan Body { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How long a check may take before the caller is told to give up.</summary>
    public TimeSpan Work { get; init; } = TimeSpan.FromSeconds(30);
}
