using Migrate.Cli.Output;

namespace Migrate.Tests.Cli;

public class UnitsTests
{
    [Theory]
    [InlineData("4096", 4096UL)]
    [InlineData("512M", 512UL << 20)]
    [InlineData("1GiB", 1UL << 30)]
    [InlineData("1.5K", 1536UL)]
    [InlineData("2TB", 2UL << 40)]
    public void Sizes_are_read_in_binary_multiples(string text, ulong bytes)
    {
        Assert.True(Units.TryBytes(text, out var read));
        Assert.Equal(bytes, read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("M")]
    [InlineData("-1M")]
    [InlineData("1X")]
    [InlineData("99999999999999T")]
    public void What_is_no_size_is_refused(string text) => Assert.False(Units.TryBytes(text, out _));

    [Theory]
    [InlineData("300ms", 300)]
    [InlineData("2s", 2000)]
    [InlineData("5m", 300_000)]
    [InlineData("1h", 3_600_000)]
    public void Times_are_read_with_their_unit(string text, int milliseconds)
    {
        Assert.True(Units.TryTime(text, out var read));
        Assert.Equal(milliseconds, read.TotalMilliseconds);
        Assert.Equal(text, new Duration(read).ToString());
    }

    [Theory]
    [InlineData("300")]
    [InlineData("soon")]
    [InlineData("1d")]
    [InlineData("-1s")]
    [InlineData("99999h")]
    public void What_is_no_time_is_refused(string text) => Assert.False(Units.TryTime(text, out _));

    [Theory]
    [InlineData(0UL, "0")]
    [InlineData(1UL << 30, "1G")]
    [InlineData(256UL << 20, "256M")]
    [InlineData(1000UL, "1000")]
    public void A_default_size_is_shown_as_it_could_be_typed(ulong bytes, string text)
    {
        Assert.Equal(text, new ByteSize(bytes).ToString());
        Assert.True(Units.TryBytes(text, out var read));
        Assert.Equal(bytes, read);
    }
}
