using Migrate.Kvm;
using Migrate.Kvm.Handles;
using Migrate.Model.Errors;
using Migrate.Model.Registers;
using Migrate.Tests.Linux;

namespace Migrate.Tests.Kvm;

public class SystemTests
{
    [Fact]
    public void A_host_without_kvm_is_refused_in_words()
    {
        using var directory = new TemporaryDirectory();
        var error = Assert.Throws<KvmException>(() => KvmSystem.Open(directory["kvm"]));
        Assert.Equal(ErrorCode.Unsupported, error.Code);
        Assert.Equal($"{directory["kvm"]}: this is not an arm64 KVM host: it cannot be opened (ENOENT)", error.Message);
        Assert.NotNull(error.Remedy);
    }

    [Fact]
    public void A_device_that_is_no_kvm_is_refused_by_what_it_answers()
    {
        var error = Assert.Throws<KvmException>(() => KvmSystem.Open("/dev/null"));
        Assert.Equal(ErrorCode.Unsupported, error.Code);
        Assert.Equal("/dev/null: this is not an arm64 KVM host: KVM_GET_API_VERSION answers ENOTTY", error.Message);
    }

    [Fact]
    public void This_machine_is_an_arm64_KVM_host_or_is_said_not_to_be_one()
    {
        // Whether it is decides what is asserted: on x86-64, with or without KVM, there is one answer.
        try
        {
            using var system = KvmSystem.Open();
            Assert.True(system.CheckExtension(Capability.ArmVmIpaSize) >= 32);
        }
        catch (KvmException e) when (e.Code == ErrorCode.Unsupported)
        {
            Assert.Contains("this is not an arm64 KVM host", e.Message);
        }
        catch (KvmException e)
        {
            Assert.Equal(ErrorCode.Denied, e.Code);
        }
    }

    [Fact]
    public void A_refused_register_is_named_by_its_architectural_name_with_value_and_errno()
    {
        var id = RegisterId.System(3, 0, 0, 4, 0);
        var error = new KvmException("KVM_SET_ONE_REG", 22, KvmException.Subject(3, id), new RegisterValue(0x11).ToShortString());
        Assert.Equal("KVM_SET_ONE_REG vCPU 3 ID_AA64PFR0_EL1 = 0x11: EINVAL (Invalid argument)", error.Message);
        Assert.Equal(("KVM_SET_ONE_REG", 22, ErrorCode.System), (error.Ioctl, error.Errno, error.Code));
    }

    [Fact]
    public void A_call_that_takes_no_value_shows_none() =>
        Assert.Equal("KVM_CREATE_VCPU vCPU 1: EBUSY (Device or resource busy)", new KvmException("KVM_CREATE_VCPU", 16, "vCPU 1").Message);
}
