#!/bin/sh
# SPDX-License-Identifier: MIT
# The synthetic keyboard and mouse: what the host types is run, in virtual time, in real time and on virtual
# CPUs; keys that edit the line, keys with names, text that the layout has no keys for; the pointer.
. tests/cli/lib.inc

hvkit run --quiet --seed 1 --nic sim --input all -- '!kbd type "ip\n"' ';' '!kbd type "lsvmbus\nkvp list gu"' ';' \
	'!kbd key e Backspace Enter' ';' '!kbd type "wrong\\\" x"' ';' '!kbd key Ctrl+U' ';' '!kbd type "help ti"' ';' '!kbd key m e' ';' \
	'!kbd key Enter' ';' '!expect devices/kbd0/strokes-waiting 0' ';' inspect typed
status_is 2 # there is no pool "gu"
out_says '^address *10.7.0.15'
out_says 'driver *keyboard'
out_says 'driver *mouse'
out_says '^time .*the clock'
out_says '^ *waiting: 0'
err_says "'gu' is no pool"
err_is_one_line

# Keys by name, locks and LEDs, text beyond the layout, the pointer.
hvkit run --seed 2 --nic none --input all --summary "$work/summary" -- '!kbd key F2' ';' input ';' '!kbd key CapsLock' ';' \
	'!expect devices/kbd0/caps-lock yes' ';' '!kbd key Shift+T Shift+I Shift+M Shift+E Enter' ';' '!kbd key CapsLock' ';' \
	'!kbd type "dünn 字 😀"' ';' input ';' '!kbd key Ctrl+C' ';' '!mouse move 32767 1 4' ';' input ';' '!mouse click right' ';' \
	'expect pointer/buttons 0' ';' '!mouse move 5 6 0 -3' ';' input
status_is 0
err_is_empty
out_says 'last F2; Caps Lock off'
out_says '^keyboard> time$'
out_says 'last U+1F600; Caps Lock off'
out_says 'mouse: at 32767 1 of 32767, buttons middle, '
out_says 'mouse: at 5 6 of 32767, buttons none, 4 moves'
summary_says "$work/summary" '"line": "time"'

# A restart of the host's service: what is typed afterwards arrives, what was half typed stays.
hvkit run --quiet --seed 3 --nic none --input all -- '!kbd type "ti"' ';' '!restart kbd0' ';' '!expect devices/kbd0/accepted yes' ';' \
	'!kbd type "me\n"' ';' '!restart mouse0' ';' '!mouse move 7 8' ';' input
status_is 0
out_says 'since the partition was created'
out_says 'mouse: at 7 8 '

# The clock runs; a command under way is ended by the keyboard's Ctrl+C.
hvkit run --nic sim --input keyboard -- '!after 300 kbd key Ctrl+C' ';' 'ping 10.7.0.1 100' ';' '!kbd type "nic\n"' ';' '!wait 50'
status_is 130
out_says '^state *up'

hvkit run --nic none -- '!kbd key F2'
status_is 1
err_says 'start with --input keyboard'

# Behind KVM: the image is told the same, as soon as its keyboard is there.
if [ -w /dev/kvm ] && "$HVKIT" run --accel kvm --time-limit 20 --nic none -- time >/dev/null 2>&1; then
	hvkit run --accel kvm --time-limit 60 --nic none --input all -- '!kbd type "time\npoweroff\n"' ';' '!mouse move 11 12' ';' \
		'idle 30'
	status_is 0
	out_says '^keyboard> time'
	out_says 'since the partition was created'
	out_says '^keyboard> poweroff'
	echo "did: keyboard behind KVM"
fi
finish
