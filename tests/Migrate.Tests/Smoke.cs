namespace Migrate.Tests;

public class Smoke
{
    [Fact]
    public void The_captures_are_in_the_checkout() => Assert.Equal(16, Directory.GetFiles(Repository.Data("captures"), "*.*.*.txt").Length);
}
