#!/bin/sh
# SPDX-License-Identifier: MIT
# Every number that wire/ gives a name has that name in the decoder's tables and in the script,
# as tshark lists its values; the host's names of control messages are the same. The script
# is found where users put it: in the personal plugin folder.
. tests/dissector/lib.inc
wire=include/hvkit/wire
plugins=$work/home/.local/lib/wireshark/plugins
mkdir -p "$plugins"
cp "$script" "$plugins/"
"$HVKIT_BUILD/tests/dissector_tables" --print >"$work/tables" || exit 1
HOME=$work/home timeout 60 tshark -G values 2>/dev/null | grep -P '^V\thvkit\.' >"$work/values"
ran="names of wire/ in apps/hvkit/trace and $script"
status=-
count=0
: >"$work/out"
: >"$work/err"

# constants HEADER PREFIX: "NAME NUMBER" of each, the number as 0x1f
constants() {
	sed -n -E "s/^(#define)?[[:space:]]*$2([A-Z0-9_]+)[ =]+(0x[0-9a-fA-F]+|[0-9]+)(u|ull)?([,[:space:]].*)?\$/\2 \3/p" \
		"$1" | while read -r name number; do
		printf '%s 0x%x\n' "$name" "$number"
	done
}

# named HEADER PREFIX FIELD [PREFIX_OF_TEXT]: as text in small letters with '-', or, with a
# prefix, as it is.
named() {
	constants "$1" "$2" >"$work/constants"
	[ "$(wc -l <"$work/constants")" -ge 4 ] || wrong "few names of $2 in $1"
	while read -r name number; do
		case $2$name in
		RNDIS_MSG_COMPLETE | VMBUS_PACKET_FLAG_* | VMBUS_PACKET_ALIGN) continue ;;
		VSTOR_SRB_STATUS_MASK | VSTOR_SRB_STATUS_QUEUE_FROZEN | VSTOR_SRB_STATUS_AUTOSENSE_VALID) continue ;;
		SCSI_SENSE_RESPONSE_FIXED) continue ;;
		esac
		text=$(echo "$name" | tr 'A-Z_' 'a-z-')
		[ $# = 3 ] || text=$4$name
		count=$((count + 1))
		grep -q -P "^V\t\Q$3\E\t($number|$((number)))\t\Q$text\E\$" "$work/values" ||
			wrong "$2$name ($number) is not called $text in the script's $3"
		grep -q -P "(\[0x0*${number#0x}\] = \{ |\{ 0x0*${number#0x}, )\"\Q$text\E\"" "$work/tables" ||
			wrong "$2$name ($number) is not called $text in the decoder's tables"
	done <"$work/constants"
}
named "$wire"/vmbus.h VMBUS_MSG_ hvkit.msg.type
named "$wire"/nvs.h NVS_TYPE_ hvkit.nvs.type
named "$wire"/nvs.h NVS_STATUS_ hvkit.nvs.status
named "$wire"/rndis.h RNDIS_MSG_ hvkit.rndis.type
named "$wire"/rndis.h RNDIS_STATUS_ hvkit.rndis.status
named "$wire"/rndis.h RNDIS_OID_ hvkit.rndis.oid OID_
named "$wire"/hypervisor.h HV_MSR_ hvkit.reg.number
named "$wire"/hypervisor.h HV_STATUS_ hvkit.call.result
named "$wire"/ring.h VMBUS_PACKET_ hvkit.packet.type
named "$wire"/vstor.h VSTOR_OPERATION_ hvkit.vstor.operation
named "$wire"/vstor.h VSTOR_STATUS_ hvkit.vstor.status
named "$wire"/vstor.h VSTOR_SRB_STATUS_ hvkit.vstor.srb
named "$wire"/scsi.h SCSI_STATUS_ hvkit.vstor.scsi
named "$wire"/scsi.h SCSI_SENSE_ hvkit.sense.key
named "$wire"/scsi.h SCSI_ASC_ hvkit.sense.code
named "$wire"/ic.h IC_TYPE_ hvkit.ic.type
named "$wire"/ic.h IC_STATUS_ hvkit.ic.status
# Commands have no prefix of their own: they stand before the first status.
sed '/SCSI_STATUS_/,$d; /SCSI_SERVICE_\(READ\|REPORT\)/d' "$wire/scsi.h" >"$work/commands.h"
named "$work/commands.h" SCSI_ hvkit.scsi.command
[ "$(grep -c -P '^V\thvkit\.msg\.type\t' "$work/values")" = 29 ] || wrong "there are 29 control messages"

grep -o -E '\{"[a-z-]+",' host/vmbus/messages.c | tr -d '{",' >"$work/host"
[ "$(wc -l <"$work/host")" -ge 20 ] || wrong "few names in host/vmbus/messages.c"
while read -r name; do
	grep -q -P "^V\thvkit\.msg\.type\t[^\t]*\t$name\$" "$work/values" || wrong "the host says $name"
done <"$work/host"
echo "did: $count names compared"
finish
