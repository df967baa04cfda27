/* SPDX-License-Identifier: MIT */
/* Violations are kept (the first ones), counted (all) and reported (at a bounded rate). */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "host/core/state.h"

static const char *const names[HVH_V_COUNT] = {
	[HVH_V_MSR] = "msr",
	[HVH_V_RESERVED_BITS] = "reserved-bits",
	[HVH_V_OS_ID] = "os-id",
	[HVH_V_HYPERCALL] = "hypercall",
	[HVH_V_POST] = "post",
	[HVH_V_SIGNAL] = "signal",
	[HVH_V_SIGNAL_UNNEEDED] = "signal-unneeded",
	[HVH_V_MISSING_EOM] = "missing-eom",
	[HVH_V_EOM_UNNEEDED] = "eom-unneeded",
	[HVH_V_MEMORY] = "memory",
	[HVH_V_RETURNED_MEMORY] = "returned-memory",
	[HVH_V_FIRMWARE] = "firmware",
	[HVH_V_LOADED_SYSTEM] = "loaded-system",
	[HVH_V_MESSAGE_SHORT] = "message-short",
	[HVH_V_MESSAGE_LONG] = "message-long",
	[HVH_V_MESSAGE_TYPE] = "message-type",
	[HVH_V_MESSAGE_DIRECTION] = "message-direction",
	[HVH_V_MESSAGE_VERSION] = "message-version",
	[HVH_V_MESSAGE_STATE] = "message-state",
	[HVH_V_MESSAGE_PADDING] = "message-padding",
	[HVH_V_CONTACT] = "contact",
	[HVH_V_CHANNEL_ID] = "channel-id",
	[HVH_V_CHANNEL_STATE] = "channel-state",
	[HVH_V_TARGET_VP] = "target-vp",
	[HVH_V_GPADL_ID] = "gpadl-id",
	[HVH_V_GPADL_REUSED] = "gpadl-reused",
	[HVH_V_GPADL_RANGE] = "gpadl-range",
	[HVH_V_GPADL_IN_USE] = "gpadl-in-use",
	[HVH_V_RELEASE] = "release",
	[HVH_V_RING_GEOMETRY] = "ring-geometry",
	[HVH_V_RING_INDEX] = "ring-index",
	[HVH_V_RING_FULL] = "ring-full",
	[HVH_V_PACKET] = "packet",
	[HVH_V_PACKET_TYPE] = "packet-type",
	[HVH_V_PACKET_FLAGS] = "packet-flags",
	[HVH_V_PACKET_PADDING] = "packet-padding",
	[HVH_V_TRAILER] = "trailer",
	[HVH_V_COMPLETION] = "completion",
	[HVH_V_EVENT_BIT] = "event-bit",
	[HVH_V_NVS_SIZE] = "nvs-size",
	[HVH_V_NVS_TYPE] = "nvs-type",
	[HVH_V_NVS_ORDER] = "nvs-order",
	[HVH_V_NVS_VALUE] = "nvs-value",
	[HVH_V_NVS_PADDING] = "nvs-padding",
	[HVH_V_SECTION] = "section",
	[HVH_V_RNDIS] = "rndis",
	[HVH_V_RNDIS_ORDER] = "rndis-order",
	[HVH_V_RNDIS_OID] = "rndis-oid",
	[HVH_V_VSTOR_SIZE] = "vstor-size",
	[HVH_V_VSTOR_OPERATION] = "vstor-operation",
	[HVH_V_VSTOR_ORDER] = "vstor-order",
	[HVH_V_VSTOR_VALUE] = "vstor-value",
	[HVH_V_VSTOR_PADDING] = "vstor-padding",
	[HVH_V_VPCI_SIZE] = "vpci-size",
	[HVH_V_VPCI_TYPE] = "vpci-type",
	[HVH_V_VPCI_ORDER] = "vpci-order",
	[HVH_V_VPCI_VALUE] = "vpci-value",
	[HVH_V_VPCI_PADDING] = "vpci-padding",
	[HVH_V_VPCI_INTERRUPT] = "vpci-interrupt",
	[HVH_V_PCI] = "pci",
	[HVH_V_VIRTIO] = "virtio",
	[HVH_V_VIRTQ] = "virtq",
	[HVH_V_VIRTIO_NET] = "virtio-net",
	[HVH_V_INPUT_SIZE] = "input-size",
	[HVH_V_INPUT_TYPE] = "input-type",
	[HVH_V_INPUT_ORDER] = "input-order",
	[HVH_V_INPUT_VALUE] = "input-value",
	[HVH_V_INPUT_PADDING] = "input-padding",
	[HVH_V_IC_SIZE] = "ic-size",
	[HVH_V_IC_TYPE] = "ic-type",
	[HVH_V_IC_ORDER] = "ic-order",
	[HVH_V_IC_VALUE] = "ic-value",
	[HVH_V_IC_PADDING] = "ic-padding",
	[HVH_V_ECHO] = "echo",
	[HVH_V_FRAME] = "frame",
};

