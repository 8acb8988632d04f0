using Migrate.Kvm.Native;
using Migrate.Linux;

namespace Migrate.Kvm.Handles;

/// <summary>Counts the ioctls of one opened /dev/kvm and of everything that was made through it.</summary>
public sealed class IoctlCount
{
    private long _total;

    /// <summary>How many so far.</summary>
    public long Total => Interlocked.Read(ref _total);

    internal void Add() => Interlocked.Increment(ref _total);
}

/// <summary>A descriptor of KVM. The Try methods answer 0 or a positive errno: that KVM refuses is what they are asked for.</summary>
public abstract unsafe class KvmHandle : FileDescriptor
{
    /// <summary>Largest device attribute that is read or written here.</summary>
    internal const int LargestAttribute = 64;

    private protected KvmHandle(int descriptor, string subject, IoctlCount count)
        : base(descriptor)
    {
        Subject = subject;
        Count = count;
    }

    /// <summary>What messages call it.</summary>
    public string Subject { get; }

    /// <summary>How many ioctls were made through the /dev/kvm that this came from.</summary>
    public IoctlCount Count { get; }

    /// <summary>KVM_HAS_DEVICE_ATTR: 0 where the attribute exists (or may be tried), else ENXIO and its like.</summary>
    public int HasAttribute(uint group, ulong attribute)
    {
        var request = new DeviceAttr { Group = group, Attribute = attribute };
        return Errno(Call(Ioctls.HasDeviceAttribute, &request));
    }

    /// <summary>KVM_SET_DEVICE_ATTR with the bytes of a value; none for an attribute that is a command.</summary>
    /// <returns>0 or a positive errno.</returns>
    public int TrySetAttribute(uint group, ulong attribute, ReadOnlySpan<byte> value)
    {
        // How many bytes KVM takes is its own affair: the buffer has room for the most it takes of any attribute.
        var buffer = stackalloc byte[LargestAttribute];
        var room = new Span<byte>(buffer, LargestAttribute);
        room.Clear();
        value.CopyTo(room);
        var request = new DeviceAttr { Group = group, Attribute = attribute, Address = (ulong)buffer };
        var errno = Errno(Call(Ioctls.SetDeviceAttribute, &request));
        if (errno == 0) WasSet(group, attribute, room);
        return errno;
    }

    /// <summary>KVM took an attribute: what it does not give back is to be written down.</summary>
    /// <param name="group">Which group.</param>
    /// <param name="attribute">Which of the group.</param>
    /// <param name="value">Its bytes and zeros behind them, <see cref="LargestAttribute"/> in all.</param>
    private protected virtual void WasSet(uint group, ulong attribute, ReadOnlySpan<byte> value)
    {
    }

    /// <summary>KVM_GET_DEVICE_ATTR.</summary>
    /// <param name="group">Which group.</param>
    /// <param name="attribute">Which of the group.</param>
    /// <param name="value">As many bytes as the attribute has: 4 or 8. Some attributes also take a value in (an address region's number).</param>
    /// <returns>0 or a positive errno.</returns>
    public int TryGetAttribute(uint group, ulong attribute, Span<byte> value)
    {
        var buffer = stackalloc byte[LargestAttribute];
        var room = new Span<byte>(buffer, LargestAttribute);
        room.Clear();
        value.CopyTo(room);
        var request = new DeviceAttr { Group = group, Attribute = attribute, Address = (ulong)buffer };
        var errno = Errno(Call(Ioctls.GetDeviceAttribute, &request));
        if (errno == 0) room[..value.Length].CopyTo(value);
        return errno;
    }

    /// <summary>KVM_SET_DEVICE_ATTR with a number of 4 bytes.</summary>
    /// <returns>0 or a positive errno.</returns>
    public int TrySetAttribute32(uint group, ulong attribute, uint value) =>
        TrySetAttribute(group, attribute, new ReadOnlySpan<byte>(&value, 4));

    /// <summary>KVM_SET_DEVICE_ATTR with a number of 8 bytes.</summary>
    /// <returns>0 or a positive errno.</returns>
    public int TrySetAttribute64(uint group, ulong attribute, ulong value) =>
        TrySetAttribute(group, attribute, new ReadOnlySpan<byte>(&value, 8));

    /// <summary>KVM_GET_DEVICE_ATTR of a number of 4 bytes.</summary>
    /// <returns>0 or a positive errno.</returns>
    public int TryGetAttribute32(uint group, ulong attribute, out uint value)
    {
        uint read = 0;
        var errno = TryGetAttribute(group, attribute, new Span<byte>(&read, 4));
        value = read;
        return errno;
    }

    /// <summary>KVM_GET_DEVICE_ATTR of a number of 8 bytes.</summary>
    /// <returns>0 or a positive errno.</returns>
    public int TryGetAttribute64(uint group, ulong attribute, out ulong value)
    {
        ulong read = 0;
        var errno = TryGetAttribute(group, attribute, new Span<byte>(&read, 8));
        value = read;
        return errno;
    }

    /// <summary>Makes an ioctl: the answer, or an errno negated.</summary>
    internal int Call(in IoctlRequest request, void* argument) => Call(request, (nint)argument);

    /// <summary>Makes an ioctl whose argument is a number.</summary>
    internal int Call(in IoctlRequest request, nint argument)
    {
        Count.Add();
        return Ioctl.Call(this, request.Number, argument);
    }

    /// <summary>The positive errno of an answer; 0 where it is none.</summary>
    internal static int Errno(int answer) => answer < 0 ? -answer : 0;

    /// <summary>Turns a refusal into an exception.</summary>
    internal static void Check(int errno, in IoctlRequest request, string subject, string value = "")
    {
        if (errno != 0) throw new KvmException(request.Name, errno, subject, value);
    }
}
