using Migrate.Cli.Output;
using Migrate.Cli.Sources;
using Migrate.Kvm.Vmm;

namespace Migrate.Tests.Cli;

public class GuestConsoleTests
{
    [Theory]
    [InlineData("ls\r", "ls\r", "")]
    [InlineData("a\u0001xb", "a", "End")]
    [InlineData("\u0001X", "", "End")]
    [InlineData("a\u0001?b", "ab", "Help")]
    [InlineData("\u0001hc\u0001x", "c", "Help End")]
    // A Ctrl-A for the guest, by itself and before anything else.
    [InlineData("\u0001\u0001x", "\u0001x", "")]
    [InlineData("\u0001e", "\u0001e", "")]
    [InlineData("\u0003\u0004\u001a", "\u0003\u0004\u001a", "")]
    public void Ctrl_A_is_the_operators_and_everything_else_the_guests(string keys, string toGuest, string commands)
    {
        foreach (var piece in (int[])[1, 2, 100])
        {
            var (escapes, got, found) = (new ConsoleEscapes(), new List<byte>(), new List<ConsoleCommand>());
            var bytes = System.Text.Encoding.Latin1.GetBytes(keys);
            for (var at = 0; at < bytes.Length && !found.Contains(ConsoleCommand.End); at += piece)
            {
                ReadOnlySpan<byte> rest = bytes.AsSpan(at, Math.Min(piece, bytes.Length - at));
                ConsoleCommand command;
                do
                {
                    command = escapes.Take(ref rest, got);
                    if (command != ConsoleCommand.None) found.Add(command);
                }
                while (command != ConsoleCommand.None && command != ConsoleCommand.End);
            }
            Assert.Equal((toGuest, commands), (System.Text.Encoding.Latin1.GetString(got.ToArray()), string.Join(' ', found)));
        }
    }

    [Fact]
    public void A_pipe_gives_the_guest_every_byte_and_waits_for_one_that_is_late()
    {
        var received = new List<byte>();
        var uart = Listening();
        using var console = new GuestConsole(Stream.Null, _ => { });
        uart.Connect(new VmmOptions { Input = console.Input });
        var sent = new byte[20_000];
        new Random(3).NextBytes(sent);
        var reader = new Thread(() => console.Pump(Terminal.To(TextWriter.Null, TextWriter.Null), Reading(sent), null, () => { }));
        reader.Start();
        var patience = System.Diagnostics.Stopwatch.StartNew();
        while (received.Count < sent.Length && patience.Elapsed < TimeSpan.FromSeconds(30))
        {
            if ((uart.Read(Board.Console + 0x18) & 0x10) == 0) received.Add((byte)uart.Read(Board.Console));
        }
        reader.Join();
        Assert.Equal(sent, received);
    }

    [Fact]
    public void A_terminal_can_end_a_machine_that_reads_nothing()
    {
        using var console = new GuestConsole(Stream.Null, _ => { });
        var (ended, words) = (false, new StringWriter());
        console.Pump(Terminal.To(TextWriter.Null, words), Reading("text\u0001?more\u0001xnever"u8.ToArray()), new ConsoleEscapes(), () => ended = true);
        Assert.True(ended);
        Assert.Contains("Ctrl-A x", words.ToString());
    }

    [Fact]
    public void Everything_that_was_printed_is_written_before_it_closes()
    {
        var output = new MemoryStream();
        var printed = new byte[100_000];
        new Random(5).NextBytes(printed);
        using (var console = new GuestConsole(output, _ => { }))
            foreach (var character in printed) console.Write(character);
        Assert.Equal(printed, output.ToArray());
    }

    [Fact]
    public void A_log_ends_where_it_was_told_to_and_the_guest_goes_on()
    {
        var output = new MemoryStream();
        var reports = new List<string>();
        using (var console = new GuestConsole(output, reports.Add, most: 1000))
            for (var i = 0; i < 200_000; i++) console.Write((byte)'x');
        Assert.Equal(1000, output.ToArray().Length);
        Assert.Equal(["1000 characters of the guest's console were written: what follows is dropped"], reports);
    }

    /// <summary>A vCPU that waited for it for ever could be neither moved nor stopped.</summary>
    [Fact]
    public void A_reader_that_stands_still_stops_no_vCPU_and_is_told_what_it_missed()
    {
        using var output = new Stalled();
        var reports = new List<string>();
        using (var console = new GuestConsole(output, reports.Add))
        {
            for (var i = 0; i < 300_000; i++) console.Write((byte)'x');
            output.Go.Set();
        }
        Assert.InRange(output.Length, 1 << 16, 299_999);
        Assert.Equal([$"nobody read standard output: {300_000 - output.Length} characters of the guest's console were lost"], reports);
    }

    private static Func<byte[], int> Reading(byte[] bytes)
    {
        var stream = new MemoryStream(bytes);
        return buffer => stream.Read(buffer);
    }

    private static Pl011 Listening()
    {
        var uart = new Pl011(Board.Console, _ => { });
        uart.Write(Board.Console + 0x2c, 0x70);
        uart.Write(Board.Console + 0x30, 0xb01);
        uart.Thaw();
        return uart;
    }

    /// <summary>A pipe that nobody reads, until it goes.</summary>
    private sealed class Stalled : MemoryStream
    {
        public ManualResetEventSlim Go { get; } = new();

        public override void Write(byte[] buffer, int offset, int count)
        {
            Go.Wait();
            base.Write(buffer, offset, count);
        }
    }
}
