/* SPDX-License-Identifier: MIT */
/* virtio_net: control operations, the control queue, link and interrupts. */
#include "tests/unit/guest_virtio_net_user.h"

static const struct vd_command *command(const struct user *user, uint32_t n)
{
	return &user->device->commands[n];
}

static void is_command(const struct user *user, uint32_t n, uint8_t class_, uint8_t number, uint8_t value)
{
	assert_true(n < user->device->command_count);
	assert_int_equal(command(user, n)->class_, class_);
	assert_int_equal(command(user, n)->command, number);
	assert_int_equal(command(user, n)->data[0], value);
}

static void flags(void **state)
{
	struct user *user = user_begin(1);
	uint32_t first;

	(void)state;
	user_create(user);
	assert_int_equal(user_attach(user), HVK_OK);
	first = user->device->command_count;
	assert_int_equal(user_set_flags(user, HVK_NETDEV_UP | HVK_NETDEV_PROMISCUOUS), HVK_OK);
	assert_int_equal(user->device->command_count, first + 2);
	is_command(user, first, VIRTIO_NET_CONTROL_RX, VIRTIO_NET_CONTROL_RX_PROMISCUOUS, 1);
	is_command(user, first + 1, VIRTIO_NET_CONTROL_RX, VIRTIO_NET_CONTROL_RX_ALL_MULTICAST, 0);
	assert_int_equal(user->netdev->info.flags, HVK_NETDEV_UP | HVK_NETDEV_PROMISCUOUS);
	assert_int_equal(user_set_flags(user, HVK_NETDEV_UP | HVK_NETDEV_ALL_MULTICAST), HVK_OK);
	is_command(user, first + 2, VIRTIO_NET_CONTROL_RX, VIRTIO_NET_CONTROL_RX_PROMISCUOUS, 0);
	is_command(user, first + 3, VIRTIO_NET_CONTROL_RX, VIRTIO_NET_CONTROL_RX_ALL_MULTICAST, 1);
	assert_int_equal(user_send(user, 0, 60), HVK_TX_TAKEN);
	assert_int_equal(user_set_flags(user, 0), HVK_OK);
	assert_int_equal(user->device->sent_count, 1); /* what was taken before went out */
	assert_int_equal(user_send(user, 0, 60), HVK_TX_GONE);
	assert_int_equal(user_set_flags(user, HVK_NETDEV_UP), HVK_OK);
	assert_int_equal(user_send(user, 0, 60), HVK_TX_TAKEN);
	assert_int_equal(user_set_flags(user, 1u << 7), HVK_EINVAL);
	user_end(user);
}

/* What is refused has changed nothing: a device that was up sends on. */
static void refused_or_not_answered(void **state)
{
	struct user *user = user_begin_up(1);
	uint64_t began;

	(void)state;
	user->device->refuse_control = true;
	assert_int_equal(user_set_flags(user, 0), HVK_EREFUSED_VIRTIO);
	assert_int_equal(user->netdev->info.flags, HVK_NETDEV_UP);
	assert_int_equal(user_send(user, 0, 60), HVK_TX_TAKEN);
	user->device->refuse_control = false;
	user->device->mute_control = true;
	began = user->device->port.now;
	assert_int_equal(user_set_flags(user, 0), HVK_ETIMEDOUT_VIRTIO);
	assert_in_range(user->device->port.now - began, 2 * HVK_TIME_PER_SECOND - HVK_TIME_PER_MS,
			2 * HVK_TIME_PER_SECOND + HVK_TIME_PER_MS);
	assert_int_equal(user->netdev->info.flags, HVK_NETDEV_UP);
	assert_int_equal(user_send(user, 0, 60), HVK_TX_TAKEN);
	/* The queue is the silent command's until it is answered. */
	assert_int_equal(user_set_flags(user, 0), HVK_ETIMEDOUT_VIRTIO);
	user->device->mute_control = false;
	vd_give(user->device, &user->device->queues[8], user->device->queues[8].held[0], 1);
	vd_settle(user->device);
	assert_int_equal(user_set_flags(user, 0), HVK_OK);
	assert_int_equal(user->netdev->info.flags, 0);
	user_end(user);
}

static void answers_that_are_none(void **state)
{
	struct user *user = user_begin_up(1);
	struct vd_queue *queue = &user->device->queues[8];

	(void)state;
	user->device->mute_control = true;
	hvk_netdev_set_flags(user->netdev, 0, &user->request);
	vd_settle(user->device);
	vd_give(user->device, queue, queue->held[0], 0); /* not one byte was written */
	assert_int_equal(vd_wait(user->device, &user->request), HVK_EREFUSED_VIRTIO);
	user_end(user);
}

