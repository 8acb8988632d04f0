namespace Migrate.Linux.Sockets;

/// <summary>A range of this process's memory to send; laid out as <c>struct iovec</c>.</summary>
/// <param name="Address">The first byte. The range must stay mapped until the send returns.</param>
/// <param name="Length">Bytes; may be 0.</param>
public readonly record struct IoVector(nint Address, nint Length);
