/* SPDX-License-Identifier: MIT */
/*
 * vPCI: the host's side of a bus with one function on it. Private to host/vpci/.
 *
 * bus.c is what the rest of the program sees, device.c what VMBus does with it. protocol.c has the table of
 * messages, setup.c what leads to D0 and back, interrupts.c device interrupts, leave.c ejection,
 * window.c the window into configuration space, answers.c what goes to the guest. The function itself is
 * host/pci/.
 */
#ifndef HVH_VPCI_VPCI_H
#define HVH_VPCI_VPCI_H

#include "host/core/core.h"
#include "host/hypervisor/device_interrupts.h"
#include "host/pci/function.h"
#include "host/vmbus/channel.h"
#include "hvkit/wire/guids.h"
#include "hvkit/wire/vpci.h"

#define VPCI_SLOT 2u /* of the function: device 2, as Windows hosts have it */
#define VPCI_PACKETS_PER_RUN 32u
#define VPCI_OUTGOING_MAX 32u
#define VPCI_OUTGOING_BYTES 64u
#define VPCI_ANSWERS_PER_MESSAGE 2u
#define VPCI_EJECT_WAIT_DEFAULT (60u * HVH_TIME_PER_SECOND)

enum vpci_state {
	VPCI_CLOSED,
	VPCI_VERSION, /* waits for QUERY_PROTOCOL_VERSION, until one is accepted */
	VPCI_READY,   /* ... D0_ENTRY */
	VPCI_D0
};

/* A packet for the guest. */
struct vpci_outgoing {
	uint64_t due, transaction_id;
	bool completion;
	uint32_t length;
	uint8_t bytes[VPCI_OUTGOING_BYTES];
};

struct hvh_vpci {
	struct hvh_partition *partition;
	struct hvh_channel *channel;
	struct pci_function function;
	struct hvh_interrupt_source interrupts;
	struct hvh_vpci_counters counters;
	struct vmbus_guid instance;
	bool serial_in_instance;
	uint32_t serial, newest;
	uint64_t eject_wait;
	uint64_t now;        /* of the latest call */
	uint64_t model_next; /* what the model had to do next, when it was last written to */
	/* Until the channel closes: */
	enum vpci_state state;
	uint32_t version;
	bool stopped; /* after a protocol error nothing is read until the channel closes */
	bool blocked; /* the ring to the guest was full */
	bool assigned;
	bool ejecting, ejected;
	uint64_t eject_end, rescind_at;
	struct hvh_mmio_region window;
	uint32_t slot; /* that the window shows */
	uint32_t outgoing_head, outgoing_count;
	struct vpci_outgoing outgoing[VPCI_OUTGOING_MAX];
};

#define VPCI_VIOLATE(bus, kind, bytes, count, ...)                                                         \
	hvh_violate((bus)->partition, kind, (bus)->now, UINT32_MAX, hvh_channel_id((bus)->channel), bytes, \
		    count, __VA_ARGS__)

/* --- device.c ------------------------------------------------------------------------------------ */

extern const struct hvh_device_ops vpci_ops;
const char *vpci_state_name(enum vpci_state state);
void vpci_dump(const void *device, struct hvh_dump *dump);
/* Out of D0: the window goes, and the function is as after power-on. */
void vpci_power_down(struct hvh_vpci *bus);
/* Somebody outside learns when the model has something to do. */
void vpci_written(void *context, uint64_t now);

/* --- answers.c ----------------------------------------------------------------------------------- */

/* Goes out as soon as there is room in the ring, in order; delay at the earliest. */
void vpci_send(struct hvh_vpci *bus, bool completion, uint64_t transaction_id, uint64_t delay,
	       const void *bytes, uint32_t length);
/* If it is asked for. */
void vpci_answer(struct hvh_vpci *bus, const struct hvh_packet *packet, const void *bytes, uint32_t length);
void vpci_answer_status(struct hvh_vpci *bus, const struct hvh_packet *packet, uint32_t status);
bool vpci_answers_have_room(const struct hvh_vpci *bus);
void vpci_answers_run(struct hvh_vpci *bus);
uint64_t vpci_answers_next(const struct hvh_vpci *bus);

/* --- protocol.c ---------------------------------------------------------------------------------- */

/* Up to VPCI_PACKETS_PER_RUN packets; true if there may be more. */
bool vpci_read(struct hvh_vpci *bus);
/* Recorded, and answered with BAD_DATA. */
void vpci_refuse(struct hvh_vpci *bus, const struct hvh_packet *packet, enum hvh_violation_kind kind,
		 const char *name, const char *what);
/* Is it the function's slot? If not it is refused. */
bool vpci_slot_right(struct hvh_vpci *bus, const struct hvh_packet *packet, const char *name);

/* --- setup.c ------------------------------------------------------------------------------------- */

void vpci_query_version(struct hvh_vpci *bus, const struct hvh_packet *packet);
void vpci_query_relations(struct hvh_vpci *bus, const struct hvh_packet *packet);
void vpci_query_requirements(struct hvh_vpci *bus, const struct hvh_packet *packet);
void vpci_d0_entry(struct hvh_vpci *bus, const struct hvh_packet *packet);
void vpci_d0_exit(struct hvh_vpci *bus, const struct hvh_packet *packet);
void vpci_resources_assigned(struct hvh_vpci *bus, const struct hvh_packet *packet);
void vpci_resources_released(struct hvh_vpci *bus, const struct hvh_packet *packet);
void vpci_power_state(struct hvh_vpci *bus, const struct hvh_packet *packet);
/* The functions there are, now: none once it is ejected. */
void vpci_send_relations(struct hvh_vpci *bus, uint64_t delay);
void vpci_empty_relations(struct hvh_vpci *bus);

/* --- interrupts.c -------------------------------------------------------------------------------- */

void vpci_create_interrupt(struct hvh_vpci *bus, const struct hvh_packet *packet);
void vpci_delete_interrupt(struct hvh_vpci *bus, const struct hvh_packet *packet);
void vpci_message(void *context, uint64_t now, uint32_t entry, uint64_t address, uint32_t data);

/* --- leave.c ------------------------------------------------------------------------------------- */

void vpci_ejection_complete(struct hvh_vpci *bus, const struct hvh_packet *packet);
/* True: it has been taken away. */
bool vpci_leave_run(struct hvh_vpci *bus);
uint64_t vpci_leave_next(const struct hvh_vpci *bus);

/* --- window.c ------------------------------------------------------------------------------------ */

void vpci_window_init(struct hvh_vpci *bus);

#endif
