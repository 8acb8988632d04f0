namespace Migrate.Benchmarks;

/// <summary>A series of measurements: the median is the figure, the extremes are the machine's noise.</summary>
internal sealed class Figures
{
    private readonly List<double> _values = [];

    public double Median
    {
        get
        {
            var sorted = _values.Order().ToArray();
            return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;
        }
    }

    public void Add(double value) => _values.Add(value);

    public string Text(string format, string unit) =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Median.ToString(format)}{unit} (min {_values.Min().ToString(format)}, max {_values.Max().ToString(format)})");

    /// <summary>Prints a promise with what was measured, and whether it is kept.</summary>
    public static bool Promise(string what, string measured, bool kept)
    {
        Console.WriteLine($"{(kept ? "kept  " : "BROKEN")}  {what}: {measured}");
        return kept;
    }
}
