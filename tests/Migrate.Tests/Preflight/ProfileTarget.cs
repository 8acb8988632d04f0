using Migrate.Model.Hosts;
using Migrate.Model.Plans;
using Migrate.Model.Ports;
using Migrate.Model.Registers;

namespace Migrate.Tests.Preflight;

/// <summary>A restore target that answers as a shape says, with the values really written so far.</summary>
internal sealed class ProfileTarget(HostShape shape) : IRestoreTarget
{
    private readonly ShapeIndex _index = new(shape);
    private readonly Dictionary<(int Vcpu, RegisterId Id), RegisterValue> _values = [];

    public List<RestoreStep> Executed { get; } = [];

    public IReadOnlyList<StepAnswer> Execute(IReadOnlyList<RestoreStep> steps) => [.. steps.Select(Execute)];

    public IReadOnlyList<ReadAnswer> Read(IReadOnlyList<RegisterAddress> registers) =>
        [.. registers.Select(r => (_values.TryGetValue(Key(r.Vcpu, r.Id), out var value) ? value : _index.Find(r.Id)?.Reset) is { } found
            ? new ReadAnswer(0, found) : new ReadAnswer(2, null))];

    private (int, RegisterId) Key(int vcpu, RegisterId id) => (_index.Find(id)?.Scope == RegisterScope.Vm ? -1 : vcpu, id);

    private StepAnswer Execute(RestoreStep step)
    {
        Executed.Add(step);
        if (step is not WriteRegister write) return StepAnswer.Ok;
        var answer = _index.Predict(write.Id, write.Value, id => _values.TryGetValue(Key(write.Vcpu, id), out var value) ? value : null);
        if (answer.IsAccepted) _values[Key(write.Vcpu, write.Id)] = answer.ReadsBack ?? write.Value;
        return new StepAnswer(answer.Errno);
    }
}
