using Migrate.Benchmarks;

// dotnet run -c Release --project tests/Migrate.Benchmarks [-- NAME [RUNS]]
Dictionary<string, Func<int, bool>> benchmarks = new()
{
    ["move"] = MoveBenchmark.Run,
    ["check"] = CheckBenchmark.Run,
    ["verdict"] = VerdictBenchmark.Run,
    ["fleet"] = FleetBenchmark.Run,
};

if (args is ["minimal-receive", ..]) return MinimalMove.Receive(args[1..]);
if (args is ["minimal-send", ..]) return MinimalMove.Send(args[1..]);

var chosen = args.Length > 0 ? [args[0]] : benchmarks.Keys.ToArray();
var runs = args.Length > 1 ? int.Parse(args[1], System.Globalization.CultureInfo.InvariantCulture) : 5;
if (chosen.FirstOrDefault(name => !benchmarks.ContainsKey(name)) is { } unknown)
{
    Console.Error.WriteLine($"no benchmark '{unknown}'; there are {string.Join(", ", benchmarks.Keys)}");
    return 2;
}
Console.WriteLine($"{Environment.ProcessorCount} cores, load {Load.Average}, {runs} runs of each, side by side");
var promisesKept = true;
foreach (var name in chosen) promisesKept &= benchmarks[name](runs);
return promisesKept ? 0 : 1;
