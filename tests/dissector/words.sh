#!/bin/sh
# SPDX-License-Identifier: MIT
# The dissector says the same words as hvkit trace: on runs of several hosts, on a trace of
# every kind of record, short and hostile ones among them. Both decoders are written apart.
. tests/dissector/lib.inc

compare() { # TRACE RECORDS_AT_LEAST
	words "$1" >"$work/words"
	lines=$(wc -l <"$work/words")
	[ "$lines" -ge "$2" ] || { ran="hvkit trace $1"; wrong "only $lines lines"; }
	for column in hvkit.words _ws.col.Info; do
		dissect -r "$1" -T fields -e "$column"
		# tshark escapes a backslash when it prints a field, in the column it does not.
		[ "$column" = _ws.col.Info ] || sed -i 's/\\\\/\\/g' "$work/out"
		diff "$work/words" "$work/out" >"$work/difference" || wrong "$column: other words: $(head -n 4 "$work/difference")"
	done
	compared=$((${compared:-0} + lines))
}

hvkit run --seed 1 --nic sim --trace "$work/system.pcapng" -- 'ping 10.7.0.1 2'
status_is 0
compare "$work/system.pcapng" 200
hvkit run --seed 2 --host ws2012r2 --boot-mode --nic sim --trace "$work/boot.pcapng" -- 'ping 10.7.0.1 1'
status_is 0
compare "$work/boot.pcapng" 150
hvkit run --seed 3 --host ws2008r2 --nic sim --trace "$work/old.pcapng" -- 'ping 10.7.0.1 1'
compare "$work/old.pcapng" 50
truncate -s 8M "$work/disk.img"
hvkit run --seed 4 --nic none --disk "$work/disk.img" --trace "$work/disk.pcapng" -- 'disk read disk0 8 1'
status_is 0
compare "$work/disk.pcapng" 80
grep -q '| vstor execute-srb .* | scsi read-10 lba=8 ' "$work/words" || wrong "the read is not in the words"
grep -q '| sense key=unit-attention code=power-on-or-reset' "$work/words" || wrong "the unit attention is not in the words"
hvkit run --seed 5 --nic none --input all --utilities all --trace "$work/services.pcapng" -- '!kbd type "a\n"' ';' '!mouse move 1 2' ';' \
	'!kvp set 0 k v' ';' '!vss backup' ';' "!fcopy $script" ';' '!shutdown --force'
compare "$work/services.pcapng" 300
for said in 'keyboard event code=0x1e' 'mouse input-report report=' 'versions frameworks=1.0,3.0 messages=' 'kvp set pool=external value_type=sz key=k value=v' \
	'vss freeze' 'fcopy start name=hvkit.lua' 'shutdown reason=.* action=force'; do
	grep -q "| $said" "$work/words" || wrong "the words lack: $said"
done
"$all_kinds" "$work/all.pcapng" >"$work/said" || { cat "$work/said"; ran=$all_kinds; wrong "cannot write its trace"; }
compare "$work/all.pcapng" 400
# The same with bytes changed here and there.
for seed in 1 2 3 4 5 6 7 8; do
	"$all_kinds" "$work/changed.pcapng" $seed
	compare "$work/changed.pcapng" 400
done

# Two passes, and details of everything: no error in the script, nothing called malformed
# but the frames that all_kinds cut.
for trace in system boot old disk services all; do
	dissect -2 -r "$work/$trace.pcapng" -V
	no_lua_error
	[ $trace = all ] || ! grep -q -i 'malformed' "$work/out" || wrong "$trace: something is malformed: $(grep -i -m 1 malformed "$work/out")"
done
# A capture that kept the first bytes of each record only.
for length in 1 19 20 27 36 44 60 100 140; do
	editcap -s $length "$work/all.pcapng" "$work/short.pcapng" || wrong "editcap -s $length"
	dissect -r "$work/short.pcapng" -V
	no_lua_error
done
echo "did: words of $compared records compared"
finish
