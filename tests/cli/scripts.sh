#!/bin/sh
# SPDX-License-Identifier: MIT
# Where commands come from: scripts, standard input; how they end; downloads that lose their card;
# signals.
. tests/cli/lib.inc

# A script ends at its first failure, and says where.
printf '%s\n' '# one' 'time' '-nonsense' 'ping 10.7.0.99 1' 'ip' >"$work/script"
hvkit run --seed 1 --script "$work/script"
status_is 1
err_says "script:4: 'ping 10.7.0.99 1' ended with status 1; the script ends here"
out_says_not '^> ip'
out_says '^vmbus: disconnected'
hvkit run --seed 1 --script - <"$work/script"
status_is 1
err_says "standard input:4: "

# Standard input: all of it is run, as after --; the last line needs no end.
printf 'nonsense\n\n!nic link down\nip; !nic link up\nping 10.7.0.1 1' >"$work/lines"
for mode in '--seed 1' ''; do
	hvkit run $mode --nic sim <"$work/lines"
	status_is 2
	out_says 'link down$'
	out_says '^1 sent, 1 answered'
done
hvkit run --seed 1 </dev/null
status_is 0
out_says '^vmbus: disconnected'
printf 'poweroff\nip\n' >"$work/lines"
hvkit run --nic sim <"$work/lines"
status_is 0
out_says_not '^> ip'

# A line that is too long, and bytes of any kind.
awk 'BEGIN { for (i = 0; i < 1300; i++) printf "x"; print "" }' >"$work/lines"
printf '\377\001 y\n' >>"$work/lines"
hvkit run --seed 1 <"$work/lines"
status_is 2
err_says 'at most 1200 characters'
awk 'BEGIN { printf "time"; for (i = 0; i < 400; i++) printf "; ip"; print "" }' >"$work/lines"
hvkit run --seed 1 <"$work/lines"
status_is 2
err_says 'at most 1200 characters'
out_says_not '^> time' # of a cut line nothing is run

# While nothing is typed the guest lives, and leaves in order when the input ends.
mkfifo "$work/fifo"
ran='hvkit run <fifo'
status=0
timeout "$hang_after" "$HVKIT" run --nic sim <"$work/fifo" >"$work/out" 2>"$work/err" &
guest=$!
exec 8>"$work/fifo"
echo 'ping 10.7.0.1 1' >&8
for again in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	grep -q '1 answered' "$work/out" && break
	sleep 0.2
done
out_says '1 sent, 1 answered'
out_says_not 'disconnected'
exec 8>&-
wait $guest || status=$?
status_is 0
out_says '^vmbus: disconnected'

# A download whose card is taken away fails at once and says why; the next one works.
mkdir "$work/www"
head -c 200000000 /dev/zero >"$work/www/big"
head -c 1000 /dev/urandom >"$work/www/small"
serve_http "$work/www"
cat >"$work/script" <<END
!after 100 rescind net0
-fetch http://10.0.2.2:$port/big
!offer net0
fetch http://10.0.2.2:$port/small
!after 50 rescind net0
-fetch http://10.0.2.2:$port/big
!offer net0
fetch http://10.0.2.2:$port/small
END
before=$(date +%s)
hvkit run --nic "user,tcp=$port" --script "$work/script" --summary "$work/s.json"
status_is 0
[ $(($(date +%s) - before)) -lt 12 ] || wrong "a lost download should end at once, not after lwIP's 15 s"
[ "$(grep -c 'the host has taken the network card away (after' "$work/err")" = 2 ] || wrong "two downloads should be lost"
[ "$(grep -c "$(sha256sum <"$work/www/small" | cut -d ' ' -f 1)" "$work/out")" = 2 ] || wrong "two should be whole"
summary_says "$work/s.json" '"leaked_pages": 0'

# Ctrl-C elsewhere than at a terminal ends the run, in order.
interrupted() { # SIGNAL STATUS
	ran="hvkit run (SIG$1)"
	status=0
	"$HVKIT" run --nic sim -- 'ping 10.7.0.1 1000; ip' >"$work/out" 2>"$work/err" &
	guest=$!
	for again in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		grep -q 'number 1 answered' "$work/out" && break
		sleep 0.2
	done
	kill -s "$1" $guest
	wait $guest || status=$?
	status_is "$2"
	err_says 'interrupted'
	out_says '^vmbus: disconnected'
	out_says_not '^> ip'
}
interrupted TERM 143 # a shell's background jobs ignore SIGINT: that is the terminal test's
# Also before there is an address.
ran='hvkit run, in DHCP (SIGTERM)'
status=0
timeout "$hang_after" "$HVKIT" run --silent post --nic sim -- ip >"$work/out" 2>"$work/err" &
guest=$!
sleep 0.3
kill -s TERM $guest
wait $guest || status=$?
[ "$status" = 143 ] || wrong "status should be 143"

# Looking at many conditions leaves the guest its time.
{
	for n in $(seq 200); do echo "!when devices/net0/counters/to-guest-frames > 99999$n rescind net0"; done
	echo ip
} >"$work/script"
hvkit run --quiet --nic user --script "$work/script"
status_is 0
out_says '^address   10.0.2.15'

# Colours only where they are wanted.
hvkit run --seed 1 --color always -- 'time; nonsense'
out_says "$(printf '\033')\[1m> time"
err_says "$(printf '\033')\[31m"
hvkit run --seed 1 -- 'time; nonsense'
! grep -q "$(printf '\033')" "$work/out" "$work/err" || wrong "colours in a file"
finish
