namespace Migrate.ProcessTests;

public class Smoke
{
    [Fact]
    public void The_runner_runs() => Assert.Equal(4, 2 + 2);
}
