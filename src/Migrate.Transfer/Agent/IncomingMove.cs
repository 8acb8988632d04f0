using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Model.Hosts;
using Migrate.Model.Plans;
using Migrate.Model.Ports;
using Migrate.Preflight;
using Migrate.Preflight.Trials;
using Migrate.Transfer.Handover;
using Migrate.Transfer.Machines;
using Migrate.Transfer.Pages;
using Migrate.Transfer.Wire;

namespace Migrate.Transfer.Agent;

/// <summary>The machine of one move as it comes into being: planned, prepared, filled, applied, started. Decides nothing about the handover.</summary>
internal sealed class IncomingMove(IProfileSource profiles, IIncomingLauncher launcher, IScratchHost? scratch, MemoryBudget memory) : IDisposable
{
    /// <summary>How long a VMM may take to notice that its session ended.</summary>
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(10);

    private Offer? _offer;
    private HostProfile? _profile;
    private RestorePlan? _plan;
    private RunReport? _run;
    private IncomingVmm _vmm;
    private MachineClient? _client;
    private IncomingSession? _session;
    private PageReceiver? _receiver;

    public string MachineName => _offer?.Report.State.Vm.Name ?? "";

    public string MachineId => _offer?.Report.State.Vm.Id ?? "";

    public string SocketPath => _vmm.SocketPath ?? "";

    /// <summary>Process id of the incoming VMM; 0 before there is one.</summary>
    public int Pid { get; private set; }

    /// <summary>What was received so far. Read from other threads: a torn value costs a wrong number in a status, no more.</summary>
    public PageCounts Counts { get; private set; }

    /// <summary>Bytes of guest memory that have not arrived yet. A page that came twice counts twice: an estimate.</summary>
    public ulong MemoryOwed
    {
        get
        {
            if (_offer is null) return 0;
            var needed = _offer.Report.State.Vm.Memory.Aggregate(0UL, (sum, slot) => sum + Math.Min(slot.Size, ulong.MaxValue - sum));
            return needed - Math.Min(needed, (ulong)Counts.Pages * (ulong)_offer.Report.PageSize);
        }
    }

    public CheckReport? Report { get; private set; }

    public FinalState? Final { get; set; }

    public AppliedState? Applied { get; private set; }

    /// <summary>Why it was refused or failed.</summary>
    public MigrateException? Failure { get; private set; }

    public void Take(Offer offer) => _offer = offer;

    /// <summary>Judges the offer on a fresh profile, and tries the whole plan on a scratch VM where there are any: what would be refused when the state is applied
    /// would be refused while the guest stands still. A trial proves nothing that the profile leaves open: it was without a guest.</summary>
    public bool Plan()
    {
        var state = _offer!.Report.State;
        _profile = profiles.Measure();
        _plan = Planner.Plan(state, _profile, _offer.Options);
        Report = Reports.Of(_plan, state, _profile, includePlan: false);
        if (_plan.Verdict == Verdict.Yes && scratch is not null) Report = Tried(scratch);
        if (Report.Verdict == Verdict.Yes) return true;
        Failure = Report.Verdict == Verdict.No
            ? new MigrateException(ErrorCode.Refused, $"{MachineName} does not survive on {Report.Destination}") { Stage = Stage.Plan }
            : new MigrateException(ErrorCode.Refused, $"that {MachineName} survives on {Report.Destination} is assumed, not measured") { Stage = Stage.Plan, Remedy = "Accept assumptions with --accept assumed." };
        return false;
    }

    private CheckReport Tried(IScratchHost host)
    {
        try
        {
            var tried = DryRun.Run(_offer!.Report.State, _profile!, _offer.Options, host);
            return tried.Verdict == Verdict.Unproven ? Report! : tried;
        }
        catch (MigrateException e) when (e.Code == ErrorCode.TooLarge)
        {
            // Larger than a scratch VM may be: the verdict rests on what was measured.
            return Report!;
        }
    }

    /// <summary>Builds the incoming machine and reads it back.</summary>
    /// <param name="channel">Where its pages come from.</param>
    /// <param name="tryRecord">Fails where a record of the handover could not be written: the first is due when the source has let go.</param>
    public bool Prepare(FrameChannel channel, Action tryRecord)
    {
        try
        {
            memory.Promise(this);
            tryRecord();
            var vm = _offer!.Report.State.Vm;
            _vmm = launcher.Obtain(vm);
            _client = MachineClient.Connect(_vmm.SocketPath);
            Pid = _client.Status().Pid;
            _session = _client.OpenIncoming();
            _session.BeginVm(vm);
            if (!Run(StepPhase.Prepare)) return false;
            _receiver = new PageReceiver(channel, _session.Memory, _offer.Report.PageSize);
            return true;
        }
        catch (MigrateException e)
        {
            Failure = new MigrateException(e.Code, $"the incoming machine cannot be built: {e.Message}", e) { Stage = Stage.Prepare, IsTransient = e.IsTransient, Remedy = e.Remedy };
            return false;
        }
    }

