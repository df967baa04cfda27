#!/bin/sh
# SPDX-License-Identifier: MIT
# What the dissector says, against text that was read and found right: of the trace that holds
# every kind of record, and of the guest's side of a run by seed (what does not depend on
# addresses). HVKIT_GOLDEN=write renews the text: read what changed.
. tests/dissector/lib.inc
golden=tests/golden

same() { # NAME: $work/out is tests/golden/NAME
	[ "${HVKIT_GOLDEN:-}" != write ] || cp "$work/out" "$golden/$1"
	diff "$golden/$1" "$work/out" >"$work/difference" || wrong "$golden/$1 differs: $(head -n 6 "$work/difference")"
}

"$all_kinds" "$work/all.pcapng" >"$work/said" || { cat "$work/said"; ran=$all_kinds; wrong "cannot write its trace"; }
dissect -r "$work/all.pcapng" -T fields -e _ws.col.Info
same trace_all_kinds.txt

# The tree: fields by their names, of one record of each interesting kind.
dissect -r "$work/all.pcapng" -Y 'hvkit.msg.type == 1 || hvkit.msg.type == 8 || hvkit.nvs.type == 102 ||
	hvkit.rndis.oid == 0x0001010e' -T fields -E header=y -E separator='|' -E occurrence=f \
	-e hvkit.kind -e hvkit.to_guest -e hvkit.channel -e hvkit.device -e hvkit.msg.type -e hvkit.msg.channel \
	-e hvkit.msg.instance -e hvkit.msg.gpadl -e hvkit.msg.pages -e hvkit.packet.type -e hvkit.packet.id \
	-e hvkit.packet.ranges -e hvkit.nvs.type -e hvkit.nvs.suballocations -e hvkit.rndis.type -e hvkit.rndis.request \
	-e hvkit.rndis.oid -e hvkit.rndis.information
same trace_fields.txt

# A storage controller's: the address, the command and what came of it.
dissect -r "$work/all.pcapng" -Y 'hvkit.scsi.command == 0x28 || hvkit.scsi.command == 0x12 || hvkit.sense.key == 6 ||
	hvkit.vstor.asked == 10' -T fields -E header=y -E separator='|' -E occurrence=f -e hvkit.channel -e hvkit.device \
	-e hvkit.vstor.operation -e hvkit.vstor.asked -e hvkit.vstor.target -e hvkit.vstor.lun -e hvkit.vstor.bytes \
	-e hvkit.vstor.transfer_max -e hvkit.vstor.srb -e hvkit.vstor.scsi -e hvkit.vstor.command -e hvkit.scsi.command \
	-e hvkit.scsi.lba -e hvkit.scsi.blocks -e hvkit.scsi.vpd_page -e hvkit.sense.key -e hvkit.sense.code
same trace_storage_fields.txt

# Integration components, a keyboard and a mouse.
dissect -r "$work/all.pcapng" -Y 'hvkit.ic.status == 0x80070103 || hvkit.ic_body.text || hvkit.kvp.operation == 3 && hvkit.kvp.key ||
	hvkit.kvp.adapter || hvkit.fcopy.operation == 0 || hvkit.keyboard.code == 0x1e || hvkit.mouse.type == 2' -T fields -E header=y \
	-E separator='|' -E occurrence=f -e hvkit.device -e hvkit.ic.type -e hvkit.ic.version -e hvkit.ic.status -e hvkit.ic_body.action \
	-e hvkit.ic_body.text -e hvkit.kvp.operation -e hvkit.kvp.index -e hvkit.kvp.key -e hvkit.kvp.value -e hvkit.kvp.adapter \
	-e hvkit.kvp.addresses -e hvkit.fcopy.name -e hvkit.fcopy.path -e hvkit.fcopy.file_size -e hvkit.keyboard.info -e hvkit.mouse.vendor
same trace_services_fields.txt

hvkit run --seed 1 --host ws2012r2 --nic sim --trace "$work/run.pcapng" -- lsvmbus
status_is 0
dissect -r "$work/run.pcapng" -Y 'hvkit.to_guest == 0 && (hvkit.msg.type || hvkit.nvs.type) &&
	!(hvkit.rndis.type == 1) && !(hvkit.nvs.type == 108) && !(hvkit.msg.type == 9)' -T fields -e hvkit.words
sed -i -e 's/0x[0-9a-f]*/0x#/g' -e 's/bytes=[0-9]*/bytes=#/' "$work/out"
same trace_run.txt
finish
