#!/bin/sh
# SPDX-License-Identifier: MIT
# Who may include whom, over the graph that the compiler really sees.
#
#   guest/                 include/hvkit/, guest/; five headers of the compiler; and inside it, upward only:
#     core, hypervisor, vmbus in this order; netdev, device and pci on core alone; storvsc, vf, input and
#     utilities on core and device, netvsc and virtio_net on these and netdev, vpci on these and pci; instance on all
#   host/                  include/hvkit/wire/, include/hvkit_host/, host/; and inside it, upward only:
#     core, hypervisor, vmbus in this order; backends on core alone; scsi nothing but itself; each device
#     folder sees core/core.h and dump.h, vmbus/channel.h and itself, storvsp scsi/scsi.h too, vpci pci/ and
#     hypervisor/device_interrupts.h; pci core alone; partition on all
#   include/hvkit/wire/    itself
#   include/hvkit/         itself
#   include/hvkit_host/    itself, include/hvkit/wire/
#   ports/                 include/, guest/, host/, ports/
#   apps/                  include/, guest/, host/, ports/, apps/, the glue in examples/lwip/
#   apps/storage/          include/hvkit/, itself, and string.h of a libc
#   nobody                 tests/, and no file itself, over whatever detour
set -eu
cd "${WALL_ROOT:-$(dirname "$0")/../..}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
compiler=${CC:-gcc}
own=$(readlink -f "$($compiler -print-file-name=include)")
failed=0
host_public='include/hvkit/wire|include/hvkit_host'

# depends FILE FLAGS: every header that FILE takes in, one per line, ours relative to the root.
depends() {
	file=$1
	shift
	$compiler -M -Iinclude -I. "$@" "$file" >"$work/raw" || { echo "$file: does not preprocess"; return 1; }
	tr -d '\\' <"$work/raw" | tr ' ' '\n' | sed -e '/:$/d' -e '/^$/d' |
		xargs -r realpath --relative-base=. | sort -u | grep -v -x "$file" || true
}

# wall FILE ALLOWED LIBC FLAGS...: the headers of FILE match ALLOWED (a grep pattern); the system's
# headers are the compiler's own, unless LIBC is yes.
wall() {
	file=$1 allowed=$2 libc=$3
	shift 3
	depends "$file" "$@" >"$work/deps" || { failed=1; return 0; }
	sed "s#^#$file #" "$work/deps" >>"$work/graph"
	grep -v '^/' "$work/deps" | grep -v -E "$allowed" | sed "s#^#$file must not include #" >"$work/bad" || true
	if [ "$libc" = no ]; then
		grep '^/' "$work/deps" | while read -r header; do
			case $header in
			"$own"/std*.h) ;;
			*) echo "$file must not include $header" ;;
			esac
		done >>"$work/bad"
	fi
	[ ! -s "$work/bad" ] || { cat "$work/bad"; failed=1; }
}

