#!/bin/sh
# SPDX-License-Identifier: MIT
# The main job: files over HTTP and TFTP from this machine, compared with the originals.
. tests/cli/lib.inc
command -v busybox >/dev/null || { echo "no busybox"; exit 77; }

mkdir "$work/http" "$work/tftp"
: >"$work/http/empty"
printf x >"$work/http/one"
head -c 104857600 /dev/urandom >"$work/http/big"
head -c 1460000 /dev/urandom >"$work/tftp/file"
head -c 1468 /dev/urandom >"$work/tftp/block" # ends with a block of no bytes
serve_http "$work/http"

same() { # FILE: its SHA-256 is in the summary
	digest=$(sha256sum <"$1" | cut -d' ' -f1)
	summary_says "$summary" "\"sha256\": \"$digest\""
	summary_says "$summary" "\"bytes\": $(($(wc -c <"$1"))),"
}

summary=$work/small.json
hvkit run --nic "user,tcp=$port,tftp=$work/tftp,restrict" --summary "$summary" -- \
	fetch "http://10.0.2.2:$port/empty" ';' fetch "http://10.0.2.2:$port/one" ';' \
	fetch tftp://10.0.2.2/file ';' fetch tftp://10.0.2.2/block ';' stats
status_is 0
err_is_empty
summary_is_json "$summary"
same "$work/http/empty"
same "$work/http/one"
same "$work/tftp/file"
same "$work/tftp/block"
summary_says "$summary" '"address": "10.0.2.15"'
out_says '^    receive buffers *0, at most' # nothing is left over
out_says '^    none left *0 times'

summary=$work/big.json
hvkit run --nic "user,tcp=$port" --summary "$summary" -- fetch "http://10.0.2.2:$port/big"
status_is 0
err_is_empty
same "$work/http/big"
summary_says "$summary" '"count": 0'
grep -q '"bytes_per_second": [1-9]' "$summary" || wrong "there should be a rate"
echo "100 MB at $(sed -n 's/.*"bytes_per_second": \([0-9]*\).*/\1/p' "$summary") bytes/s"

# Every host, and several CPUs.
for host in ws2008r2 ws2012 ws2012r2 ws2022; do
	summary=$work/$host.json
	hvkit run --host $host --cpus 2 --nic "user,tcp=$port,tftp=$work/tftp" --summary "$summary" -- \
		fetch "http://10.0.2.2:$port/one" ';' fetch tftp://10.0.2.2/file
	status_is 0
	same "$work/tftp/file"
done
finish
