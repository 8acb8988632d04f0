namespace Migrate.Model.Errors;

/// <summary>Stable error codes. The kebab-case form of a name is what <c>--json</c> prints; numbers never change and are on the wire.</summary>
public enum ErrorCode
{
    /// <summary>No code: never raised.</summary>
    None = 0,

    /// <summary>A command line that does not parse.</summary>
    Usage = 1,

    /// <summary>A file or name that is not there or cannot be read.</summary>
    NotFound = 2,

    /// <summary>A document, stream or file that is not what it claims to be.</summary>
    Malformed = 3,

    /// <summary>A document of a format version or kind that this build does not read.</summary>
    Unsupported = 4,

    /// <summary>A bound was exceeded: length, count, depth or size.</summary>
    TooLarge = 5,

    /// <summary>A host profile of another boot, or of another host.</summary>
    Stale = 6,

    /// <summary>A peer could not be reached; nothing was started.</summary>
    Unreachable = 10,

    /// <summary>A peer went away or the connection broke.</summary>
    PeerLost = 11,

    /// <summary>A peer did not answer in time.</summary>
    TimedOut = 12,

    /// <summary>A peer broke the protocol.</summary>
    Protocol = 13,

    /// <summary>A peer or file without the permission needed.</summary>
    Denied = 14,

    /// <summary>The plan says no.</summary>
    Refused = 20,

    /// <summary>A plan step was answered otherwise than planned.</summary>
    StepFailed = 21,

    /// <summary>The read-back after a restore differs from what was planned.</summary>
    ReadBackDiffers = 22,

    /// <summary>The pages changed faster than they could be sent within the limits given.</summary>
    NotConverging = 30,

    /// <summary>The operator cancelled.</summary>
    Cancelled = 31,

    /// <summary>Something is already in use by another session.</summary>
    Busy = 32,

    /// <summary>The machine is in a state that does not allow the request.</summary>
    WrongState = 33,

    /// <summary>Which side runs the VM cannot be proven; see <c>vmmigrate resolve</c>.</summary>
    OutcomeUnknown = 40,

    /// <summary>The operating system refused a call.</summary>
    System = 50,
}

/// <summary>The printed form of an <see cref="ErrorCode"/>.</summary>
public static class ErrorCodes
{
    /// <summary>Kebab-case name: <c>NotConverging</c> is <c>not-converging</c>.</summary>
    public static string Text(this ErrorCode code) => KebabCase.Of(code.ToString());
}
