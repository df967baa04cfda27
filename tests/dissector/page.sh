#!/bin/sh
# SPDX-License-Identifier: MIT
# The page of hvkit trace --html, opened in a headless browser: arrows are drawn, filtering
# changes the count, a click shows the bytes; nothing of the trace becomes part of the page; a
# trace of a hundred thousand records stays usable. The page's own "#selftest" does the clicking and
# writes down what it saw.
. tests/dissector/lib.inc
command -v chromium >/dev/null || { echo "no chromium"; exit 77; }

browse() { # PAGE [WIDTH,HEIGHT]: what the page saw, in $work/out, one "key":value per line
	ran="chromium $1"
	status=0
	timeout 60 chromium --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run --window-size="${2:-1300,900}" \
		--user-data-dir="$work/browser" --virtual-time-budget=20000 --dump-dom "file://$1#selftest" \
		>"$work/dom" 2>"$work/browser-errors" || status=$?
	: >"$work/err"
	grep -o 'data-selftest="[^"]*"' "$work/dom" | head -n 1 | sed -e 's/&quot;/"/g' -e 's/,"/\n"/g' >"$work/out"
	status_is 0
	[ -s "$work/out" ] || { tail -n 5 "$work/browser-errors"; wrong "the self-test left nothing"; }
}
saw() { sed -n "s/^.*\"$1\":\([^,}]*\).*/\1/p" "$work/out"; }
saw_is() { [ "$(saw "$1")" = "$2" ] || wrong "$1 should be $2"; }
saw_more() { [ "$(saw "$1")" -gt "$2" ] || wrong "$1 should be more than $2"; }
used_well() { # RECORDS: what is true of every page
	saw_is records "$1"
	saw_is shown "$1"
	saw_more arrows 5
	[ "$(saw rows)" -lt 120 ] || wrong "all rows are in the page at once"
	[ "$(saw filtered)" -lt "$1" ] && [ "$(saw filtered)" -gt 0 ] || wrong "a kind hidden should change the count"
	[ "$(saw found)" -le "$1" ] && [ "$(saw found)" -gt 0 ] || wrong "a search should find something"
	saw_is restored "$1"
	saw_more fields 0
	saw_more bytes 7
	saw_is stepped 1
	saw_is last "$1"
	saw_is injected 0
	[ "$(saw dialogue)" -lt "$1" ] && [ "$(saw dialogue)" -gt 0 ] || wrong "the dialogue alone should be less"
	saw_is everything "$1"
	saw_is closed true
}

hvkit run --seed 1 --nic sim --trace "$work/run.pcapng" -- 'ping 10.7.0.1 2'
hvkit trace --html "$work/run.html" "$work/run.pcapng"
status_is 0
records=$("$HVKIT" trace --check "$work/run.pcapng" | sed 's/ records.*//')
out_says "^$work/run.html: $records records$"
browse "$work/run.html"
used_well "$records"
out_says 'guest-os-id'
browse "$work/run.html" 600,800
used_well "$records"

# Hostile strings: the block of data holds no '<', so that nothing can end it or begin in it.
"$all_kinds" "$work/all.pcapng" >/dev/null
hvkit trace --html "$work/<b>all.html" "$work/all.pcapng"
all=$(sed -n 's/.*: \([0-9]*\) records$/\1/p' "$work/out")
mv "$work/<b>all.html" "$work/all.html"
sed -n '/<script type="application\/json"/,/<\/script>/p' "$work/all.html" >"$work/data"
[ "$(tr -cd '<' <"$work/data" | wc -c)" = 2 ] || wrong "a '<' of the trace is in the page"
grep -q 'broken out' "$work/data" || wrong "the hostile note is not in the page at all"
browse "$work/all.html"
used_well "$all"
saw_more boxes -1
grep -q '<title>hvkit trace</title>' "$work/dom" || wrong "the trace has changed the title"

# Large: sections one after another are a file, too.
for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do cat "$work/all.pcapng"; done >"$work/many"
for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do cat "$work/many"; done >"$work/large.pcapng"
hvkit trace --html "$work/large.html" "$work/large.pcapng"
status_is 0
out_says '100000 records, [0-9]* later ones only counted'
size=$(wc -c <"$work/large.html")
[ "$size" -lt 67108864 ] || wrong "a page of $size bytes"
browse "$work/large.html"
used_well 100000
grep -q 'Only the first 100000 records are here' "$work/dom" || wrong "the page does not say what it leaves out"

# Nothing from the network: no address in it but the page's own.
! grep -q -E '(src|href)=|url\(|@import|fetch\(|XMLHttp|https?:' "$work/run.html" || wrong "the page refers to something outside"
echo "did: pages of $records, $all and 100000 records ($((size >> 20)) MiB)"
finish
