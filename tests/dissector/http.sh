#!/bin/sh
# SPDX-License-Identifier: MIT
# The frames inside the packets are Wireshark's to decode: a trace of a download shows the
# request, and the address the guest got before it.
. tests/dissector/lib.inc
command -v busybox >/dev/null || { echo "no busybox"; exit 77; }
mkdir "$work/served"
echo "hello from the loopback" >"$work/served/hello.txt"
serve_http "$work/served"

hvkit run --nic "user,tcp=$port" --trace "$work/http.pcapng" -- fetch "http://10.0.2.2:$port/hello.txt"
status_is 0
dissect -r "$work/http.pcapng" -d "tcp.port==$port,http" -Y http.request -T fields -e http.request.method -e http.request.uri \
	-e hvkit.nvs.type -e hvkit.rndis.type -e ip.dst
[ "$(cat "$work/out")" = "$(printf 'GET\t/hello.txt\t107\t0x00000001\t10.0.2.2')" ] || wrong "not the request, in an RNDIS packet"
dissect -r "$work/http.pcapng" -d "tcp.port==$port,http" -Y 'http.response.code == 200' -T fields -e hvkit.channel -e hvkit.to_guest
[ "$(cat "$work/out")" = "$(printf '1\t1')" ] || wrong "not the answer, to the guest on channel 1"
dissect -r "$work/http.pcapng" -Y 'dhcp.option.dhcp == 5' -T fields -e hvkit.channel -e _ws.col.Protocol
out_says '^1	DHCP$'
dissect -r "$work/http.pcapng" -d "tcp.port==$port,http" -Y http.request
out_says ' | http GET /hello.txt HTTP/1\.[01]$'
dissect -r "$work/http.pcapng" -V
no_lua_error
out_says_not 'Malformed'

hvkit trace "$work/http.pcapng"
out_says 'nvs rndis .* | rndis packet .* | tcp 10.0.2.15:[0-9]* > 10.0.2.2:.* | http GET /hello.txt'
out_says '| dhcp ack$'
words "$work/http.pcapng" >"$work/words"
dissect -r "$work/http.pcapng" -T fields -e _ws.col.Info
diff "$work/words" "$work/out" >"$work/difference" || wrong "other words: $(head -n 4 "$work/difference")"
finish
