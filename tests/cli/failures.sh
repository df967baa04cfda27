#!/bin/sh
# SPDX-License-Identifier: MIT
# Servers that refuse, lie, stall or are not there: an error that says so, in bounded time.
. tests/cli/lib.inc
command -v busybox >/dev/null || { echo "no busybox"; exit 77; }

mkdir "$work/http" "$work/tftp"
serve_http "$work/http"
good=$port

# answers N SECONDS: answer.N goes to the first who asks, and SECONDS later the end; sets $port
answers() {
	attempt=0
	port=
	while [ -z "$port" ] && [ $attempt -lt 20 ]; do
		try=$((20000 + ($$ * 41 + attempt * 1013 + $1) % 30000))
		attempt=$((attempt + 1))
		(cat "$work/answer.$1"; exec sleep "$2") 2>/dev/null | busybox nc -l -p $try >/dev/null 2>"$work/nc" &
		server=$!
		sleep 0.3
		if kill -0 $server 2>/dev/null && [ ! -s "$work/nc" ]; then
			port=$try
		fi
	done
	[ -n "$port" ] || { echo "no free port"; exit 77; }
}

fetch_fails() { # URL, WHAT THE ERROR SAYS
	summary=$work/s.json
	hvkit run --nic "user,tcp=$good,tcp=$port,tftp=$work/tftp" --summary "$summary" -- fetch "$1"
	status_is 1
	err_says "$2"
	out_says 'vmbus: disconnected'
	summary_is_json "$summary"
	summary_says "$summary" '"done": false'
	summary_says "$summary" '"sha256": null'
	summary_says "$summary" '"count": 0'
}

fetch_fails "http://10.0.2.2:$good/nothing" 'the server answered 404 .*, not 200'
fetch_fails "http://10.0.2.2:1/x" 'port 1 refused the connection'
fetch_fails tftp://10.0.2.2/nothing 'the server refused: error 1, file not found'
fetch_fails http://example.invalid/x 'name server'

printf 'HTTP/1.0 200 OK\r\nContent-Length: 100\r\n\r\nshort' >"$work/answer.1"
answers 1 0
fetch_fails "http://10.0.2.2:$port/x" 'sent 5 bytes of the 100'
printf 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nlonger' >"$work/answer.2"
answers 2 0
fetch_fails "http://10.0.2.2:$port/x" 'more than the 2 bytes'
printf 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n' >"$work/answer.3"
answers 3 0
fetch_fails "http://10.0.2.2:$port/x" 'transfer encoding'
printf 'HTTP/1.1 200 OK\r\nContent-Length: %01000d\r\n\r\n' 5 >"$work/answer.4"
answers 4 0
fetch_fails "http://10.0.2.2:$port/x" 'Content-Length is not a number'
{ printf 'HTTP/1.1 200 OK\r\nX: '; head -c 40000 /dev/zero | tr '\0' 'x'; } >"$work/answer.5"
answers 5 0
fetch_fails "http://10.0.2.2:$port/x" 'headers are longer'
printf 'HTTP/1.0 200 OK\r\nContent-Length: 100\r\n\r\nshort' >"$work/answer.6"
answers 6 20 # and then nothing more
fetch_fails "http://10.0.2.2:$port/x" 'timed out: the transfer stalled'
kill $server 2>/dev/null
: >"$work/answer.7"
answers 7 20 # nothing at all
fetch_fails "http://10.0.2.2:$port/x" 'timed out: no answer'
out_says '^  0 bytes' # while it waits: progress, though there is none to tell of
kill $server 2>/dev/null
finish
