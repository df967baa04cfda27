#!/bin/sh
# SPDX-License-Identifier: MIT
# The boot program behind KVM: a script by DHCP and TFTP, by its own command line or from a disc, files by HTTP, sums,
# menus, and what it says when something is wrong. What it starts ends with 0 if it was told all that PVH says.
. tests/cli/lib.inc
command -v busybox >/dev/null || { echo "no busybox"; exit 77; }
netboot=${HVKIT%/*}/hvkit-netboot.elf guest=${HVKIT%/*}/vmm_guests/bare_pvh.elf
[ -r /dev/kvm ] && [ -w /dev/kvm ] || { echo "no /dev/kvm, or not ours"; exit 77; }
[ -e "$netboot" ] && [ -e "$guest" ] || { echo "no image"; exit 77; }

mkdir "$work/http" "$work/tftp" "$work/disc"
cp "$guest" "$work/http/kernel"
cp "$guest" "$work/disc/kernel"
serve_http "$work/http"
sum=$(sha256sum <"$guest" | cut -d' ' -f1)
other=$(printf x | sha256sum | cut -d' ' -f1)
summary=$work/summary

# netboot OPTIONS...: with what $work/tftp/s says
netboot() {
	hvkit run --accel kvm --guest "$netboot" --mem 64M --time-limit 60 --summary "$summary" \
		--nic "user,tcp=$port,tftp=$work/tftp,bootfile=s,restrict" "$@"
	summary_says "$summary" '"count": 0,' # of violations
}

# All that a script can say, and the right sum in capitals. Two contacts, two farewells.
cat >"$work/tftp/s" <<-END
	# comment
	set server http://\${next-server}:$port
	echo I am \${ip}, \${mac}, from \${filename}
	item wrong The wrong one
	item right The right one
	timeout 1
	default right
	menu What is it to be?
	label wrong
	echo WRONG
	exit
	label right
	kernel --sha256 $(echo "$sum" | tr a-f A-F) \${server}/kernel a=b
	initrd s
	boot
END
netboot
status_is 0
out_says '^dhcp: 10.0.2.15 mask 255.255.255.0 router 10.0.2.2'
out_says '^I am 10.0.2.15, 00:15:5d:00:07:01, from tftp://10.0.2.2/s'
out_says '^  2  The right one  (Enter)'
out_says '^  SHA-256 is right'
out_says '^warning: tftp://10.0.2.2/s: nobody has checked what came'
out_says_not "warning: http"
out_says '^starting http://10.0.2.2:[0-9]*/kernel at 0x'
summary_says "$summary" '"unloads": 2'

# A sum that is wrong: nothing is started, and the bus is left all the same. The command line is the script.
netboot --append "wait=1 -- kernel --sha256 $other http://10.0.2.2:$port/kernel ; boot"
status_is 1
out_says '^netboot: ends in 1 s'
out_says "^netboot: script, line 1: http://10.0.2.2:$port/kernel: its SHA-256 is $sum, not $other"
summary_says "$summary" '"unloads": 2'

# A script on a disc, and a kernel beside it.
if command -v xorriso >/dev/null; then
	printf 'kernel kernel\nboot\n' >"$work/disc/script"
	xorriso -as mkisofs -quiet -R -o "$work/disc.iso" "$work/disc" 2>/dev/null
	netboot --cdrom "$work/disc.iso" --append "script=disk:0:/script"
	status_is 0
	out_says '^starting disk:0:/kernel at 0x'
	out_says_not warning
fi

# A host that a loaded system could not come back to.
netboot --host ws2012
status_is 1
out_says '^netboot: connect to VMBus: ehosttooold: '
summary_says "$summary" '"unloads": 0'
finish
