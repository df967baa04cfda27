/* SPDX-License-Identifier: MIT */
/* virtio_net: devices that contradict themselves, want to be reset, leave or vanish. */
#include "tests/unit/guest_virtio_net_user.h"

#define CONTROL 8u

/* --- Used rings that cannot be ----------------------------------------------------------------- */

enum lie {
	ID_OUTSIDE,
	ID_NOT_OUT,
	ID_TWICE,
	ID_INSIDE_A_CHAIN,
	LENGTH_TOO_MUCH,
	INDEX_AHEAD,
	INDEX_BACK,
	LIES
};

static void tell(struct user *user, uint32_t index, enum lie lie)
{
	struct vd_queue *queue = &user->device->queues[index];
	uint16_t head = queue->held_count ? queue->held[0] : 0;

	switch (lie) {
	case ID_OUTSIDE:
		vd_push(user->device, queue, queue->size, 0);
		break;
	case ID_NOT_OUT:
		vd_push(user->device, queue, queue->size - 1u, 0);
		break;
	case ID_TWICE:
		vd_push(user->device, queue, head, 0);
		vd_push(user->device, queue, head, 0);
		break;
	case ID_INSIDE_A_CHAIN:
		vd_push(user->device, queue, head + 1u, 0);
		break;
	case LENGTH_TOO_MUCH:
		vd_push(user->device, queue, head, 4097);
		break;
	case INDEX_AHEAD:
		queue->given = (uint16_t)(queue->given + queue->size);
		vd_push(user->device, queue, head, 0);
		break;
	default:
		queue->given = (uint16_t)(queue->given - 2u);
		vd_push(user->device, queue, head, 0);
	}
	vd_raise(user->device, queue->vector); /* whatever is asked for */
}

static void it_is_told_as_gone_once(struct user *user)
{
	struct hvk_counters counters;

	vd_settle(user->device);
	hvk_get_counters(user->device->hvk, &counters);
	assert_true(counters.host_faults >= 1);
	assert_int_equal(user->gone, 1);
	assert_int_equal(user_send(user, 0, 60), HVK_TX_GONE);
	hvk_netdev_set_mtu(user->netdev, 1000, &user->request);
	assert_int_equal(vd_wait(user->device, &user->request), HVK_EGONE);
	vd_config_changed(user->device);
	vd_settle(user->device);
	assert_int_equal(user->gone, 1);
}

static void sent_frames_given_back_wrongly(void **state)
{
	(void)state;
	for (uint32_t lie = 0; lie < LIES; lie++) {
		struct user *user = user_begin_up(1);
		uint32_t done;

		user->device->holds_frames = true;
		for (uint32_t i = 0; i < 5; i++)
			assert_int_equal(user_send(user, 0, 60), HVK_TX_TAKEN);
		tell(user, 1, lie);
		vd_settle(user->device);
		done = user->done;
		assert_int_equal(done, lie == ID_TWICE ? 1 : 0);
		it_is_told_as_gone_once(user);
		assert_int_equal(user->done, done);
		assert_int_equal(user_detach(user), HVK_OK);
		assert_int_equal(user->done + user->canceled, 5);
		user_up(user); /* a device that was reset is as good as new */
		user->device->holds_frames = false;
		assert_int_equal(user_send(user, 0, 60), HVK_TX_TAKEN);
		vd_settle(user->device);
		assert_int_equal(user->done, done + 1);
		user_end(user);
	}
}

static void received_frames_given_wrongly(void **state)
{
	(void)state;
	for (uint32_t lie = 0; lie < LIES; lie++) {
		struct user *user = user_begin_up(1);
		uint16_t head = 0;

		if (lie == ID_INSIDE_A_CHAIN || lie == ID_NOT_OUT) { /* all are out, and begin a chain */
			user_end(user);
			continue;
		}
		assert_true(vd_take(user->device, &user->device->queues[0], &head));
		tell(user, 0, lie);
		vd_settle(user->device);
		if (lie == ID_TWICE) { /* it was put in again meanwhile: no lie */
			user_end(user);
			continue;
		}
		it_is_told_as_gone_once(user);
		assert_int_equal(user->received_count, 0);
		user_end(user);
	}
}

static void commands_answered_wrongly(void **state)
{
	(void)state;
	for (uint32_t lie = 0; lie < LIES; lie++) {
		struct user *user = user_begin_up(1);

		user->device->mute_control = true;
		hvk_netdev_set_flags(user->netdev, 0, &user->others[0]);
		vd_settle(user->device);
		tell(user, CONTROL, lie);
		(void)vd_wait(user->device, &user->others[0]);
		assert_true(user->others[0].status == HVK_EHOST_VIRTIO ||
			    user->others[0].status == HVK_EGONE);
		it_is_told_as_gone_once(user);
		user_end(user);
	}
}

