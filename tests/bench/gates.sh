#!/bin/sh
# SPDX-License-Identifier: MIT
# The table of scripts/bench has every row by its name, and what does not depend on the machine
# has not become worse: instructions by more than a tenth, everything else at all. Bounds are
# what docs/performance.md shows. Better figures are no failure: lower the bound with them.
set -eu
build=${HVKIT_BUILD:?}
[ -x "$build/bench/counts" ] || { echo "skipped: no benchmarks in this build"; exit 77; }
work=$(mktemp -d "${TMPDIR:-/tmp}/hvkit-gates.XXXXXX")
trap 'rm -rf "$work"' EXIT
failed=0

# NAME MOST: figures of the preset dev (gcc, -O2); 0 in the third column: no tenth on top.
cat >"$work/bounds" <<'EOF_BOUNDS'
rx_copies_per_message 1 0
signals_per_1000_packets_rx 31.25 0
interrupts_per_1000_packets_rx 31.25 0
signals_per_1000_packets_tx 31.25 0
interrupts_per_1000_packets_tx 31.25 0
rx_copies_per_message_borrowed 0 0
rx_1500_instructions 421
rx_1500_borrowed_instructions 370
rx_64_instructions 260
rx_64_alone_instructions 2371
rx_64_borrowed_instructions 371
rx_64_unbatched_instructions 813
tx_1500_instructions 729
tx_1500_by_page_instructions 1390
tx_64_instructions 327
tx_64_alone_instructions 1198
offer_2047_instructions 12291409
packet_1_channel_instructions 754
packet_64_channels_instructions 754
packet_64_channels_spread_instructions 1122
boot_hypercalls 50 0
boot_hypercalls_boot_mode 52 0
boot_hypercalls_ws2012r2 58 0
boot_hypercalls_ws2008r2 61 0
guest_ram_boot_bytes 516096 0
guest_ram_least_bytes 237568 0
guest_ram_default_bytes 3833856 0
guest_text_bytes 45402
guest_text_bytes_all 53369
EOF_BOUNDS
# Whose value depends on the machine, or moves between folders: they must be there and positive.
cat >"$work/present" <<'EOF_PRESENT'
ring_64_vs_memcpy
ring_64_cost_ns
ring_1500_vs_memcpy
ring_1500_cost_ns
ring_65536_vs_memcpy
ring_65536_cost_ns
guest_text_bytes_core
guest_text_bytes_hypervisor
guest_text_bytes_instance
guest_text_bytes_netdev
guest_text_bytes_netvsc
guest_text_bytes_vmbus
tcp_download_vs_bare
tcp_download_cpu_vs_bare
tcp_download_two_threads_vs_bare
tcp_download_two_threads_cpu_vs_bare
tcp_download_rate
tcp_signals_per_1000_frames
tcp_interrupts_per_1000_frames
EOF_PRESENT

scripts/bench --quick --json "$work/bench.json" "$build" >"$work/table" 2>"$work/errors" ||
	{ cat "$work/errors" >&2; exit 1; }
value() { # NAME
	sed -n "s/^.*{\"name\": \"$1\", \"value\": \([0-9.e+]*\),.*/\1/p" "$work/bench.json"
}
callgrind=1
command -v valgrind >/dev/null || callgrind=
gcc=1
grep -q '^CMAKE_C_COMPILER_ID.*GNU\|^CMAKE_C_COMPILER:.*\(/cc\|gcc\)' "$build/CMakeCache.txt" || gcc=

while read -r name most slack; do
	found=$(value "$name")
	case $name in *_instructions) [ "$callgrind" ] || continue ;; esac
	if [ -z "$found" ]; then
		echo "no row $name"
		failed=1
		continue
	fi
	case $name in *_instructions | guest_text*) [ "$gcc" ] || continue ;; esac
	awk -v found="$found" -v most="$most" -v slack="${slack:-0.1}" -v name="$name" 'BEGIN {
		if (found + 0 > most * (1 + slack)) { print name ": " found ", at most " most * (1 + slack); exit 1 } }' ||
		failed=1
done <"$work/bounds"
while read -r name; do
	case $name in tcp_*) [ -x "$build/bench/tcp" ] || continue ;; esac
	found=$(value "$name")
	if ! awk -v found="${found:-0}" 'BEGIN { exit !(found + 0 > 0) }'; then
		echo "no row $name, or it is not positive"
		failed=1
	fi
done <"$work/present"
echo "did: $(grep -c '"name"' "$work/bench.json") figures"
[ "$callgrind" ] || echo "without valgrind no instructions were counted"
exit $failed
