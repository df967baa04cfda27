#!/bin/sh
# SPDX-License-Identifier: MIT
# The integration components, from the host's console to the guest's program and back: shutdown, time, pairs,
# addresses, backup, files, restarts. In virtual time, in real time, and on virtual CPUs.
. tests/cli/lib.inc

# --- Shutdown: the answer is in the trace before the guest goes ---
hvkit run --seed 1 --nic sim --utilities all --trace "$work/trace" --summary "$work/summary" -- '!shutdown --reboot for the night' ';' \
	lsvmbus
status_is 0
err_is_empty
out_says 'the host asks to reboot: for the night$'
out_says '^shutdown: the guest has said yes$'
out_says_not '^ *connection  0x' # what follows is not run
summary_says "$work/summary" '"shut_down": true'
summary_says "$work/summary" '"reboot": true'
answered_before_the_end() { # TRACE
	"$HVKIT" trace "$1" >"$work/words"
	answer=$(grep -n 'ic shutdown .*response | shutdown ' "$work/words" | head -n 1 | cut -d: -f1)
	unload=$(grep -n -w 'unload' "$work/words" | head -n 1 | cut -d: -f1)
	[ -n "$answer" ] && [ -n "$unload" ] && [ "$answer" -lt "$unload" ] || wrong "answer at line '$answer', unload at '$unload'"
}
answered_before_the_end "$work/trace"

hvkit run --quiet --seed 2 --nic sim --utilities all -- refuse shutdown ';' '-!shutdown' ';' time
status_is 2 # '-' is of scripts alone
hvkit run --seed 2 --nic sim --utilities all -- refuse forced ';' '!shutdown --force' ';' time
status_is 1
err_says 'shutdown: the guest refused'
out_says 'power off, forced (refused)'
out_says 'since the partition'
hvkit run --seed 2 --nic sim --utilities all -- '!shutdown --hibernate'
status_is 1
err_says 'the guest does not support it'
# Forced, it ends the command that runs; unforced, it waits for it.
hvkit run --seed 3 --nic sim --utilities all -- '!after 1500 shutdown --force' ';' 'ping 10.7.0.1 9'
status_is 130
hvkit run --seed 3 --nic sim --utilities all -- '!after 1500 shutdown' ';' 'ping 10.7.0.1 4' ';' lsvmbus
status_is 0
out_says '4 sent, 4 answered'
out_says_not '^ *connection  0x'

# --- Time: 90 s off is stepped, 0.2 s off is drawn near ---
hvkit run --quiet --seed 4 --nic none --utilities all -- '!wait 100' ';' 'time shift -90' ';' '!wait 5500' ';' time ';' 'time shift 0.2' ';' '!wait 6000' ';' \
	time ';' '!wait 40000' ';' time ';' '!time step 3600' ';' time ';' inspect clock
status_is 0
[ "$(grep -c 'stepped 2 times, drawn near 0 times, last by +\(90\.000\|89\.999\) s' "$work/out")" = 1 ] || wrong "90 s off is stepped once"
out_says 'stepped 2 times, drawn near 1 times, last by -0\.\(199\|200\) s, -0\.1[0-9]* s left'
out_says 'stepped 3 times, .*last by +\(3600\.000\|3599\.999\) s'
out_says 'slew-left: +0.000 s'

# --- Pairs: round, with keys of any script; kept on both sides between runs ---
mkdir "$work/guest"
hvkit run --quiet --seed 5 --nic sim --utilities all --kvp-file "$work/kvp" --guest-dir "$work/guest" -- \
	'!kvp set external "ключ 鍵 🔑" "Straße und mehr"' ';' 'kvp set guest αβγ двa слова' ';' '!kvp get guest αβγ' ';' '!kvp set 0 gone x' ';' \
	'!kvp delete external gone' ';' '!kvp list' ';' '!kvp set auto OSName other'
status_is 1
err_says 'kvp: the guest refused'
out_says '^αβγ = двa слова$'
out_says '^external *ключ 鍵 🔑 = Straße und mehr$'
out_says '^auto *OSName = hvkit shell$'
out_says '^auto *NetworkAddressIPv4 = 10.7.0.15$'
out_says_not 'gone'
[ "$(wc -c <"$work/guest/.kvp_pool_0")" = 2560 ] || wrong "the pool file has one record"
hvkit run --quiet --seed 6 --nic none --utilities all --kvp-file "$work/kvp" -- '!expect devices/kvp0/pairs-told 1' ';' \
	'!kvp get external "ключ 鍵 🔑"' ';' '!kvp get guest αβγ'
