namespace Migrate.LabGuest;

/// <summary>What a message between the lab and the agent says.</summary>
public enum MessageKind : byte
{
    /// <summary>Agent: I run. Name: kernel release; text: boot id, a space, the token it was started with.</summary>
    Hello = 1,

    /// <summary>Lab: run the job Name with the inputs that came before.</summary>
    Job = 2,

    /// <summary>Lab: an input of the next job. Name and payload.</summary>
    Input = 3,

    /// <summary>Agent: the case Name passed (empty text) or failed (text: why).</summary>
    Case = 4,

    /// <summary>Agent: an answer of the kernel to be recorded. Name: a file name; payload: its content.</summary>
    Answer = 5,

    /// <summary>Agent: something a person may want to read.</summary>
    Note = 6,

    /// <summary>Agent: the state of another host (Name) was tried on this one; counts as a pair.</summary>
    Pair = 9,

    /// <summary>Agent: this side of a pair job listens, the other may connect.</summary>
    Listening = 10,

    /// <summary>Agent: the job Name ended; text: the exception that ended it, or empty.</summary>
    Done = 7,

    /// <summary>Lab: nothing more to do, end.</summary>
    Stop = 8,
}
