#!/bin/sh
# SPDX-License-Identifier: MIT
. tests/cli/lib.inc

hvkit --version
status_is 0
out_says '^hvkit [0-9]*\.[0-9]*\.[0-9]*$'
err_is_empty

hvkit --help
status_is 0
out_says 'hvkit run'
out_says 'hvkit hosts'
err_is_empty

hvkit run --help
status_is 0
for option in --host --vmbus-max --boot-mode --cpus --nic --seed --silent --trace --summary --quiet; do
	out_says "^  $option"
done
for word in lsvmbus ip ping fetch time stats help poweroff; do
	out_says "^  $word"
done
out_says 'nvs-receive-buffer'
[ "$(awk 'length > 110' "$work/out" | wc -l)" = 0 ] || wrong "a line is longer than 110 characters"
err_is_empty

hvkit hosts
status_is 0
for host in ws2008r2 ws2012 ws2012r2 ws2022; do
	out_says "^$host: "
done
out_says 'ignores UNLOAD'
out_says '0x40020006'
out_says 'VMBus up to 1.1'
out_says 'VMBus up to 5.3'
err_is_empty

# What is full is noticed.
if [ -c /dev/full ]; then
	ran="hvkit hosts >/dev/full"
	status=0
	"$HVKIT" hosts >/dev/full 2>"$work/err" || status=$?
	status_is 1
fi
finish
