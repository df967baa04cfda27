#!/bin/sh
# SPDX-License-Identifier: MIT
# examples/channel_driver: messages come back, a device that is taken away gives the unanswered
# one back, and can be opened again; 60 lines of code, so that it stays something to copy.
set -eu
. tests/embedding/lib.inc
loud "$HVKIT_BUILD/examples/example_channel_driver"
for line in 'answer     three' 'given up   four' 'rescinded  closed: yes, offer: gone' 'answer     five' \
	'disconnect success'; do
	grep -q -x "$line" "$work/log" || { cat "$work/log"; echo "not said: $line"; exit 1; }
done
if grep '^  host:' "$work/log"; then echo "the host was offended"; exit 1; fi
# Copied without its neighbour, it says what is missing.
mkdir "$work/alone"
cp -R examples/channel_driver "$work/alone/"
if command -v make >/dev/null; then
	if make -C "$work/alone/channel_driver" >"$work/log" 2>&1; then echo "built without a port"; exit 1; fi
	grep -q 'no ../minimal/port.c: copy examples/minimal beside' "$work/log" || { cat "$work/log"; exit 1; }
fi
lines=$(grep -v '^[[:space:]]*$' examples/channel_driver/echo_driver.c | grep -c -v '^[[:space:]]*/\*.*\*/$')
[ "$lines" -le 60 ] || { echo "the driver has grown to $lines lines of code"; exit 1; }
echo "did: $lines lines of driver"
