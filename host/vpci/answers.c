/* SPDX-License-Identifier: MIT */
/* What goes to the guest: in order, when it is due and the ring has room. */
#include <string.h>

#include "host/vpci/vpci.h"

#define LATE_MAX (5u * HVH_TIME_PER_MS)

/* Room for what one more message can bring. */
bool vpci_answers_have_room(const struct hvh_vpci *bus)
{
	return bus->outgoing_count + VPCI_ANSWERS_PER_MESSAGE <= VPCI_OUTGOING_MAX;
}

void vpci_send(struct hvh_vpci *bus, bool completion, uint64_t transaction_id, uint64_t delay,
	       const void *bytes, uint32_t length)
{
	struct vpci_outgoing *out;

	if (bus->outgoing_count == VPCI_OUTGOING_MAX || length > VPCI_OUTGOING_BYTES) {
		hvh_note(bus->partition, bus->now, hvh_channel_id(bus->channel),
			 "vpci: no room for a packet: it is lost");
		return;
	}
	out = &bus->outgoing[(bus->outgoing_head + bus->outgoing_count++) % VPCI_OUTGOING_MAX];
	*out = (struct vpci_outgoing){bus->now + delay, transaction_id, completion, length, {0}};
	if (hvh_fault_strikes(bus->partition, HVH_FAULT_DELAY_COMPLETION))
		out->due += 1 + hvh_choose(bus->partition, LATE_MAX);
	memcpy(out->bytes, bytes, length);
}

void vpci_answer(struct hvh_vpci *bus, const struct hvh_packet *packet, const void *bytes, uint32_t length)
{
	if ((packet->descriptor.flags & VMBUS_PACKET_FLAG_COMPLETION_REQUESTED) != 0)
		vpci_send(bus, true, packet->descriptor.transaction_id, 0, bytes, length);
}

void vpci_answer_status(struct hvh_vpci *bus, const struct hvh_packet *packet, uint32_t status)
{
	struct vpci_status answer = {status};

	vpci_answer(bus, packet, &answer, sizeof answer);
}

void vpci_answers_run(struct hvh_vpci *bus)
{
	while (bus->outgoing_count > 0 && !bus->blocked) {
		const struct vpci_outgoing *out = &bus->outgoing[bus->outgoing_head];

		if (out->due > bus->now)
			return;
		if (!hvh_channel_write(bus->channel, bus->now,
				       out->completion ? VMBUS_PACKET_COMPLETION : VMBUS_PACKET_IN_BAND,
				       false, out->transaction_id, NULL, 0, out->bytes, out->length, NULL,
				       0)) {
			bus->blocked = true; /* room in the ring brings a run */
			return;
		}
		bus->outgoing_head = (bus->outgoing_head + 1) % VPCI_OUTGOING_MAX;
		bus->outgoing_count--;
	}
}

uint64_t vpci_answers_next(const struct hvh_vpci *bus)
{
	return bus->outgoing_count > 0 && !bus->blocked ? bus->outgoing[bus->outgoing_head].due : HVH_NEVER;
}
