using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using Migrate.Lab;
using Migrate.Lab.Results;

var clock = Stopwatch.StartNew();
var tree = typeof(Options).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(pair => pair.Key == "RepositoryRoot").Value!;
Options options;
Minimum minimum;
try
{
    options = Options.Parse(args[1..], args[0]);
    minimum = Minimum.Read(Path.Combine(tree, "tests/lab/minimum.json"));
}
catch (LabException wrong)
{
    Console.Error.WriteLine(wrong.Message);
    return 2;
}

using var stop = new CancellationTokenSource();
void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    stop.Cancel();
}

using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var hungUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop);

var tally = new Tally();
var work = Directory.CreateTempSubdirectory("vmmigrate-lab-").FullName;
try
{
    var data = Path.Combine(tree, "tests/Data");
    var run = new LabRun(options, new Recordings(Path.Combine(data, "lab"), options.Record), new Recordings(Path.Combine(data, "lab-pairs"), options.Record), tally, data, work);
    if (options.Native)
    {
        await run.RunNativeAsync(stop.Token);
    }
    else
    {
        var ingredients = Ingredients.Fetch(options, (series, reason) =>
        {
            if (options.Optional.Contains(series))
                Console.WriteLine($"lab: kernel {series} left out, it was optional: {reason}");
            else
                tally.Failure($"kernel {series}: {reason}");
        });
        Console.WriteLine($"lab: everything fetched after {clock.Elapsed.TotalSeconds:F0} s");
        await run.RunEmulatedAsync(ingredients, stop.Token);
    }

    tally.Compare(options.Jobs.Concat(options.PairJobs.SelectMany(pair => new[] { pair.DestinationHalf, pair.SourceHalf })).Select(job => job.Name), minimum);
}
catch (LabException failure)
{
    tally.Failure(failure.Message);
}
catch (OperationCanceledException)
{
    tally.Failure("interrupted");
}
finally
{
    if (options.Keep)
        Console.WriteLine($"lab: kept {work}");
    else
        Directory.Delete(work, recursive: true);
}

foreach (var failure in tally.Failures())
    Console.WriteLine($"FAILED {failure}");
Console.WriteLine($"lab: took {clock.Elapsed.TotalSeconds:F0} s");
Console.WriteLine(tally.LastLine());
return tally.Failed == 0 && tally.Hosts > 0 && tally.Cases > 0 ? 0 : 1;
