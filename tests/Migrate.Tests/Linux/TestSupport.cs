using System.Net;
using Migrate.Linux.Sockets;

namespace Migrate.Tests.Linux;

/// <summary>A directory of its own for one test, gone afterwards.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("mig-").FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

internal static class TestSupport
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public static (TcpConnection Client, TcpConnection Server) TcpPair()
    {
        using var listener = TcpListenerSocket.Listen(new IPEndPoint(IPAddress.Loopback, 0));
        var client = TcpConnection.Connect("127.0.0.1", listener.LocalEndPoint.Port, Patience);
        return (client, listener.Accept(Patience)!);
    }

    /// <summary>How many descriptors of this process lead to a memfd of this name; other tests run beside, so a plain count says nothing.</summary>
    public static int OpenDescriptors(string memoryName) =>
        new DirectoryInfo("/proc/self/fd").EnumerateFileSystemInfos()
            .Count(entry => entry.LinkTarget?.StartsWith($"/memfd:{memoryName} ", StringComparison.Ordinal) == true);

    public static byte[] Pattern(int length, int seed)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

}

/// <summary>Work on a thread of its own, for calls that block.</summary>
internal sealed class Worker
{
    private readonly Thread _thread;
    private Exception? _error;

    public Worker(Action work)
    {
        _thread = new Thread(() => _error = Record.Exception(work)) { IsBackground = true };
        _thread.Start();
    }

    /// <summary>What the work threw; it must have ended within the tests' patience.</summary>
    public Exception? Outcome()
    {
        Assert.True(_thread.Join(TestSupport.Patience), "the call still blocks");
        return _error;
    }
}
