/* SPDX-License-Identifier: MIT */
/* A user of guest/virtio_net on the device of tests/support/virtio_machine.h. */
#ifndef TESTS_GUEST_VIRTIO_NET_USER_H
#define TESTS_GUEST_VIRTIO_NET_USER_H

#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>

#include "tests/support/virtio_machine.h"

#include <cmocka.h>

#define USER_FRAMES 1100u
#define USER_OFFLOADS (HVK_NETDEV_TX_CHECKSUMS | HVK_NETDEV_RX_CHECKSUMS | HVK_NETDEV_TSO4 | HVK_NETDEV_TSO6)

struct user_frame {
	struct hvk_tx_frame frame;
	struct hvk_buffer pieces[32];
	hvk_status status; /* HVK_EINPROGRESS: not done */
	uint32_t done;
};

struct user {
	vd *device;
	struct hvk_virtio_net *net;
	struct hvk_netdev *netdev;
	struct hvk_virtio_net_config config;
	struct hvk_request attach, detach, request, others[16];

	struct hvk_rx_frame received; /* the last */
	uint8_t bytes[VD_FRAME_MAX];
	uint32_t received_count, bursts, queue_counts[8], ready, links, gone, leaving, ejected;
	bool link;
	struct user_frame frames[USER_FRAMES];
	uint32_t next_frame, done, canceled;
	void (*on_ready)(struct user *user);
	uint8_t memory[65536] __attribute__((aligned(4096))); /* frames to send */
};

static inline void user_input(void *context, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame)
{
	struct user *user = context;

	assert_ptr_equal(netdev, user->netdev);
	assert_in_range(frame->length, 14, VD_FRAME_MAX);
	assert_int_equal(user->device->port.locks, 0);
	user->received = *frame;
	memcpy(user->bytes, frame->data, frame->length);
	user->received_count++;
	user->queue_counts[frame->queue]++;
}

static inline void user_burst_end(void *context, struct hvk_netdev *netdev, uint32_t queue)
{
	(void)netdev, (void)queue;
	((struct user *)context)->bursts++;
}

static inline void user_ready(void *context, struct hvk_netdev *netdev)
{
	struct user *user = context;

	(void)netdev;
	user->ready++;
	if (user->on_ready)
		user->on_ready(user);
}

static inline void user_link(void *context, struct hvk_netdev *netdev, bool up)
{
	struct user *user = context;

	(void)netdev;
	user->links++;
	user->link = up;
}

static inline void user_gone(void *context, struct hvk_netdev *netdev)
{
	(void)netdev;
	((struct user *)context)->gone++;
}

static inline void user_leaving(void *context, struct hvk_virtio_net *net, bool eject)
{
	struct user *user = context;

	assert_ptr_equal(net, user->net);
	user->leaving++;
	user->ejected += eject;
}

static inline struct user *user_begin(uint32_t cpus)
{
	struct user *user = aligned_alloc(alignof(struct user), sizeof(*user));

	assert_non_null(user);
	memset(user, 0, sizeof(*user));
	user->device = vd_create(cpus);
	user->config = (struct hvk_virtio_net_config){
		.offloads = USER_OFFLOADS, .leaving = user_leaving, .context = user};
	vd_user(user->device, user->memory, sizeof(user->memory));
	for (uint32_t i = 0; i < sizeof(user->memory); i++)
		user->memory[i] = (uint8_t)(i * 7u + i / 256u);
	return user;
}

static inline void user_create(struct user *user)
{
	assert_int_equal(hvk_virtio_net_create(user->device, &user->config, &user->net), HVK_OK);
	assert_ptr_equal(hvk_virtio_net_function(user->net), user->device);
	user->netdev = hvk_virtio_net_netdev(user->net);
	user->netdev->hooks = (struct hvk_netdev_hooks){.input = user_input,
							.burst_end = user_burst_end,
							.tx_ready = user_ready,
							.link_changed = user_link,
							.gone = user_gone,
							.context = user};
}

