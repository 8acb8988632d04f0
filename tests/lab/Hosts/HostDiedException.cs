namespace Migrate.Lab.Hosts;

/// <summary>A host went away or kept silent too long; the message ends with what its console said last.</summary>
internal sealed class HostDiedException(string message) : Exception(message);
