using System.Text.Json.Nodes;
using Migrate.Model.Encoding;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;

namespace Migrate.Tests.Service;

/// <summary>A small machine and a small host that differ in one register.</summary>
internal static class Samples
{
    private static readonly RegisterId X0 = new(0x6030_0000_0010_0000);
    private static readonly RegisterId Sctlr = new(0x6030_0000_0013_c080);

    public static MachineState State { get; } = new()
    {
        Vm = new VmDescription
        {
            Name = "web-1",
            Id = new string('a', 32),
            Type = new VmType(40),
            Features = VcpuFeatures.Psci02,
            VcpuCount = 1,
            Memory = [new MemorySlot(0, 0x4000_0000, 0x10_0000)],
        },
        Vcpus = [new VcpuState { Index = 0, Registers = new RegisterSet([Value(X0, 1), Value(Sctlr, 0x30d5_0800)]) }],
    };

    public static HostProfile Host { get; } = new()
    {
        Boot = new BootIdentity { HostName = "b" },
        Evidence = Evidence.Measured,
        IpaSizes = [40],
        Shapes =
        [
            new HostShape
            {
                Features = VcpuFeatures.Psci02,
                Registers = [new RegisterAcceptance { Id = X0, Accepts = Acceptance.Any }],
            },
        ],
    };

    /// <summary>A body with members in the order in which they are given; null leaves one out.</summary>
    public static JsonObject Body(JsonNode? source, JsonNode? destination)
    {
        var body = new JsonObject();
        if (source is not null) body["source"] = source;
        if (destination is not null) body["destination"] = destination;
        return body;
    }

    public static JsonObject GoodBody() => Body(Json(Documents.MachineState, State), Json(Documents.HostProfile, Host));

    public static JsonNode Json<T>(Shape<T> shape, T value) => JsonNode.Parse(JsonEncoding.Encode(shape, value))!;

    private static Register Value(RegisterId id, ulong value) => new(id, new RegisterValue(value));
}
