namespace Migrate.Cli.Sources;

/// <summary>What an operator at a terminal wants of this process rather than of the guest.</summary>
internal enum ConsoleCommand
{
    None,
    End,
    Help,
}

/// <summary>Finds Ctrl-A and what follows it among the keys for a guest.</summary>
internal sealed class ConsoleEscapes
{
    /// <summary>What a terminal is told at the start.</summary>
    public const string Hint = "the console follows; Ctrl-A x ends the machine, Ctrl-A ? helps";

    public const string Help = "Ctrl-A x   end the machine\nCtrl-A ?   this help\nCtrl-A Ctrl-A   Ctrl-A to the guest";

    private const byte Escape = 1;

    private bool _isEscaped;

    /// <summary>Takes keys until one is a command.</summary>
    /// <param name="keys">What was typed; afterwards what is left of it.</param>
    /// <param name="toGuest">Is given what the guest is to have.</param>
    public ConsoleCommand Take(ref ReadOnlySpan<byte> keys, List<byte> toGuest)
    {
        while (!keys.IsEmpty)
        {
            var key = keys[0];
            keys = keys[1..];
            if (!_isEscaped && key == Escape)
            {
                _isEscaped = true;
                continue;
            }
            if (_isEscaped)
            {
                _isEscaped = false;
                if (key is (byte)'x' or (byte)'X') return ConsoleCommand.End;
                if (key is (byte)'?' or (byte)'h') return ConsoleCommand.Help;
                toGuest.Add(Escape);
                if (key == Escape) continue;
            }
            toGuest.Add(key);
        }
        return ConsoleCommand.None;
    }
}
