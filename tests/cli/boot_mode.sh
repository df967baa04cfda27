#!/bin/sh
# SPDX-License-Identifier: MIT
# Boot mode: 3.0 proves that the host can disconnect, then the oldest version is used.
# A host below 3.0 is refused.
. tests/cli/lib.inc

summary=$work/s.json
for host in ws2012r2 ws2022; do
	hvkit run --seed 1 --host $host --boot-mode --nic sim --summary "$summary" -- 'ping 10.7.0.1 1'
	status_is 0
	err_is_empty
	out_says '^vmbus: tried 3.0 *accepted'
	out_says '^vmbus: tried 0.13 *accepted'
	out_says 'connected with version 0.13 (boot mode'
	summary_says "$summary" '"contacts": 2'
	summary_says "$summary" '"unloads": 2' # after the proof, and at the end
done

for host in ws2008r2 ws2012; do
	hvkit run --seed 1 --host $host --boot-mode --nic sim --summary "$summary" -- 'ping 10.7.0.1 1'
	status_is 1
	err_says 'connect to VMBus: ehosttooold: '
	summary_says "$summary" '"status": "ehosttooold"'
	summary_is_json "$summary"
done
finish
