#!/bin/sh
# SPDX-License-Identifier: MIT
# What the program says of itself: help texts, manual page, doctor, hosts; that they agree.
. tests/cli/lib.inc

hvkit --version
status_is 0
out_says '^hvkit [0-9]*\.[0-9]*\.[0-9]*$'
err_is_empty

hvkit --help
status_is 0
for action in run trace hosts doctor help --version; do
	out_says "^  hvkit $action"
done
err_is_empty
cp "$work/out" "$work/help"
hvkit help
status_is 0
cmp -s "$work/out" "$work/help" || wrong "help and --help should say the same"

# Each action explains itself, in the same words whichever way it is asked.
for action in run trace hosts doctor; do
	hvkit $action --help
	status_is 0
	err_is_empty
	out_says "hvkit $action"
	[ "$(awk 'length > 110' "$work/out" | wc -l)" = 0 ] || wrong "a line is longer than 110 characters"
	cp "$work/out" "$work/help"
	hvkit help $action
	status_is 0
	cmp -s "$work/out" "$work/help" || wrong "help $action and $action --help should say the same"
done

hvkit run --help
for word in lsvmbus ip nic vf disk ping fetch time kvp vss files input refuse stats inspect expect help poweroff; do
	out_says "^  $word"
done
for word in devices nic vf migrate disk cut kbd mouse shutdown time heartbeat kvp vss fcopy restart rescind offer quirk fault silence violations counters inspect expect wait after at when trace help; do
	out_says "^  !$word"
done
out_says 'nvs-receive-buffer'

# The manual page has the same options with the same values, and the same commands.
page=docs/man/hvkit.1
grep '^  --' "$work/out" | sed 's/^  \(--[a-z-]*\)\( \([A-Za-z][^ ]*\)\)\{0,1\}  *.*/\1 \3/' | sed 's/ *$//' | sort >"$work/options"
sed -n '/^\.Sh OPTIONS OF RUN/,/^\.Sh CONSOLE/s/^\.It Fl -\([a-z-]*\)\( Ar \(.*\)\)\{0,1\}$/--\1 \3/p' "$page" |
	sed 's/ *$//' | sort >"$work/page-options"
[ "$(wc -l <"$work/options")" -ge 15 ] || wrong "the options were not found"
diff "$work/options" "$work/page-options" >"$work/diff" || {
	wrong "options of help and manual page differ"
	cat "$work/diff"
}
sed -n '/^Commands of the guest/,/^Steps/s/^  !\{0,1\}\([a-z]*\) .*/\1/p' "$work/out" | sort >"$work/commands"
sed -n 's/^\.It Ic \([a-z]*\).*/\1/p' "$page" | sort >"$work/page-commands"
diff "$work/commands" "$work/page-commands" >"$work/diff" || {
	wrong "commands of help and manual page differ"
	cat "$work/diff"
}
# Every option that help names is taken.
cut -d ' ' -f 1 "$work/options" | while read -r option; do
	"$HVKIT" run "$option" 2>&1 </dev/null | grep -q 'is not known' && echo "$option"
done >"$work/unknown"
[ ! -s "$work/unknown" ] || wrong "not taken: $(cat "$work/unknown")"
if command -v mandoc >/dev/null; then
	mandoc -T lint -W warning "$page" >"$work/lint" || wrong "mandoc: $(cat "$work/lint")"
fi
if command -v groff >/dev/null; then
	groff -man -mandoc -ww -z "$page" 2>"$work/lint"
	[ ! -s "$work/lint" ] || wrong "groff: $(cat "$work/lint")"
fi

hvkit hosts
status_is 0
for host in ws2008r2 ws2012 ws2012r2 ws2022; do
	out_says "^$host: "
done
err_is_empty

# The doctor finds that hvkit runs here, in lines and as JSON.
hvkit doctor
status_is 0
err_is_empty
out_says '^machine  *ok '
for name in memory loopback libslirp console processor hypervisor kvm tshark dissector chromium packages; do
	out_says "^$name "
done
hvkit doctor --json
status_is 0
summary_is_json "$work/out"
out_says '"works": true'
if ! grep -q -a '__asan_init\|__tsan_init' "$HVKIT"; then # the sanitizers want address space of their own
	(ulimit -v 200000 && "$HVKIT" doctor >"$work/out" 2>/dev/null) && wrong "there is no memory: doctor should fail"
	ran='doctor without memory'
	out_says '^machine  *broken'
fi
hvkit doctor --xml
status_is 2
err_is_one_line

# What is full is noticed.
if [ -c /dev/full ]; then
	for action in hosts doctor help 'trace --help' 'run --nic none -- time'; do
		ran="hvkit $action >/dev/full"
		status=0
		# shellcheck disable=SC2086
		"$HVKIT" $action >/dev/full 2>"$work/err" || status=$?
		status_is 1
		[ "$(grep -c 'standard output could not be written whole' "$work/err")" = 1 ] ||
			wrong "errors should say once that the output is lost"
	done
fi
finish
