namespace Migrate.Lab;

/// <summary>Something the lab needs is missing or failed; the message says what and what helps.</summary>
internal sealed class LabException(string message) : Exception(message);
