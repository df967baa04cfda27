#!/bin/sh
# SPDX-License-Identifier: MIT
# Commands for the host's side among the guest's: on the command line, in scripts, in virtual
# and in real time; what the guest makes of what they do.
. tests/cli/lib.inc

# A card that is taken away and offered again is attached again, address and all, repeatedly.
cat >"$work/again" <<'END'
# Comments and empty lines are nothing.

ping 10.7.0.1 1
!rescind net0
-ping 10.7.0.1 1
!devices
!offer net0
ping 10.7.0.1 1
ip
!rescind net0; !offer net0; ping 10.7.0.1 1
!rescind net0
!offer net0
ping 10.7.0.1 2
expect vmbus/state connected
END
for mode in '--seed 1' '--seed 2 --cpus 2' '--seed 3 --host ws2012r2' '--cpus 2' '--host ws2008r2 --vmbus-max 1.1'; do
	case $mode in
	*ws2008r2*) continue ;; # below 3.0 the guest declines
	esac
	hvkit run $mode --nic sim --script "$work/again" --summary "$work/s.json"
	status_is 0
	[ "$(grep -c '^network: the host has taken the card away' "$work/out")" = 3 ] || wrong "the card should go 3 times"
	[ "$(grep -c '^network: channel ' "$work/out")" = 4 ] || wrong "the card should be attached 4 times"
	[ "$(grep -c '^1 sent, 1 answered' "$work/out")" = 3 ] || wrong "three pings of 1"
	out_says '^2 sent, 2 answered'
	out_says '^net0 *network card .*rescinded'
	out_says '^address   10.7.0.15'
	err_says 'ping 10.7.0.1: the host has taken the network card away'
	summary_says "$work/s.json" '"line": "!rescind net0"'
	summary_says "$work/s.json" '"leaked_pages": 0'
	summary_says "$work/s.json" '"count": 0'
done

# The cable: ip says so, what needs the network fails, DHCP says whether the address holds.
hvkit run --seed 1 -- '!nic link down; ip; ping 10.7.0.1 1; !nic link up net0; ping 10.7.0.1 1; ip'
status_is 1
out_says 'MTU 1500, link down$'
out_says 'MTU 1500, link up$'
out_says '^network: link down'
err_says 'ping 10.7.0.1: the network card has no link'
[ "$(grep -c '^dhcp: 10.7.0.15' "$work/out")" = 2 ] || wrong "the lease should be told again"
out_says '^1 sent, 1 answered'

# Each command there is, on the command line, and what it says.
hvkit run --seed 1 --trace "$work/t" -- '!devices; !counters; !violations; !quirk echoes-version; !quirk echoes-version off;
	!quirk echoes-version; !fault delay-signal 1/4; !fault; !silence; !trace off; !trace on; !wait 250; !help wait; !inspect;
	!after 5 devices; time; !wait 10; time'
status_is 0
err_is_empty
out_says '^net0 *network card *channel 1 *open'
out_says '^    hypercalls  *[1-9]'
out_says '^none$'
out_says '^  is      on$'
out_says '^  is      off$'
out_says '^delay-signal *25.00% *struck'
out_says '^wait MILLISECONDS'
out_says '^> !after 5 devices'
[ "$(grep -c '^net0 ' "$work/out")" = 2 ] || wrong "the cards should be listed twice"

# Silence: the guest's next step is not answered, and it says which.
hvkit run --seed 1 -- '!silence gpadl; !rescind net0; !offer net0; ip; !silence none; !rescind net0; !offer net0; ping 10.7.0.1 1'
status_is 1
err_says 'network: attach the network card: '
out_says '^1 sent, 1 answered'

# What is wrong is one line; the rest is run; the first failure is the status.
hvkit run --seed 1 -- '!rescnd net0; !offer net0; !rescind net9; time'
status_is 2
err_says "did you mean 'rescind'"
err_says 'net0 is offered already'
err_says "did you mean 'net0'"
out_says 'reference TSC page'
[ "$(wc -l <"$work/err")" = 3 ] || wrong "one line each"

# Expectations hold now, or soon, or fail with what there was.
hvkit run --seed 1 -- 'expect vmbus/version 5.3; expect vmbus/channels >= 1; !after 100 rescind net0; expect vmbus/channels 0'
status_is 0
hvkit run --seed 1 -- 'expect vmbus/version 4.1'
status_is 1
err_says "expect: vmbus/version is '5.3', not '4.1'"
hvkit run --seed 1 -- 'expect vmbus/colour green'
status_is 2
err_says "there is no 'vmbus/colour' in the guest's state"
hvkit run --seed 1 -- 'inspect vmbus/version; inspect vmbus/attempts'
status_is 0
out_says '^  version: 5.3'
out_says '^    attempt-0:'
out_says_not '^hypervisor:$'

# --inspect: both trees, before the guest leaves; --quirk before it comes.
hvkit run --quiet --seed 1 --inspect -- time
status_is 0
out_says '^guest:$'
out_says '^host:$'
out_says '^    state: connected$'
hvkit run --seed 1 --quirk nvs-max=5 --quirk version-max=4.0 -- lsvmbus
status_is 0
out_says 'NVS 5,'
out_says '^VMBus 4.0'
hvkit run --seed 1 --quirk nvs-mx=5 -- lsvmbus
status_is 2
err_is_one_line

# The same seed is the same run, the monitor's doings and all.
for name in a b; do
	hvkit run --seed 9 --script "$work/again" --inspect --trace "$work/$name.pcapng"
	status_is 0
	mv "$work/out" "$work/$name.out"
done
cmp "$work/a.out" "$work/b.out" || wrong "the output differs"
cmp "$work/a.pcapng" "$work/b.pcapng" || wrong "the trace differs"
finish
