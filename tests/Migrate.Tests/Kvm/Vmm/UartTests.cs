using Migrate.Kvm.Vmm;

namespace Migrate.Tests.Kvm.Vmm;

public class UartTests
{
    private const ulong Base = 0x0900_0000;
    private readonly List<byte> _written = [];

    private Uart Uart => new(Base, _written.Add);

    [Fact]
    public void What_is_written_to_the_data_register_reaches_the_console_and_nothing_else_does()
    {
        Uart.Write(Base, 0x1_0000_0041);
        for (var offset = 4UL; offset < 0x1000; offset += 4) Uart.Write(Base + offset, 0x42);
        Assert.Equal("A"u8.ToArray(), _written);
    }

    [Fact]
    public void A_guest_never_waits_for_it_and_finds_a_PL011()
    {
        Assert.Equal(0x90UL, Uart.Read(Base + 0x18));
        Assert.Equal([0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1], Enumerable.Range(0, 8).Select(i => Uart.Read(Base + 0xfe0 + 4 * (ulong)i)));
        for (var offset = 0UL; offset < 0x1000; offset++) Assert.InRange(Uart.Read(Base + offset), 0UL, 0xffUL);
    }

    [Theory]
    [InlineData(0x0900_0000, true)]
    [InlineData(0x0900_0fff, true)]
    [InlineData(0x0900_1000, false)]
    [InlineData(0x08ff_ffff, false)]
    [InlineData(0, false)]
    public void It_answers_in_its_own_page_only(ulong address, bool isThere) => Assert.Equal(isThere, Uart.Has(address));
}
