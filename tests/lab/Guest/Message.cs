namespace Migrate.LabGuest;

/// <summary>One message between the lab and the agent that runs its jobs.</summary>
public sealed record Message(MessageKind Kind, string Name = "", string Text = "", ReadOnlyMemory<byte> Payload = default);
