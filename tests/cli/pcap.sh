#!/bin/sh
# SPDX-License-Identifier: MIT
# --nic ...,pcap=FILE: a capture of the card's frames that others open; the same seed is the same file.
. tests/cli/lib.inc

for name in a b; do
	hvkit run --seed 7 --nic "sim,pcap=$work/$name.pcapng" --summary "$work/s.json" -- ping 10.7.0.1 3
	status_is 0
done
cmp "$work/a.pcapng" "$work/b.pcapng" || wrong "the captures differ"
summary_says "$work/s.json" "\"pcap\": \"$work/b.pcapng\""

# What was refused or could not be written is told.
hvkit run --seed 7 --nic sim,pcap=/nowhere/x -- ip
status_is 2
err_is_one_line
err_says "'/nowhere/x' cannot be written: No such file"
if [ -c /dev/full ]; then
	hvkit run --seed 7 --nic sim,pcap=/dev/full -- ip
	status_is 1
	err_says "'/dev/full' could not be written whole"
fi

command -v tshark >/dev/null || { echo "no tshark: the rest is skipped"; finish; }
fields() { # FILTER FIELD
	tshark -r "$work/a.pcapng" -Y "$1" -T fields -e "$2" 2>"$work/err"
}
ran="tshark -r a.pcapng"
[ "$(fields icmp frame.packet_flags_direction | sort | uniq -c | tr -s ' \n' ' ')" = " 3 0x00000001 3 0x00000002 " ] ||
	wrong "there should be 3 echo requests out and 3 answers in: $(fields icmp frame.packet_flags_direction | tr '\n' ' ')"
[ "$(fields 'icmp.type == 8' frame.packet_flags_direction | sort -u)" = 0x00000002 ] || wrong "requests go out"
[ "$(fields 'dhcp.option.dhcp == 5' ip.src)" = 10.7.0.1 ] || wrong "the lease should be there"
[ "$(fields 'frame' frame.interface_name | sort -u)" = net0 ] || wrong "the interface is net0"
[ "$(fields '_ws.malformed || ip.checksum.status == "Bad" || tcp.checksum.status == "Bad"' frame.number)" = "" ] || wrong "frames are damaged"
from_guest=$(sed -n 's/.*"from_guest_frames": \([0-9]*\).*/\1/p' "$work/s.json" | head -n 1)
to_guest=$(sed -n 's/.*"to_guest_frames": \([0-9]*\).*/\1/p' "$work/s.json" | head -n 1)
[ "$(fields frame frame.number | wc -l)" = $((from_guest + to_guest)) ] || wrong "there should be $from_guest + $to_guest frames"
# The times are the partition's: those of the trace.
[ "$(fields frame frame.time_epoch | head -n 1 | cut -d. -f1)" = 0 ] || wrong "time should count from the partition's beginning"
finish
