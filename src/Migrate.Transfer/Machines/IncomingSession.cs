using Migrate.Linux.Memory;
using Migrate.Model;
using Migrate.Model.Errors;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Ports;
using Migrate.Transfer.Pages;
using Migrate.Transfer.Wire;

namespace Migrate.Transfer.Machines;

/// <summary>The session in which an incoming machine is built: a plan is executed on it as on any other target.</summary>
/// <remarks>When the session ends before <see cref="Start"/>, the machine's process throws away what was built and waits for another.</remarks>
public sealed class IncomingSession : IRestoreTarget, IDisposable
{
    // Well below the limit of a frame, and large enough that a round trip costs nothing beside the work.
    private const int BatchBytes = 1 << 20;

    private readonly MachineClient _client;
    private MappedMemory? _memory;
    private bool _over;

    private IncomingSession(MachineClient client) => _client = client;

    /// <summary>Guest memory, mapped for reading and writing; to be asked for once every <see cref="MapMemory"/> step was executed.</summary>
    public MappedMemory Memory => _memory ??= SessionMemory.Fetch(_client, null, MappingAccess.ReadWrite);

    /// <summary>Begins to build the machine.</summary>
    public void BeginVm(VmDescription description) => _client.Tell(FrameKind.Begin, Model.Encoding.Documents.VmDescription, description);

    /// <inheritdoc/>
    /// <exception cref="MigrateException">The connection, not a step, failed: a refused step is an answer.</exception>
    public IReadOnlyList<StepAnswer> Execute(IReadOnlyList<RestoreStep> steps)
    {
        var answers = new List<StepAnswer>(steps.Count);
        for (var first = 0; first < steps.Count;)
        {
            var bytes = 0L;
            var end = first;
            while (end < steps.Count && end - first < MachineMessages.MaxBatch && (end == first || bytes + SizeOf(steps[end]) <= BatchBytes))
                bytes += SizeOf(steps[end++]);
            var batch = EquatableArray.Create<RestoreStep>([.. steps.Skip(first).Take(end - first)]);
            var reply = _client.Ask(FrameKind.Execute, MachineMessages.Steps, batch, FrameKind.Answers, MachineMessages.Answers);
            RequireCount(reply.Count, batch.Count);
            answers.AddRange(reply);
            first = end;
        }
        return answers;
    }

    /// <inheritdoc/>
    public IReadOnlyList<ReadAnswer> Read(IReadOnlyList<RegisterAddress> registers)
    {
        var answers = new List<ReadAnswer>(registers.Count);
        foreach (var chunk in registers.Chunk(MachineMessages.MaxBatch))
        {
            var reply = _client.Ask(FrameKind.Read, MachineMessages.Registers, chunk.ToEquatableArray(), FrameKind.Values, MachineMessages.Values);
            RequireCount(reply.Count, chunk.Length);
            answers.AddRange(reply);
        }
        return answers;
    }

    /// <summary>Starts the machine, at most once. An error that the machine's process answers to the first call means that it never runs under this id: it was destroyed
    /// (<see cref="ErrorCode.StepFailed"/>), or is thrown away when this session ends.</summary>
    /// <remarks>Where no answer comes, its status tells: running under this id, or no session and still to come, which is never.</remarks>
    public void Start(string handoverId) => _client.Tell(FrameKind.StartMachine, MachineMessages.Handover, handoverId);

    /// <summary>Ends the session; a machine that was not started is thrown away.</summary>
    public void Dispose()
    {
        if (_over) return;
        _over = true;
        SourceSession.Close(_client);
        _memory?.Dispose();
    }

    internal static IncomingSession Open(MachineClient client)
    {
        _ = client.Ask(FrameKind.OpenIncoming, FrameKind.SessionOpened, MachineMessages.SessionOpened);
        return new IncomingSession(client);
    }

    /// <summary>About how many bytes a step takes on the wire; only batches depend on it.</summary>
    private static long SizeOf(RestoreStep step) => 256 + step switch
    {
        WriteRegister write => write.Value.Size * 3 + write.Why.Length * 3L,
        LeaveOut left => left.Captured.Size + left.Why.Length * 3L,
        SetAttribute set => set.Attribute.Value.Count + set.Attribute.Name.Length * 3L,
        ConfigurePmu configure => configure.Attribute.Value.Count + configure.Attribute.Name.Length * 3L,
        WriteDevice device => device.Device.Attributes.Count * 64L,
        RestoreHandler handler => handler.State.State.Count,
        _ => 0L,
    };

    private void RequireCount(int answers, int asked)
    {
        if (answers == asked) return;
        _client.Abort();
        throw new MigrateException(ErrorCode.Protocol, $"{_client.Path} gave {answers} answers to {asked} questions");
    }
}
