#!/bin/sh
# SPDX-License-Identifier: MIT
# The table of packets in bursts: scripts/bench-packets on rows of our own, and that bench/packets
# counts a signal per burst and queue, no more.
set -eu
build=${HVKIT_BUILD:?}
work=$(mktemp -d "${TMPDIR:-/tmp}/hvkit-packets.XXXXXX")
trap 'rm -rf "$work"' EXIT
failed=0

printf '%s\t%s\tunit\tref\t%s\twhat\n' \
	burst_rx_64_rate 21500000 120000000 burst_rx_64_vs_ring 0.5 43000000 burst_rx_64_hypercalls_per_1000 3.90625 4 \
	burst_rx_64_instructions 119.6 120 burst_rx_64_two_queues_hypercalls_per_1000 7.8125 8 \
	bare_rx_64_instructions 160.5 21 rx_64_instructions 175 14 >"$work/rows"
scripts/bench-packets "$work/rows" >"$work/table"
says() { # LINE, blanks of any number
	tr -s ' ' <"$work/table" | sed 's/ $//' | grep -qxF "$1" || {
		echo "no line '$1' in"
		cat "$work/table"
		failed=1
	}
}
says "rx 64 21.5 43.0 120.0 120 160 3.9"
says "rx 64 two queues - - - - 160 7.8"
[ "$(wc -l <"$work/table")" = 5 ] || { cat "$work/table"; failed=1; }
: >"$work/none"
[ -z "$(scripts/bench-packets "$work/none")" ] || { echo "a table of nothing"; failed=1; }

if [ -x "$build/bench/packets" ]; then
	"$build/bench/packets" 2 >"$work/counted"
	awk -F '\t' '$1 == "row" { rows++; if ($3 + 0 <= 0 || $3 + 0 > $6 + 0) { print; bad = 1 } }
		$1 == "per" { phases++ }
		END { exit bad || rows < 14 || phases != rows + 4 }' "$work/counted" || { cat "$work/counted"; failed=1; }
fi
[ $failed = 0 ] && echo "did: 2 lines, and each way of moving packets"
exit $failed