    /// <summary>Takes a frame of pages into guest memory; false for any other.</summary>
    public bool Receive(FrameHeader header)
    {
        if (!PageReceiver.Takes(header.Kind)) return false;
        try
        {
            Counts += _receiver!.Receive(header);
            return true;
        }
        catch (MigrateException e)
        {
            throw new PeerProblem(e);
        }
    }

    /// <summary>Plans with the final state, applies what is mutable, reads everything back.</summary>
    public bool Apply()
    {
        var (state, digest) = (Final!.State, Final.Digest);
        var final = Planner.Plan(state, _profile!, _offer!.Options);
        if (state.Vm != _offer.Report.State.Vm || !Prepares(final).SequenceEqual(Prepares(_plan!)))
        {
            Failure = new MigrateException(ErrorCode.ReadBackDiffers, $"what is frozen at first run changed in {MachineName} after it was described") { Stage = Stage.Apply };
            return false;
        }
        if (final.Verdict != Verdict.Yes)
        {
            Report = Reports.Of(final, state, _profile!, includePlan: false);
            Failure = new MigrateException(ErrorCode.Refused, $"{MachineName} in its final state does not survive on {Report.Destination}") { Stage = Stage.Apply };
            return false;
        }
        _plan = final;
        try
        {
            // As it arrived: KVM takes pending bits of LPIs out of guest memory when it restores an ITS (vgic-v3.c vgic_v3_lpi_sync_pending_status).
            var arrived = digest ? MemoryDigest.Of(_session!.Memory) : [];
            if (!Run(StepPhase.Apply)) return false;
            Applied = new AppliedState(_run!, arrived);
            return true;
        }
        catch (MigrateException e)
        {
            throw new MachineProblem(e);
        }
    }

    /// <summary>Tells the VMM to run it.</summary>
    public void Start(string handoverId) => _session!.Start(handoverId);

    /// <summary>What the sender is told when it is refused.</summary>
    public Refusal Refusal()
    {
        var failure = Failure ?? new MigrateException(ErrorCode.System, "the move failed");
        return new Refusal
        {
            Code = failure.Code,
            Stage = failure.Stage,
            Reason = Shapes.OneLine(failure.Message),
            Remedy = Shapes.OneLine(failure.Remedy ?? ""),
            Transient = failure.IsTransient,
            Report = _run is null ? Report : null,
            Run = _run is { Succeeded: false } ? _run : null,
        };
    }

    /// <summary>Ends the session: a machine that was not started is thrown away, and a VMM that was started for it is ended.</summary>
    public void Dispose()
    {
        memory.Release(this);
        _session?.Dispose();
        _client?.Dispose();
        (_session, _client) = (null, null);
        if (_vmm.IsOurs) LeftoverVmm.End(_vmm.SocketPath, EndPatience);
        _vmm = _vmm with { IsOurs = false };
    }

    private bool Run(StepPhase phase)
    {
        _run = PlanRunner.Run(_plan!, phase, _session!);
        if (_run.Succeeded) return true;
        var stage = phase == StepPhase.Prepare ? Stage.Prepare : Stage.Apply;
        Failure = _run.Failed.Count > 0
            ? new MigrateException(ErrorCode.StepFailed, $"{_run.Failed.Count} of {_run.Executed} steps were refused by the incoming machine; the first: {Words(_run.Failed[0])}") { Stage = stage }
            : new MigrateException(ErrorCode.ReadBackDiffers, $"{_run.Differences.Count} registers read back otherwise than planned; the first: {Words(_run.Differences[0])}") { Stage = stage };
        return false;
    }

    private string Words(FailedStep failed) => $"{_plan!.Steps[failed.Step].GetType().Name}, errno {failed.Errno} {failed.Note}".TrimEnd();

    private static string Words(ReadBackDifference difference) =>
        $"{difference.Id} of vCPU {difference.Vcpu}, planned {difference.Expected}, read {difference.Actual?.ToString() ?? "nothing"}";

    private static IEnumerable<RestoreStep> Prepares(RestorePlan plan) => plan.Steps.Where(s => s.Phase == StepPhase.Prepare);
}
