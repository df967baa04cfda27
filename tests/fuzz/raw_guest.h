/* SPDX-License-Identifier: MIT */
/*
 * A hostile guest for the host model: it comes as far as the rules take it, and then does
 * what the fuzzer says. Guest memory is pages that are heap blocks of their own; a page
 * that was never shown to the host may not be written by it; the host's work in one step
 * is bounded, and it comes to rest.
 *
 *   raw_guest.c  memory, registers, hypercalls, lawful steps up to an open channel
 *   raw_ring.c   packets to and from the host
 *   raw_queue.c  sub-channels of a network card
 *   raw_storage.c a storage controller, its requests and what happens to its units
 *   raw_pci.c    a vPCI bus, device memory and interrupts
 *   raw_virtio.c a virtio network function on such a bus
 *   raw_ops.c    what the fuzzer can do to all of it
 */
#ifndef FUZZ_RAW_GUEST_H
#define FUZZ_RAW_GUEST_H

#include "host/vmbus/channel.h"
#include "hvkit/wire/hypervisor.h"
#include "hvkit/wire/nvs.h"
#include "hvkit/wire/rndis.h"
#include "hvkit_host/network.h"
#include "hvkit_host/pci.h"
#include "hvkit_host/storage.h"
#include "tests/fuzz/input.h"

#define RAW_PAGES 96u
#define RAW_VPS 2u
#define RAW_REACHES_MAX 2000000u /* accesses to memory in one hvh_run or hypercall */
#define RAW_RUNS_MAX 20000u      /* runs until the host rests, at one time */
#define RAW_PENDING 64u
#define RAW_ARMED 4u
#define RAW_PACKET_MAX 8192u

/* Which page is what. */
#define RAW_HYPERCALL 1u
#define RAW_INPUT 2u
#define RAW_TSC 3u
#define RAW_SIMP 4u  /* and 5 */
#define RAW_SIEFP 6u /* and 7 */
#define RAW_INTERRUPT 8u
#define RAW_MONITOR 9u /* and 10 */
#define RAW_DATA 11u   /* never shown by the lawful steps */
#define RAW_DATA_PAGES 13u
#define RAW_RING 24u
#define RAW_DOWNSTREAM 4u
#define RAW_RING_PAGES 8u
#define RAW_RING_BYTES (3u * HVK_PAGE_SIZE)
#define RAW_RECEIVE 32u
#define RAW_RECEIVE_PAGES 24u
#define RAW_SEND 56u
#define RAW_SEND_PAGES 8u
#define RAW_LINES 3u   /* the channel, and two sub-channels at most */
#define RAW_RING_2 64u /* the first sub-channel's ring, and behind it the second's */
#define RAW_GPADL_RING 0xe1e10u
#define RAW_GPADL_RING_2 0xe1e20u
#define RAW_GPADL_RECEIVE 0xe1e11u
#define RAW_GPADL_SEND 0xe1e12u
#define RAW_SECTION 6144u

struct raw_armed {
	uint32_t after; /* accesses of the host's; 0: none */
	uint32_t page, offset, length;
	uint8_t bytes[255];
};

struct raw_line {
	uint32_t connection, channel; /* for signals; 0: it was not offered */
	uint32_t ring, gpadl;
};

struct raw_guest {
	uint8_t *pages[RAW_PAGES];
	bool gone[RAW_PAGES];  /* not RAM just now */
	bool shown[RAW_PAGES]; /* the host was told of it */
	struct hvh_partition *host;
	struct hvh_profile profile;
	uint64_t now;
	uint32_t reaches;
	struct raw_armed armed[RAW_ARMED];
	uint32_t connection, event_connection, channel;
	uint32_t ring, ring_gpadl; /* these and the two before are the line's that it is turned to */
	struct raw_line lines[RAW_LINES];
	uint32_t turned_to;
	uint8_t message[HV_MESSAGE_PAYLOAD_MAX];
	uint64_t pending[RAW_PENDING]; /* transactions that want a completion */
	uint32_t pending_count;
	bool hold; /* completes nothing by itself */
	uint64_t transaction;
	struct hvh_nic *nic; /* or the device that echoes: */
	struct hvh_channel *echo;
	struct hvh_storage *storage;      /* or the storage controller */
	struct hvh_vpci *pci;             /* or the bus */
	struct virtio_net_device *virtio; /* ... with this on it */
	uint8_t answer[32];               /* beginning of the completion that came last */
	uint8_t packet[RAW_PACKET_MAX];   /* ... of the in-band packet */
	uint32_t packet_length;
	uint64_t interrupt_address;
	uint32_t interrupt_data;
	uint8_t sum;
};

