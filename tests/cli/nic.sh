#!/bin/sh
# SPDX-License-Identifier: MIT
# The commands about the network card: what it shows, what can be changed while it is there, and
# that the network works afterwards.
. tests/cli/lib.inc

sim() { # COMMANDS...
	hvkit run --quiet --seed 3 --nic sim --cpus 3 --queues 3 "$@"
}

sim -- nic ';' 'nic rss' ';' stats ';' 'stats 2'
status_is 0
err_is_empty
out_says '^state     up, link up, 10000 Mbit/s, NVS 6.1$'
out_says '^mtu       1500, at most 65521$'
out_says '^queues    0:channel-1/cpu-0 1:channel-2/cpu-1 2:channel-3/cpu-2$'
out_says '^on        rss$'
out_says '^off       tx-ipv4 tx-tcp4 '
out_says '^table     0 1 2 0 1 2 '
out_says '^key       [0-9a-f][0-9a-f] '
out_says '^queues  *received'
out_says '^    2  *[0-9]'
[ "$(grep -c '^    frames received' "$work/out")" = 2 ] || wrong "stats 2 should show a queue"

# Each change shows, and what follows goes over the changed card.
sim --offloads none -- 'nic mtu 9000' ';' 'nic offloads checksum+lro' ';' \
	'nic groups 01:00:5e:00:00:01 33:33:00:00:00:01' ';' 'nic promiscuous on' ';' nic ';' ip ';' 'ping 10.7.0.1 2' ';' stats
status_is 0
err_is_empty
out_says '^state     up, promiscuous, link up'
out_says '^mtu       9000, at most'
out_says '^on        tx-ipv4 tx-tcp4 tx-udp4 tx-tcp6 tx-udp6 rx-ipv4 rx-tcp4 rx-udp4$'
out_says '^off       tso4 tso6 tx-vlan rx-vlan rss$'
out_says '^groups    01:00:5e:00:00:01 33:33:00:00:00:01$'
out_says '^hardware  .*, MTU 9000, link up$'
out_says '^2 sent, 2 answered'
out_says '^    checksums by card  [1-9]'
out_says '^    checksums right    [1-9]'

# Down and up, suspended and resumed: what is set stays, and DHCP is asked about the address.
sim -- 'nic offloads checksum' ';' 'nic mtu 3000' ';' 'nic down' ';' 'ping 10.7.0.1 1' ';' 'nic up' ';' 'ping 10.7.0.1 1' ';' \
	'nic suspend' ';' 'ping 10.7.0.1 1' ';' nic ';' 'nic resume' ';' nic ';' 'ping 10.7.0.1 1'
status_is 1
err_says 'the network card is down: nic up'
err_says 'the network card is suspended: nic resume'
[ "$(grep -c '^1 sent, 1 answered' "$work/out")" = 2 ] || wrong "two of four pings should be answered"
out_says '^state     suspended, '
[ "$(grep -c '^mtu       3000, ' "$work/out")" = 2 ] || wrong "the MTU should stay"
[ "$(grep -c '^queues    0:channel-1/cpu-0 1:channel-2/cpu-1 2:' "$work/out")" = 1 ] || wrong "all queues should come back"

# It ends in order while suspended, and while down.
for last in suspend down; do
	sim -- "nic $last"
	status_is 0
	err_is_empty
done
sim -- 'nic suspend' ';' 'nic suspend'
status_is 1
err_says 'nic suspend: estate'

# What cannot be is refused in words, and changes nothing.
for wrong_one in 'mtu 67' 'mtu 65522' 'mtu x' mtu 'mtu 1 2' 'offloads fast' offloads 'rss 1' 'groups 00:11:22:33:44:55' \
	'groups 01:00:5e' groups 'promiscuous maybe' 'sideways' 'down now'; do
	sim -- "nic $wrong_one" ';' nic
	status_is 2
	err_is_one_line
	out_says '^mtu       1500'
	out_says '^on        rss$'
done
sim -- 'stats 3'
status_is 2
err_says "there is no queue '3', but 3"
hvkit run --quiet --seed 3 --nic sim --host ws2008 -- 'nic offloads lro' ';' 'nic rss' ';' 'nic mtu 1600'
status_is 1
err_says 'the card does not have lro here'
err_says 'no receive-side scaling'
hvkit run --quiet --seed 3 --nic none -- nic
status_is 1
err_says 'there is no network card'

# All offloads or none: the same bytes, by threads, with frames over several CPUs.
mkdir "$work/http"
head -c 5000000 /dev/urandom >"$work/http/file"
digest=$(sha256sum <"$work/http/file" | cut -d' ' -f1)
serve_http "$work/http"
for offloads in all none checksum; do
	summary=$work/$offloads.json
	hvkit run --quiet --cpus 3 --queues 3 --offloads $offloads --nic "user,tcp=$port" --summary "$summary" -- \
		"fetch http://10.0.2.2:$port/file" ';' 'nic mtu 9000' ';' "fetch http://10.0.2.2:$port/file" ';' \
		'nic suspend' ';' 'nic resume' ';' "fetch http://10.0.2.2:$port/file" ';' stats
	status_is 0
	[ "$(grep -c -F "\"sha256\": \"$digest\"" "$summary")" = 3 ] || wrong "three times the same file"
	out_says '^    no room for them *0$'
	# What is answered in one turn goes together: far fewer signals than frames.
	signals=$(sed -n 's/.*"signals": \([0-9]*\).*/\1/p' "$summary" | sort -n | tail -n 1)
	[ "$signals" -lt 2500 ] || wrong "$signals signals for 15 MB"
done
finish
