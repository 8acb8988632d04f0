using Migrate.Model.Plans;
using Migrate.Model.Registers;

namespace Migrate.Preflight.Registers;

/// <summary>What the plan does with one captured register.</summary>
internal enum Act
{
    /// <summary>Write it.</summary>
    Write,

    /// <summary>Leave it out, on purpose.</summary>
    LeaveOut,

    /// <summary>Nothing can be done: the findings say so.</summary>
    Refuse,
}

/// <summary>A decision about one register.</summary>
/// <param name="Act">What is done.</param>
/// <param name="Value">What is written, for <see cref="Act.Write"/>.</param>
/// <param name="ReadsBack">What it reads back as; null where no read-back proves anything.</param>
/// <param name="Why">Why it is left out or another value is written.</param>
/// <param name="Findings">What is found on the way.</param>
internal readonly record struct RegisterDecision(Act Act, RegisterValue Value, RegisterValue? ReadsBack, string Why, IReadOnlyList<Finding> Findings)
{
    public static RegisterDecision LeaveOut(string why, params IReadOnlyList<Finding> findings) => new(Act.LeaveOut, default, null, why, findings);

    public static RegisterDecision Write(RegisterValue value, RegisterValue? readsBack, string why, params IReadOnlyList<Finding> findings) =>
        new(Act.Write, value, readsBack, why, findings);
}