static void multicast_groups(void **state)
{
	static const uint8_t groups[HVK_NETDEV_GROUPS_MAX + 1][6] = {{1, 2, 3, 4, 5, 6},
								     {7, 8, 9, 10, 11, 12}};
	struct user *user = user_begin_up(1);
	uint8_t many[HVK_NETDEV_GROUPS_MAX + 1][6];
	uint32_t counts[2], n = user->device->command_count;

	(void)state;
	memset(many, 1, sizeof(many));
	hvk_netdev_set_multicast(user->netdev, groups, 2, &user->request);
	assert_int_equal(vd_wait(user->device, &user->request), HVK_OK);
	is_command(user, n, VIRTIO_NET_CONTROL_MAC, VIRTIO_NET_CONTROL_MAC_TABLE, 0);
	memcpy(counts, command(user, n)->data, 8);
	assert_int_equal(counts[0], 0);
	assert_int_equal(counts[1], 2);
	assert_memory_equal(command(user, n)->data + 8, groups, 12);
	hvk_netdev_set_multicast(user->netdev, (const uint8_t(*)[6])many, HVK_NETDEV_GROUPS_MAX,
				 &user->request);
	assert_int_equal(vd_wait(user->device, &user->request), HVK_OK);
	assert_int_equal(command(user, n + 1)->length, 8 + 6 * HVK_NETDEV_GROUPS_MAX);
	hvk_netdev_set_multicast(user->netdev, (const uint8_t(*)[6])many, HVK_NETDEV_GROUPS_MAX + 1,
				 &user->request);
	assert_int_equal(vd_wait(user->device, &user->request), HVK_EINVAL);
	many[1][0] = 2; /* no group */
	hvk_netdev_set_multicast(user->netdev, (const uint8_t(*)[6])many, 2, &user->request);
	assert_int_equal(vd_wait(user->device, &user->request), HVK_EINVAL);
	hvk_netdev_set_multicast(user->netdev, NULL, 0, &user->request);
	assert_int_equal(vd_wait(user->device, &user->request), HVK_OK);
	assert_int_equal(command(user, n + 2)->length, 8);
	user_end(user);
}

/* A device that was reset has forgotten them, and so has the driver. */
static void groups_do_not_outlive_a_detach(void **state)
{
	static const uint8_t groups[1][6] = {{1, 2, 3, 4, 5, 6}};
	struct user *user = user_begin_up(1);
	uint8_t frame[60] = {1, 2, 3, 4, 5, 6};

	(void)state;
	hvk_netdev_set_multicast(user->netdev, groups, 1, &user->request);
	assert_int_equal(vd_wait(user->device, &user->request), HVK_OK);
	assert_int_equal(user_detach(user), HVK_OK);
	user_up(user);
	assert_true(vd_inject_plain(user->device, 0, frame, 60));
	vd_settle(user->device);
	assert_int_equal(user->received_count, 0);
	user_end(user);
}

static void mtu(void **state)
{
	static const struct {
		uint32_t mtu;
		hvk_status status;
	} rows[] = {{67, HVK_EINVAL}, {68, HVK_OK}, {9000, HVK_OK}, {9001, HVK_EINVAL}, {1500, HVK_OK}};
	struct user *user = user_begin_up(1);

	(void)state;
	for (uint32_t i = 0; i < 5; i++) {
		hvk_netdev_set_mtu(user->netdev, rows[i].mtu, &user->request);
		assert_int_equal(vd_wait(user->device, &user->request), rows[i].status);
		if (rows[i].status != HVK_OK)
			continue;
		assert_int_equal(user->netdev->info.mtu, rows[i].mtu);
		assert_int_equal(user->netdev->info.frame_max, rows[i].mtu + 14);
		assert_int_equal(user_send(user, 0, rows[i].mtu + 14), HVK_TX_TAKEN);
		assert_int_equal(user_send(user, 0, rows[i].mtu + 15), HVK_TX_GONE);
		vd_settle(user->device);
	}
	user_end(user);
}

