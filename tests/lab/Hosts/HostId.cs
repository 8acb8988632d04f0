namespace Migrate.Lab.Hosts;

/// <summary>A lab host is a kernel on a CPU model.</summary>
internal readonly record struct HostId(string Series, string Cpu)
{
    /// <summary>Also the name of its folder in tests/Data/lab.</summary>
    public override string ToString() => $"{Series}.{Cpu}";
}
