#!/bin/sh
# SPDX-License-Identifier: MIT
# A host that falls silent at each step in turn: each ends in a status of its own, and
# the program exits. By virtual time, and once by real time.
. tests/cli/lib.inc

silent() { # STEP STATUS OPTIONS...
	step=$1
	wanted=$2
	shift 2
	summary=$work/$step.json
	hvkit run "$@" --nic sim --silent "$step" --summary "$summary" -- 'ping 10.7.0.1 1'
	status_is 1
	err_says ": $wanted: "
	summary_is_json "$summary"
	summary_says "$summary" "\"silent\": \"$step\""
	summary_says "$summary" "\"status\": \"$wanted\""
	summary_says "$summary" '"exit_status": 1'
	summary_says "$summary" '"count": 0'
	summary_says "$summary" '"leaked_pages": 0'
	summary_says "$summary" '"host_writes_to_free_memory": 0'
}

for seed in 1 2; do
	silent contact etimedout_contact --seed $seed
	silent unload etimedout_unload --seed $seed
	silent offers etimedout_offers --seed $seed
	silent gpadl etimedout_gpadl --seed $seed
	silent open etimedout_open --seed $seed
	silent teardown etimedout_teardown --seed $seed
	silent nvs-init etimedout_nvs_init --seed $seed
	silent nvs-receive-buffer etimedout_nvs_receive_buffer --seed $seed
	silent nvs-send-buffer etimedout_nvs_send_buffer --seed $seed
	silent rndis-initialize etimedout_rndis_initialize --seed $seed
	silent rndis-query etimedout_rndis_query --seed $seed
	silent rndis-set etimedout_rndis_set --seed $seed
	silent post etimedout_post --seed $seed
done
silent nvs-init etimedout_nvs_init

# No command of the shell moves a channel or asks for sub-channels, and there is neither a storage controller,
# nor a PCI bus, a keyboard or utilities here: to that silence nothing happens. The guest's side of moving is
# tests/conformance/moving.c.
for step in modify nvs-subchannel vstor-begin vstor-version vstor-properties vstor-end vstor-subchannels \
	vstor-request vstor-reset vpci-version vpci-relations vpci-requirements vpci-d0-entry vpci-resources \
	vpci-interrupt vpci-power vpci-d0-exit keyboard-protocol mouse-protocol mouse-info ic-negotiate; do
	hvkit run --seed 1 --nic sim --silent $step -- 'ping 10.7.0.1 1'
	status_is 0
done

# None is forgotten here: the program lists as many.
hvkit run --silent help -- ip
listed=$(sed 's/.*there are: //' "$work/err" | tr ',' '\n' | wc -l)
[ "$listed" = 34 ] || wrong "the program knows $listed steps, this test 34"
finish
