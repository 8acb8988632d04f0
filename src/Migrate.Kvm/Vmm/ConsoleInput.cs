namespace Migrate.Kvm.Vmm;

/// <summary>What is typed for a guest: between whoever types and the machine's UART, which takes it while the machine runs.</summary>
public sealed class ConsoleInput
{
    /// <summary>Delivers one after the other what the UART takes a piece of at a time.</summary>
    internal delegate int Receiver(ReadOnlySpan<byte> characters);

    /// <summary>How long the sender waits when nothing was taken: the guest was not asked to be told when it reads.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    private volatile Receiver? _receiver;

    /// <summary>Sends as many characters as are taken now; none before there is a machine, while it stands still, and after it has left.</summary>
    /// <returns>How many.</returns>
    public int TrySend(ReadOnlySpan<byte> characters) => _receiver?.Invoke(characters) ?? 0;

    /// <summary>Sends all of them, however long that takes.</summary>
    /// <exception cref="OperationCanceledException">Nobody waits any more.</exception>
    public void Send(ReadOnlySpan<byte> characters, CancellationToken cancel)
    {
        while (!characters.IsEmpty)
        {
            var taken = TrySend(characters);
            characters = characters[taken..];
            if (taken == 0 && cancel.WaitHandle.WaitOne(Pause)) cancel.ThrowIfCancellationRequested();
        }
    }

    internal void Connect(Receiver receiver) => _receiver = receiver;
}