status_is 1 # what the guest set itself was in its own directory
out_says '^ключ 鍵 🔑 = Straße und mehr$'
hvkit run --quiet --seed 7 --nic none --utilities all --guest-dir "$work/guest" -- kvp list ';' '!kvp get guest αβγ'
status_is 0
out_says '^guest *αβγ = двa слова$'

# --- Addresses, of the right card of two ---
hvkit run --quiet --seed 8 --nic sim,second --utilities all -- '!kvp ip get net0' ';' '!kvp ip get net1' ';' \
	'!kvp ip set net1 address=10.8.0.5 mask=255.0.0.0' ';' ip ';' \
	'!kvp ip set net0 address=10.7.0.77 mask=255.255.255.0 gateway=10.7.0.1 dns=10.7.0.1' ';' ip ';' '!kvp ip get net0' ';' \
	'!kvp ip get net1' ';' 'ping 10.7.0.1 1' ';' '!kvp ip set net0 dhcp' ';' '!wait 3000' ';' ip ';' 'ping 10.7.0.1 1'
status_is 0
out_says 'dhcp=yes addresses=10.7.0.15 masks=255.255.255.0 gateways=10.7.0.1 name-servers=10.7.0.1$'
out_says 'dhcp=no addresses= masks='
[ "$(grep -c '^address *10.7.0.15$' "$work/out")" = 2 ] || wrong "the address of the first card, before and after"
out_says '^address *10.7.0.77, set by the host$'
out_says 'dhcp=no addresses=10.7.0.77 '
out_says 'dhcp=no addresses=10.8.0.5 masks=255.0.0.0 '
hvkit run --quiet --seed 8 --nic sim --utilities all -- '!kvp ip get {00000000-0000-0000-0000-000000000001}'
status_is 1
err_says 'kvp: not found'

# --- Backup: disks are flushed, writers wait, a freeze that nobody thaws ends by itself ---
truncate -s 8M "$work/disk.img"
hvkit run --quiet --seed 9 --nic none --disk "$work/disk.img" --utilities all --freeze-max 5 -- '!vss backup' ';' '!vss freeze' ';' vss ';' \
	'disk write disk0 0 64 --seed 1' ';' vss ';' '!vss thaw' ';' '!vss freeze' ';' '!after 500 vss thaw' ';' 'disk write disk0 64 64 --seed 2' ';' vss
status_is 1
err_says 'vss: the guest refused' # thawed by itself: the copy is not of one moment
out_says '^vss: frozen: this is the moment for a copy$'
out_says '^frozen; frozen 2 times'
out_says '^wrote 32768 bytes in 5\.0'
out_says '^thawed; frozen 2 times, thawed by the host 1 times, by itself 1$'
out_says '^wrote 32768 bytes in 0\.[45]'
out_says '^thawed; frozen 3 times, thawed by the host 2 times, by itself 1$'

# --- Files ---
head -c 50000 /dev/urandom >"$work/file"
sum=$(sha256sum <"$work/file" | cut -d' ' -f1)
hvkit run --quiet --seed 10 --nic none --utilities all --guest-dir "$work/guest" -- "!fcopy $work/file" ';' "!fcopy $work/file a/b/c" ';' \
	"!fcopy $work/file file --overwrite" ';' files ';' "!fcopy $work/file"
status_is 1
err_says 'fcopy: it exists already'
[ "$(grep -c "$sum" "$work/out")" = 3 ] || wrong "three copies with that sum"
cmp -s "$work/file" "$work/guest/a/b/c" || wrong "the copy differs"
for name in ../up .kvp_pool_0 a/../../up; do
	hvkit run --quiet --seed 10 --nic none --utilities all --guest-dir "$work/guest" -- "!fcopy $work/file $name --overwrite"
	status_is 1
done
mkdir "$work/outside"
ln -s "$work/outside" "$work/guest/link"
hvkit run --quiet --seed 10 --nic none --utilities all --guest-dir "$work/guest" -- "!fcopy $work/file link/up"
status_is 1
[ ! -e "$work/up" ] && [ ! -e "$work/outside/up" ] || wrong "a file outside the directory"
[ "$(wc -c <"$work/guest/.kvp_pool_0")" = 2560 ] || wrong "the pool file was overwritten"

