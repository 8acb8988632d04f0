using Migrate.Model.Errors;

namespace Migrate.Transfer.Conformance.Checks;

/// <summary>Events for the guest. Whether one is delivered, only a guest that registered it knows.</summary>
internal static class EventChecks
{
    /// <summary>What no guest can register: bit 31 of an event's number is 0 (Arm DEN 0054, parameter event of SDEI_EVENT_REGISTER).</summary>
    public const uint NoEvent = uint.MaxValue;

    public static void Unknown(Bench bench)
    {
        var client = bench.Source.Connect();
        Subject.Refused(ErrorCode.NotFound, "inject-event of an event that no guest can register", () => client.InjectEvent(0, NoEvent), or: ErrorCode.Unsupported);
    }
}
