#!/bin/sh
# SPDX-License-Identifier: MIT
# What our image costs behind KVM, on this machine's own, fast or slow: counts alone. Bounds are
# what docs/performance.md shows.
set -eu
build=${HVKIT_BUILD:?}
[ -r /dev/kvm ] && [ -w /dev/kvm ] || { echo "skipped: no /dev/kvm, or not ours"; exit 77; }
[ -e "$build/hvkit-shell.elf" ] || { echo "skipped: no image in this build"; exit 77; }
work=$(mktemp -d "${TMPDIR:-/tmp}/hvkit-monitor.XXXXXX")
trap 'rm -rf "$work"' EXIT
failed=0

"$build/hvkit" run --accel kvm --time-limit 60 --nic user --summary "$work/json" -- 'idle 1' ';' 'mark 1' ';' \
	'idle 5' ';' 'mark 2' </dev/null >"$work/out" 2>&1 || { cat "$work/out"; exit 1; }
awk -f bench/vm/inside/flatten.awk "$work/json" | sed -n 's/^counters\.kvm\.//p' >"$work/values"
value() {
	sed -n "s/^$1 //p" "$work/values"
}
at_most() { # WHAT IS MOST
	[ -n "$2" ] && [ "$2" -le "$3" ] || {
		echo "$1: '$2', at most $3"
		failed=1
	}
}
between() { # NAME
	echo $(($(value "moments.mark-2.$1") - $(value "moments.mark-1.$1")))
}
first=moments.first-packet
at_most "exits to the first packet but for the serial port's" $(($(value $first.exits) - $(value $first.ports.serial))) 85
at_most "hypercalls to the first packet" "$(value $first.hypercalls)" 57
at_most "messages to the first packet" "$(value $first.messages_delivered)" 7
at_most "interrupts to the first packet" "$(value $first.interrupts)" 20
at_most "exits in 5 idle seconds" "$(between exits)" 20
at_most "interrupts in 5 idle seconds" "$(between interrupts)" 20
at_most "wake-ups of the devices' thread in 5 idle seconds" "$(between device_wakeups)" 20
at_most "bytes of memory beside the guest's" "$(value monitor_bytes)" 33554432
[ $failed = 0 ] && echo "did: 8 counts"
exit $failed