/* Joining is the device's to switch; a checksum that is looked at costs nothing. */
static void offloads(void **state)
{
	const uint64_t joining = VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6;
	struct user *user = user_begin_up(1);

	(void)state;
	assert_int_equal(user->device->offloads, VIRTIO_NET_F_GUEST_CSUM); /* not asked for: off */
	hvk_netdev_set_enabled(user->netdev, HVK_NETDEV_LRO | HVK_NETDEV_TX_TCP4, &user->request);
	assert_int_equal(vd_wait(user->device, &user->request), HVK_OK);
	assert_int_equal(user->device->offloads, VIRTIO_NET_F_GUEST_CSUM | joining);
	assert_int_equal(user->netdev->info.enabled, HVK_NETDEV_LRO | HVK_NETDEV_TX_TCP4);
	hvk_netdev_set_enabled(user->netdev, 0, &user->request);
	assert_int_equal(vd_wait(user->device, &user->request), HVK_OK);
	assert_int_equal(user->device->offloads, VIRTIO_NET_F_GUEST_CSUM);
	hvk_netdev_set_enabled(user->netdev, HVK_NETDEV_TX_IPV4, &user->request);
	assert_int_equal(vd_wait(user->device, &user->request), HVK_EINVAL);
	user->device->refuse_control = true;
	hvk_netdev_set_enabled(user->netdev, HVK_NETDEV_LRO, &user->request);
	assert_int_equal(vd_wait(user->device, &user->request), HVK_EREFUSED_VIRTIO);
	assert_int_equal(user->netdev->info.enabled, 0);
	user_end(user);
	user = user_begin(1);
	user->config.offloads = HVK_NETDEV_LRO;
	user_up(user);
	assert_int_equal(user->device->offloads, VIRTIO_NET_F_GUEST_CSUM | joining);
	user_end(user);
}

static void a_device_that_refuses_at_attach(void **state)
{
	struct user *user = user_begin(1);

	(void)state;
	user->device->refuse_control = true;
	user_create(user);
	assert_int_equal(user_attach(user), HVK_EREFUSED_VIRTIO);
	user->device->refuse_control = false;
	user->device->mute_control = true;
	assert_int_equal(user_attach(user), HVK_ETIMEDOUT_VIRTIO);
	assert_int_equal(user_leave(user), 0);
}

static uint32_t finished;
static uint32_t order[16];

static void in_order(struct hvk_request *request, void *context)
{
	(void)request;
	order[finished++] = (uint32_t)(uintptr_t)context;
}

static void eight_wait_in_order(void **state)
{
	struct user *user = user_begin_up(1);

	(void)state;
	finished = 0;
	user->device->mute_control = true;
	hvk_netdev_set_flags(user->netdev, HVK_NETDEV_UP, &user->request);
	vd_settle(user->device); /* one runs */
	for (uint32_t i = 0; i < 9; i++) {
		user->others[i] = (struct hvk_request){.done = in_order, .context = (void *)(uintptr_t)i};
		hvk_netdev_set_mtu(user->netdev, 1000 + i, &user->others[i]);
	}
	assert_int_equal(vd_wait(user->device, &user->others[8]), HVK_EBUSY);
	vd_give(user->device, &user->device->queues[8], user->device->queues[8].held[0], 1);
	assert_int_equal(vd_wait(user->device, &user->request),
			 HVK_EREFUSED_VIRTIO); /* not written: an error */
	assert_int_equal(vd_wait(user->device, &user->others[7]), HVK_OK);
	for (uint32_t i = 0; i < 8; i++)
		assert_int_equal(order[1 + i], i);
	assert_int_equal(user->netdev->info.mtu, 1007);
	user_end(user);
}

static void a_detach_cancels_them(void **state)
{
	struct user *user = user_begin_up(1);

	(void)state;
	user->device->mute_control = true;
	hvk_netdev_set_flags(user->netdev, 0, &user->request);
	hvk_netdev_set_mtu(user->netdev, 1000, &user->others[0]);
	vd_settle(user->device);
	assert_int_equal(user_detach(user), HVK_OK);
	assert_int_equal(user->request.status, HVK_ECANCELED);
	assert_int_equal(user->others[0].status, HVK_ECANCELED);
	assert_int_equal(user_leave(user), 0);
}

static void what_it_has_not_got(void **state)
{
	static const struct hvk_netdev_rss rss;
	struct user *user = user_begin_up(1);
	struct hvk_netdev_rss out;

	(void)state;
	hvk_netdev_set_rss(user->netdev, &rss, &user->request);
	assert_int_equal(vd_wait(user->device, &user->request), HVK_ENOTSUP);
	assert_false(hvk_netdev_get_rss(user->netdev, &out));
	user_end(user);
}

/* --- Link ------------------------------------------------------------------------------------ */

