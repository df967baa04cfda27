# SPDX-License-Identifier: MIT
# From "GUEST PATH VALUE" to rows. Of what both guests do, Linux's figure stands beside the image's.
BEGIN { OFS = "\t" }
{ value[$1, $2] = $3 }

function get(guest, key) {
	if (!((guest, "counters.kvm." key) in value)) {
		print "bench: no " key " of " guest > "/dev/stderr"
		missing = 1
		return 0
	}
	return value[guest, "counters.kvm." key]
}
# Between two marks, or with no first one since power-on.
function between(guest, first, last, key) {
	return get(guest, "moments." last "." key) - (first ? get(guest, "moments." first "." key) : 0)
}
function row(name, ours, unit, theirs) {
	print "row", name, ours, unit, "ref", theirs, "Linux"
}
function aim(name, is, unit, most) {
	print "row", name, is, unit, "max", most, "aim"
}
function both(name, first, last, key, unit, per) {
	row(name, between("image", first, last, key) / per, unit, between("linux", first, last, key) / per)
}
function packets(guest) {
	return between(guest, "mark-1", "mark-2", "packets_to_guest") + between(guest, "mark-1", "mark-2", "packets_from_guest")
}
function bytes(guest) {
	return between(guest, "mark-1", "mark-2", "bytes_to_guest") + between(guest, "mark-1", "mark-2", "bytes_from_guest")
}
function calls(guest) {
	return between(guest, "mark-1", "mark-2", "hypercalls")
}
function silent(guest) { # exits but for those of the serial port: who prints more is not slower
	return between(guest, "", "first-packet", "exits") - between(guest, "", "first-packet", "ports.serial")
}
function seconds(guest) {
	return between(guest, "mark-3", "mark-4", "seconds")
}
function idle(name, key, unit) {
	row(name, between("image", "mark-3", "mark-4", key) / seconds("image"), unit,
		between("linux", "mark-3", "mark-4", key) / seconds("linux"))
}
# Per 1,000 reads of 4 KiB between two marks; what is printed to the serial port is not the disk's.
function reads(name, first, last, key, count,   ours, theirs) {
	ours = between("image_disk", first, last, key)
	theirs = between("linux_disk", first, last, key)
	if (key == "exits") {
		ours -= between("image_disk", first, last, "ports.serial")
		theirs -= between("linux_disk", first, last, "ports.serial")
	}
	row("vm_disk_" name "_" key "_per_1000", ours * 1000 / count, key, theirs * 1000 / count)
}
function disk(name, first, last, count) {
	reads(name, first, last, "hypercalls", count)
	reads(name, first, last, "interrupts", count)
	reads(name, first, last, "exits", count)
}
END {
	both("vm_first_packet_exits", "", "first-packet", "exits", "exits", 1)
	row("vm_first_packet_exits_but_serial", silent("image"), "exits", silent("linux"))
	both("vm_first_packet_hypercalls", "", "first-packet", "hypercalls", "hypercalls", 1)
	both("vm_first_packet_interrupts", "", "first-packet", "interrupts", "interrupts", 1)
	both("vm_first_packet_messages", "", "first-packet", "messages_delivered", "messages", 1)
	if (missing || !calls("image") || !calls("linux") || !seconds("image") || !seconds("linux"))
		exit 1
	row("vm_download_packets_per_hypercall", packets("image") / calls("image"), "packets", packets("linux") / calls("linux"))
	row("vm_download_bytes_per_hypercall", bytes("image") / calls("image"), "bytes", bytes("linux") / calls("linux"))
	both("vm_download_exits_per_mib", "mark-1", "mark-2", "exits", "exits", 20)
	both("vm_download_hypercalls_per_mib", "mark-1", "mark-2", "hypercalls", "hypercalls", 20)
	both("vm_download_interrupts_per_mib", "mark-1", "mark-2", "interrupts", "interrupts", 20)
	disk("depth_1", "mark-1", "mark-2", 512)
	disk("depth_32", "mark-2", "mark-3", 2048)
	idle("vm_idle_exits_per_second", "exits", "exits/s")
	idle("vm_idle_interrupts_per_second", "interrupts", "interrupts/s")
	idle("vm_idle_device_wakeups_per_second", "device_wakeups", "wake-ups/s")
	idle("vm_idle_thread_sleeps_per_second", "thread_sleeps", "sleeps/s")
	aim("vm_monitor_bytes", get("image", "monitor_bytes"), "bytes", 33554432)
	aim("vm_monitor_bytes_linux", get("linux", "monitor_bytes"), "bytes", 33554432)
	exit missing
}
