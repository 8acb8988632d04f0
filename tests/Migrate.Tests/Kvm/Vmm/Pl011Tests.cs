using System.Buffers.Binary;
using Migrate.Kvm.Vmm;

namespace Migrate.Tests.Kvm.Vmm;

public class Pl011Tests
{
    private const ulong Base = 0x0900_0000;
    private const ulong Data = Base, Flags = Base + 0x18, LineControl = Base + 0x2c, Control = Base + 0x30, Levels = Base + 0x34,
        Mask = Base + 0x38, Raw = Base + 0x3c, Masked = Base + 0x40, Clear = Base + 0x44;
    private const ulong Receive = 1 << 4, Transmit = 1 << 5, Timeout = 1 << 6;

    private readonly List<byte> _written = [];
    private readonly List<bool> _line = [];
    private readonly Pl011 _uart;

    public Pl011Tests()
    {
        _uart = new Pl011(Base, _line.Add);
        _uart.Connect(new VmmOptions { Console = _written.Add });
        _uart.Thaw();
    }

    [Fact]
    public void What_is_written_to_the_data_register_reaches_the_console_and_nothing_else_does()
    {
        _uart.Write(Data, 0x1_0000_0041);
        for (var offset = 4UL; offset < 0x1000; offset += 4) _uart.Write(Base + offset, 0x42);
        Assert.Equal("A"u8.ToArray(), _written);
    }

    [Fact]
    public void A_guest_never_waits_for_it_and_finds_a_PL011()
    {
        Assert.Equal(0x90UL, _uart.Read(Flags));
        Assert.Equal([0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1], Enumerable.Range(0, 8).Select(i => _uart.Read(Base + 0xfe0 + 4 * (ulong)i)));
        for (var offset = 0UL; offset < 0x1000; offset++) Assert.InRange(_uart.Read(Base + offset), 0UL, 0xffffUL);
    }

    [Theory]
    [InlineData(0x0900_0000, true)]
    [InlineData(0x0900_0fff, true)]
    [InlineData(0x0900_1000, false)]
    [InlineData(0x08ff_ffff, false)]
    [InlineData(0, false)]
    public void It_answers_in_its_own_page_only(ulong address, bool isThere) => Assert.Equal(isThere, _uart.Has(address));

    [Theory]
    [InlineData(0x20, 0xff)]
    [InlineData(0x24, 0xffff)]
    [InlineData(0x28, 0x3f)]
    [InlineData(0x2c, 0xff)]
    [InlineData(0x30, 0xff87)]
    [InlineData(0x34, 0x3f)]
    [InlineData(0x38, 0x7ff)]
    [InlineData(0x48, 0x7)]
    public void A_register_keeps_the_bits_that_it_has(ulong offset, ulong bits)
    {
        _uart.Write(Base + offset, ulong.MaxValue);
        Assert.Equal(bits, _uart.Read(Base + offset));
        _uart.Write(Base + offset, 0);
        Assert.Equal(0UL, _uart.Read(Base + offset));
    }

    /// <summary>Linux switches the receiver on, empties the FIFO, and only then raises RTS or unmasks: nothing that was typed before may be in it.</summary>
    [Theory]
    [InlineData(Control, 0xb01UL)]
    [InlineData(Mask, 0x50UL)]
    public void What_is_typed_before_the_guest_listens_waits_until_it_does(ulong register, ulong value)
    {
        Assert.Equal(3, _uart.Receive("abc"u8));
        Start();
        Assert.Equal(0x90UL, _uart.Read(Flags));
        Assert.Equal(0UL, _uart.Read(Data));
        _uart.Write(register, value);
        Assert.Equal("abc", ReadAll());
    }

    [Fact]
    public void The_line_is_high_exactly_while_an_unmasked_interrupt_stands()
    {
        Start();
        _uart.Write(Mask, Receive | Timeout);
        Assert.Empty(_line);
        _uart.Receive("ab"u8);
        Assert.Equal([true], _line);
        Assert.Equal(Timeout, _uart.Read(Masked));
        // Clearing does not make a character go away: it is still to be read.
        _uart.Write(Clear, 0x7ff);
        Assert.Equal([true], _line);
        _uart.Write(Mask, 0);
        Assert.Equal([true, false], _line);
        Assert.Equal((Timeout, 0UL), (_uart.Read(Raw), _uart.Read(Masked)));
        _uart.Write(Mask, Timeout);
        Assert.Equal([true, false, true], _line);
        Assert.Equal("ab", ReadAll());
        Assert.Equal([true, false, true, false], _line);
    }

    [Theory]
    [InlineData(0, 2)]
    [InlineData(1, 4)]
    [InlineData(2, 8)]
    [InlineData(3, 12)]
    [InlineData(4, 14)]
    public void The_receive_interrupt_comes_at_the_level_that_the_guest_chose(int select, int trigger)
    {
        Start();
        _uart.Write(Levels, (ulong)select << 3);
        _uart.Write(Mask, Receive);
        for (var i = 1; i < trigger; i++) _uart.Receive("x"u8);
        Assert.Equal(0UL, _uart.Read(Masked));
        _uart.Receive("x"u8);
        Assert.Equal(Receive, _uart.Read(Masked));
        _uart.Read(Data);
        Assert.Equal(0UL, _uart.Read(Masked));
    }

    [Fact]
    public void Without_FIFOs_there_is_one_place_and_it_interrupts_at_once()
    {
        Start();
        _uart.Write(LineControl, 0);
        _uart.Write(Mask, Receive | Timeout);
        _uart.Receive("ab"u8);
        Assert.Equal(Receive, _uart.Read(Masked));
        Assert.Equal(0x40UL, _uart.Read(Flags) & 0x50);
        Assert.Equal("ab", ReadAll());
    }

