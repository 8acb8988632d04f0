using Migrate.Model;
using Migrate.Model.Errors;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;

namespace Migrate.Preflight.Baselines;

/// <summary>A VM that is created from a configuration: what a host makes of it, and what a VMM writes there.</summary>
public static class ConfiguredMachine
{
    /// <summary>The VM with one vCPU in the state in which the host creates it.</summary>
    /// <exception cref="MigrateException">
    /// <see cref="ErrorCode.Refused"/>: the host does not create such a VM, with what stands in the way; <see cref="ErrorCode.NotFound"/>: it was not measured with these features.
    /// </exception>
    public static MachineState Of(HostProfile host, VmConfig config) =>
        View(host, config).Create(config, out var refusal)
        ?? throw new MigrateException(ErrorCode.Refused, $"{Name(host)} does not create this VM: {refusal}")
        {
            Stage = Stage.Plan,
            Remedy = "Make a configuration that fits this host too: vmmigrate baseline with it among the hosts.",
        };

    /// <summary>The registers and full values that a VMM writes on this host, through every vCPU before the first run, in this order.</summary>
    /// <exception cref="MigrateException">As <see cref="Of"/>.</exception>
    public static EquatableArray<Register> Writes(HostProfile host, VmConfig config)
    {
        Of(host, config);
        return View(host, config).Writes(config).ToEquatableArray();
    }

    /// <summary>The device attributes that a VMM writes on this host once its interrupt controller is initialised, before the first run.</summary>
    public static EquatableArray<DeviceState> Devices(HostProfile host, VmConfig config) => config.Gic == GicKind.GicV3 ? ConfiguredGic.Writes(host, config.GicRevision) : [];

    private static HostView View(HostProfile host, VmConfig config)
    {
        if (HostView.Of(new BaselineHost(Name(host), host), config.Features, config.Gic) is { } view) return view;
        throw host.Shape(config.Features, config.Gic) is null
            ? new MigrateException(ErrorCode.NotFound, $"the profile of {Name(host)} was not measured with the vCPU features {config.Features}") { Stage = Stage.Plan, Remedy = "Probe the host again." }
            : new MigrateException(ErrorCode.Refused, $"{Name(host)} does not create a vCPU with the features {config.Features}") { Stage = Stage.Plan };
    }

    private static string Name(HostProfile host) => host.Boot.HostName.Length > 0 ? host.Boot.HostName : host.Origin.Length > 0 ? host.Origin : "the host";
}