/* Profiles by number, 8 of them; flags: 1 to 2: fault chances. */
struct raw_guest *raw_create(uint8_t profile, uint8_t faults, uint64_t seed);
void raw_destroy(struct raw_guest *guest);
/* Length bytes in one page, or NULL. */
uint8_t *raw_at(struct raw_guest *guest, uint64_t gpa, uint32_t length);
void raw_write(struct raw_guest *guest, uint64_t gpa, const void *bytes, uint32_t length);
void raw_settle(struct raw_guest *guest);
void raw_pass(struct raw_guest *guest, uint64_t time);
uint32_t raw_hypercall(struct raw_guest *guest, uint32_t vp, uint64_t control, uint64_t input);
uint32_t raw_post(struct raw_guest *guest, uint32_t connection, const void *bytes, uint32_t size);
/* Takes the message in the slot; its type, or 0. */
uint32_t raw_take(struct raw_guest *guest, uint32_t vp);
void raw_set_msr(struct raw_guest *guest, uint32_t vp, uint32_t msr, uint64_t value);

/* Without faults no lawful step may have failed, nor broken a rule. */
void raw_check_lawful(struct raw_guest *guest, uint8_t faults);

/* Lawful steps; each goes on from the one before. */
void raw_start(struct raw_guest *guest);
void raw_contact(struct raw_guest *guest, uint32_t version);
void raw_connect(struct raw_guest *guest); /* newest that the profile has, then the offers */
void raw_gpadl(struct raw_guest *guest, uint32_t id, uint32_t page, uint32_t pages);
void raw_open(struct raw_guest *guest);
void raw_create_nic(struct raw_guest *guest);
void raw_create_echo(struct raw_guest *guest);
/* NVS up to both buffers; RNDIS INITIALIZE and a filter. */
void raw_negotiate(struct raw_guest *guest, uint32_t version);
void raw_initialize(struct raw_guest *guest);

/* --- raw_ring.c ---------------------------------------------------------------------- */

void raw_ring_bytes(struct raw_guest *guest, uint32_t at, const void *bytes, uint32_t length);
uint32_t raw_ring_word(struct raw_guest *guest, uint32_t page, uint32_t offset);
void raw_signal(struct raw_guest *guest);
void raw_packet(struct raw_guest *guest, uint16_t type, uint16_t flags, uint64_t transaction,
		const void *extension, uint32_t extension_length, const void *payload, uint32_t length);
/* NVS in band, filled up with zeros. */
void raw_nvs(struct raw_guest *guest, const void *message, uint32_t length);
/* An RNDIS message by page list, out of the pages from RAW_DATA. */
void raw_rndis(struct raw_guest *guest, uint32_t channel_type, const void *message, uint32_t length);
/* Reads what the host has sent; completes it unless it is held. */
void raw_drain(struct raw_guest *guest);

/* --- raw_queue.c --------------------------------------------------------------------- */

/* All that follows is about this one of its channels. */
void raw_turn_to(struct raw_guest *guest, uint32_t line);
/* Asks for sub-channels and opens those that come. */
void raw_subchannels(struct raw_guest *guest, uint32_t count);
void raw_open_subchannels(struct raw_guest *guest); /* the second half of that */
void raw_op_turn(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_op_card(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_op_flow(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_op_rss(struct raw_guest *guest, struct fuzz_input *arguments);

/* raw_offload.c */
void raw_op_offload(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_op_stream(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_op_large(struct raw_guest *guest, struct fuzz_input *arguments);

/* --- raw_storage.c ------------------------------------------------------------------- */

/* With some units. Every page may be written from now on: page lists can name any. */
void raw_create_storage(struct raw_guest *guest, bool ide, uint32_t seed);
void raw_vstor(struct raw_guest *guest, uint32_t operation, const void *payload, uint32_t length);
void raw_vstor_negotiate(struct raw_guest *guest, bool subchannels);
void raw_op_vstor(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_op_srb(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_op_data(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_op_unit(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_op_trouble(struct raw_guest *guest, struct fuzz_input *arguments);

/* --- raw_pci.c ----------------------------------------------------------------------- */

/* With a register block. Every page may be written from now on: the device stores where it is told. */
void raw_create_pci(struct raw_guest *guest);
void raw_pci_negotiate(struct raw_guest *guest);
void raw_op_vpci(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_op_mmio(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_op_interrupt(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_op_retarget(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_op_bus(struct raw_guest *guest, struct fuzz_input *arguments);

/* --- raw_virtio.c --------------------------------------------------------------------- */

struct virtio_net_device;
void raw_create_virtio(struct raw_guest *guest);
void raw_virtio_place(struct raw_guest *guest);
void raw_virtio_start(struct raw_guest *guest, uint64_t features);
void raw_op_register(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_op_descriptor(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_op_available(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_op_deliver(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_op_device_state(struct raw_guest *guest, struct fuzz_input *arguments);

/* --- raw_ops.c ----------------------------------------------------------------------- */

typedef void (*raw_operation)(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_run(struct raw_guest *guest, struct fuzz_input *input, const raw_operation *operations,
	     uint32_t count);

void raw_op_post(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_op_message(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_op_hypercall(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_op_msr(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_op_take(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_op_signal(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_op_time(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_op_write(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_op_arm(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_op_gone(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_op_device(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_op_packet(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_op_ring_bytes(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_op_ring_word(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_op_page_list(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_op_completion(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_op_drain(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_op_nvs(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_op_rndis(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_op_section(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_op_frames(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_op_inject(struct raw_guest *guest, struct fuzz_input *arguments);
void raw_op_dump(struct raw_guest *guest, struct fuzz_input *arguments);

#endif
