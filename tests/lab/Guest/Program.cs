using System.Globalization;
using Migrate.LabGuest;

if (args is not ["agent", var host, var port, var token])
{
    Console.Error.WriteLine("usage: Migrate.LabGuest agent HOST PORT TOKEN   (started by tests/lab/run)");
    return 2;
}

return Agent.Run(host, int.Parse(port, CultureInfo.InvariantCulture), token);
