namespace Migrate.Lab.Hosts;

/// <summary>What a host printed: the last lines in memory, everything in a file.</summary>
internal sealed class ConsoleLog(string file) : IDisposable
{
    private const int Kept = 40;
    private readonly Queue<string> _last = new();
    private readonly StreamWriter _writer = new(file) { AutoFlush = true };
    private bool _closed;

    public void Add(string? line)
    {
        if (line is null)
            return;
        lock (_last)
        {
            if (_closed)
                return;
            var text = line.TrimEnd('\r');
            _last.Enqueue(text);
            if (_last.Count > Kept)
                _last.Dequeue();
            _writer.WriteLine(text);
        }
    }

    public string Last()
    {
        lock (_last)
            return string.Join('\n', _last.Select(line => "    | " + line));
    }

    public void Dispose()
    {
        lock (_last)
        {
            _closed = true;
            _writer.Dispose();
        }
    }
}
