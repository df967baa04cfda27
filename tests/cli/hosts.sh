#!/bin/sh
# SPDX-License-Identifier: MIT
# Every host and every quirk is listed, and what is said there can be typed.
. tests/cli/lib.inc

hvkit hosts
status_is 0
err_is_empty
for host in ws2008 ws2008r2 ws2012 ws2012r2 ws2016 ws2019 ws2022 azure openvmm qemu; do
	out_says "^$host: "
done
out_says 'unlike ws2022: redelivery=by-looking returned-connection=1'
[ "$(awk 'length > 110' "$work/out" | wc -l)" = 0 ] || wrong "a line is longer than 110 characters"
quirks=$(sed -n 's/^ [ *] \([a-z0-9-]*\): .* \[\(.*\)\]$/\1=\2/p' "$work/out")
[ "$(echo "$quirks" | wc -l)" -ge 35 ] || wrong "quirks are missing"

# Each with what the usual host has, and a guest runs as ever.
set --
for quirk in $quirks; do set -- "$@" --quirk "$quirk"; done
hvkit run --nic none "$@" -- lsvmbus
status_is 0
err_is_empty

# What another host does otherwise can be set here too.
hvkit hosts
pairs=$(sed -n 's/^    unlike ws2022: //p; s/^        //p' "$work/out" | tr ' ' '\n' | sort -u)
[ "$(echo "$pairs" | wc -l)" -ge 15 ] || wrong "habits are missing"
for pair in $pairs; do
	hvkit run --nic none --quirk "$pair" --quiet -- lsvmbus
	[ "$pair" = unload-works=off ] || status_is 0
done

hvkit run --quirk late-pending=perhaps -- lsvmbus
status_is 2
err_says 'late-pending is by-seed, off or on, not .perhaps.'
hvkit run --quirk ic-versions=on -- lsvmbus
status_is 2
err_says 'ic-versions is none, ws2008, '
finish
