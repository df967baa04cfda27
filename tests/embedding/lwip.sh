#!/bin/sh
# SPDX-License-Identifier: MIT
# examples/lwip as somebody has it who copies it: built against an installed hvkit and lwIP's sources
# with a strict compiler, with frames copied and lent; an address by DHCP, and the file is the server's.
set -eu
. tests/embedding/lib.inc
needs cmake make pkg-config gcc busybox
lwip=$(sed -n 's/^LWIP_DIR:[A-Z]*=//p' "$HVKIT_BUILD/CMakeCache.txt")
[ -e "$lwip/src/include/lwip/init.h" ] || { echo "skipped: no lwIP (scripts/fetch-lwip)"; exit 77; }
loud cmake --install "$HVKIT_BUILD" --prefix "$work/prefix"
PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name hvkit-host.pc)")
export PKG_CONFIG_PATH
mkdir "$work/minimal" "$work/http"
cp examples/minimal/* "$work/minimal/"
cp -R examples/lwip "$work/lwip"
if make -C "$work/lwip" >"$work/log" 2>&1 || ! grep -q 'no lwIP in LWIP_DIR' "$work/log"; then
	cat "$work/log"
	echo "without lwIP it should say so"
	exit 1
fi
loud make -j2 -C "$work/lwip" LWIP_DIR="$lwip" \
	CFLAGS='-std=c11 -O1 -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wvla -Werror'

head -c 3000000 /dev/urandom >"$work/http/file"
token=$(sha256sum <"$work/http/file" | cut -d' ' -f1)
echo "$token" >"$work/http/token"
httpd=
trap '[ -z "$httpd" ] || kill "$httpd"; rm -rf "$work"' EXIT
for attempt in 1 2 3 4 5 6 7 8 9; do
	port=$((21000 + ($$ * 41 + attempt * 977) % 30000))
	busybox httpd -f -p "127.0.0.1:$port" -h "$work/http" 2>/dev/null &
	httpd=$!
	sleep 0.3
	# Ours only if it knows our token: somebody else's server may be there.
	[ "$(busybox wget -q -O - "http://127.0.0.1:$port/token" 2>/dev/null)" != "$token" ] || break
	kill "$httpd" 2>/dev/null || true
	httpd=
done
[ -n "$httpd" ] || { echo "skipped: no free port"; exit 77; }

number() { # TEXT: the number before it in the log
	sed -n "s/.* \([0-9]*\) $1.*/\1/p" "$work/log" | head -n 1
}
for borrow in 0 128; do
	rm -f "$work/got"
	loud timeout 60 "$work/lwip/lwip" "$port" /file "$work/got" $borrow
	cmp "$work/http/file" "$work/got" || { cat "$work/log"; echo "borrow $borrow: another file"; exit 1; }
	grep -q '^address *10\.0\.2\.15$' "$work/log" || { cat "$work/log"; echo "no address"; exit 1; }
	if grep '^  host:' "$work/log"; then echo "the host was offended"; exit 1; fi
	sent=$(number 'frames sent in') packets=$(number packets) lent=$(number 'of them lent, [0-9]* dropped')
	[ "$packets" -lt "$sent" ] || { cat "$work/log"; echo "frames were sent one by one"; exit 1; }
	[ "$(number 'summed up')" -gt 100 ] && [ "$(number 'with right')" -gt 100 ] ||
		{ cat "$work/log"; echo "no checksums by the card"; exit 1; }
	if [ $borrow = 0 ]; then [ "$lent" = 0 ]; else [ "$lent" -gt 100 ]; fi ||
		{ cat "$work/log"; echo "borrow $borrow: $lent lent"; exit 1; }
done
echo "did: 2 downloads, $sent frames sent in $packets packets, $lent lent"
