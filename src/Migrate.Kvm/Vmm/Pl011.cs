namespace Migrate.Kvm.Vmm;

/// <summary>The console: a PL011 as Linux and small programs use it, with both FIFOs, its interrupt by level and input.</summary>
/// <remarks>
/// Source: Arm PrimeCell UART (PL011) Technical Reference Manual, DDI 0183, chapter 3. What is written is sent at once, so the transmitter is always
/// empty. The receive interrupts follow the FIFO: they stay until it is read, whatever is cleared; the receive timeout passes at once. Not there:
/// DMA, loopback, modem lines, receive errors.
///
/// The other end of the line is a terminal that waits. Input enters the FIFO only while the guest has the receiver on and either
/// raises RTS or has a receive interrupt unmasked: what is typed while a kernel boots is then neither dropped by the chip nor thrown away by the driver that
/// empties the FIFO before it begins. What waits moves with the machine.
/// </remarks>
internal sealed class Pl011 : IMmioHandler
{
    /// <summary>What descriptions and host profiles call it.</summary>
    public const string HandlerName = "pl011";

    private const int Enabled = 1 << 0;
    private const int Receives = 1 << 9;
    private const int RequestToSend = 1 << 11;
    private const int HasFifos = 1 << 4;

    /// <summary>FR: nothing to send.</summary>
    private const int TransmitEmpty = 1 << 7;
    private const int ReceiveFull = 1 << 6;
    private const int ReceiveEmpty = 1 << 4;

    private static readonly byte[] IdentityBytes = [0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1];

    /// <summary>Characters at which the receive FIFO interrupts, by IFLS bits 5:3; of the reserved values the last.</summary>
    private static readonly int[] Triggers = [2, 4, 8, 12, 14, 14, 14, 14];

    private readonly Lock _lock = new();
    private readonly ulong _address;
    private readonly Action<bool> _line;
    private Pl011State _state = new();
    private Action<byte> _output = _ => { };
    private bool _isHigh;
    private bool _isFrozen = true;

    /// <summary>As after a reset.</summary>
    /// <param name="address">Where its registers begin.</param>
    /// <param name="line">Its interrupt line: told of every change, and of the level after a restore.</param>
    public Pl011(ulong address, Action<bool> line) => (_address, _line) = (address, line);

    /// <inheritdoc/>
    public string Name => HandlerName;

    /// <inheritdoc/>
    public int Version => Pl011State.Version;

    private int FifoSize => (_state.LineControl & HasFifos) != 0 ? 16 : 1;

    /// <inheritdoc/>
    public bool Has(ulong guestAddress) => guestAddress - _address < Board.ConsoleSize;

    /// <inheritdoc/>
    public ulong Read(ulong guestAddress)
    {
        lock (_lock)
        {
            return (guestAddress - _address) switch
            {
                0x00 => Next(),
                0x18 => (ulong)(TransmitEmpty | (_state.Arrived == 0 ? ReceiveEmpty : 0) | (_state.Arrived >= FifoSize ? ReceiveFull : 0)),
                0x20 => _state.LowPower,
                0x24 => _state.BaudInteger,
                0x28 => _state.BaudFraction,
                0x2c => _state.LineControl,
                0x30 => _state.Control,
                0x34 => _state.FifoLevels,
                0x38 => _state.Mask,
                0x3c => RawInterrupts,
                0x40 => (ulong)(RawInterrupts & _state.Mask),
                0x48 => _state.DmaControl,
                >= 0xfe0 and < 0x1000 and var offset when offset % 4 == 0 => IdentityBytes[(offset - 0xfe0) / 4],
                _ => 0,
            };
        }
    }

    /// <inheritdoc/>
    public void Write(ulong guestAddress, ulong value)
    {
        lock (_lock)
        {
            var register = (ushort)value;
            switch (guestAddress - _address)
            {
                case 0x00:
                    _output((byte)value);
                    // A guest that never enabled it, and so knows nothing of interrupts, leaves no trace of what it printed.
                    if ((_state.Control & Enabled) != 0) _state.Latched |= Pl011State.Transmit;
                    break;
                case 0x20: _state.LowPower = (byte)register; break;
                case 0x24: _state.BaudInteger = register; break;
                case 0x28: _state.BaudFraction = (byte)(register & 0x3f); break;
                case 0x2c: _state.LineControl = (byte)register; break;
                case 0x30: _state.Control = (ushort)(register & Pl011State.ControlBits); break;
                case 0x34: _state.FifoLevels = (byte)(register & 0x3f); break;
                case 0x38: _state.Mask = (ushort)(register & Pl011State.Interrupts); break;
                case 0x44: _state.Latched &= (ushort)~register; break;
                case 0x48: _state.DmaControl = (byte)(register & 7); break;
                default: return;
            }
            Update();
        }
    }

    /// <summary>Characters from the other end of the line.</summary>
    /// <returns>How many it took: fewer while <see cref="Pl011State.Longest"/> wait, none while it is frozen. The others are still the caller's.</returns>
    public int Receive(ReadOnlySpan<byte> characters)
    {
        lock (_lock)
        {
            if (_isFrozen) return 0;
            var taken = characters[..Math.Min(characters.Length, Pl011State.Longest - _state.Waiting.Count)];
            foreach (var character in taken) _state.Waiting.Enqueue(character);
            Update();
            return taken.Length;
        }
    }

    /// <inheritdoc/>
    public byte[] Capture()
    {
        lock (_lock) return _state.Encode();
    }

    /// <inheritdoc/>
    public void Restore(int version, ReadOnlySpan<byte> state)
    {
        var restored = Pl011State.Decode(version, state);
        lock (_lock)
        {
            _state = restored;
            _isHigh = Level;
            _line(_isHigh);
        }
    }

    /// <inheritdoc/>
    public void Connect(VmmOptions options)
    {
        lock (_lock) _output = options.Console;
        options.Input?.Connect(Receive);
    }

    /// <inheritdoc/>
    public void Freeze()
    {
        lock (_lock) _isFrozen = true;
    }

    /// <inheritdoc/>
    public void Thaw()
    {
        lock (_lock) _isFrozen = false;
    }

    private bool IsListening =>
        (_state.Control & (Enabled | Receives)) == (Enabled | Receives)
        && ((_state.Control & RequestToSend) != 0 || (_state.Mask & (Pl011State.Receive | Pl011State.ReceiveTimeout)) != 0);

    private bool Level => (RawInterrupts & _state.Mask) != 0;

    private ushort RawInterrupts
    {
        get
        {
            var hasFifos = (_state.LineControl & HasFifos) != 0;
            var trigger = hasFifos ? Triggers[_state.FifoLevels >> 3 & 7] : 1;
            var raised = (_state.Arrived >= trigger ? Pl011State.Receive : 0) | (hasFifos && _state.Arrived > 0 ? Pl011State.ReceiveTimeout : 0);
            return (ushort)(_state.Latched | raised);
        }
    }

    private ulong Next()
    {
        if (_state.Arrived == 0) return 0;
        _state.Arrived--;
        var character = _state.Waiting.Dequeue();
        Update();
        return character;
    }

    /// <summary>Lets in what may come in, then tells the line. What has arrived stays, whatever the guest switches off.</summary>
    private void Update()
    {
        if (IsListening) _state.Arrived = Math.Max(_state.Arrived, Math.Min(_state.Waiting.Count, FifoSize));
        if (Level == _isHigh) return;
        _isHigh = !_isHigh;
        _line(_isHigh);
    }
}