# --- Heartbeat, services that begin anew, a host that has fewer ---
hvkit run --quiet --seed 11 --nic none --utilities all --summary "$work/summary" -- '!wait 9000' ';' '!heartbeat' ';' '!restart kvp' ';' \
	'!kvp set 0 a b' ';' '!restart vss' ';' '!vss check' ';' kvp list external
status_is 0
err_is_empty
out_says '^heartbeat: [45] answered, the last [01]\.[0-9]* s ago$'
out_says '^external *a = b$'
summary_says "$work/summary" '"restarts": 2'
hvkit run --seed 12 --nic none --utilities shutdown+heartbeat -- '!kvp list'
status_is 1
err_says 'kvp: .*this host does not have it'
hvkit run --seed 12 --host ws2008r2 --nic none --utilities fcopy -- time
status_is 1
err_says 'host ws2008r2 has no fcopy'

# --- What the guest does not let the host do, and what cannot be ---
for command in 'kvp ip set net0 address=10.9.9.9 mask=255.0.0.0' 'vss freeze' "fcopy $work/file" 'shutdown' 'kvp ip set net0 address=10.9.9 mask=255.0.0.0' \
	'kvp get external nothing' 'fcopy /no/such/file' 'kvp ip set net7 dhcp'; do
	hvkit run --quiet --seed 13 --nic sim --utilities all -- refuse addresses freeze files shutdown ';' "!$command" ';' ip
	status_is 1
	err_is_one_line
	out_says '^address *10.7.0.15$'
done
hvkit run --quiet --seed 13 --nic sim --utilities all -- '!wait 100' ';' refuse time ';' '!time step 90' ';' time ';' refuse nothing ';' \
	'!time step 90' ';' time
status_is 0
out_says 'stepped 1 times'
out_says 'stepped 2 times, .*last by +1[78][09]\.'

# --- The clock runs ---
hvkit run --nic sim --utilities all -- '!kvp set 0 k v' ';' '!vss backup' ';' '!heartbeat' ';' '!shutdown'
status_is 0
err_is_empty
out_says 'the guest has said yes'

# --- Behind KVM ---
if [ -w /dev/kvm ] && "$HVKIT" run --accel kvm --time-limit 20 --nic none -- time >/dev/null 2>&1; then
	head -c 7000 "$work/file" >"$work/small"
	hvkit run --accel kvm --time-limit 90 --nic none --utilities all --kvp-file "$work/kvp2" --trace "$work/trace" -- \
		'!when devices/kvp0/state = ready kvp set external "ключ" wert' ';' '!when devices/kvp0/pairs-kept = 1 kvp list external' ';' \
		'!when devices/kvp0/counters/answers > 1 vss backup' ';' "!when devices/vss0/counters/answers >= 3 fcopy $work/small" ';' \
		'!when devices/fcopy0/copies = 1 time step 90' ';' '!when devices/timesync0/syncs > 1 shutdown bye' ';' 'idle 60' ';' lsvmbus
	status_is 0
	err_is_empty
	out_says '^external *ключ = wert'
	out_says '^vss: the guest has thawed$'
	out_says '^fcopy: small, 7000 bytes'
	out_says 'time: stepped by +\(90\.0\|89\.99\)'
	out_says 'the host asks to power off: bye'
	out_says 'shutdown: the guest has said yes'
	out_says_not '^ *connection  0x'
	answered_before_the_end "$work/trace"
	[ "$(cat "$work/kvp2")" = "0	ключ	wert" ] || wrong "the file of pairs: $(cat "$work/kvp2")"
	# Addresses as early as can be, a freeze that nobody thaws, and a reboot: the machine is reset.
	hvkit run --accel kvm --time-limit 60 --nic sim --utilities kvp+vss+shutdown --freeze-max 1 -- \
		'!when devices/kvp0/state = ready kvp ip set net0 address=10.7.0.88 mask=255.255.255.0' ';' \
		'!when devices/vss0/state = ready vss freeze' ';' '!at 7 shutdown --reboot' ';' 'idle 2' ';' ip ';' \
		'mark 7' ';' 'idle 30'
	status_is 0
	err_says 'the guest asked for a reset'
	out_says '^vss: frozen: '
	out_says '^vss: thawed, without the host'
	out_says 'the host asks to reboot'
	out_says '^address *10.7.0.88, set by the host'
	echo "did: integration components behind KVM"
fi
finish
