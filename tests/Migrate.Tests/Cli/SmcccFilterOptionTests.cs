using System.CommandLine;
using Migrate.Cli.Commands;
using Migrate.Model.Machines;

namespace Migrate.Tests.Cli;

public class SmcccFilterOptionTests
{
    [Fact]
    public void Ranges_are_read_with_their_actions() =>
        Assert.Equal(
            [new SmcccFilterRange(0xc300_0100, 16, SmcccAction.ForwardToUser), new SmcccFilterRange(0x8400_0050, 2, SmcccAction.Deny)],
            Parse("--smccc-filter", "0xc3000100+16=forward-to-user", "--smccc-filter", "0x84000050+0x2=deny").Ranges);

    [Theory]
    [InlineData("0xc3000100")]
    [InlineData("0xc3000100+16")]
    [InlineData("0xc3000100=deny")]
    [InlineData("0xc3000100+0=deny")]
    [InlineData("0xc3000100+1=allow")]
    [InlineData("0x1c3000100+1=deny")]
    [InlineData("=deny+1")]
    [InlineData("-1+1=deny")]
    public void What_is_no_range_is_named(string text) => Assert.Contains($"'{text}' is no range", Parse("--smccc-filter", text).Error);

    private static (SmcccFilterRange[] Ranges, string Error) Parse(params string[] arguments)
    {
        var option = Options.SmcccFilter();
        var parsed = new RootCommand { option }.Parse(arguments);
        return parsed.Errors.Count > 0 ? ([], parsed.Errors[0].Message) : (parsed.GetValue(option)!, "");
    }
}
