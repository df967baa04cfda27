/* SPDX-License-Identifier: MIT */
/* A user of netvsc on the hostile machine, within the rules of the public headers, and
 * what the fuzzer can have the card's host do. */
#ifndef FUZZ_GUEST_NIC_H
#define FUZZ_GUEST_NIC_H

#include "tests/fuzz/hostile.h"

#define NIC_FRAMES 16u
#define NIC_PIECES 3u

struct nic_frame {
	struct hvk_tx_frame frame;
	struct hvk_buffer pieces[NIC_PIECES];
	uint8_t *memory; /* NULL: free */
	struct nic_user *user;
};

struct nic_user {
	struct hostile *machine;
	struct hvk_channel *channel;
	struct hvk_netvsc *nic;
	struct hvk_netvsc_config config;
	struct hvk_request attach, detach, flags, control;
	struct nic_frame frames[NIC_FRAMES];
	bool chatty; /* sends a frame from inside the input hook */
	uint8_t sum;
	uint32_t inputs, tx_ready, gone;
};

/* Connected, with a card created and not attached. Header: {version, flags, buffers, NVS
 * version}; flags: 2 answers inside the hypercall, 8 no send buffer, 16 chatty, 32 four queues
 * wanted. */
struct nic_user *nic_create(struct fuzz_input *input);
/* By the rules, whatever has been said about answers so far. */
void nic_up(struct nic_user *user);
void nic_leave(struct nic_user *user);

void nic_op_user(struct hostile *machine, struct fuzz_input *arguments);
void nic_op_transmit(struct hostile *machine, struct fuzz_input *arguments);
void nic_op_offloads(struct hostile *machine, struct fuzz_input *arguments);
void nic_op_parts(struct hostile *machine, struct fuzz_input *arguments);
void nic_op_dump(struct hostile *machine, struct fuzz_input *arguments);
void nic_op_nvs_answer(struct hostile *machine, struct fuzz_input *arguments);
void nic_op_rndis_answer(struct hostile *machine, struct fuzz_input *arguments);
void nic_op_mute(struct hostile *machine, struct fuzz_input *arguments);
void nic_op_geometry(struct hostile *machine, struct fuzz_input *arguments);
void nic_op_message(struct hostile *machine, struct fuzz_input *arguments);
void nic_op_frame(struct hostile *machine, struct fuzz_input *arguments);
void nic_op_transfer(struct hostile *machine, struct fuzz_input *arguments);

#endif