count=0
for file in $(find guest host include -name '*.[ch]' | LC_ALL=C sort); do
	count=$((count + 1))
	case $file in
	guest/core/*) wall "$file" '^(include/hvkit|guest/core)/' no -ffreestanding -DHVK_SWITCH_POINTS ;;
	guest/hypervisor/*)
		wall "$file" '^(include/hvkit|guest/(core|hypervisor))/' no -ffreestanding -DHVK_SWITCH_POINTS ;;
	guest/vmbus/*)
		wall "$file" '^(include/hvkit|guest/(core|hypervisor|vmbus))/' no -ffreestanding -DHVK_SWITCH_POINTS ;;
	guest/netdev/*) wall "$file" '^(include/hvkit|guest/(core|netdev))/' no -ffreestanding -DHVK_SWITCH_POINTS ;;
	guest/device/*) wall "$file" '^(include/hvkit|guest/(core|device))/' no -ffreestanding -DHVK_SWITCH_POINTS ;;
	guest/storvsc/*)
		wall "$file" '^(include/hvkit|guest/(core|device|storvsc))/' no -ffreestanding -DHVK_SWITCH_POINTS ;;
	guest/netvsc/*)
		wall "$file" '^(include/hvkit|guest/(core|device|netdev|netvsc))/' no -ffreestanding -DHVK_SWITCH_POINTS ;;
	guest/pci/*) wall "$file" '^(include/hvkit|guest/(core|pci))/' no -ffreestanding -DHVK_SWITCH_POINTS ;;
	guest/vpci/*)
		wall "$file" '^(include/hvkit|guest/(core|device|pci|vpci))/' no -ffreestanding -DHVK_SWITCH_POINTS ;;
	guest/virtio_net/*) # not of pci: that is behind include/hvkit/pci.h
		wall "$file" '^(include/hvkit|guest/(core|device|netdev|virtio_net))/' no -ffreestanding -DHVK_SWITCH_POINTS ;;
	guest/input/*)
		wall "$file" '^(include/hvkit|guest/(core|device|input))/' no -ffreestanding -DHVK_SWITCH_POINTS ;;
	guest/utilities/*)
		wall "$file" '^(include/hvkit|guest/(core|device|utilities))/' no -ffreestanding -DHVK_SWITCH_POINTS ;;
	guest/vf/*) wall "$file" '^(include/hvkit|guest/(core|device|vf))/' no -ffreestanding -DHVK_SWITCH_POINTS ;;
	guest/*) wall "$file" '^(include/hvkit|guest)/' no -ffreestanding -DHVK_SWITCH_POINTS ;;
	host/core/*) wall "$file" "^($host_public|host/core)/" yes -D_GNU_SOURCE ;;
	host/hypervisor/*) wall "$file" "^($host_public|host/(core|hypervisor))/" yes -D_GNU_SOURCE ;;
	host/vmbus/*) wall "$file" "^($host_public|host/(core|hypervisor|vmbus))/" yes -D_GNU_SOURCE ;;
	host/backends/*) wall "$file" "^($host_public|host/(core|backends))/" yes -D_GNU_SOURCE ;;
	host/scsi/*) wall "$file" "^($host_public|host/scsi)/" yes -D_GNU_SOURCE ;;
	host/storvsp/*)
		wall "$file" "^($host_public|host/storvsp)/|^host/core/(core|dump)\.h\$|^host/vmbus/channel.h\$|^host/scsi/scsi.h\$" yes -D_GNU_SOURCE ;;
	host/pci/*) wall "$file" "^($host_public|host/(core|pci))/" yes -D_GNU_SOURCE ;;
	host/vpci/*)
		wall "$file" "^($host_public|host/(pci|vpci))/|^host/core/(core|dump)\.h\$|^host/vmbus/channel.h\$|^host/hypervisor/device_interrupts.h\$" yes -D_GNU_SOURCE ;;
	host/virtio/*) # frames are looked into as the card does
		wall "$file" "^($host_public|host/virtio)/|^host/core/(core|dump)\.h\$|^host/netvsp/(headers|checksum|segment|coalesce|offload)\.h\$" yes -D_GNU_SOURCE ;;
	host/vf/*)
		wall "$file" "^($host_public|host/vf)/|^host/core/(core|dump)\.h\$|^host/netvsp/(vf|headers)\.h\$|^host/virtio/net\.h\$" yes -D_GNU_SOURCE ;;
	host/partition/*) wall "$file" "^($host_public|host)/" yes -D_GNU_SOURCE ;;
	host/*/*) # a device: what the bus shows to devices, and itself
		wall "$file" "^($host_public)/|^host/core/(core|dump)\.h\$|^host/vmbus/channel.h\$|^$(dirname "$file")/" yes -D_GNU_SOURCE ;;
	include/hvkit/wire/*) wall "$file" '^include/hvkit/wire/' no -ffreestanding ;;
	include/hvkit/*) wall "$file" '^include/hvkit/' no -ffreestanding ;;
	include/hvkit_host/*) wall "$file" '^include/(hvkit/wire|hvkit_host)/' yes ;;
	*)
		echo "$file: in no part that this wall knows"
		failed=1
		;;
	esac
done
[ "$count" -gt 20 ] || { echo "only $count files found: run from the project's root"; exit 1; }

# ports, apps and examples need headers that may be missing here (lwIP): their own #include lines will do.
edges() { # FILES: "file header" per #include "..." line
	grep -H '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' "$@" /dev/null |
		sed 's/^\([^:]*\):[^"]*"\([^"]*\)".*/\1 \2/'
}
find ports apps examples vmm -name '*.[ch]' 2>/dev/null >"$work/files" || true
if [ -s "$work/files" ]; then
	edges $(cat "$work/files") >"$work/edges"
	grep -E ' tests/' "$work/edges" | sed 's/ / must not include /' >"$work/bad" || true
	grep -E '^apps/storage/' "$work/edges" | grep -v -E ' (hvkit|apps/storage)/' |
		sed 's/ / must not include /' >>"$work/bad" || true
	grep -E '^ports/[^ ]* apps/' "$work/edges" | sed 's/ / must not include /' >>"$work/bad" || true
	grep -E '^examples/[^ ]* (guest|host|ports|apps)/' "$work/edges" | sed 's/ / must not include /' >>"$work/bad" || true
	[ ! -s "$work/bad" ] || { cat "$work/bad"; failed=1; }
fi

# In a circle: direct edges between headers, resolved, sorted topologically.
for file in $(find guest host include ports apps -name '*.h'); do
	directory=$(dirname "$file")
	edges "$file" | while read -r from to; do
		for candidate in "$directory/$to" "$to" "include/$to"; do
			[ ! -f "$candidate" ] || { echo "$from $(realpath --relative-to=. "$candidate")"; break; }
		done
	done
done >"$work/direct"
if ! tsort "$work/direct" >/dev/null 2>"$work/loop"; then
	echo "headers include each other in a circle:"
	cat "$work/loop"
	failed=1
fi
[ $failed = 0 ] && echo "did: $count files, $(sort -u "$work/graph" | wc -l) inclusions"
exit $failed
