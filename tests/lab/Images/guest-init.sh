#!/bin/busybox sh
# First process of a Linux guest on a lab host: a shell on the console; when it ends, the guest is switched off.
/bin/busybox --install -s /bin
export PATH=/bin HOME=/ PS1='guest# '
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /tmp
echo "guest: up after $(cut -d' ' -f1 /proc/uptime) s"
setsid cttyhack sh
poweroff -f
