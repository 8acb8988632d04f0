using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Migrate.Kvm.Handles;
using Migrate.Kvm.State;
using Migrate.Model.Encoding;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;

namespace Migrate.LabGuest.Jobs;

/// <summary>
/// The baseline of two hosts alone, also where a pool of many keeps them apart: the VM that the one creates of it is restored on the other without a
/// difference. Two that no baseline serves say why.
/// </summary>
internal static class PairBaselineJob
{
    private const int Longest = 64 << 20;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    public static void Destination(JobContext context)
    {
        var profile = MeasuredHost.Report().Profile;
        using var system = KvmSystem.Open();
        var scratch = new KvmScratchHost(system);
        using var listener = new TcpListener(IPAddress.Any, PairJob.Port);
        listener.Start();
        context.Listening();
        using var client = listener.AcceptTcpClient();
        client.ReceiveTimeout = client.SendTimeout = (int)Patience.TotalMilliseconds;
        var stream = client.GetStream();
        Send(stream, Encoding.UTF8.GetBytes(context.Host));
        Send(stream, MessagePackEncoding.Encode(Documents.HostProfile, profile));
        var there = (HostProfile)DocumentFile.Read(Receive(stream), "the source's profile").Value;
        for (byte[] bytes; (bytes = Receive(stream)).Length > 0;)
        {
            var state = (MachineState)DocumentFile.Read(bytes, "a state").Value;
            context.Case($"{state.Vm.Name}: restored without a difference", () =>
                context.Note($"{state.Vm.Name}: {Restored.WithoutDifference(state, profile, there, scratch)}"));
            Send(stream, [1]);
        }
    }

    public static void Source(JobContext context)
    {
        var profile = MeasuredHost.Report().Profile;
        using var system = KvmSystem.Open();
        using var client = new TcpClient();
        client.ReceiveTimeout = client.SendTimeout = (int)Patience.TotalMilliseconds;
        client.Connect(context.Peer);
        var stream = client.GetStream();
        var name = Encoding.UTF8.GetString(Receive(stream));
        var there = (HostProfile)DocumentFile.Read(Receive(stream), "the destination's profile").Value;
        Send(stream, MessagePackEncoding.Encode(Documents.HostProfile, profile));
        context.Case($"a baseline with {name}, or the proof that there is none", () =>
        {
            var baseline = LabBaseline.OfPair(context.Host, profile, name, there);
            if (baseline.Pool.Hosts.Count == 2)
            {
                foreach (var state in new[] { baseline.CaptureNew(system), baseline.CaptureRan(system) })
                {
                    Send(stream, MessagePackEncoding.Encode(Documents.MachineState, state with { Vm = state.Vm with { Name = $"{state.Vm.VcpuCount} vCPUs of {context.Host}" } }));
                    CheckFailedException.Equal(1, Receive(stream).Length, "bytes of an answer");
                }
                return;
            }
            CheckFailedException.That(baseline.Report.Proofs.Count > 0, "there is neither");
            foreach (var proof in baseline.Report.Proofs) context.Note($"none with {name}: {proof.Features?.ToString() ?? "whatever features"}: {proof.Subject}, {proof.Witness.Source} -> {proof.Witness.Destination}: {proof.Witness.Reason}");
        });
        Send(stream, []);
    }

    private static void Send(NetworkStream stream, ReadOnlySpan<byte> bytes)
    {
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        stream.Write(length);
        stream.Write(bytes);
    }

    private static byte[] Receive(NetworkStream stream)
    {
        Span<byte> length = stackalloc byte[4];
        stream.ReadExactly(length);
        var bytes = new byte[Math.Clamp(BinaryPrimitives.ReadInt32LittleEndian(length), 0, Longest)];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
