using System.Runtime.InteropServices;
using Migrate.Linux;
using Migrate.Linux.Sockets;
using Migrate.Transfer.Wire;

namespace Migrate.Tests.Transfer.Wire;

/// <summary>Two byte streams in memory, each the other's peer.</summary>
internal static class MemoryDuplex
{
    public static (MemoryByteStream First, MemoryByteStream Second) Create()
    {
        var (there, back) = (new MemoryPipe(), new MemoryPipe());
        return (new MemoryByteStream("the second", back, there), new MemoryByteStream("the first", there, back));
    }
}

/// <summary>Bytes one way, without a bound.</summary>
internal sealed class MemoryPipe
{
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _changed = new(0);
    private readonly Queue<byte> _bytes = [];
    private bool _ended;

    public void Write(ReadOnlySpan<byte> bytes, string peer)
    {
        lock (_gate)
        {
            if (_ended) throw new PeerLostException(peer, "it closed the connection", 0, bytes.Length);
            foreach (var b in bytes) _bytes.Enqueue(b);
        }
        _changed.Release();
    }

    public void End()
    {
        lock (_gate) _ended = true;
        _changed.Release();
    }

    public void ReadExactly(Span<byte> buffer, string peer, TimeSpan timeout)
    {
        for (var done = 0; done < buffer.Length;)
        {
            lock (_gate)
            {
                while (done < buffer.Length && _bytes.TryDequeue(out var next)) buffer[done++] = next;
                if (done == buffer.Length) return;
                if (_ended) throw new PeerLostException(peer, "it closed the connection", done, buffer.Length);
            }
            if (!_changed.Wait(timeout)) throw new PeerTimedOutException(peer, "sent", timeout, done, buffer.Length);
        }
    }
}

internal sealed unsafe class MemoryByteStream(string name, MemoryPipe input, MemoryPipe output) : IByteStream
{
    public string Name => name;

    public TimeSpan IdleTimeout { get; set; } = Timeout.InfiniteTimeSpan;

    public void Write(ReadOnlySpan<byte> bytes) => output.Write(bytes, name);

    public void WriteVector(ReadOnlySpan<IoVector> vectors)
    {
        foreach (var vector in vectors) Write(new ReadOnlySpan<byte>((void*)vector.Address, (int)vector.Length));
    }

    public void ReadExactly(Span<byte> buffer) => input.ReadExactly(buffer, name, IdleTimeout);

    public void ReadExactly(byte* pointer, nint length) => ReadExactly(new Span<byte>(pointer, (int)length));

    public void Abort()
    {
        input.End();
        output.End();
    }

    public void Dispose() => Abort();
}

/// <summary>A peer that said all it will ever say; what is written to it is kept.</summary>
internal unsafe class ScriptedStream(byte[] script) : IByteStream
{
    private readonly List<byte> _written = [];

    public string Name => "the script";

    public TimeSpan IdleTimeout { get; set; }

    public int Position { get; private set; }

    public bool IsClosed { get; private set; }

    public byte[] Written => [.. _written];

    public void Write(ReadOnlySpan<byte> bytes) => _written.AddRange(bytes);

    public void WriteVector(ReadOnlySpan<IoVector> vectors)
    {
        foreach (var vector in vectors) Write(new ReadOnlySpan<byte>((void*)vector.Address, (int)vector.Length));
    }

    public void ReadExactly(Span<byte> buffer)
    {
        var there = Math.Min(buffer.Length, script.Length - Position);
        script.AsSpan(Position, there).CopyTo(buffer);
        Position += there;
        if (there < buffer.Length) throw new PeerLostException(Name, "it closed the connection", there, buffer.Length);
    }

    public void ReadExactly(byte* pointer, nint length) => ReadExactly(new Span<byte>(pointer, (int)length));

    public void Abort() => IsClosed = true;

    public void Dispose() => IsClosed = true;
}

/// <summary>The same as a Unix socket: descriptors go nowhere, and none ever come.</summary>
internal sealed class ScriptedSocket(byte[] script) : ScriptedStream(script), IDescriptorStream
{
    public void Write(ReadOnlySpan<byte> bytes, ReadOnlySpan<SafeHandle> descriptors) => Write(bytes);

    public int ReadExactly(Span<byte> buffer, Span<FileDescriptor?> descriptors)
    {
        ReadExactly(buffer);
        return 0;
    }
}

/// <summary>Takes everything and keeps nothing, without allocating.</summary>
internal sealed unsafe class CountingStream : IByteStream
{
    public string Name => "the counter";

    public TimeSpan IdleTimeout { get; set; }

    public long Bytes { get; private set; }

    public void Write(ReadOnlySpan<byte> bytes) => Bytes += bytes.Length;

    public void WriteVector(ReadOnlySpan<IoVector> vectors)
    {
        foreach (var vector in vectors) Bytes += vector.Length;
    }

    public void ReadExactly(Span<byte> buffer) => throw new NotSupportedException();

    public void ReadExactly(byte* pointer, nint length) => throw new NotSupportedException();

    public void Abort()
    {
    }

    public void Dispose()
    {
    }
}
