#!/bin/sh
# SPDX-License-Identifier: MIT
# A wrong option or value: one line that says what would be right, status 2, nothing run.
. tests/cli/lib.inc

refused() { # WHAT THE LINE SAYS, ARGUMENTS...
	says=$1
	shift
	hvkit "$@"
	status_is 2
	err_is_one_line
	out_is_empty
	err_says "$says"
}

refused 'hvkit run' # no arguments at all
refused "did you mean 'run'" runn
refused "did you mean '--host'" run --hots ws2022 -- ip
refused "there are: ws2008, ws2008r2" run --host windows -- ip
refused "did you mean 'ws2012r2'" run --host ws2012-r2 -- ip
refused '1 to 64' run --cpus 65 -- ip
refused '0.13, 1.1, 2.4' run --vmbus-max 2.5 -- ip
refused 'knows VMBus up to 1.1' run --host ws2008r2 --vmbus-max 5.3 -- ip
refused 'goes with\|use it with' run --seed 1 --nic user -- ip
refused "did you mean 'rndis-set'" run --silent rndisset -- ip
refused 'needs a value' run --trace
refused 'no command' run --
refused 'cannot be read: No such file' run --script /nowhere/script
refused 'cannot be read: Is a directory' run --script /
refused 'do not go together' run --script - -- ip
refused 'NAME=VALUE' run --quirk torndown-withheld -- ip
refused 'not a directory' run --nic user,tftp=/dev/null -- ip
refused 'cannot be written: No such file' run --trace /nowhere/trace.pcapng -- ip
refused 'cannot be written: Is a directory' run --summary / -- ip
refused 'takes no argument' hosts ws2022

# A file that is named first is not left behind half made for the fault of a second.
hvkit run --nic none --seed 1 --summary "$work/s.json" --trace /nowhere/t -- lsvmbus
status_is 2
[ ! -e "$work/s.json" ] || wrong "the summary was begun"

# A disk that is full at the end is noticed, though all went well.
if [ -c /dev/full ]; then
	for option in --trace --summary; do
		hvkit run --seed 1 --nic none $option /dev/full -- time
		status_is 1
		err_says "$option: '/dev/full' could not be written whole"
	done
fi

# In the guest: one line, status 2, and the guest leaves in order.
guest_refused() { # WHAT THE LINE SAYS, COMMAND
	hvkit run --seed 1 --nic sim --summary "$work/s.json" -- "$2"
	status_is 2
	err_is_one_line
	err_says "$1"
	out_says 'vmbus: disconnected'
	summary_says "$work/s.json" '"exit_status": 2'
}
guest_refused 'no such command; there are: lsvmbus, ip, nic, vf, disk, ping' 'lsusb'
guest_refused 'takes no argument' 'ip addr'
guest_refused 'needs a host' 'ping'
guest_refused 'count must be 1 to 65535' 'ping 10.7.0.1 many'
guest_refused 'needs one URL' 'fetch'
guest_refused 'begins with http:// or tftp://' 'fetch ftp://10.7.0.1/x'
guest_refused 'https is not spoken' 'fetch https://10.7.0.1/x'
guest_refused 'takes no argument' 'poweroff now'
finish