static inline hvk_status user_attach(struct user *user)
{
	hvk_virtio_net_attach(user->net, &user->attach);
	return vd_wait(user->device, &user->attach);
}

static inline hvk_status user_set_flags(struct user *user, uint32_t flags)
{
	hvk_netdev_set_flags(user->netdev, flags, &user->request);
	return vd_wait(user->device, &user->request);
}

/* Attached and up. */
static inline void user_up(struct user *user)
{
	if (!user->net)
		user_create(user);
	assert_int_equal(user_attach(user), HVK_OK);
	assert_int_equal(user_set_flags(user, HVK_NETDEV_UP), HVK_OK);
	vd_settle(user->device);
}

static inline struct user *user_begin_up(uint32_t cpus)
{
	struct user *user = user_begin(cpus);

	user_up(user);
	return user;
}

static inline hvk_status user_detach(struct user *user)
{
	hvk_virtio_net_detach(user->net, &user->detach);
	return vd_wait(user->device, &user->detach);
}

/* Destroys all; each frame that was taken is done. Pages that were not given back. */
static inline uint32_t user_leave(struct user *user)
{
	uint32_t left;

	assert_int_equal(hvk_virtio_net_destroy(user->net), HVK_OK);
	assert_true(user->device->released);
	assert_string_equal(user->device->violation, "");
	for (uint32_t i = 0; i < user->next_frame; i++)
		assert_int_equal(user->frames[i].done, 1);
	left = vd_destroy(user->device);
	free(user);
	return left;
}

static inline void user_end(struct user *user)
{
	assert_int_equal(user_detach(user), HVK_OK);
	assert_int_equal(user_leave(user), 0);
}

/* --- Frames ------------------------------------------------------------------------------- */

static inline void user_done(struct hvk_tx_frame *frame, hvk_status status, void *context)
{
	struct user_frame *own = (struct user_frame *)(void *)frame;
	struct user *user = context;

	assert_int_equal(own->done, 0);
	assert_int_equal(user->device->port.locks, 0);
	own->done++;
	own->status = status;
	user->done += status == HVK_OK;
	user->canceled += status == HVK_ECANCELED;
}

/* One piece of memory from the user's, to be sent. */
static inline struct user_frame *user_frame(struct user *user, uint32_t at, uint32_t length)
{
	struct user_frame *frame = &user->frames[user->next_frame];

	assert_in_range(user->next_frame, 0, USER_FRAMES - 1);
	frame->pieces[0] = (struct hvk_buffer){user->memory + at, (uint64_t)(uintptr_t)(user->memory + at),
					       length};
	frame->frame = (struct hvk_tx_frame){.pieces = frame->pieces,
					     .piece_count = 1,
					     .length = length,
					     .done = user_done,
					     .context = user};
	frame->status = HVK_EINPROGRESS;
	frame->done = 0;
	return frame;
}

static inline enum hvk_tx_result user_transmit(struct user *user, struct user_frame *frame)
{
	enum hvk_tx_result result = hvk_netdev_transmit(user->netdev, &frame->frame);

	if (result == HVK_TX_TAKEN)
		user->next_frame++;
	return result;
}

static inline enum hvk_tx_result user_send(struct user *user, uint32_t at, uint32_t length)
{
	return user_transmit(user, user_frame(user, at, length));
}

static inline struct hvk_netdev_counters user_counters(const struct user *user)
{
	struct hvk_netdev_counters counters;

	hvk_netdev_get_counters(user->netdev, &counters);
	return counters;
}

/* A frame to the device's own address. */
static inline uint32_t user_to_us(const struct user *user, uint8_t *frame, uint32_t length)
{
	for (uint32_t i = 0; i < length; i++)
		frame[i] = (uint8_t)(i * 13u);
	memcpy(frame, user->device->net.mac, 6);
	frame[6] = 2;
	frame[12] = 0x88; /* an experimental type */
	frame[13] = 0xb5;
	return length;
}

#endif
