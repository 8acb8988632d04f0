using System.Text.Json.Nodes;
using Migrate.Model.Errors;
using Migrate.Model.Registers;

namespace Migrate.Model.Encoding;

internal sealed class BooleanShape : Shape<bool>
{
    internal override void Write(DocumentWriter writer, bool value) => writer.Boolean(value);

    internal override bool Read(ref DocumentReader reader) => reader.Boolean();

    internal override JsonObject Describe(SchemaDefinitions definitions) => new() { ["type"] = "boolean" };
}

/// <summary>A number of at most 32 bits: a JSON number.</summary>
internal sealed class NumberShape<T>(long minimum, long maximum, Func<long, T> from, Func<T, long> to) : Shape<T>
{
    internal override void Write(DocumentWriter writer, T value)
    {
        var number = to(value);
        writer.Number(number >= minimum && number <= maximum ? number : throw writer.Refuse(Problem(number)));
    }

    internal override T Read(ref DocumentReader reader)
    {
        var number = reader.Number();
        return number >= minimum && number <= maximum ? from(number) : throw reader.Refuse(Problem(number));
    }

    internal override JsonObject Describe(SchemaDefinitions definitions) =>
        new() { ["type"] = "integer", ["minimum"] = minimum, ["maximum"] = maximum };

    private string Problem(long number) => $"{number} is not within {minimum} to {maximum}";
}

internal sealed class Int64Shape : Shape<long>
{
    internal override void Write(DocumentWriter writer, long value) => writer.Int64(value);

    internal override long Read(ref DocumentReader reader) => reader.Int64();

    internal override JsonObject Describe(SchemaDefinitions definitions) => new() { ["type"] = "string", ["pattern"] = Hex64Shape.Pattern };
}

internal sealed class Hex64Shape : Shape<ulong>
{
    /// <summary>0x and 16 digits.</summary>
    public const string Pattern = "^0x[0-9a-f]{16}$";

    internal override void Write(DocumentWriter writer, ulong value) => writer.Hex64(value);

    internal override ulong Read(ref DocumentReader reader) => reader.Hex64();

    internal override JsonObject Describe(SchemaDefinitions definitions) => new() { ["type"] = "string", ["pattern"] = Pattern };
}

internal sealed class RegisterValueShape : Shape<RegisterValue>
{
    internal override void Write(DocumentWriter writer, RegisterValue value)
    {
        if (value.Size == 0) throw writer.Refuse("a register value of no bytes");
        writer.Value(value);
    }

    internal override RegisterValue Read(ref DocumentReader reader) => reader.Value();

    internal override JsonObject Describe(SchemaDefinitions definitions) =>
        new() { ["type"] = "string", ["pattern"] = "^0x([0-9a-f]{2}){1,256}$" };
}

internal sealed class BytesShape(int maximum) : Shape<EquatableArray<byte>>
{
    internal override void Write(DocumentWriter writer, EquatableArray<byte> value)
    {
        if (value.Count > maximum) throw writer.Refuse($"{value.Count} bytes, the limit is {maximum}", ErrorCode.TooLarge);
        writer.Bytes(value.Span);
    }

    internal override EquatableArray<byte> Read(ref DocumentReader reader) => new(reader.Bytes(maximum));

    internal override JsonObject Describe(SchemaDefinitions definitions) =>
        new() { ["type"] = "string", ["pattern"] = "^([0-9a-f]{2})*$", ["maxLength"] = 2L * maximum };
}
