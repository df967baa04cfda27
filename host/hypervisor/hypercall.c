/* SPDX-License-Identifier: MIT */
/* Hypercalls (TLFS, "Hypercall Interface"): the two that VMBus needs, and the one that vPCI does. */
#include <string.h>

#include "host/core/state.h"
#include "host/hypervisor/device_interrupts.h"
#include "host/hypervisor/hypervisor.h"

/* Everything beside code and fast: variable header, nested, repeat counts, reserved.
 * All calls are simple; a variable header has the one that names processors. */
#define CONTROL_MUST_BE_ZERO (~(HV_CALL_CODE_MASK | HV_CALL_FAST))
#define VARIABLE_HEADER_MAX 0x3ffu
#define VARIABLE_HEADER(control) ((uint32_t)((control) >> 17) & VARIABLE_HEADER_MAX)
#define CONNECTION_BITS 0x00ffffffu
#define MESSAGE_TYPE_TOP 0x80000000u

static uint32_t bad(struct hvh_partition *partition, enum hvh_violation_kind kind, uint32_t vp,
		    const void *bytes, uint32_t count, uint32_t status, const char *what)
{
	hvh_violate(partition, kind, partition->now, vp, 0, bytes, count, "%s (status %#x)", what, status);
	return status;
}

/* Slow form: input lies 8-byte aligned inside one page. */
static uint32_t fetch(struct hvh_partition *partition, uint32_t vp, uint64_t gpa, void *to, uint32_t size)
{
	if (gpa % 8u != 0 || gpa % HVK_PAGE_SIZE + size > HVK_PAGE_SIZE)
		return bad(partition, HVH_V_HYPERCALL, vp, &gpa, sizeof(gpa), HV_STATUS_INVALID_ALIGNMENT,
			   "hypercall input is to be 8-byte aligned and inside one page");
	if (!hvh_memory_read(partition, gpa, to, size))
		return bad(partition, HVH_V_MEMORY, vp, &gpa, sizeof(gpa), HV_STATUS_INVALID_ALIGNMENT,
			   "hypercall input is not in RAM");
	return HV_STATUS_SUCCESS;
}

static uint32_t post_message(struct hvh_partition *partition, uint32_t vp, uint64_t gpa)
{
	struct hv_post_message_input input;
	uint32_t status = fetch(partition, vp, gpa, &input, sizeof(input));

	if (status != HV_STATUS_SUCCESS)
		return status;
	partition->counters.posts++;
	if (input.reserved != 0)
		hvh_violate(partition, HVH_V_MESSAGE_PADDING, partition->now, vp, 0, &input, sizeof(input),
			    "post: the word after the connection is to be 0");
	if (input.message_type == 0 || (input.message_type & MESSAGE_TYPE_TOP) != 0)
		return bad(partition, HVH_V_POST, vp, &input, sizeof(input), HV_STATUS_INVALID_PARAMETER,
			   "post: message type 0 or with its top bit set");
	if (input.payload_size > HV_MESSAGE_PAYLOAD_MAX)
		return bad(partition, HVH_V_POST, vp, &input, sizeof(input), HV_STATUS_INVALID_PARAMETER,
			   "post: more than 240 bytes");
	if ((input.connection_id & ~CONNECTION_BITS) != 0)
		return bad(partition, HVH_V_POST, vp, &input, sizeof(input), HV_STATUS_INVALID_CONNECTION_ID,
			   "post: connection ids have 24 bits");
	if (input.message_type != HV_MESSAGE_VMBUS) {
		hvh_violate(partition, HVH_V_POST, partition->now, vp, 0, &input, sizeof(input),
			    "post: message type %#x; VMBus messages have type 1", input.message_type);
		return HV_STATUS_SUCCESS; /* delivered, and nobody there understands it */
	}
	return partition->hypervisor->ports->post(partition, vp, input.connection_id, input.payload,
						  input.payload_size);
}

