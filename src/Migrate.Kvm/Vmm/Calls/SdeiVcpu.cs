namespace Migrate.Kvm.Vmm.Calls;

/// <summary>What one event is on one vCPU.</summary>
internal record struct SdeiEvent
{
    /// <summary>A handler is registered.</summary>
    public bool IsRegistered { get; set; }

    /// <summary>It is delivered when it comes.</summary>
    public bool IsEnabled { get; set; }

    /// <summary>It came and was not delivered yet.</summary>
    public bool IsPending { get; set; }

    /// <summary>It was unregistered while its handler ran: that ends with the handler.</summary>
    public bool IsLeaving { get; set; }

    /// <summary>Registered, and for longer than a handler that runs.</summary>
    public readonly bool IsThere => IsRegistered && !IsLeaving;

    /// <summary>The handler's address.</summary>
    public ulong Entry { get; set; }

    /// <summary>What the handler finds in X1.</summary>
    public ulong Argument { get; set; }
}

/// <summary>What an event interrupted, and which it is.</summary>
/// <param name="Event">Its place in <see cref="SdeiEvents.All"/>.</param>
/// <param name="Registers">X0 to X17.</param>
/// <param name="Pc">The instruction that is to go on.</param>
/// <param name="Pstate">Its PSTATE.</param>
internal sealed record SdeiContext(int Event, ulong[] Registers, ulong Pc, ulong Pstate)
{
    /// <summary>X0 to X17 are the dispatcher's to keep; what lies above is the handler's (DEN 0054, 4.3.1).</summary>
    public const int Count = 18;
}

/// <summary>SDEI of one vCPU.</summary>
internal sealed class SdeiVcpu
{
    /// <summary>A critical event in the middle of a normal one, and nothing in the middle of that.</summary>
    private const int Deepest = 2;

    /// <summary>PSTATE.M of what a guest without EL2 runs in (DDI 0487, C5.2.19): KVM refuses others (EINVAL), and then the guest is lost when the handler ends.</summary>
    private const ulong ModeMask = 0x1f, El0 = 0, El1Thread = 4, El1Handler = 5, ArmUser = 0x10;

    private const ulong RegisteredBit = 1, EnabledBit = 2, PendingBit = 4, LeavingBit = 8;

    /// <summary>By place in <see cref="SdeiEvents.All"/>.</summary>
    public SdeiEvent[] Events { get; } = new SdeiEvent[SdeiEvents.All.Count];

    /// <summary>Whether nothing is delivered: so after a reset (DEN 0054, 5.1.13).</summary>
    public bool IsMasked { get; set; } = true;

    /// <summary>Handlers that run, the innermost last.</summary>
    public List<SdeiContext> Running { get; } = [];

    /// <summary>Whether a handler of this event runs.</summary>
    public bool IsRunning(int number) => Running.Any(c => c.Event == number);

    /// <summary>The event that is to be delivered now; negative for none.</summary>
    public int NextToDeliver()
    {
        if (IsMasked) return -1;
        for (var i = 0; i < Events.Length; i++)
        {
            var isFree = Running.Count == 0 || (SdeiEvents.IsCritical(SdeiEvents.All[i]) && !Running.Any(c => SdeiEvents.IsCritical(SdeiEvents.All[c.Event])));
            if (Events[i] is { IsPending: true, IsEnabled: true } && isFree) return i;
        }
        return -1;
    }

    /// <summary>Writes it behind others.</summary>
    public void Write(StateWriter bytes)
    {
        bytes.Add(IsMasked ? 1UL : 0);
        foreach (var e in Events)
        {
            bytes.Add((e.IsRegistered ? RegisteredBit : 0) | (e.IsEnabled ? EnabledBit : 0) | (e.IsPending ? PendingBit : 0) | (e.IsLeaving ? LeavingBit : 0))
                .Add(e.Entry).Add(e.Argument);
        }
        bytes.Add((ulong)Running.Count);
        foreach (var context in Running)
        {
            bytes.Add((ulong)context.Event).Add(context.Pc).Add(context.Pstate);
            foreach (var value in context.Registers) bytes.Add(value);
        }
    }

    /// <summary>Reads one; null, and the problem, where it is none.</summary>
    public static SdeiVcpu? Read(ref StateReader bytes, out string problem)
    {
        problem = "";
        var vcpu = new SdeiVcpu { IsMasked = bytes.Next() != 0 };
        for (var i = 0; i < vcpu.Events.Length; i++)
        {
            var bits = bytes.Next();
            vcpu.Events[i] = new SdeiEvent
            {
                IsRegistered = (bits & RegisteredBit) != 0,
                IsEnabled = (bits & EnabledBit) != 0,
                IsPending = (bits & PendingBit) != 0,
                IsLeaving = (bits & LeavingBit) != 0,
                Entry = bytes.Next(),
                Argument = bytes.Next(),
            };
        }
        var running = bytes.Next();
        if (running > Deepest) problem = $"{running} handlers inside each other";
        for (var i = 0UL; i < running && problem == ""; i++)
        {
            var number = bytes.Next();
            var context = new SdeiContext((int)Math.Min(number, int.MaxValue), new ulong[SdeiContext.Count], bytes.Next(), bytes.Next());
            for (var x = 0; x < SdeiContext.Count; x++) context.Registers[x] = bytes.Next();
            problem = vcpu.ProblemOf(context, number);
            if (problem == "") vcpu.Running.Add(context);
        }
        return problem == "" ? vcpu : null;
    }

    /// <summary>Why this cannot be what runs next inside of what runs already; empty where it can.</summary>
    private string ProblemOf(SdeiContext context, ulong number)
    {
        if (context.Event >= Events.Length) return $"a handler of event {number} of {Events.Length}";
        if (!Events[context.Event].IsRegistered) return $"a handler of event {number}, which is not registered";
        if (Running.Count > 0 && (!SdeiEvents.IsCritical(SdeiEvents.All[context.Event]) || SdeiEvents.IsCritical(SdeiEvents.All[Running[^1].Event])))
            return $"a handler of event {number} inside of one that it may not interrupt";
        return (context.Pstate & ModeMask) is El0 or El1Thread or El1Handler or ArmUser ? "" : $"event {number} interrupted PSTATE 0x{context.Pstate:x}";
    }
}
