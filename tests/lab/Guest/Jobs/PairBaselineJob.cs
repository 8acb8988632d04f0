using System.Net;
using System.Net.Sockets;
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
        using var channel = new Channel(client.GetStream());
        channel.Send(Of(context.Host, profile));
        var there = (HostProfile)Document(channel.Receive());
        for (Message message; (message = channel.Receive()).Kind != MessageKind.Stop;)
        {
            var state = (MachineState)Document(message);
            context.Case($"{state.Vm.Name}: restored without a difference", () =>
                context.Note($"{state.Vm.Name}: {Restored.WithoutDifference(state, profile, there, scratch)}"));
            channel.Send(new Message(MessageKind.Done));
        }
    }

    public static void Source(JobContext context)
    {
        var profile = MeasuredHost.Report().Profile;
        using var system = KvmSystem.Open();
        using var client = new TcpClient();
        client.ReceiveTimeout = client.SendTimeout = (int)Patience.TotalMilliseconds;
        client.Connect(context.Peer);
        using var channel = new Channel(client.GetStream());
        var answer = channel.Receive();
        var (name, there) = (answer.Name, (HostProfile)Document(answer));
        channel.Send(Of(context.Host, profile));
        context.Case($"a baseline with {name}, or the proof that there is none", () =>
        {
            var baseline = LabBaseline.OfPair(context.Host, profile, name, there);
            if (baseline.Pool.Hosts.Count == 2)
            {
                foreach (var state in new[] { baseline.CaptureNew(system), baseline.CaptureRan(system) })
                {
                    var named = state with { Vm = state.Vm with { Name = $"{state.Vm.VcpuCount} vCPUs of {context.Host}" } };
                    channel.Send(new Message(MessageKind.Input, named.Vm.Name, "", MessagePackEncoding.Encode(Documents.MachineState, named)));
                    CheckFailedException.Equal(MessageKind.Done, channel.Receive().Kind, "answer");
                }
                return;
            }
            CheckFailedException.That(baseline.Report.Proofs.Count > 0, "there is neither");
            foreach (var proof in baseline.Report.Proofs) context.Note($"none with {name}: {proof.Features?.ToString() ?? "whatever features"}: {proof.Subject}, {proof.Witness.Source} -> {proof.Witness.Destination}: {proof.Witness.Reason}");
        });
        channel.Send(new Message(MessageKind.Stop));
    }

    private static Message Of(string host, HostProfile profile) => new(MessageKind.Input, host, "", MessagePackEncoding.Encode(Documents.HostProfile, profile));

    private static object Document(Message message) => DocumentFile.Read(message.Payload.Span, message.Name).Value;
}