/* Nobody waits for the answer any more: it is a contradiction all the same. */
static void a_late_answer_that_is_wrong(void **state)
{
	struct user *user = user_begin_up(1);

	(void)state;
	user->device->mute_control = true;
	assert_int_equal(user_set_flags(user, 0), HVK_ETIMEDOUT_VIRTIO);
	tell(user, CONTROL, ID_OUTSIDE);
	it_is_told_as_gone_once(user);
	user_end(user);
}

/* The rings' other words are the driver's: what is written over them is not believed. */
static void rings_written_over(void **state)
{
	struct user *user = user_begin_up(1);
	struct vd_queue *queue = &user->device->queues[1];

	(void)state;
	user->device->holds_frames = true;
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(user_send(user, 0, 60), HVK_TX_TAKEN);
	memset(vd_at(user->device, queue->descriptors, 16u * queue->size), 0xff, 16u * queue->size);
	for (uint32_t i = 0; i < 5; i++)
		vd_push(user->device, queue, queue->held[i], 0);
	queue->held_count = 0;
	vd_settle(user->device);
	assert_int_equal(user->done, 5);
	assert_int_equal(user->gone, 0);
	user->device->holds_frames = false;
	memset(vd_at(user->device, queue->available, 4 + 2u * queue->size), 0xff, 4 + 2u * queue->size);
	vd_put16(user->device, queue->available + 2, queue->taken);
	for (uint32_t i = 0; i < 300; i++) {
		assert_int_equal(user_send(user, i, 60), HVK_TX_TAKEN);
		vd_settle(user->device);
	}
	assert_int_equal(user->done, 305);
	user_end(user);
}

/* --- Wishes, and leaving ------------------------------------------------------------------------- */

static void it_wants_to_be_reset(void **state)
{
	struct user *user = user_begin_up(1);

	(void)state;
	user->device->status |= VIRTIO_STATUS_NEEDS_RESET;
	vd_config_changed(user->device);
	it_is_told_as_gone_once(user);
	assert_int_equal(user_detach(user), HVK_OK);
	user_up(user);
	assert_int_equal(user->gone, 1);
	user_end(user);
}

static void leave(struct user *user, bool eject)
{
	user->device->gone = !eject;
	user->device->hooks.leaving(user->device->hooks.context, user->device, eject);
}

static void it_is_ejected(void **state)
{
	struct user *user = user_begin_up(1);

	(void)state;
	leave(user, true);
	assert_int_equal(user->leaving, 1);
	assert_int_equal(user->ejected, 1);
	assert_int_equal(user_send(user, 0, 60), HVK_TX_TAKEN); /* it works meanwhile */
	vd_settle(user->device);
	assert_int_equal(user->done, 1);
	assert_int_equal(user->gone, 0);
	user_end(user);
}

static void it_vanishes(void **state)
{
	struct user *user = user_begin_up(1);
	uint64_t writes;

	(void)state;
	user->device->holds_frames = true;
	assert_int_equal(user_send(user, 0, 60), HVK_TX_TAKEN);
	user->device->mute_control = true;
	hvk_netdev_set_flags(user->netdev, 0, &user->request);
	hvk_netdev_set_mtu(user->netdev, 1000, &user->others[0]);
	vd_settle(user->device);
	leave(user, false);
	vd_settle(user->device);
	assert_int_equal(user->gone, 1);
	assert_int_equal(user->ejected, 0);
	assert_int_equal(user->leaving, 1);
	assert_int_equal(user->request.status, HVK_EGONE);
	assert_int_equal(user->others[0].status, HVK_EGONE);
	assert_int_equal(user_send(user, 0, 60), HVK_TX_GONE);
	assert_int_equal(user_set_flags(user, 0), HVK_EGONE);
	assert_int_equal(user_attach(user), HVK_EGONE);
	writes = user->device->writes;
	assert_int_equal(user_detach(user), HVK_OK);
	assert_int_equal(user->canceled, 1);
	assert_int_equal(user->device->writes, writes); /* nobody is there to talk to */
	assert_int_equal(user_leave(user), 0);
}