static uint32_t signal_event(struct hvh_partition *partition, uint32_t vp, bool fast, uint64_t value)
{
	struct hv_signal_event_input input;

	if (fast) {
		memcpy(&input, &value, sizeof(input));
	} else {
		uint32_t status = fetch(partition, vp, value, &input, sizeof(input));
		if (status != HV_STATUS_SUCCESS)
			return status;
	}
	partition->counters.signals++;
	if (input.reserved != 0)
		hvh_violate(partition, HVH_V_MESSAGE_PADDING, partition->now, vp, 0, &input, sizeof(input),
			    "signal: the last two bytes are to be 0");
	if ((input.connection_id & ~CONNECTION_BITS) != 0)
		return bad(partition, HVH_V_SIGNAL, vp, &input, sizeof(input),
			   HV_STATUS_INVALID_CONNECTION_ID, "signal: connection ids have 24 bits");
	uint32_t body[2] = {input.connection_id, input.flag_number};
	hvh_trace_emit(partition, &(struct hvh_trace_record){
					  .time = partition->now,
					  .kind = HVH_TRACE_SIGNAL,
					  .vp = vp,
					  .bytes = body,
					  .byte_count = sizeof(body),
				  });
	return partition->hypervisor->ports->signal(partition, vp, input.connection_id, input.flag_number);
}

static uint32_t dispatch(struct hvh_partition *partition, uint32_t vp, uint64_t control, uint64_t input)
{
	bool fast = (control & HV_CALL_FAST) != 0;
	uint64_t zero = CONTROL_MUST_BE_ZERO;

	if ((control & HV_CALL_CODE_MASK) == HV_CALL_RETARGET_DEVICE_INTERRUPT)
		zero &= ~HV_CALL_VARIABLE_HEADER(VARIABLE_HEADER_MAX);
	if ((control & zero) != 0)
		return bad(partition, HVH_V_HYPERCALL, vp, &control, sizeof(control),
			   HV_STATUS_INVALID_HYPERCALL_INPUT,
			   "hypercall: repeat count, variable header or reserved bits on a simple call");
	switch (control & HV_CALL_CODE_MASK) {
	case HV_CALL_POST_MESSAGE:
		if (fast)
			return bad(partition, HVH_V_HYPERCALL, vp, &control, sizeof(control),
				   HV_STATUS_INVALID_HYPERCALL_INPUT, "HvCallPostMessage has no fast form");
		return post_message(partition, vp, input);
	case HV_CALL_SIGNAL_EVENT:
		return signal_event(partition, vp, fast, input);
	case HV_CALL_RETARGET_DEVICE_INTERRUPT:
		if (fast)
			return bad(partition, HVH_V_HYPERCALL, vp, &control, sizeof(control),
				   HV_STATUS_INVALID_HYPERCALL_INPUT,
				   "HvCallRetargetDeviceInterrupt is too long for the fast form");
		return hvh_retarget_device_interrupt(partition, vp, input, VARIABLE_HEADER(control));
	default:
		return bad(partition, HVH_V_HYPERCALL, vp, &control, sizeof(control),
			   HV_STATUS_INVALID_HYPERCALL_CODE, "hypercall of a code that does not exist");
	}
}

uint64_t hvh_hypercall(struct hvh_partition *partition, uint64_t now, uint32_t vp, uint64_t control,
		       uint64_t input, uint64_t output, bool *valid)
{
	uint64_t body[4] = {control, input, output, 0};

	hvh_clock(partition, now);
	*valid = false;
	if (!hvh_owner_permits(partition, vp, "a hypercall", control))
		return 0;
	*valid = vp < partition->vps && partition->hypervisor->hypercall.overlay.active;
	if (!*valid) {
		hvh_violate(partition, HVH_V_HYPERCALL, now, vp, 0, &control, sizeof(control),
			    "hypercall while the hypercall page is not enabled: #UD");
		return 0;
	}
	partition->counters.hypercalls++;
	body[3] = dispatch(partition, vp, control, input);
	hvh_trace_emit(partition, &(struct hvh_trace_record){
					  .time = partition->now,
					  .kind = HVH_TRACE_HYPERCALL,
					  .vp = vp,
					  .bytes = body,
					  .byte_count = sizeof(body),
				  });
	return body[3];
}
