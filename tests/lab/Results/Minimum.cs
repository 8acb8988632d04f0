using System.Text.Json;

namespace Migrate.Lab.Results;

/// <summary>How many cases each job must at least report on a host (minimum.json): a run that tested nothing must not pass.</summary>
internal sealed class Minimum(Dictionary<string, int> cases)
{
    public static Minimum Read(string file) =>
        new(JsonSerializer.Deserialize<Dictionary<string, int>>(File.ReadAllBytes(file)) ?? throw new LabException($"{file} is empty"));

    /// <exception cref="LabException">The job has no entry.</exception>
    public int Of(string job) =>
        cases.TryGetValue(job, out var least) && least > 0 ? least : throw new LabException($"minimum.json has no number of cases above 0 for job {job}");
}