    [Fact]
    public void What_was_sent_interrupts_until_it_is_cleared()
    {
        Start();
        _uart.Write(Mask, Transmit);
        _uart.Write(Data, 'x');
        _uart.Write(Clear, Transmit);
        Assert.Equal([true, false], _line);
    }

    [Fact]
    public void No_character_of_a_long_input_is_lost_or_changes_places()
    {
        Start();
        _uart.Write(Mask, Receive | Timeout);
        var sent = new byte[50_000];
        new Random(7).NextBytes(sent);
        var (given, got) = (0, new List<byte>());
        while (got.Count < sent.Length)
        {
            given += _uart.Receive(sent.AsSpan(given, Math.Min(sent.Length - given, 777)));
            // As a driver does, which at times takes its characters and at times is late.
            for (var n = given % 1000; n > 0 && (_uart.Read(Flags) & 0x10) == 0; n--) got.Add((byte)_uart.Read(Data));
            if (given == sent.Length) while ((_uart.Read(Flags) & 0x10) == 0) got.Add((byte)_uart.Read(Data));
        }
        Assert.Equal(sent, got);
    }

    [Fact]
    public void It_takes_no_more_than_it_has_room_for_and_nothing_while_frozen()
    {
        Assert.Equal(4096, _uart.Receive(new byte[5000]));
        Assert.Equal(0, _uart.Receive(new byte[1]));
        var another = new Pl011(Base, _ => { });
        Assert.Equal(0, another.Receive(new byte[1]));
        another.Thaw();
        Assert.Equal(1, another.Receive(new byte[1]));
        another.Freeze();
        Assert.Equal(0, another.Receive(new byte[1]));
    }

    [Fact]
    public void A_guest_that_only_prints_leaves_nothing_that_would_have_to_move()
    {
        var reset = new Pl011(Base, _ => { }).Capture();
        foreach (var character in "hello"u8) _uart.Write(Data, character);
        _uart.Read(Flags);
        Assert.Equal(reset, _uart.Capture());
        _uart.Write(Mask, Receive);
        Assert.NotEqual(reset, _uart.Capture());
    }

    /// <summary>Everything that a guest can see goes on in another one, in the middle of input and with the interrupt standing.</summary>
    [Fact]
    public void It_moves_with_every_register_the_input_that_waits_and_the_level_of_its_line()
    {
        Start();
        foreach (var (offset, value) in new (ulong, ulong)[] { (0x20, 7), (0x24, 13), (0x28, 1), (0x34, 0x1a), (0x38, 0x70), (0x48, 1) }) _uart.Write(Base + offset, value);
        _uart.Write(Data, '>');
        _uart.Receive("half a line, longer than the FIFO"u8);
        Assert.Equal('h', (char)_uart.Read(Data));
        _uart.Freeze();

        var lines = new List<bool>();
        var there = new Pl011(Base, lines.Add);
        there.Restore(_uart.Version, _uart.Capture());
        Assert.Equal([true], lines);
        for (var offset = 4UL; offset < 0x1000; offset += 4) Assert.Equal(_uart.Read(Base + offset), there.Read(Base + offset));
        Assert.Equal(_uart.Capture(), there.Capture());
        there.Thaw();
        there.Receive("!"u8);
        var rest = new List<byte>();
        while ((there.Read(Flags) & 0x10) == 0) rest.Add((byte)there.Read(Data));
        Assert.Equal("alf a line, longer than the FIFO!"u8.ToArray(), rest);
        // What was sent still stands, and then nothing does.
        there.Write(Clear, Transmit);
        Assert.Equal([true, false], lines);
    }

    [Fact]
    public void Bytes_that_are_no_state_of_it_are_refused_and_change_nothing()
    {
        Start();
        _uart.Receive("abcd"u8);
        var good = _uart.Capture();
        Assert.Equal(20, good.Length);
        (string Why, int Version, byte[] Bytes)[] bad =
        [
            ("version", 2, good), ("version", 0, good), ("at least 16", 1, []), ("at least 16", 1, good[..15]), ("make it 20", 1, good[..19]), ("make it 20", 1, [.. good, 0]),
            ("CR", 1, With(0, 0x78)), ("IMSC", 1, With(3, 0x8)), ("RIS", 1, With(4, 0x10)), ("FBRD", 1, With(9, 0x40)), ("IFLS", 1, With(10, 0x40)), ("DMACR", 1, With(11, 8)),
            ("in the FIFO", 1, With(13, 5)), ("in the FIFO", 1, With(13, 0xff)), ("at most 4096", 1, With(15, 0xff)),
        ];
        foreach (var (why, version, bytes) in bad)
        {
            var refusal = Assert.Throws<HandlerStateException>(() => _uart.Restore(version, bytes));
            Assert.Contains(why, refusal.Message);
            Assert.Equal(good, _uart.Capture());
        }
        var many = new byte[16 + 4097];
        BinaryPrimitives.WriteUInt16LittleEndian(many.AsSpan(14), 4097);
        Assert.Throws<HandlerStateException>(() => _uart.Restore(1, many));
        _uart.Restore(1, good);

        byte[] With(int at, byte value)
        {
            var bytes = good.ToArray();
            bytes[at] = value;
            return bytes;
        }
    }

    /// <summary>As Linux does at its start: FIFOs, then transmitter and receiver.</summary>
    private void Start()
    {
        _uart.Write(LineControl, 0x70);
        _uart.Write(Control, 0x301);
    }

    private string ReadAll()
    {
        var text = "";
        while ((_uart.Read(Flags) & 0x10) == 0) text += (char)_uart.Read(Data);
        return text;
    }
}
