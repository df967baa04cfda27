/* SPDX-License-Identifier: MIT */
/*
 * A hostile machine for the guest drivers: a port for tests, with a hypervisor and a
 * host behind it that answer as they must until the fuzzer says otherwise. It shares no
 * code with the host model, which is too well-behaved for this.
 *
 *   hostile.c       the hypervisor behind tests/support/polled_port, life and what must hold
 *   hostile_bus.c   the VMBus host: contact, offers, GPADLs, channels
 *   hostile_ring.c  packets to and from the guest
 *   hostile_net.c   the network card's host: NVS and RNDIS
 *   hostile_ops.c   what the fuzzer can do to all of it
 *
 * One CPU or two in turns, with locks that notice when they are taken twice. Guest-physical addresses are
 * the process' own, each allocation is its own heap block, and time passes only in pause,
 * so that every run is the same and every access out of range is seen.
 */
#ifndef FUZZ_HOSTILE_H
#define FUZZ_HOSTILE_H

#include "hvkit/netvsc.h"
#include "hvkit/wire/hypervisor.h"
#include "tests/fuzz/input.h"
#include "tests/support/polled_port.h"

#define HOSTILE_MAPPINGS 128u
#define HOSTILE_QUEUE 128u
#define HOSTILE_STEPS 400000u      /* pauses and polls in one run: more is a hang */
#define HOSTILE_PAUSE_NS 10000000u /* 10 ms */
#define HOSTILE_TIMEOUT_MS 100u    /* all of the guest's */
#define HOSTILE_WAIT_MS 600000u    /* what the user waits; each request ends by itself before */
#define HOSTILE_ARMED 4u
#define HOSTILE_TRANSACTIONS 16u
#define HOSTILE_ANSWERS 8u
#define HOSTILE_ANSWER_BYTES 255u

/* Memory that the host can write. */
enum hostile_place {
	HOSTILE_SLOT,
	HOSTILE_EVENTS,
	HOSTILE_IN_CONTROL, /* host to guest */
	HOSTILE_IN_DATA,
	HOSTILE_OUT_CONTROL, /* guest to host */
	HOSTILE_OUT_DATA,
	HOSTILE_INTERRUPT_PAGE,
	HOSTILE_MONITOR_PAGE,
	HOSTILE_TSC_PAGE,
	HOSTILE_RECEIVE_BUFFER,
	HOSTILE_SEND_BUFFER,
	HOSTILE_PLACES
};

struct hostile_message {
	uint32_t type; /* of the SynIC message */
	uint8_t size;  /* as it is said, which may be more than there is */
	uint8_t payload[HV_MESSAGE_PAYLOAD_MAX];
};

/* Pages that the guest has shown the host and may not give to anybody else. */
struct hostile_mapping {
	bool live;
	uint32_t id, channel; /* 0, 0: the pages of INITIATE_CONTACT */
	uint64_t address;     /* of the first */
	uint32_t pages, shown;
};

/* A write that strikes when the guest has looked at shared memory so many times. */
struct hostile_armed {
	uint32_t after; /* 0: none */
	enum hostile_place place;
	uint32_t offset, length;
	uint8_t bytes[HOSTILE_ANSWER_BYTES];
};

/* What is said instead of an answer; key: the type of what is answered. */
struct hostile_answer {
	bool set;
	uint32_t key;
	uint32_t length;
	uint8_t bytes[HOSTILE_ANSWER_BYTES];
};

struct hostile_channel {
	bool open;
	uint32_t id, gpadl;
	uint64_t out, in; /* addresses of the control pages */
	uint32_t out_size, in_size;
	uint32_t out_read, in_write;
};

struct hostile_net {
	uint32_t version, version_newest;
	uint32_t receive_gpadl, send_gpadl;
	uint32_t suballocation, next_suballocation;
	uint32_t section;
	uint32_t muted; /* a bit per answer: HOSTILE_MUTE_* */
	uint32_t request_id;
	uint64_t transactions[HOSTILE_TRANSACTIONS]; /* that the guest wants to be completed */
	uint32_t transaction_count;
	bool hold; /* completes nothing by itself */
	struct hostile_answer nvs[HOSTILE_ANSWERS], rndis[HOSTILE_ANSWERS];
};

