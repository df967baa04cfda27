#!/bin/sh
# SPDX-License-Identifier: MIT
# hvkit trace: lines that align, filters, bytes, the check, and what is said of files that are
# missing, cut or no trace.
. tests/cli/lib.inc
trace=$work/run.pcapng
hvkit run --seed 1 --nic sim --quiet --trace "$trace" -- 'ping 10.7.0.1 2'
status_is 0

hvkit trace "$trace"
status_is 0
err_is_empty
all=$(wc -l <"$work/out")
out_says '^     seconds  cpu       channel            what$'
out_says ' cpu0  -->                    initiate-contact version=5.3 target_vp=0 .*sint=2 vtl=0$'
out_says ' cpu0  <-- 1 netvsc           open-result channel=1 open_id=1 status=success$'
out_says ' -     <-- 1 netvsc           .* | rndis query-complete .* oid=OID_802_3_PERMANENT_ADDRESS information=00:15:5d:'
out_says '| icmp echo-reply 10.7.0.1 > 10.7.0.15 id='
out_says '| dhcp discover$'
out_says '| arp who-has 10.7.0.1 tell 10.7.0.15$'
# Columns begin where they should in every line.
! tail -n +2 "$work/out" | grep -v -q -E '^ *[0-9]+\.[0-9]{7}  (cpu[0-9]|-   )  (-->|<--| \* |!!!) (                  |1 netvsc          ) [a-z]' ||
	wrong "a line that does not align: $(tail -n +2 "$work/out" | grep -v -m 1 -E '(-->|<--| \* |!!!) ')"

hvkit trace --kind message,note "$trace"
status_is 0
some=$(wc -l <"$work/out")
[ "$some" -gt 10 ] && [ "$some" -lt "$all" ] || wrong "a filter by kind should leave some lines"
out_says_not 'hypercall\|interrupt\|in-band'
hvkit trace --channel 1 "$trace"
out_says_not 'initiate-contact\|hypercall post-message'
out_says 'gpadl-body'
hvkit trace --channel 0 --kind message "$trace"
out_says 'initiate-contact'
out_says_not 'open-channel'
hvkit trace --from 0.0002 --to 0.0003 "$trace"
awk 'NR > 1 && ($1 < 0.0002 || $1 > 0.0003) { exit 1 } END { exit NR < 3 }' "$work/out" || wrong "not the time asked for"
hvkit trace --from 3600 "$trace"
status_is 0
[ "$(wc -l <"$work/out")" = 1 ] || wrong "nothing should be left"

hvkit trace --bytes --kind message "$trace"
out_says '^                000000  0e 00 00 00 00 00 00 00  *03 00 05 00 .*  \.'
hvkit trace --bytes --kind packet "$trace"
out_says '^              > 000000  '

hvkit trace --check "$trace"
status_is 0
out_says "^$((all - 1)) records, [0-9]* msr-write, .* packet\$"
[ "$(wc -l <"$work/out")" = 1 ] || wrong "--check should say one line"
"$HVKIT" trace - <"$trace" >"$work/piped" || wrong "from standard input"
"$HVKIT" trace "$trace" | cmp -s - "$work/piped" || wrong "standard input should be as good as a file"

# --- Files that are not right ------------------------------------------------------------------
size=$(wc -c <"$trace")
head -c $((size - 9)) "$trace" >"$work/cut.pcapng"
hvkit trace "$work/cut.pcapng"
status_is 1
[ "$(wc -l <"$work/out")" = $((all - 1)) ] || wrong "what comes before the cut should be shown"
err_is_one_line
err_says 'cut.pcapng: at offset [0-9]*: cut: a block of [0-9]* bytes begins here, and [0-9]* of them are there'
hvkit trace --check "$work/cut.pcapng"
status_is 1
out_is_empty
hvkit trace --html "$work/cut.html" "$work/cut.pcapng"
status_is 1
grep -q '"error":"at offset' "$work/cut.html" || wrong "the page should say that the file is damaged"
cat "$trace" "$trace" >"$work/twice.pcapng"
hvkit trace --check "$work/twice.pcapng"
status_is 1
err_says "record $all is earlier than the one before it"
hvkit trace README.md
status_is 1
out_is_empty
err_is_one_line
err_says 'README.md: at offset 0: no pcapng file'
hvkit trace --check README.md
status_is 1
err_says 'README.md: at offset 0: no pcapng file'
hvkit trace --check "$work/missing"
status_is 1
err_says 'missing: No such file'
hvkit trace --check "$work"
status_is 1
err_is_one_line
hvkit trace --html "$work/no/such/folder" "$trace"
status_is 1
err_says 'cannot be written'

# --- Arguments ----------------------------------------------------------------------------------
hvkit trace
status_is 2
err_is_one_line
err_says 'which file'
hvkit trace --kind packets "$trace"
status_is 2
err_says "say one or more of msr-write,"
hvkit trace --help
status_is 0
out_says 'hvkit trace \[OPTIONS\] FILE'
finish
