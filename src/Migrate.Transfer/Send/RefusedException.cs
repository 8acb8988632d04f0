using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Model.Plans;
using Migrate.Transfer.Handover;

namespace Migrate.Transfer.Send;

/// <summary>The destination says no. The source's machine was neither stopped nor slowed if the code is <see cref="ErrorCode.Refused"/> at <see cref="Stage.Plan"/>.</summary>
public sealed class RefusedException : MigrateException
{
    internal RefusedException(string agent, Refusal refusal)
        : base(refusal.Code, $"{agent}: {Shapes.OneLine(refusal.Reason)}")
    {
        Stage = refusal.Stage;
        SourceRuns = true;
        IsTransient = refusal.Transient;
        Remedy = refusal.Remedy.Length > 0 ? Shapes.OneLine(refusal.Remedy) : null;
        Report = refusal.Report;
        Run = refusal.Run;
    }

    /// <summary>The verdict with every finding, where the plan says no.</summary>
    public CheckReport? Report { get; }

    /// <summary>What the run of the plan came to, where it failed.</summary>
    public RunReport? Run { get; }
}