static void link_news(void **state)
{
	struct user *user = user_begin_up(1);

	(void)state;
	user->device->net.status = 0;
	vd_config_changed(user->device);
	vd_settle(user->device);
	assert_int_equal(user->links, 1);
	assert_false(user->link || user->netdev->info.link_up);
	vd_config_changed(user->device);
	vd_settle(user->device);
	assert_int_equal(user->links, 1); /* nothing new */
	user->device->net.status = VIRTIO_NET_STATUS_LINK_UP;
	vd_config_changed(user->device);
	vd_settle(user->device);
	assert_int_equal(user->links, 2);
	assert_true(user->link && user->netdev->info.link_up);
	user_end(user);
}

/* Between the first look and the first interrupt. */
static void link_news_while_it_comes_up(void **state)
{
	struct user *user = user_begin(1);

	(void)state;
	user->device->withholds_interrupts = true;
	user_create(user);
	hvk_virtio_net_attach(user->net, &user->attach);
	vd_settle(user->device);
	assert_non_null(user->device->interrupt_withheld);
	user->device->net.status = 0;
	vd_config_changed(user->device);
	vd_interrupt_answer(user->device);
	assert_int_equal(vd_wait(user->device, &user->attach), HVK_OK);
	assert_false(user->netdev->info.link_up);
	user_end(user);
}

/* --- Interrupts --------------------------------------------------------------------------------- */

static void fewer_interrupts_than_pairs(void **state)
{
	static const struct {
		uint16_t interrupts;
		uint32_t queues;
	} rows[] = {{5, 4}, {4, 3}, {3, 2}, {2, 1}, {1, 1}};

	(void)state;
	for (uint32_t i = 0; i < 5; i++) {
		struct user *user = user_begin(1);
		uint8_t frame[60];

		user->config.queues = 4;
		user->device->info.interrupts = rows[i].interrupts;
		user_up(user);
		assert_int_equal(user->netdev->info.queues, rows[i].queues);
		assert_int_equal(user->device->pairs, rows[i].queues);
		assert_true(vd_inject_plain(user->device, 0, frame, user_to_us(user, frame, 60)));
		assert_int_equal(user_send(user, 0, 60), HVK_TX_TAKEN);
		vd_settle(user->device);
		assert_int_equal(user->received_count, 1);
		assert_int_equal(user->done, 1);
		user->device->net.status = 0;
		vd_config_changed(user->device);
		vd_settle(user->device);
		assert_int_equal(user->links, 1);
		user_end(user);
	}
}

static void interrupts_that_are_not_to_be_had(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 5; i++) {
		struct user *user = user_begin(1);

		user->config.queues = 4;
		user->device->interrupt_status = HVK_EREFUSED_VPCI;
		user->device->interrupt_refused = i;
		user_create(user);
		assert_int_equal(user_attach(user), HVK_EREFUSED_VPCI);
		assert_int_equal(user->device->status, 0);
		user->device->interrupt_status = HVK_OK;
		user_up(user);
		user_end(user);
	}
}

static void none_at_all(void **state)
{
	struct user *user = user_begin(1);

	(void)state;
	user->device->info.interrupts = 0;
	user_create(user);
	assert_int_equal(user_attach(user), HVK_ELIMIT);
	assert_int_equal(user_leave(user), 0);
}

static void vectors_that_the_device_does_not_take(void **state)
{
	struct user *user = user_begin(1);

	(void)state;
	user->device->no_vector = true;
	user_create(user);
	assert_int_equal(user_attach(user), HVK_EREFUSED_VIRTIO);
	user->device->no_vector = false;
	user->device->no_config_vector = true;
	assert_int_equal(user_attach(user), HVK_EREFUSED_VIRTIO);
	assert_int_equal(user_leave(user), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flags),
		cmocka_unit_test(refused_or_not_answered),
		cmocka_unit_test(answers_that_are_none),
		cmocka_unit_test(multicast_groups),
		cmocka_unit_test(groups_do_not_outlive_a_detach),
		cmocka_unit_test(mtu),
		cmocka_unit_test(offloads),
		cmocka_unit_test(a_device_that_refuses_at_attach),
		cmocka_unit_test(eight_wait_in_order),
		cmocka_unit_test(a_detach_cancels_them),
		cmocka_unit_test(what_it_has_not_got),
		cmocka_unit_test(link_news),
		cmocka_unit_test(link_news_while_it_comes_up),
		cmocka_unit_test(fewer_interrupts_than_pairs),
		cmocka_unit_test(interrupts_that_are_not_to_be_had),
		cmocka_unit_test(none_at_all),
		cmocka_unit_test(vectors_that_the_device_does_not_take),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
