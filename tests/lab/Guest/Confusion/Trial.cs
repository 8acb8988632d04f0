using Migrate.Model.Hosts;
using Migrate.Model.Machines;

namespace Migrate.LabGuest.Confusion;

/// <summary>One thing to predict and to try: a recorded state, or a recorded state with something about it changed.</summary>
/// <param name="Base">The recorded state, HOST/NAME.</param>
/// <param name="Change">What was changed; <see cref="AsRecorded"/> for nothing.</param>
/// <param name="State">The machine.</param>
public sealed record Trial(string Base, string Change, MachineState State)
{
    /// <summary>The name of no change.</summary>
    public const string AsRecorded = "as recorded";

    /// <summary>What a line of answers begins with.</summary>
    public string Name => $"{Base}\t{Change}";
}

/// <summary>A recorded state with the profile of the host that it was recorded on.</summary>
/// <param name="Host">KERNEL.CPU.</param>
/// <param name="Name">What the state is called.</param>
/// <param name="State">The machine.</param>
/// <param name="Source">What its host was measured to be; null where nobody recorded it.</param>
public sealed record RecordedState(string Host, string Name, MachineState State, HostProfile? Source)
{
    /// <summary>HOST/NAME.</summary>
    public string Key => $"{Host}/{Name}";

    /// <summary>The state as it was recorded, to be tried.</summary>
    public Trial Unchanged => new(Key, Trial.AsRecorded, State);
}
