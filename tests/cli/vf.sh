#!/bin/sh
# SPDX-License-Identifier: MIT
# A virtual function beside the card: it comes and goes under a download, which does not notice; what is
# wrong about asking for it is said.
. tests/cli/lib.inc

bytes=$((33554432 / slow)) some=$((3000 / slow))
mkdir -p "$work/http"
head -c "$bytes" /dev/urandom >"$work/http/file"
sum=$(sha256sum <"$work/http/file" | cut -d' ' -f1)
serve_http "$work/http"
url="http://10.0.2.2:$port/file"
vf="user,tcp=$port,vf,vf_grace_ms=event,vf_offer_ms=5"
frames=devices/net0/counters/to-guest-frames

# In the middle of a download, asked for and taken.
for how in "" " --surprise"; do
	hvkit run --quiet --nic "$vf" -- "!when $frames > $some vf attach" ';' "!when devices/net0/virtual-function/virtio-net/to-guest-frames > $some vf detach$how" ';' \
		"fetch $url" ';' vf ';' '!vf status'
	status_is 0
	err_is_empty
	out_says "$sum"
	out_says '^VF: absent, transparent mode$'
	out_says '^  pairings 1, departures 1, switches 1, failed 0'
	out_says 'frames by the VF: to the guest [1-9]'
	out_says 'frames received: card [1-9][0-9]*, VF [1-9]'
done

# The story has a line for each.
hvkit run --nic "$vf" -- "!when $frames > $some vf attach" ';' "!when devices/net0/virtual-function/virtio-net/to-guest-frames > $some vf detach" ';' "fetch $url"
status_is 0
out_says '^network: the VF, serial 0x[0-9a-f]*, carries the frames (switched in'
out_says '^network: the VF has left; frames received and sent by it [1-9]'

# Again and again, as in live migrations.
hvkit run --quiet --nic "$vf" --summary "$work/summary" -- '!vf attach' ';' "!after $((20 * slow)) migrate 0.01" ';' "!after $((60 * slow)) migrate 0.01 --surprise" ';' \
	"!after $((100 * slow)) migrate 0.01" ';' "fetch $url" ';' '!wait 100' ';' vf
status_is 0
err_is_empty
out_says "$sum"

# Moved by the host unasked; the guest, which has not asked, sends by the VF still.
hvkit run --quiet --nic "$vf" -- '!vf attach' ';' '!wait 100' ';' '!vf switch card' ';' '!vf status' ';' '!vf switch vf' ';' '!vf status' ';' "fetch $url"
status_is 0
err_is_empty
out_says 'data path: the card$'
out_says 'data path: the VF$'
out_says "$sum"

# What there is not.
hvkit run --quiet --nic sim,vf --seed 1 -- '!vf switch vf'
status_is 1
err_says 'the VF is not there'
hvkit run --quiet --nic sim,vf --seed 1 -- '!vf switch'
status_is 2
err_says 'vf or card'
hvkit run --quiet --nic sim --seed 1 -- '!vf attach'
status_is 1
err_says 'vf: net0 has no VF: start with --nic ...,vf'
hvkit run --quiet --nic sim --seed 1 -- vf
status_is 1
err_says 'vf: the card was set up without one'
hvkit run --quiet --nic sim,transparent --seed 1
status_is 2
err_says 'write vf,transparent'
hvkit run --quiet --nic sim,vf,vf_grace_ms=soon --seed 1
status_is 2
err_says "milliseconds from 1 to 600000, or 'event'"
hvkit run --quiet --nic sim,vf --seed 1 -- '!vf detach'
status_is 1
err_says 'the VF is not there'
hvkit run --quiet --nic sim,vf --seed 1 -- '!vf fly'
status_is 2
err_says "'fly' is not known"
hvkit run --quiet --nic sim,vf --seed 1 -- '!migrate tomorrow'
status_is 2
err_says 'the seconds without a VF'
finish
