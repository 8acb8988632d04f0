using Migrate.Model;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Ports;
using Migrate.Transfer.Wire;

namespace Migrate.Transfer.Machines;

/// <summary>The destination's half.</summary>
internal sealed partial class HostedMachine
{
    public void Begin(object caller, VmDescription description) => Do(caller, FrameKind.Begin, () =>
    {
        _incoming = _build!(description);
        _description = description;
        Update(_status with { VmId = description.Id });
    });

    public EquatableArray<StepAnswer> Execute(object caller, EquatableArray<RestoreStep> steps) => Do(caller, FrameKind.Execute, () =>
    {
        var applies = _status.State == LifecycleState.Applied;
        foreach (var step in steps)
        {
            if (step.Phase == StepPhase.Apply) applies = true;
            else if (applies)
                throw new MigrateException(ErrorCode.WrongState, $"machine {_status.Name} is past its prepare phase; a {step.GetType().Name} came behind a step of the apply phase");
        }
        // Before the first step: one that throws half way has left its mark too.
        if (applies) MoveTo(LifecycleState.Applied);
        var answers = _incoming!.Execute([.. steps]);
        RequireCount(answers.Count, steps.Count);
        return answers.Select(a => a with { Note = Shapes.OneLine(a.Note, MachineMessages.MaxNote) }).ToEquatableArray();
    });

    public EquatableArray<ReadAnswer> Read(object caller, EquatableArray<RegisterAddress> registers) => Do(caller, FrameKind.Read, () =>
    {
        var answers = _incoming!.Read([.. registers]);
        RequireCount(answers.Count, registers.Count);
        return answers.ToEquatableArray();
    });

    /// <summary><see cref="ErrorCode.StepFailed"/> means that it never runs under this id: what could not be started is destroyed. Any other error changed nothing.</summary>
    public void Start(object caller, string handover) => Do(caller, FrameKind.StartMachine, () =>
    {
        RequireId(handover);
        Update(_status with { HandoverId = handover });
        try
        {
            _machine = _incoming!.Complete(_description!);
            _incoming = null;
            _machine.Resume();
        }
        catch (Exception e)
        {
            if (_machine is { IsRunning: true }) Try("stop", _machine.Quiesce);
            DropSession();
            Discard();
            Update(_status with { Note = Shapes.OneLine($"could not start: {e.Message}") });
            MoveTo(LifecycleState.Destroyed);
            throw new MigrateException(ErrorCode.StepFailed, $"machine {_status.Name} could not be started and was destroyed: {e.Message}", e) { Stage = Stage.Handover };
        }
        Update(_status with { Name = _description!.Name });
        DropSession();
    });

    private void RequireCount(int answers, int asked)
    {
        if (answers != asked)
            throw new MigrateException(ErrorCode.System, $"machine {_status.Name} gave {answers} answers to {asked} questions");
    }
}
