using System.Text.Json;
using Migrate.Model;
using Migrate.Model.Encoding;
using Migrate.Preflight.Baselines;

namespace Migrate.Cli.Output;

/// <summary>The document <c>vmmigrate/baseline/1</c>: verdict, pools with their vm-config documents, what hosts give up, and proofs.</summary>
internal static class BaselineJson
{
    public static string Of(BaselineReport report)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("schema", "vmmigrate/baseline/1");
            json.WriteString("verdict", KebabCase.Of(report.Verdict.ToString()));
            json.WriteNumber("hosts", report.Hosts);
            json.WriteNumber("profiles", report.Profiles);
            json.WriteBoolean("fewestPools", report.IsExact);
            json.WriteStartArray("pools");
            foreach (var pool in report.Pools) Pool(json, pool);
            json.WriteEndArray();
            json.WriteStartArray("proofs");
            foreach (var proof in report.Proofs) Proof(json, proof);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return System.Text.Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static void Pool(Utf8JsonWriter json, BaselinePool pool)
    {
        json.WriteStartObject();
        Names(json, pool.Hosts);
        json.WriteString("verdict", KebabCase.Of(pool.Verdict.ToString()));
        json.WriteNumber("pairs", pool.Pairs);
        json.WritePropertyName("config");
        json.WriteRawValue(JsonEncoding.Encode(Documents.VmConfig, pool.Config));
        var qemu = QemuOptions.Of(pool.Config);
        json.WriteStartObject("qemu");
        json.WriteString("options", qemu.Text);
        json.WriteStartArray("notExpressed");
        foreach (var missing in qemu.NotExpressed) json.WriteStringValue(missing);
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteStartArray("givenUp");
        foreach (var given in pool.GivenUp)
        {
            json.WriteStartObject();
            Names(json, given.Hosts);
            json.WriteString("subject", given.Subject);
            json.WriteString("own", given.Own);
            json.WriteString("baseline", given.Baseline);
            if (given.Kept is { } kept)
            {
                json.WriteString("register", kept.Id.ToString());
                json.WriteString("kept", kept.Value.ToString());
            }
            Witness(json, given.Witness);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Proof(Utf8JsonWriter json, BaselineProof proof)
    {
        json.WriteStartObject();
        Names(json, proof.Hosts);
        if (proof.Features is { } features) json.WriteString("features", features.ToString());
        json.WriteString("subject", proof.Subject);
        if (proof.Register is { } register) json.WriteString("register", register.ToString());
        Witness(json, proof.Witness);
        json.WriteStartArray("holdings");
        foreach (var holding in proof.Holdings)
        {
            json.WriteStartObject();
            json.WriteString("host", holding.Host);
            json.WriteString("values", holding.Values);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteString("evidence", KebabCase.Of(proof.Evidence.ToString()));
        json.WriteEndObject();
    }

    private static void Witness(Utf8JsonWriter json, Witness witness)
    {
        json.WriteStartObject("witness");
        json.WriteString("source", witness.Source);
        json.WriteString("destination", witness.Destination);
        json.WriteString("reason", witness.Reason);
        json.WriteEndObject();
    }

    private static void Names(Utf8JsonWriter json, EquatableArray<string> hosts)
    {
        json.WriteStartArray("hosts");
        foreach (var host in hosts) json.WriteStringValue(host);
        json.WriteEndArray();
    }
}
