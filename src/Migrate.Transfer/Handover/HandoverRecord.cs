using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Transfer.Receive;
using Migrate.Transfer.Send;

namespace Migrate.Transfer.Handover;

/// <summary>What one side durably knows of one handover.</summary>
/// <typeparam name="TMark"><see cref="SourceMark"/> or <see cref="DestinationMark"/>.</typeparam>
public sealed record HandoverRecord<TMark>
    where TMark : struct, Enum
{
    /// <summary>The handover's id.</summary>
    public required string Id { get; init; }

    /// <summary>How far it went.</summary>
    public required TMark Mark { get; init; }

    /// <summary>Identity of the VM; empty where an agent answered <c>never</c> for an id that it had not heard of.</summary>
    public string VmId { get; init; } = "";

    /// <summary>Name of the VM, for people.</summary>
    public string VmName { get; init; } = "";

    /// <summary>Path of this side's machine socket.</summary>
    public string MachineSocket { get; init; } = "";

    /// <summary>Process id of the VMM behind the machine socket: another process at the same path proves nothing. 0 where there is none.</summary>
    public int MachinePid { get; init; }

    /// <summary>HOST:PORT of the agent.</summary>
    public string AgentAddress { get; init; } = "";

    /// <summary>Identity of the agent.</summary>
    public string AgentId { get; init; } = "";

    /// <summary>When it was written, ISO 8601 in UTC.</summary>
    public required string Time { get; init; }
}

/// <summary>How records are written.</summary>
public static class HandoverRecords
{
    /// <summary>The source's.</summary>
    public static Shape<HandoverRecord<SourceMark>> Source { get; } =
        Make<SourceMark>("vmmigrate/handover-source/1", "SourceHandoverRecord", "What the source durably knows of a handover.");

    /// <summary>The destination's.</summary>
    public static Shape<HandoverRecord<DestinationMark>> Destination { get; } =
        Make<DestinationMark>("vmmigrate/handover-destination/1", "DestinationHandoverRecord", "What the destination durably knows of a handover.");

    private static Shape<HandoverRecord<TMark>> Make<TMark>(string schemaId, string title, string description)
        where TMark : struct, Enum
    {
        var record = new RecordShape<HandoverRecord<TMark>>(title, description);
        var schema = record.Required("schema", Shapes.TextUpTo(64), _ => schemaId, "Which document this is.");
        var id = record.Required("id", HandoverId.Shape, r => r.Id, "The handover's id.");
        var mark = record.Required("state", Shapes.Enum<TMark>(), r => r.Mark, "How far it went.");
        var vmId = record.Optional("vmId", Shapes.Text, r => r.VmId, "", "Identity of the VM.");
        var vmName = record.Optional("vmName", Shapes.Text, r => r.VmName, "", "Name of the VM.");
        var socket = record.Optional("machineSocket", Shapes.Text, r => r.MachineSocket, "", "This side's machine socket.");
        var pid = record.Optional("machinePid", Shapes.Int32, r => r.MachinePid, 0, "Process id of the VMM behind it.");
        var address = record.Optional("agentAddress", Shapes.Text, r => r.AgentAddress, "", "HOST:PORT of the agent.");
        var agent = record.Optional("agentId", HandoverId.Shape, r => r.AgentId, "", "Identity of the agent.");
        var time = record.Required("time", Shapes.TextUpTo(64), r => r.Time, "When it was written, ISO 8601 in UTC.");
        record.Rule(r => HandoverId.IsValid(r.Id) ? null : "the id is not 32 lowercase hexadecimal digits");
        return record.Build(v => new HandoverRecord<TMark>
        {
            Id = v.Get(schema) == schemaId ? v.Get(id) : throw new MigrateException(ErrorCode.Unsupported, $"the schema is '{v.Get(schema)}', wanted is '{schemaId}'"),
            Mark = v.Get(mark),
            VmId = v.Get(vmId),
            VmName = v.Get(vmName),
            MachineSocket = v.Get(socket),
            MachinePid = v.Get(pid),
            AgentAddress = v.Get(address),
            AgentId = v.Get(agent),
            Time = v.Get(time),
        });
    }
}
