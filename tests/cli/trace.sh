#!/bin/sh
# SPDX-License-Identifier: MIT
# A reader that is not ours opens the trace: tshark sees as many frames as there are records,
# and none before its predecessor.
. tests/cli/lib.inc
command -v tshark >/dev/null || { echo "no tshark"; exit 77; }

# Records in the file, counted by its block structure: enhanced packets are of type 6.
records() {
	od -An -v -tu4 -w4 "$1" | awk '
		!left { type = $1; at = 1; left = -1; count += type == 6; next }
		left == -1 { left = $1 / 4 - 2; next }
		{ left-- }
		END { print count + 0 }'
}

reads() { # TRACE
	ran="tshark -r $1"
	tshark -r "$1" -T fields -e frame.number -e frame.time_epoch -e frame.len >"$work/out" 2>"$work/all-errors"
	status=$?
	grep -v -i 'running as user' "$work/all-errors" >"$work/err" || true
	status_is 0
	err_is_empty
	frames=$(wc -l <"$work/out")
	[ "$frames" -gt 100 ] || wrong "only $frames frames"
	[ "$frames" = "$(records "$1")" ] || wrong "$frames frames, but $(records "$1") records"
	# As text: in floating point 100 ns are lost.
	cut -f2 "$work/out" | sort -c -t. -k1,1n -k2,2n 2>"$work/err" || wrong "times decrease"
	awk -F'\t' '$3 < 20 { bad++ } END { exit bad > 0 }' "$work/out" || wrong "a frame is shorter than its header"
}

hvkit run --seed 1 --nic sim --trace "$work/system.pcapng" -- 'ping 10.7.0.1 3'
status_is 0
reads "$work/system.pcapng"
hvkit run --seed 2 --host ws2012r2 --boot-mode --nic sim --trace "$work/boot.pcapng" -- 'ping 10.7.0.1 1'
status_is 0
reads "$work/boot.pcapng"
hvkit run --nic sim --cpus 2 --trace "$work/threads.pcapng" -- 'ping 10.7.0.1 1'
status_is 0
reads "$work/threads.pcapng"

# The check itself: a file that is cut must not pass.
head -c 5000 "$work/system.pcapng" >"$work/cut.pcapng"
! tshark -r "$work/cut.pcapng" >"$work/out" 2>"$work/err" || wrong "tshark takes a file that is cut"
finish
