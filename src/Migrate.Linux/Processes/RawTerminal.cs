using System.Buffers.Binary;
using Migrate.Linux.Native;

namespace Migrate.Linux.Processes;

/// <summary>Standard input as a terminal that passes every key on: no line editing, no echo, no signal for Ctrl-C.</summary>
/// <remarks>What is written to the terminal is treated as before, so lines of this process itself still begin at its left edge.</remarks>
public sealed unsafe class RawTerminal : IDisposable
{
    private readonly byte[] _before;
    private bool _disposed;

    private RawTerminal(byte[] before) => _before = before;

    /// <summary>What standard input is, to a process that wants to read keys.</summary>
    public static InputKind Kind
    {
        get
        {
            var input = StandardInput.Handle;
            var settings = stackalloc byte[TerminalConstants.TermiosBytes];
            if (Libc.tcgetattr(input, settings) != 0) return InputKind.Stream;
            // Reading from a terminal in the background stops the process (SIGTTIN).
            return Libc.tcgetpgrp(input) == Libc.getpgrp() ? InputKind.Terminal : InputKind.TerminalOfOthers;
        }
    }

    /// <summary>Switches it; <see cref="Dispose"/> switches it back.</summary>
    /// <exception cref="LinuxException">It is no terminal.</exception>
    public static RawTerminal Enter()
    {
        var before = new byte[TerminalConstants.TermiosBytes];
        var terminal = new RawTerminal(before);
        fixed (byte* address = before)
            if (Libc.tcgetattr(StandardInput.Handle, address) != 0) throw LinuxException.Last("tcgetattr", "standard input");
        var raw = before.ToArray();
        fixed (byte* address = raw) Libc.cfmakeraw(address);
        var output = BinaryPrimitives.ReadUInt32LittleEndian(before.AsSpan(TerminalConstants.OutputFlagsAt));
        BinaryPrimitives.WriteUInt32LittleEndian(raw.AsSpan(TerminalConstants.OutputFlagsAt), output);
        terminal.Set(raw);
        return terminal;
    }

    /// <summary>Makes it what it was.</summary>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        Set(_before);
    }

    private void Set(byte[] settings)
    {
        fixed (byte* address = settings) _ = Libc.tcsetattr(StandardInput.Handle, TerminalConstants.TCSADRAIN, address);
    }
}

/// <summary>What standard input is.</summary>
public enum InputKind
{
    /// <summary>A pipe, a file, a device.</summary>
    Stream,

    /// <summary>A terminal, and this process is in its foreground.</summary>
    Terminal,

    /// <summary>A terminal whose keys go to others now.</summary>
    TerminalOfOthers,
}
