#!/bin/sh
# SPDX-License-Identifier: MIT
# A TAP interface in a network namespace, with this machine's kernel behind it: DHCP, ping and TCP
# from our guest, hosted and on KVM's virtual CPUs; a capture of it; what is said when it cannot be.
. tests/cli/lib.inc
for program in busybox ip; do
	command -v $program >/dev/null || { echo "skipped: no $program (Debian: busybox, iproute2)"; exit 77; }
done
[ -r /dev/net/tun ] && [ -w /dev/net/tun ] || { echo "skipped: no /dev/net/tun, or not ours"; exit 77; }
netns=hvkit-cli-$$
ip netns add $netns 2>"$work/netns" || { echo "skipped: no network namespace: $(tail -n 1 "$work/netns")"; exit 77; }
servers=
end() {
	[ -z "$servers" ] || kill $servers 2>/dev/null
	ip netns del $netns
	clean_up
}
trap end EXIT

# served COMMAND...: in the namespace, until the end (ip netns exec would mount, which a chroot cannot)
served() {
	nsenter --net="/run/netns/$netns" "$@" >"$work/served.log" 2>&1 </dev/null &
	servers="$servers $!"
}
ip -n $netns link set lo up
# made NAME NET [multi_queue]: an interface with an address, and DHCP on it
made() {
	ip -n $netns tuntap add "$1" mode tap ${3:-}
	ip -n $netns addr add "$2.1/24" dev "$1"
	ip -n $netns link set "$1" up
	: >"$work/leases.$1"
	printf 'start %s.15\nend %s.15\ninterface %s\nlease_file %s\npidfile %s\noption subnet 255.255.255.0\noption router %s.1\n' \
		"$2" "$2" "$1" "$work/leases.$1" "$work/pid.$1" "$2" >"$work/dhcp.$1"
	served busybox udhcpd -f "$work/dhcp.$1"
}
made tap0 10.9.1
made tap1 10.9.2 multi_queue
mkdir "$work/http"
head -c 20000000 /dev/urandom >"$work/http/file"
digest=$(sha256sum <"$work/http/file" | cut -d' ' -f1)
served busybox httpd -f -p 0.0.0.0:8080 -h "$work/http"

# The guest's whole life, by the kernel's TCP; a capture has it all.
summary=$work/summary.json
hvkit run --nic "tap,ifname=tap0,netns=$netns,pcap=$work/tap.pcapng" --summary "$summary" -- \
	ip ';' ping 10.9.1.1 2 ';' fetch http://10.9.1.1:8080/file
status_is 0
err_is_empty
out_says '^address   10.9.1.15'
out_says '^2 sent, 2 answered'
summary_is_json "$summary"
summary_says "$summary" "\"sha256\": \"$digest\""
summary_says "$summary" '"tap": "tap0"'
summary_says "$summary" '"backend_dropped": 0'
summary_says "$summary" '"count": 0'
[ "$(wc -c <"$work/tap.pcapng")" -gt 20000000 ] || wrong "the capture should hold the file"

# More queues, a larger MTU, an address of our own; a second run finds the interface as it was.
for options in '--queues 2 --cpus 2 --offloads all --mtu 9000' ''; do
	hvkit run --nic "tap,ifname=tap1,netns=$netns,queues=2,mtu=9000,mac=02:00:00:00:00:42" $options \
		--summary "$summary" -- ip ';' ping 10.9.2.1 1 ';' fetch http://10.9.2.1:8080/file
	status_is 0
	out_says '02:00:00:00:00:42'
	out_says '^1 sent, 1 answered'
	summary_says "$summary" "\"sha256\": \"$digest\""
	[ -z "$options" ] || summary_says "$summary" '"queues": 2'
	[ -z "$options" ] || summary_says "$summary" '"mtu": 9000'
done
ip -n $netns link show tap1 | grep -q 'mtu 9000' || wrong "the interface should have the MTU that was said"

# Behind KVM's virtual CPUs, confined.
if [ -r /dev/kvm ] && [ -w /dev/kvm ] && [ -e "${HVKIT%/*}/hvkit-shell.elf" ]; then
	hvkit run --accel kvm --nic "tap,ifname=tap0,netns=$netns" --summary "$summary" -- ip ';' ping 10.9.1.1 2
	status_is 0
	out_says '10\.9\.1\.15'
	out_says '2 sent, 2 answered'
	summary_says "$summary" '"backend_dropped": 0'
fi

# What cannot be is one line.
refused() { # WHAT IT SAYS, VALUES
	hvkit run --nic "tap,$2" -- ip
	status_is 1
	err_is_one_line
	out_is_empty
	err_says "$1"
}
refused 'at most 15 characters' "netns=$netns,ifname=sixteen-letters-"
refused "no network namespace 'hvkit-none'" netns=hvkit-none
refused "'lo' exists, and is no TAP interface" "netns=$netns,ifname=lo"
refused "has one queue where 4 are asked for" "netns=$netns,ifname=tap0,queues=4"
if command -v setpriv >/dev/null && [ "$(id -u)" = 0 ]; then
	without_rights() { timeout 20 setpriv --reuid 65534 --clear-groups --inh-caps -all "$HVKIT" "$@" >"$work/out" 2>"$work/err"; }
	ran="hvkit run --nic tap, without rights"
	cp "$HVKIT" "$work/hvkit"
	chmod 755 "$work" "$work/hvkit"
	HVKIT=$work/hvkit
	without_rights run --nic tap -- ip && wrong "it should fail"
	err_says 'takes CAP_NET_ADMIN'
	without_rights run --nic "tap,netns=$netns" -- ip && wrong "it should fail"
	err_says 'takes CAP_SYS_ADMIN'
fi
finish
