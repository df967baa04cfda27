#!/bin/sh
# SPDX-License-Identifier: MIT
# The image's conformance run: a life for each version up to the one that is named, one in boot mode, the dialogue
# line by line, and a table that says what came of it.
. tests/cli/lib.inc
[ -r /dev/kvm ] && [ -w /dev/kvm ] || { echo "skipped: no /dev/kvm"; exit 77; }
image=${HVKIT_BUILD:-$(dirname "$HVKIT")}/hvkit-shell.elf
[ -f "$image" ] || { echo "skipped: no $image"; exit 77; }

hvkit run --accel kvm --time-limit 60 --guest "$image" --append 'conformance=end vmbus=0.13' </dev/null
status_is 0
out_says '^newest 0.13  1/1     NVS 6.1  10\.0\.2\.15 .* 196 .* ok$'
out_says '^boot   0.13  1/1 .* ok$'
out_says '^2 of 2 lives went well'
# First and last words of the boot-mode life: contact with 3.0, unload, 0.13; all off.
out_says '^trace [0-9.]* post 0x1 0e0000000000000000000300'
out_says '^trace [0-9.]* message 0x1 1100000000000000$'
out_says '^trace [0-9.]* post 0x1 0e000000000000000d000000'
out_says '^trace [0-9.]* write 0x40000000 0x0$'
[ $failures = 0 ]