static void it_vanishes_without_a_word(void **state)
{
	struct user *user = user_begin_up(1);

	(void)state;
	user->device->gone = true; /* reads are all ones; the bus says so later */
	hvk_poller_kick(user->device->hvk, &user->device->interrupts[0].poller);
	vd_settle(user->device);
	assert_int_equal(user->gone, 0);
	assert_int_equal(user->links, 0);
	leave(user, false);
	vd_settle(user->device);
	assert_int_equal(user->gone, 1);
	user_end(user);
}

/* Nothing is found on a function that reads as all ones: not because it refuses. */
static void it_has_vanished_before_it_comes_up(void **state)
{
	struct user *user = user_begin(1);

	(void)state;
	user_create(user);
	hvk_virtio_net_attach(user->net, &user->attach);
	user->device->gone = true;
	user->device->enable_lies = true;
	assert_int_equal(vd_wait(user->device, &user->attach), HVK_EGONE);
	assert_int_equal(user_leave(user), 0);
}

static void it_vanishes_while_detached(void **state)
{
	struct user *user = user_begin_up(1);

	(void)state;
	assert_int_equal(user_detach(user), HVK_OK);
	leave(user, false);
	assert_int_equal(user->leaving, 1);
	assert_int_equal(user_leave(user), 0); /* at once */
}

/* At each poll of its bring-up, and of its take-down. */
static void it_vanishes_while_it_comes_up(void **state)
{
	hvk_status status = HVK_EGONE;

	(void)state;
	for (uint32_t polls = 0; polls < 100 && status != HVK_OK; polls++) {
		struct user *user = user_begin(1);

		user->device->lazy = true;
		user->config.queues = 4;
		user_create(user);
		hvk_virtio_net_attach(user->net, &user->attach);
		for (uint32_t i = 0; i < polls; i++)
			vd_poll(user->device);
		leave(user, false);
		status = vd_wait(user->device, &user->attach);
		assert_true(status == HVK_OK || status == HVK_EGONE);
		vd_settle(user->device);
		assert_int_equal(user->gone, status == HVK_OK);
		assert_int_equal(user_detach(user), HVK_OK);
		assert_int_equal(user_leave(user), 0);
	}
	assert_int_equal(status, HVK_OK);
}

static void it_vanishes_while_it_goes_down(void **state)
{
	(void)state;
	for (uint32_t polls = 0; polls < 40; polls++) {
		struct user *user = user_begin_up(1);

		user->device->resets_late = 10;
		assert_int_equal(user_send(user, 0, 60), HVK_TX_TAKEN);
		hvk_virtio_net_detach(user->net, &user->detach);
		for (uint32_t i = 0; i < polls; i++) {
			user->device->port.now += HVK_TIME_PER_MS;
			vd_poll(user->device);
		}
		leave(user, false);
		assert_int_equal(vd_wait(user->device, &user->detach), HVK_OK);
		assert_int_equal(user_leave(user), 0);
	}
}

/* While a frame is being handed up, on another CPU than the one that takes it down. */
static void detach_from_input(void *context, struct hvk_netdev *netdev, const struct hvk_rx_frame *received)
{
	struct user *user = context;

	user_input(context, netdev, received);
	if (user->detach.status != HVK_EINPROGRESS && user->received_count == 1)
		hvk_virtio_net_detach(user->net, &user->detach);
}

static void detached_from_its_own_hook(void **state)
{
	struct user *user = user_begin(4);
	uint8_t frame[60];

	(void)state;
	user->config.queues = 4;
	user_up(user);
	user->netdev->hooks.input = detach_from_input;
	for (uint32_t i = 0; i < 100; i++)
		assert_true(vd_inject_plain(user->device, 3, frame, user_to_us(user, frame, 60)));
	vd_settle(user->device);
	assert_int_equal(vd_wait(user->device, &user->detach), HVK_OK);
	assert_int_equal(user_leave(user), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sent_frames_given_back_wrongly),
		cmocka_unit_test(received_frames_given_wrongly),
		cmocka_unit_test(commands_answered_wrongly),
		cmocka_unit_test(a_late_answer_that_is_wrong),
		cmocka_unit_test(rings_written_over),
		cmocka_unit_test(it_wants_to_be_reset),
		cmocka_unit_test(it_is_ejected),
		cmocka_unit_test(it_vanishes),
		cmocka_unit_test(it_vanishes_without_a_word),
		cmocka_unit_test(it_has_vanished_before_it_comes_up),
		cmocka_unit_test(it_vanishes_while_detached),
		cmocka_unit_test(it_vanishes_while_it_comes_up),
		cmocka_unit_test(it_vanishes_while_it_goes_down),
		cmocka_unit_test(detached_from_its_own_hook),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
