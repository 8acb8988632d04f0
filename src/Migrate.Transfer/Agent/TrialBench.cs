using Migrate.Model.Errors;
using Migrate.Model.Hosts;
using Migrate.Model.Plans;
using Migrate.Model.Ports;
using Migrate.Preflight.Trials;
using Migrate.Transfer.Handover;

namespace Migrate.Transfer.Agent;

/// <summary>Scratch VMs of this host on which plans are tried, a few at a time.</summary>
internal sealed class TrialBench(IScratchHost? scratch, int most) : IDisposable
{
    private readonly SemaphoreSlim _places = new(most);

    /// <summary>Whether anything can be tried here.</summary>
    public bool CanTry => scratch is not null;

    /// <summary>Plans an offer and tries the plan.</summary>
    /// <param name="offer">The machine.</param>
    /// <param name="profile">What this host accepts.</param>
    /// <exception cref="MigrateException"><see cref="ErrorCode.Busy"/>: too many others try; <see cref="ErrorCode.Unsupported"/>: no scratch VMs; what
    /// <see cref="DryRun.Run"/> throws.</exception>
    public CheckReport Try(Offer offer, HostProfile profile)
    {
        if (scratch is null) throw new MigrateException(ErrorCode.Unsupported, "this agent makes no scratch VMs: ask for a check without a dry run") { Stage = Stage.Plan };
        if (!_places.Wait(TimeSpan.Zero))
            throw new MigrateException(ErrorCode.Busy, $"{most} dry runs are in progress here already") { Stage = Stage.Plan, IsTransient = true };
        try
        {
            return DryRun.Run(offer.Report.State, profile, offer.Options, scratch, offer.IncludePlan);
        }
        finally
        {
            _places.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _places.Dispose();
}
