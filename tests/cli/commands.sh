#!/bin/sh
# SPDX-License-Identifier: MIT
# The guest's commands on the simulated wire, the order of things, and their statuses.
. tests/cli/lib.inc

summary=$work/s.json
hvkit run --seed 3 --nic sim --summary "$summary" -- 'lsvmbus; ip; ping 10.7.0.1 3; time; stats; help'
status_is 0
err_is_empty
out_says '^hypervisor: Hv#1'
out_says '^vmbus: tried 5.3 *accepted'
out_says '^vmbus: connected with version 5.3'
out_says '^  channel 1 *network card *instance'
out_says '^dhcp: 10.7.0.15 mask 255.255.255.0 router 10.7.0.1'
out_says 'type        f8615163-df3e-46c5-913f-f2d2f965ed0e'
out_says '^3 sent, 3 answered'
out_says 'reference TSC page$'
out_says '^vmbus: disconnected'
summary_is_json "$summary"
summary_says "$summary" '"exit_status": 0'
summary_says "$summary" '"address": "10.7.0.15"'
summary_says "$summary" '"class": "network card"'
summary_says "$summary" '"line": "ping 10.7.0.1 3"'
summary_says "$summary" '"leaked_pages": 0'
summary_says "$summary" '"host_writes_to_free_memory": 0'

# Only what was asked for.
hvkit run --quiet --seed 3 --nic sim -- time
status_is 0
[ "$(wc -l <"$work/out")" = 1 ] || wrong "--quiet should leave one line"

# Versions are tried newest first, down to what the host takes.
hvkit run --seed 1 --nic none --vmbus-max 4.1 --summary "$summary" -- lsvmbus
status_is 0
for version in 5.3 5.2 5.1 5.0; do
	out_says "^vmbus: tried $version *not accepted"
done
out_says '^vmbus: tried 4.1 *accepted'
out_says '^VMBus 4.1, 0 channels'
summary_says "$summary" '"version": "4.1"'
summary_says "$summary" '"network": null'
summary_says "$summary" '"lease": null'

# The first failure is the status; what follows is run all the same; poweroff ends it.
hvkit run --seed 1 --nic sim -- 'ping 10.7.0.200 1; nonsense; ip; poweroff; time'
status_is 1
out_says '^address   10.7.0.15'
out_says_not '^> time'
hvkit run --seed 1 --nic sim -- 'nonsense; ping 10.7.0.200 1'
status_is 2

# Without a card the commands say so.
hvkit run --seed 1 --nic none --summary "$summary" -- 'ip; fetch http://10.0.0.1/x; ping 10.0.0.1'
status_is 1
err_says 'ip: there is no network card'
err_says 'fetch http://10.0.0.1/x: there is no network card'
summary_is_json "$summary"
summary_says "$summary" '"error": "there is no network card"'

# Whatever is typed, the summary is JSON.
hvkit run --seed 1 --nic none --summary "$summary" -- "say \"ä\\$(printf '\377')\""
status_is 2
summary_is_json "$summary"

# More CPUs, by threads and by coroutines.
for cpus in 2 4; do
	hvkit run --cpus $cpus --nic sim -- 'ping 10.7.0.1 1'
	status_is 0
	hvkit run --cpus $cpus --seed 5 --nic sim -- 'ping 10.7.0.1 1'
	status_is 0
done
finish