struct hostile {
	struct hvk *hvk;
	struct polled_port port;
	bool clock_set; /* the reference counter says clock */
	uint64_t clock;
	uint32_t steps;
	uint32_t cpus, cpu; /* how many, and which one runs just now */

	uint32_t newest; /* version that it accepts */
	bool eager;      /* answers come inside the hypercall */
	uint32_t muted;  /* a bit per type of control message that is not answered */
	uint16_t post_status, signal_status;
	uint32_t post_failures, signal_failures; /* so many more say that status */
	struct hostile_message queue[HOSTILE_QUEUE];
	uint32_t queue_first, queue_count;
	struct hostile_mapping mappings[HOSTILE_MAPPINGS];
	bool untracked; /* messages were torn: what the host has let go of is not known */
	uint64_t interrupt_page, monitor_page;
	uint32_t version; /* of the contact taken last */
	struct hostile_answer answers[HOSTILE_ANSWERS];
	struct hostile_armed armed[HOSTILE_ARMED];
	struct hostile_channel channel; /* the one opened last */
	struct hostile_net net;
	bool has_net;           /* the card's host runs */
	struct vmbus_guid type; /* of the channel that is offered */

	uint64_t (*mmio)(void *machine, uint64_t address, unsigned width, const uint64_t *to);
	uint16_t retarget_status;

	/* The user. */
	struct hvk_request connect, leave;
	void *user;
};

/* --- hostile.c --------------------------------------------------------------------- */

/* A started instance; the machine is the one that switch points belong to. One CPU or two; the
 * host's messages and events all come to CPU 0, which passes on what belongs to the other. */
struct hostile *hostile_create(uint32_t newest, uint32_t cpus);
/* ... with device memory: its accesses come to mmio (width, and to if it is a write), in these windows; and
 * with device vectors from HOSTILE_VECTOR on. */
#define HOSTILE_LOW 0xf8000000ull
#define HOSTILE_HIGH 0xfe0000000ull
#define HOSTILE_WINDOW 0x1000000ull
#define HOSTILE_VECTOR 0x60u
#define HOSTILE_VECTORS 8u
typedef uint64_t (*hostile_mmio)(void *machine, uint64_t address, unsigned width, const uint64_t *to);
struct hostile *hostile_create_with_devices(uint32_t newest, uint32_t cpus, hostile_mmio mmio);
/* The bus is left, by force if need be, and everything is looked at: nothing leaked,
 * nothing given back that the host may use. */
void hostile_destroy(struct hostile *machine);
/* One poll of each CPU, with the host's work before it. */
void hostile_step(struct hostile *machine);
/* Waits for a request; it ends, or the run has failed. */
void hostile_wait(struct hostile *machine, struct hvk_request *request);
/* Length bytes of memory that the guest still has and shares, or NULL. */
uint8_t *hostile_memory(struct hostile *machine, uint64_t address, uint32_t length);
void hostile_connect(struct hostile *machine, const struct hvk_vmbus_config *config);
/* Takes the lines of a dump, which all fit a terminal. */
void hostile_line(void *context, const char *text);

/* --- hostile_bus.c ------------------------------------------------------------------- */

/* A control message of the guest's; the hypercall's status. */
uint32_t hostile_post(struct hostile *machine, const struct hv_post_message_input *input);
void hostile_send(struct hostile *machine, const void *payload, uint32_t size);
/* A channel of the one device; index 0: a primary. */
void hostile_offer(struct hostile *machine, uint32_t channel_id, uint16_t subchannel_index);
/* Puts the next message into the slot, if it is free. */
void hostile_deliver(struct hostile *machine);
/* The guest can have seen this message. */
void hostile_note(struct hostile *machine, const uint8_t *payload, uint32_t size);
/* No mapping may lie in these pages: they are given back. */
void hostile_check_free(struct hostile *machine, uint64_t address, uint32_t pages);
struct hostile_mapping *hostile_mapping(struct hostile *machine, uint32_t id);

