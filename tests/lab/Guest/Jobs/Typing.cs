using Migrate.Kvm.Vmm;
using Migrate.LabGuest.Programs;

namespace Migrate.LabGuest.Jobs;

/// <summary>Types one character after the other for a <see cref="Traveller"/>, as fast as its UART takes them, until it is disposed.</summary>
/// <param name="input">The machine's console.</param>
internal sealed class Typing(ConsoleInput input) : IDisposable
{
    private readonly CancellationTokenSource _end = new();
    private Thread? _thread;

    /// <summary>The character that must follow.</summary>
    public static byte After(ulong last) => (byte)((last + 1) % Traveller.Characters);

    /// <summary>From now on.</summary>
    public void Start()
    {
        _thread = new Thread(Type) { IsBackground = true };
        _thread.Start();
    }

    /// <summary>Nothing is taken any more when this returns.</summary>
    public void Dispose()
    {
        _end.Cancel();
        _thread?.Join();
        _end.Dispose();
    }

    private void Type()
    {
        byte last = 0;
        while (!_end.IsCancellationRequested)
        {
            if (input.TrySend([After(last)]) == 1) last = After(last);
            else _end.Token.WaitHandle.WaitOne(1);
        }
    }
}
