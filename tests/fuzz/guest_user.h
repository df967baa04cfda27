/* SPDX-License-Identifier: MIT */
/* A user of VMBus on the hostile machine, as the fuzzer tells it; always within the
 * rules of the public headers, so that whatever breaks is the drivers' fault. */
#ifndef FUZZ_GUEST_USER_H
#define FUZZ_GUEST_USER_H

#include "tests/fuzz/hostile.h"

#define USER_CHANNELS 6u
#define USER_GPADLS 2u
#define USER_PACKET_MAX 2048u
#define USER_REQUESTS 16u

struct user_gpadl {
	struct hvk_gpadl gpadl;
	struct hvk_request create, teardown;
	bool made;
};

struct user_channel {
	struct hvk_channel *channel; /* NULL: none */
	struct hvk_channel *primary; /* of a sub-channel */
	struct hvk_request open, close, move;
	bool claimed;
	struct user_gpadl gpadls[USER_GPADLS];
	bool outstanding[USER_REQUESTS]; /* a request's cookie is the address of its place here */
};

struct user {
	struct hostile *machine;
	struct user_channel channels[USER_CHANNELS];
	uint32_t receive_size; /* of the buffer for a packet */
	uint8_t sum;           /* of all that was received, so that it is read */
	uint32_t offered, gone;
};

struct user *user_create(struct hostile *machine);
void user_config(struct user *user, uint8_t flags, struct hvk_vmbus_config *config);
/* Opens channel n; waits. */
void user_open(struct user *user, uint32_t n, uint32_t pages);
/* Closes and tears down all there is; before hostile_destroy. */
void user_leave(struct user *user);

void user_op_channel(struct hostile *machine, struct fuzz_input *arguments);
void user_op_gpadl(struct hostile *machine, struct fuzz_input *arguments);
void user_op_bus(struct hostile *machine, struct fuzz_input *arguments);
void user_op_send(struct hostile *machine, struct fuzz_input *arguments);

#endif