/* --- hostile_ring.c ------------------------------------------------------------------- */

void hostile_event(struct hostile *machine, uint32_t channel_id);
uint8_t *hostile_place(struct hostile *machine, enum hostile_place place, uint32_t *size);
void hostile_write(struct hostile *machine, enum hostile_place place, uint32_t offset, const void *bytes,
		   uint32_t length);
/* Bytes into the ring at the host's own write index, without showing it. */
void hostile_ring_put(struct hostile *machine, const void *bytes, uint32_t length);
void hostile_ring_show(struct hostile *machine);
/* A packet with proper lengths and trailer; dropped if there is no room. */
void hostile_packet(struct hostile *machine, uint16_t type, uint16_t flags, uint64_t transaction,
		    const void *extension, uint32_t extension_length, const void *payload, uint32_t length);

struct hostile_packet {
	struct vmbus_packet_descriptor descriptor;
	uint32_t extension_length, payload_length;
	uint8_t bytes[4096]; /* extension, then payload */
};
/* The next packet of the guest's; false if there is none, or none that makes sense. */
bool hostile_ring_take(struct hostile *machine, struct hostile_packet *packet);

/* --- hostile_net.c -------------------------------------------------------------------- */

#define HOSTILE_MUTE_NVS_INIT 1u
#define HOSTILE_MUTE_NVS_RECEIVE 2u
#define HOSTILE_MUTE_NVS_SEND 4u
#define HOSTILE_MUTE_NVS_REVOKE 8u
#define HOSTILE_MUTE_RNDIS_INITIALIZE 16u
#define HOSTILE_MUTE_RNDIS_QUERY 32u
#define HOSTILE_MUTE_RNDIS_SET 64u
#define HOSTILE_MUTE_FRAMES 128u

void hostile_net_reset(struct hostile *machine);
void hostile_net_run(struct hostile *machine);
/* One message in the next sub-allocation, in a packet of its own. */
void hostile_net_message(struct hostile *machine, const void *bytes, uint32_t length);

/* --- hostile_ops.c -------------------------------------------------------------------- */

typedef void (*hostile_operation)(struct hostile *machine, struct fuzz_input *arguments);
/* Runs the input's operations; codes are taken modulo count. */
void hostile_run(struct hostile *machine, struct fuzz_input *input, const hostile_operation *operations,
		 uint32_t count);

void hostile_op_poll(struct hostile *machine, struct fuzz_input *arguments);
void hostile_op_pass_time(struct hostile *machine, struct fuzz_input *arguments);
void hostile_op_interrupt(struct hostile *machine, struct fuzz_input *arguments);
void hostile_op_message(struct hostile *machine, struct fuzz_input *arguments);
void hostile_op_offer(struct hostile *machine, struct fuzz_input *arguments);
void hostile_op_slot(struct hostile *machine, struct fuzz_input *arguments);
void hostile_op_answer(struct hostile *machine, struct fuzz_input *arguments);
void hostile_op_mute(struct hostile *machine, struct fuzz_input *arguments);
void hostile_op_post_status(struct hostile *machine, struct fuzz_input *arguments);
void hostile_op_signal_status(struct hostile *machine, struct fuzz_input *arguments);
void hostile_op_event(struct hostile *machine, struct fuzz_input *arguments);
void hostile_op_clock(struct hostile *machine, struct fuzz_input *arguments);
void hostile_op_allocation(struct hostile *machine, struct fuzz_input *arguments);
void hostile_op_write(struct hostile *machine, struct fuzz_input *arguments);
void hostile_op_arm(struct hostile *machine, struct fuzz_input *arguments);
void hostile_op_ring_bytes(struct hostile *machine, struct fuzz_input *arguments);
void hostile_op_ring_word(struct hostile *machine, struct fuzz_input *arguments);
void hostile_op_packet(struct hostile *machine, struct fuzz_input *arguments);
void hostile_op_completion(struct hostile *machine, struct fuzz_input *arguments);
void hostile_op_dump(struct hostile *machine, struct fuzz_input *arguments);

#endif
