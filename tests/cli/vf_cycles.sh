# SPDX-License-Identifier: MIT
# A download while the VF comes and goes at random times, asked for and taken; VF_CYCLES, VF_MIB and VF_STRETCH
# are for longer ones (100, 3072 and 3: a busy machine needs time for each). Nothing of it is lost, no connection is reset.
. tests/cli/lib.inc
. tests/vm/inside/vf-plan

cycles=${VF_CYCLES:-10} mib=${VF_MIB:-96} seed=${VF_SEED:-$$}
[ "$slow" = 1 ] || cycles=3 mib=24 slow=20
mkdir -p "$work/http"
head -c $((mib * 1048576)) /dev/urandom >"$work/http/file"
sum=$(sha256sum <"$work/http/file" | cut -d' ' -f1)
serve_http "$work/http"
url="http://10.0.2.2:$port/file"

# number NAME: of the summary's counters of the VF
number() { sed -n '/"vf": {/,/}/s/.*"'"$1"'": \([0-9]*\).*/\1/p' "$work/summary"; }

vf_plan "$cycles" "$seed" "$slow" >"$work/script"
printf '%s\n' "fetch $url" vf >>"$work/script"
hvkit run --quiet --nic "user,tcp=$port,vf,vf_grace_ms=event,vf_offer_ms=1" --summary "$work/summary" --script "$work/script"
status_is 0
# On a busy machine one has not left yet when the next is due, which is said.
! grep -v -e '^vf: the VF is not there' -e '^vf: the VF is there already' "$work/err" >/dev/null || wrong "there should be no other errors"
out_says "$sum"
out_says 'failed 0, frames lost'
[ "$(number attaches)" -ge $((cycles / 3)) ] || wrong "seed $seed: only $(number attaches) of $cycles attachments before the end"
[ "$(number switches_to_vf)" -ge $((cycles / 4)) ] || wrong "seed $seed: only $(number switches_to_vf) switches"
summary_says "$work/summary" '"count": 0'
echo "did: $mib MiB while the VF came $(number attaches) times, switched to $(number switches_to_vf) times, frames by it $(number to_guest_frames)"

# As a driver is paired that says nothing of its being attached: after the 2 s of FreeBSD's hn.
hvkit run --quiet --nic "user,tcp=$port,vf,vf_offer_ms=1" --summary "$work/summary" -- '!vf attach' ';' '!wait 1500' ';' vf ';' \
	'!wait 1200' ';' "fetch $url" ';' vf
status_is 0
err_is_empty
out_says '^VF: waiting, ' # in its grace
out_says '^VF: active, '
out_says "$sum"
[ "$(number to_guest_frames)" -gt 1000 ] || wrong "only $(number to_guest_frames) frames by the VF after the grace"
finish
