using System.Net;
using System.Text;

namespace Migrate.LabGuest.Jobs;

/// <summary>What a job sees: its inputs, and where its results go.</summary>
public sealed class JobContext(IReadOnlyDictionary<string, ReadOnlyMemory<byte>> inputs, Action<Message> report)
{
    /// <summary>The input that names the other host of a pair job, as ADDRESS:PORT.</summary>
    public const string PeerInput = "peer";

    /// <summary>The input that names the host itself, as KERNEL.CPU.</summary>
    public const string HostInput = "host";

    /// <summary>What the lab calls this host.</summary>
    public string Host => Encoding.UTF8.GetString(inputs[HostInput].Span);

    /// <summary>Files the lab sent with the job, by name.</summary>
    public IReadOnlyDictionary<string, ReadOnlyMemory<byte>> Inputs => inputs;

    /// <summary>Runs one case: it passes unless the body throws.</summary>
    /// <returns>Whether it passed.</returns>
    public bool Case(string name, Action body)
    {
        try
        {
            body();
            report(new Message(MessageKind.Case, name));
            return true;
        }
        catch (Exception failure)
        {
            var text = failure is CheckFailedException ? failure.Message : failure.ToString();
            report(new Message(MessageKind.Case, name, text));
            return false;
        }
    }

    /// <summary>Records what the kernel answered. Nothing that changes from boot to boot belongs into it.</summary>
    public void Answer(string file, string text) => Answer(file, Encoding.UTF8.GetBytes(text));

    /// <inheritdoc cref="Answer(string, string)"/>
    public void Answer(string file, ReadOnlyMemory<byte> content) =>
        report(new Message(MessageKind.Answer, file, "", content));

    /// <summary>Says that the state of another host was tried on this one.</summary>
    public void Pair(string source) => report(new Message(MessageKind.Pair, source));

    /// <summary>In a pair job: the destination's address.</summary>
    /// <exception cref="CheckFailedException">This is no source of a pair job.</exception>
    public IPEndPoint Peer => inputs.TryGetValue(PeerInput, out var text)
        ? IPEndPoint.Parse(Encoding.UTF8.GetString(text.Span))
        : throw new CheckFailedException("the lab named no peer");

    /// <summary>In a pair job: lets the source begin.</summary>
    public void Listening() => report(new Message(MessageKind.Listening));

    /// <summary>Tells the reader of the run something.</summary>
    public void Note(string text) => report(new Message(MessageKind.Note, "", text));
}
