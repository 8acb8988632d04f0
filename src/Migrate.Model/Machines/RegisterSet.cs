using System.Collections;
using Migrate.Model.Errors;
using Migrate.Model.Registers;

namespace Migrate.Model.Machines;

/// <summary>The registers of one vCPU in the order of KVM_GET_REG_LIST, each id once; found by id in constant time.</summary>
public sealed class RegisterSet : IReadOnlyList<Register>, IEquatable<RegisterSet>
{
    private readonly EquatableArray<Register> _registers;
    private readonly Dictionary<RegisterId, int> _index;

    /// <summary>Keeps the order; a malformed id, a repeated id or a value of another size than its id says is refused.</summary>
    public RegisterSet(IEnumerable<Register> registers)
    {
        _registers = registers.ToEquatableArray();
        _index = new Dictionary<RegisterId, int>(_registers.Count);
        for (var i = 0; i < _registers.Count; i++)
        {
            var (id, value) = _registers[i];
            if (!id.IsWellFormed)
                throw new MigrateException(ErrorCode.Malformed, $"register id {id} is not an arm64 KVM register id");
            if (value.Size != id.Size)
                throw new MigrateException(ErrorCode.Malformed, $"register {id} has {id.Size} bytes, its value has {value.Size}");
            if (!_index.TryAdd(id, i)) throw new MigrateException(ErrorCode.Malformed, $"register {id} appears twice");
        }
    }

    /// <summary>No registers.</summary>
    public static RegisterSet Empty { get; } = new([]);

    /// <inheritdoc/>
    public int Count => _registers.Count;

    /// <inheritdoc/>
    public Register this[int index] => _registers[index];

    /// <summary>The registers in list order.</summary>
    public ReadOnlySpan<Register> Span => _registers.Span;

    /// <summary>Whether the register is here, and its value.</summary>
    public bool TryGet(RegisterId id, out RegisterValue value)
    {
        var found = _index.TryGetValue(id, out var at);
        value = found ? _registers[at].Value : default;
        return found;
    }

    /// <summary>Whether the register is here.</summary>
    public bool Contains(RegisterId id) => _index.ContainsKey(id);

    /// <summary>The same registers with some values replaced; registers that are not here are added at the end.</summary>
    public RegisterSet With(params ReadOnlySpan<Register> changes)
    {
        var all = _registers.Span.ToArray().ToList();
        foreach (var change in changes)
        {
            if (_index.TryGetValue(change.Id, out var at)) all[at] = change;
            else all.Add(change);
        }
        return new RegisterSet(all);
    }

    /// <inheritdoc/>
    public bool Equals(RegisterSet? other) => other is not null && _registers == other._registers;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as RegisterSet);

    /// <inheritdoc/>
    public override int GetHashCode() => _registers.GetHashCode();

    /// <inheritdoc/>
    public IEnumerator<Register> GetEnumerator() => ((IEnumerable<Register>)_registers).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
