using Migrate.Model.Plans;

namespace Migrate.Model.Ports;

/// <summary>A scratch VM, on which a plan is tried: no guest runs in it, its memory is empty, and closing it throws it away.</summary>
public interface IScratchTarget : IRestoreTarget, IDisposable
{
    /// <summary>Parts of the steps executed so far that say nothing here, because what they do is in the guest's memory.</summary>
    IReadOnlyList<UntriedPart> Untried { get; }
}

/// <summary>Part of a step that a scratch VM could not try.</summary>
/// <param name="Step">The step, as it was given to the target.</param>
/// <param name="What">Which part, for people.</param>
/// <param name="Why">Why it was not tried, or what its success does not show.</param>
public readonly record struct UntriedPart(RestoreStep Step, string What, string Why);

/// <summary>A host that makes scratch VMs. Called from many threads.</summary>
public interface IScratchHost
{
    /// <summary>A VM that does not exist yet; the caller closes it.</summary>
    /// <exception cref="Errors.MigrateException">There can be none.</exception>
    IScratchTarget NewScratch();
}
