using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Migrate.LabGuest.Jobs;

/// <summary>Does a real QEMU migrate its VM from one host to the other, and what does it print? Its policy is predicted in the fast suite, from what this records.</summary>
internal static class QemuJob
{
    private const string File = "/tmp/qemu.migration";

    /// <summary>This host's stream, which every destination gets.</summary>
    private static byte[]? _stream;

    public static void Source(JobContext context) => context.Case("QEMU saves its VM", () =>
    {
        _stream ??= Save(context);
        using var client = new TcpClient();
        client.Connect(context.Peer);
        using var writer = new BinaryWriter(client.GetStream(), Encoding.UTF8);
        writer.Write(context.Host);
        writer.Write(_stream.Length);
        writer.Write(_stream);
    });

    public static void Destination(JobContext context)
    {
        using var listener = new TcpListener(IPAddress.Any, PairJob.Port);
        listener.Start();
        context.Listening();
        using var client = listener.AcceptTcpClient();
        using var reader = new BinaryReader(client.GetStream(), Encoding.UTF8);
        var source = reader.ReadString();
        System.IO.File.WriteAllBytes(File, reader.ReadBytes(reader.ReadInt32()));
        context.Case($"QEMU takes the VM of {source}, or says why not", () =>
        {
            using var qemu = new NativeQemu("-incoming", $"exec:cat {File}");
            // It ends by itself when it cannot load.
            var status = qemu.Await("query-status", "inmigrate");
            if (status is not null) qemu.Ask("quit");
            var lines = qemu.Errors().Select(line => line.TrimEnd().Replace("qemu-system-aarch64: ", "", StringComparison.Ordinal)).ToList();
            CheckFailedException.That(status is not null || lines.Count > 0, "it ended without a word");
            var outcome = status is null ? "fails" : "passes";
            context.Note($"{source} -> {context.Host}: {outcome}{string.Concat(lines.Select(line => $"\n    {line}"))}");
            context.Answer("qemu.txt", string.Concat(lines.Prepend(outcome).Select(line => line + "\n")));
        });
    }

    private static byte[] Save(JobContext context)
    {
        using var qemu = new NativeQemu();
        if (qemu.Version is null) throw new CheckFailedException(string.Join('\n', qemu.Errors()));
        qemu.Ask("migrate", $$"""{"uri":"exec:cat > {{File}}"}""");
        var status = qemu.Await("query-migrate", "", "setup", "active", "device", "pre-switchover");
        if (status != "completed")
            throw new CheckFailedException(status is null ? string.Join('\n', qemu.Errors()) : $"{status}: {qemu.Ask("query-migrate")}");
        var stream = System.IO.File.ReadAllBytes(File);
        context.Note($"QEMU {qemu.Version} saved {stream.Length} bytes");
        return stream;
    }
}