const char *hvh_violation_name(enum hvh_violation_kind kind)
{
	return (unsigned)kind < HVH_V_COUNT ? names[kind] : "unknown";
}

static bool may_report(struct hvh_partition *partition, enum hvh_violation_kind kind)
{
	struct hvh_violation_rate *rate = &partition->rate[kind];
	if (partition->now - rate->window >= HVH_TIME_PER_SECOND) {
		if (rate->silenced > 0)
			hvh_note(partition, partition->now, 0, "%u more violations of kind %s were not shown",
				 rate->silenced, names[kind]);
		rate->silenced = 0;
		rate->window = partition->now;
		rate->reported = 0;
	}
	if (rate->reported == HVH_VIOLATIONS_PER_SECOND) {
		rate->silenced++;
		return false;
	}
	rate->reported++;
	return true;
}

static void publish(struct hvh_partition *partition, const struct hvh_violation *violation)
{
	partition->counters.violations++;
	partition->violation_count[violation->kind]++;
	if (partition->kept_count < HVH_VIOLATIONS_KEPT)
		partition->kept[partition->kept_count++] = *violation;
	if (!may_report(partition, violation->kind))
		return;
	if (partition->ops.violation != NULL)
		partition->ops.violation(partition->ops.context, violation);
	hvh_trace_emit(partition, &(struct hvh_trace_record){
					  .time = violation->time,
					  .kind = HVH_TRACE_VIOLATION,
					  .vp = violation->vp,
					  .channel_id = violation->channel_id,
					  .bytes = violation->text,
					  .byte_count = (uint32_t)strlen(violation->text),
				  });
}

void hvh_violate(struct hvh_partition *partition, enum hvh_violation_kind kind, uint64_t now, uint32_t vp,
		 uint32_t channel_id, const void *bytes, uint32_t byte_count, const char *format, ...)
{
	struct hvh_violation violation = {.kind = kind, .vp = vp, .channel_id = channel_id};
	va_list arguments;

	violation.time = hvh_clock(partition, now);
	va_start(arguments, format);
	vsnprintf(violation.text, sizeof(violation.text), format, arguments);
	va_end(arguments);
	if (bytes != NULL) {
		violation.byte_count = byte_count < HVH_VIOLATION_BYTES ? byte_count : HVH_VIOLATION_BYTES;
		memcpy(violation.bytes, bytes, violation.byte_count);
	}
	publish(partition, &violation);
}

uint64_t hvh_violation_count(const struct hvh_partition *partition, enum hvh_violation_kind kind)
{
	return (unsigned)kind < HVH_V_COUNT ? partition->violation_count[kind] : 0;
}

const struct hvh_violation *hvh_violation_get(const struct hvh_partition *partition, uint32_t n)
{
	return n < partition->kept_count ? &partition->kept[n] : NULL;
}
