#!/bin/busybox sh
# First process of a lab host: mounts what .NET and KVM need, brings the network up, runs the agent, powers off.
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /run
mkdir -p /dev/shm && mount -t tmpfs tmpfs /dev/shm
for argument in $(cat /proc/cmdline); do
    case "$argument" in
        lab.port=*) port=${argument#*=} ;;
        lab.token=*) token=${argument#*=} ;;
    esac
done
ifconfig lo 127.0.0.1 up
line="/dev/vport0p1"
if [ -d /modules ]; then
    # The names sort in the order in which they need each other.
    for module in /modules/*.ko; do
        insmod "$module" || echo "lab: $module cannot be loaded"
    done
    # The emulator's user network: it is the gateway, and its loopback answers there.
    ifconfig eth0 10.0.2.15 netmask 255.255.255.0 up
    route add default gw 10.0.2.2
    line="10.0.2.2 $port"
fi
# The test runner asks who it is.
mkdir -p /etc && echo 'root:x:0:0:root:/tmp:/bin/sh' > /etc/passwd
export HOME=/tmp TMPDIR=/tmp
export DOTNET_ROOT=/dotnet DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 DOTNET_EnableDiagnostics=0 DOTNET_gcConcurrent=0 DOTNET_TieredPGO=0
# Programs start others as "dotnet PROGRAM.dll"; of an installed .NET only that command is not in the runtime's package.
printf '#!/bin/sh\nprogram=${1%%.dll}\nshift\nexec "$program" "$@"\n' > /dotnet/dotnet
chmod +x /dotnet/dotnet
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
echo "lab: starting the agent after $(cut -d' ' -f1 /proc/uptime) s"
cd /app
/app/Migrate.LabGuest agent $line "$token"
echo "lab: the agent ended with $?"
poweroff -f
