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
rx_1500_instructions 332
rx_1500_borrowed_instructions 313
rx_64_instructions 171
rx_64_alone_instructions 2205
rx_64_borrowed_instructions 314
rx_64_unbatched_instructions 645
tx_1500_instructions 683
tx_1500_by_page_instructions 1431
tx_64_instructions 330
tx_64_alone_instructions 1030
burst_rx_64_hypercalls_per_1000 3.90625 0
burst_rx_64_checksums_hypercalls_per_1000 3.90625 0
burst_rx_64_lent_hypercalls_per_1000 3.90625 0
burst_rx_64_two_queues_hypercalls_per_1000 7.8125 0
burst_rx_1500_hypercalls_per_1000 3.90625 0
burst_rx_1500_checksums_hypercalls_per_1000 3.90625 0
burst_rx_1500_lent_hypercalls_per_1000 3.90625 0
burst_rx_1500_two_queues_hypercalls_per_1000 7.8125 0
burst_tx_64_hypercalls_per_1000 3.90625 0
burst_tx_64_two_queues_hypercalls_per_1000 7.8125 0
burst_tx_64_lone_hypercalls_per_1000 3.90625 0
burst_tx_1500_hypercalls_per_1000 3.90625 0
burst_tx_1500_two_queues_hypercalls_per_1000 7.8125 0
burst_tx_1500_lone_hypercalls_per_1000 3.90625 0
burst_rx_1500_instructions 287
burst_rx_1500_checksums_instructions 318
burst_rx_1500_lent_instructions 261
burst_rx_1500_two_queues_instructions 390
burst_rx_64_instructions 126
burst_rx_64_checksums_instructions 157
burst_rx_64_lent_instructions 261
burst_rx_64_two_queues_instructions 229
burst_tx_1500_instructions 556
burst_tx_1500_lone_instructions 1167
burst_tx_1500_two_queues_instructions 612
burst_tx_64_instructions 201
burst_tx_64_lone_instructions 1007
burst_tx_64_two_queues_instructions 262
burst_tx_64_more_hypercalls_per_1000 3.90625 0
burst_tx_1500_more_hypercalls_per_1000 3.90625 0
burst_tx_1500_more_instructions 635
burst_tx_64_more_instructions 283
disk_4k_depth_1_hypercalls_per_1000 1000 0
disk_4k_depth_1_two_channels_hypercalls_per_1000 1000 0
disk_4k_depth_32_hypercalls_per_1000 31.25 0
disk_4k_depth_32_two_channels_hypercalls_per_1000 31.25 0
disk_write_4k_depth_32_hypercalls_per_1000 31.25 0
disk_256k_hypercalls_per_1000 250 0
disk_4k_depth_1_instructions 3614
disk_4k_depth_1_two_channels_instructions 3480
disk_4k_depth_32_instructions 2225
disk_4k_depth_32_two_channels_instructions 2221
disk_write_4k_depth_32_instructions 2234
disk_256k_instructions 3296
vf_rx_64_exits_per_1000 0 0
vf_rx_64_interrupts_per_1000 7.8125 0
vf_rx_64_checksums_exits_per_1000 0 0
vf_rx_64_checksums_interrupts_per_1000 7.8125 0
vf_rx_1500_exits_per_1000 0 0
vf_rx_1500_interrupts_per_1000 7.8125 0
vf_tx_64_exits_per_1000 7.8125 0
vf_tx_64_interrupts_per_1000 7.8125 0
vf_tx_64_two_queues_exits_per_1000 15.625 0
vf_tx_64_two_queues_interrupts_per_1000 15.625 0
vf_tx_1500_exits_per_1000 7.8125 0
vf_tx_1500_interrupts_per_1000 7.8125 0
vf_pair_hypercalls 11 0
vf_pair_accesses 237 0
vf_switch_to_vf_hypercalls 1 0
vf_switch_to_vf_accesses 28 0
vf_switch_to_card_hypercalls 1 0
vf_switch_to_card_accesses 1 0
vf_remove_hypercalls 3 0
vf_remove_accesses 39 0
vf_pair_instructions 1632177
vf_remove_instructions 40301
vf_rx_1500_instructions 664
vf_rx_64_instructions 503
vf_rx_64_checksums_instructions 512
vf_switch_to_card_instructions 19487
vf_switch_to_vf_instructions 25749
vf_tx_1500_instructions 658
vf_tx_64_instructions 658
vf_tx_64_two_queues_instructions 685
offer_2047_instructions 10591482
packet_1_channel_instructions 572
packet_64_channels_instructions 573
packet_64_channels_spread_instructions 938
boot_hypercalls 53 0
boot_hypercalls_boot_mode 55 0
boot_hypercalls_ws2012r2 61 0
boot_hypercalls_ws2008r2 63 0
guest_ram_boot_bytes 512000 0
guest_ram_least_bytes 233472 0
guest_ram_default_bytes 3829760 0
guest_text_bytes 60027
guest_text_bytes_all 81814
EOF_BOUNDS
# Whose value depends on the machine, or moves between folders: they must be there and positive.
cat >"$work/present" <<'EOF_PRESENT'
ring_64_vs_memcpy
ring_64_cost_ns
ring_1500_vs_memcpy
ring_1500_cost_ns
ring_65536_vs_memcpy
ring_65536_cost_ns
burst_rx_64_rate
burst_rx_64_vs_ring
burst_rx_64_checksums_rate
burst_rx_64_checksums_vs_ring
burst_rx_64_lent_rate
burst_rx_64_lent_vs_ring
burst_rx_64_two_queues_rate
burst_rx_64_two_queues_vs_ring
burst_rx_1500_rate
burst_rx_1500_vs_ring
burst_rx_1500_checksums_rate
burst_rx_1500_checksums_vs_ring
burst_rx_1500_lent_rate
burst_rx_1500_lent_vs_ring
burst_rx_1500_two_queues_rate
burst_rx_1500_two_queues_vs_ring
burst_tx_64_rate
burst_tx_64_vs_ring
burst_tx_64_two_queues_rate
burst_tx_64_two_queues_vs_ring
burst_tx_64_lone_rate
burst_tx_64_lone_vs_ring
burst_tx_1500_rate
burst_tx_1500_vs_ring
burst_tx_1500_two_queues_rate
burst_tx_1500_two_queues_vs_ring
burst_tx_1500_lone_rate
burst_tx_1500_lone_vs_ring
burst_tx_64_more_rate
burst_tx_64_more_vs_ring
burst_tx_1500_more_rate
burst_tx_1500_more_vs_ring
disk_4k_depth_1_rate
disk_4k_depth_1_vs_pread
disk_4k_depth_1_two_channels_rate
disk_4k_depth_1_two_channels_vs_pread
disk_4k_depth_32_rate
disk_4k_depth_32_vs_pread
disk_4k_depth_32_two_channels_rate
disk_4k_depth_32_two_channels_vs_pread
disk_write_4k_depth_32_rate
disk_write_4k_depth_32_vs_pwrite
disk_256k_rate
disk_256k_vs_pread
vf_rx_64_rate
vf_rx_64_vs_card
vf_rx_64_checksums_rate
vf_rx_64_checksums_vs_card
vf_rx_1500_rate
vf_rx_1500_vs_card
vf_tx_64_rate
vf_tx_64_vs_card
vf_tx_64_two_queues_rate
vf_tx_64_two_queues_vs_card
vf_tx_1500_rate
vf_tx_1500_vs_card
vf_switch_to_vf_rx_gap_us
vf_switch_to_vf_tx_gap_us
vf_switch_to_card_rx_gap_us
vf_switch_to_card_tx_gap_us
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
	case $name in
	tcp_*) [ -x "$build/bench/tcp" ] || continue ;;
	burst_* | vf_[rt]x_*) [ "$(nproc)" -ge 2 ] || continue ;;
	esac
	found=$(value "$name")
	if ! awk -v found="${found:-0}" 'BEGIN { exit !(found + 0 > 0) }'; then
		echo "no row $name, or it is not positive"
		failed=1
	fi
done <"$work/present"
echo "did: $(grep -c '"name"' "$work/bench.json") figures"
[ "$callgrind" ] || echo "without valgrind no instructions were counted"
exit $failed
