/* SPDX-License-Identifier: MIT */
/* virtio_net: from a function to a netdev and back, and what may go wrong on the way. */
#include "tests/unit/guest_virtio_net_user.h"

#define ALL_STATUS 15u

static void attached_and_detached(void **state)
{
	struct user *user = user_begin_up(1);
	const struct hvk_netdev_info *info = &user->netdev->info;

	(void)state;
	assert_memory_equal(info->mac, user->device->net.mac, 6);
	assert_int_equal(user->device->status, ALL_STATUS);
	assert_true(user->device->memory && user->device->master);
	assert_int_equal(hvk_virtio_net_features(user->net), VD_FEATURES);
	assert_int_equal(user->device->agreed, VD_FEATURES);
	assert_int_equal(info->mtu, 1500);
	assert_int_equal(info->mtu_max, 9000);
	assert_int_equal(info->frame_max, 1514);
	assert_int_equal(info->queues, 1);
	assert_int_equal(info->link_speed, 10000000000ull);
	assert_true(info->link_up);
	assert_int_equal(info->flags, HVK_NETDEV_UP);
	assert_int_equal(info->capabilities & HVK_NETDEV_TX_IPV4, 0); /* virtio knows no such thing */
	assert_int_equal(info->enabled, USER_OFFLOADS & info->capabilities);
	assert_int_equal(info->tso_bytes_max, 65415);
	assert_int_equal(info->tso_pieces_max, 30);
	assert_int_equal(user_detach(user), HVK_OK);
	assert_int_equal(user->device->status, 0);
	assert_false(user->device->memory || user->device->master);
	assert_int_equal(user_leave(user), 0);
}

static void attached_again_and_again(void **state)
{
	struct user *user = user_begin(1);

	(void)state;
	user_create(user);
	for (uint32_t i = 0; i < 5; i++) {
		user_up(user);
		assert_int_equal(user_send(user, 0, 60), HVK_TX_TAKEN);
		vd_settle(user->device);
		assert_int_equal(user->done, i + 1);
		assert_int_equal(user_detach(user), HVK_OK);
	}
	assert_int_equal(user_leave(user), 0);
}

static void nothing_that_is_no_network_device(void **state)
{
	static const struct {
		uint32_t queues, cpu, queue_size, offloads;
	} wrong[] = {{65, 0, 0, 0}, {1, 1, 0, 0},    {1, 0, 2, 0},
		     {1, 0, 96, 0}, {1, 0, 2048, 0}, {1, 0, 0, 1u << 20}};
	struct user *user = user_begin(1);
	struct hvk_virtio_net_config config = {0};
	struct hvk_virtio_net *other;

	(void)state;
	for (uint32_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		config.queues = wrong[i].queues;
		config.cpu = wrong[i].cpu;
		config.queue_size = wrong[i].queue_size;
		config.offloads = wrong[i].offloads;
		assert_int_equal(hvk_virtio_net_create(user->device, &config, &other), HVK_EINVAL);
		assert_null(other);
	}
	user->device->info.device_id++;
	assert_int_equal(hvk_virtio_net_create(user->device, &user->config, &other), HVK_EINVAL);
	user->device->info.device_id--;
	user->device->info.vendor_id++;
	assert_int_equal(hvk_virtio_net_create(user->device, &user->config, &other), HVK_EINVAL);
	user->device->info.vendor_id--;
	user_create(user);
	assert_int_equal(hvk_virtio_net_create(user->device, &user->config, &other), HVK_EBUSY);
	assert_int_equal(user_leave(user), 0);
}

static void states(void **state)
{
	struct user *user = user_begin(1);

	(void)state;
	user_create(user);
	assert_int_equal(user_detach(user), HVK_OK); /* detached already */
	assert_int_equal(user_set_flags(user, HVK_NETDEV_UP), HVK_ESTATE);
	assert_int_equal(user_send(user, 0, 60), HVK_TX_GONE);
	hvk_virtio_net_attach(user->net, &user->attach);
	assert_int_equal(hvk_virtio_net_destroy(user->net), HVK_ESTATE);
	hvk_virtio_net_attach(user->net, &user->request);
	assert_int_equal(vd_wait(user->device, &user->request), HVK_ESTATE);
	assert_int_equal(vd_wait(user->device, &user->attach), HVK_OK);
	assert_int_equal(user_attach(user), HVK_ESTATE);
	assert_int_equal(user_send(user, 0, 60), HVK_TX_GONE); /* not up */
	assert_int_equal(hvk_virtio_net_destroy(user->net), HVK_ESTATE);
	user->device->resets_late = 3;
	hvk_virtio_net_detach(user->net, &user->detach);
	hvk_virtio_net_detach(user->net, &user->request);
	assert_int_equal(vd_wait(user->device, &user->request), HVK_EBUSY);
	assert_int_equal(vd_wait(user->device, &user->detach), HVK_OK);
	assert_int_equal(user_leave(user), 0);
}

static void a_late_reset_is_awaited(void **state)
{
	struct user *user = user_begin(1);

	(void)state;
	user->device->status = ALL_STATUS; /* somebody used it before */
	user->device->resets_late = 20;
	user_up(user);
	assert_int_equal(user_detach(user), HVK_OK);
	assert_int_equal(user->device->status, 0);
	assert_int_equal(user_leave(user), 0);
}

static void a_device_that_does_not_reset(void **state)
{
	struct user *user = user_begin(1);
	uint64_t began = user->device->port.now;

	(void)state;
	user->device->status = ALL_STATUS;
	user->device->never_resets = true;
	user_create(user);
	assert_int_equal(user_attach(user), HVK_ETIMEDOUT_VIRTIO);
	assert_in_range(user->device->port.now - began, HVK_TIME_PER_SECOND, 3 * HVK_TIME_PER_SECOND);
	user->device->status = 0;
	assert_int_equal(user_leave(user), 0); /* it never knew any memory */
}

/* What it knows stays withheld: rings, buffers, slots, the command. */
static void memory_is_withheld_from_a_device_that_does_not_reset(void **state)
{
	struct user *user = user_begin_up(1);
	struct hvk_counters counters;
	uint32_t left;

	(void)state;
	user->device->holds_frames = true;
	assert_int_equal(user_send(user, 0, 60), HVK_TX_TAKEN);
	user->device->never_resets = true;
	assert_int_equal(user_detach(user), HVK_ETIMEDOUT_TEARDOWN);
	assert_int_equal(user->canceled, 1);
	hvk_get_counters(user->device->hvk, &counters);
	assert_true(counters.quarantined_pages > 256); /* a page for each buffer, and more */
	left = user_leave(user);
	assert_int_equal(left, counters.quarantined_pages);
}

static void features_that_every_one_has(void **state)
{
	static const uint64_t needed[] = {VIRTIO_F_VERSION_1, VIRTIO_NET_F_MAC};

	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		struct user *user = user_begin(1);

		user->device->features &= ~needed[i];
		user_create(user);
		assert_int_equal(user_attach(user), HVK_EREFUSED_VIRTIO);
		assert_int_equal(user->device->status, 0);
		user->device->features |= needed[i];
		user_up(user);
		user_end(user);
	}
}

static void features_that_are_refused(void **state)
{
	struct user *user = user_begin(1);

	(void)state;
	user->device->refuses_features = true;
	user_create(user);
	assert_int_equal(user_attach(user), HVK_EREFUSED_VIRTIO);
	assert_int_equal(user_leave(user), 0);
}

/* What depends on something that is not there is not agreed on (virtio 1.2, 5.1.3.1), nor joining that could
 * not be switched off. */
static void features_depend_on_each_other(void **state)
{
	static const struct {
		uint64_t missing, then;
	} rows[] = {
		{VIRTIO_NET_F_CTRL_VQ, VIRTIO_NET_F_CTRL_RX | VIRTIO_NET_F_MQ |
					       VIRTIO_NET_F_CTRL_GUEST_OFFLOADS | VIRTIO_NET_F_GUEST_TSO4 |
					       VIRTIO_NET_F_GUEST_TSO6},
		{VIRTIO_NET_F_CSUM, VIRTIO_NET_F_HOST_TSO4 | VIRTIO_NET_F_HOST_TSO6},
		{VIRTIO_NET_F_GUEST_CSUM,
		 VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6 | VIRTIO_NET_F_CTRL_GUEST_OFFLOADS},
		{VIRTIO_NET_F_CTRL_GUEST_OFFLOADS, VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6},
		{VIRTIO_NET_F_MRG_RXBUF,
		 VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6 | VIRTIO_NET_F_CTRL_GUEST_OFFLOADS},
	};

	(void)state;
	for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct user *user = user_begin(1);

		user->device->features &= ~rows[i].missing;
		user_up(user);
		assert_int_equal(user->device->agreed, VD_FEATURES & ~rows[i].missing & ~rows[i].then);
		user_end(user);
	}
}

static void only_what_it_must_have(void **state)
{
	struct user *user = user_begin(1);

	(void)state;
	user->device->features = VIRTIO_F_VERSION_1 | VIRTIO_NET_F_MAC;
	user->device->queue_count = 2;
	user->config.queues = 4;
	user_up(user);
	assert_int_equal(user->netdev->info.queues, 1);
	assert_int_equal(user->netdev->info.capabilities, 0);
	assert_int_equal(user->netdev->info.mtu_max, 4096 - 12 - 18); /* what one buffer has room for */
	assert_int_equal(user->netdev->info.link_speed, 0);
	assert_true(user->netdev->info.link_up);
	assert_int_equal(user_send(user, 0, 60), HVK_TX_TAKEN);
	vd_settle(user->device);
	assert_int_equal(user->device->sent_count, 1);
	assert_int_equal(user_set_flags(user, HVK_NETDEV_UP | HVK_NETDEV_PROMISCUOUS), HVK_OK);
	user_end(user);
}

static void configuration_that_cannot_be(void **state)
{
	static const uint8_t zeros[6];

	(void)state;
	for (uint32_t i = 0; i < 5; i++) {
		struct user *user = user_begin(1);
		struct virtio_net_config *net = &user->device->net;

		if (i == 0)
			net->mtu = 67;
		else if (i == 1)
			net->mac[0] |= 1;
		else if (i == 2)
			memcpy(net->mac, zeros, 6);
		else if (i == 3)
			net->queue_pairs_max = 0;
		else
			net->queue_pairs_max = 0x8000;
		user_create(user);
		assert_int_equal(user_attach(user), HVK_EHOST_VIRTIO);
		assert_int_equal(user_leave(user), 0);
	}
}

/* 65535 is an MTU that virtio allows, and more than fits into an IP packet behind its header. */
static void the_longest_mtu_there_is(void **state)
{
	struct user *user = user_begin(1);

	(void)state;
	user->device->net.mtu = 65535;
	user_up(user);
	assert_int_equal(user->netdev->info.mtu_max, 65521);
	user_end(user);
	user = user_begin(1);
	user->device->features &= ~VIRTIO_NET_F_MRG_RXBUF; /* nor more than a buffer has room for */
	user_up(user);
	assert_int_equal(user->netdev->info.mtu_max, 4096 - 12 - 18);
	user_end(user);
}

/* Read until it has not changed meanwhile; a device that always changes holds nobody up. */
static void configuration_that_changes_while_it_is_read(void **state)
{
	struct user *user = user_begin(1);

	(void)state;
	user->device->moving = 3;
	user_up(user);
	user_end(user);
	user = user_begin(1);
	user->device->moving = UINT32_MAX;
	user_up(user);
	user_end(user);
}

static void queues_of_sizes_that_cannot_be(void **state)
{
	static const uint16_t sizes[] = {0, 1, 2, 96, 255, 65535};

	(void)state;
	for (uint32_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct user *user = user_begin(1);

		user->device->queue_max = sizes[i];
		user_create(user);
		vd_reset(user->device);
		assert_int_equal(user_attach(user), HVK_EHOST_VIRTIO);
		assert_int_equal(user_leave(user), 0);
	}
}

static void queues_are_as_long_as_both_want(void **state)
{
	static const struct {
		uint16_t device, asked, is;
	} rows[] = {{256, 0, 256}, {1024, 0, 256},      {64, 0, 64},
		    {256, 32, 32}, {32768, 1024, 1024}, {4, 0, 4}};

	(void)state;
	for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct user *user = user_begin(1);

		user->device->queue_max = rows[i].device;
		vd_reset(user->device);
		user->config.queue_size = rows[i].asked;
		user_up(user);
		/* A port that gives pages at any address cannot have long areas in one run; this one can. */
		assert_int_equal(user->device->queues[0].size, rows[i].is);
		assert_int_equal(user->device->queues[1].size, rows[i].is);
		assert_int_equal(user->netdev->info.tso_pieces_max, rows[i].is > 30 ? 30 : rows[i].is - 1);
		user_end(user);
	}
}

static void one_capability(struct user *user, uint8_t kind, void (*change)(struct virtio_pci_capability *))
{
	uint8_t *config = user->device->config;

	for (uint32_t at = config[PCI_CAPABILITIES]; at != 0; at = config[at + 1]) {
		struct virtio_pci_capability capability;

		memcpy(&capability, config + at, sizeof(capability));
		if (capability.kind == kind) {
			change(&capability);
			memcpy(config + at, &capability, sizeof(capability));
		}
	}
}

static void beyond(struct virtio_pci_capability *capability)
{
	capability->size = VD_BAR_SIZE - capability->offset + 1;
}

static void far_beyond(struct virtio_pci_capability *capability)
{
	capability->offset = 0xfffffff8u;
	capability->size = 60;
}

static void unaligned(struct virtio_pci_capability *capability)
{
	capability->offset += 1;
	capability->size -= 1;
}

static void too_short(struct virtio_pci_capability *capability)
{
	capability->length = capability->kind == VIRTIO_PCI_NOTIFY ? 16 : 12;
}

static void other_bar(struct virtio_pci_capability *capability)
{
	capability->bar = 2;
}

static void reserved_bar(struct virtio_pci_capability *capability)
{
	capability->bar = 200;
}

static void small_region(struct virtio_pci_capability *capability)
{
	capability->size = capability->kind == VIRTIO_PCI_NOTIFY ? 1 : 55;
}

static void other_kind(struct virtio_pci_capability *capability)
{
	capability->kind = 77;
}

static void capabilities_that_lie(void **state)
{
	static const struct {
		void (*change)(struct virtio_pci_capability *);
		hvk_status status;
	} rows[] = {{beyond, HVK_EHOST_VIRTIO},          {far_beyond, HVK_EHOST_VIRTIO},
		    {unaligned, HVK_EHOST_VIRTIO},       {too_short, HVK_EHOST_VIRTIO},
		    {other_bar, HVK_EREFUSED_VIRTIO},    {reserved_bar, HVK_EREFUSED_VIRTIO},
		    {small_region, HVK_EREFUSED_VIRTIO}, {other_kind, HVK_EREFUSED_VIRTIO}};

	(void)state;
	for (uint32_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		struct user *user = user_begin(1);

		one_capability(user, i % 2 ? VIRTIO_PCI_NOTIFY : VIRTIO_PCI_COMMON, rows[i / 2].change);
		user_create(user);
		assert_int_equal(user_attach(user), rows[i / 2].status);
		assert_int_equal(user_leave(user), 0);
	}
}

/* A list that leads back to itself, and one without anything of virtio's. */
static void capabilities_without_end(void **state)
{
	struct user *user = user_begin(1);

	(void)state;
	one_capability(user, VIRTIO_PCI_COMMON, other_kind);
	user->device->config[0x41] = 0x40;
	user_create(user);
	assert_int_equal(user_attach(user), HVK_EREFUSED_VIRTIO);
	user->device->config[PCI_CAPABILITIES] = 0;
	assert_int_equal(user_attach(user), HVK_EREFUSED_VIRTIO);
	assert_int_equal(user_leave(user), 0);
}

/* Where the configuration is shorter than what this driver knows of, the rest is not there. */
static void a_short_configuration(void **state)
{
	struct user *user = user_begin(1);

	(void)state;
	user->device->features &= ~(VIRTIO_NET_F_MQ | VIRTIO_NET_F_MTU | VIRTIO_NET_F_SPEED_DUPLEX);
	user->device->queue_count = 3;
	for (uint32_t at = 0x40; at != 0; at = user->device->config[at + 1]) {
		if (user->device->config[at + 3] == VIRTIO_PCI_DEVICE_CONFIG)
			user->device->config[at + 12] = 8; /* MAC and status */
	}
	user_up(user);
	assert_int_equal(user->netdev->info.mtu_max, 65521);
	user_end(user);
}

static void a_notification_register_outside(void **state)
{
	struct user *user = user_begin(1);

	(void)state;
	for (uint32_t at = 0x40; at != 0; at = user->device->config[at + 1]) {
		if (user->device->config[at + 3] == VIRTIO_PCI_NOTIFY) {
			user->device->config[at + 12] = 2; /* room for queue 0's alone */
			user->device->config[at + 13] = 0;
		}
	}
	user_create(user);
	assert_int_equal(user_attach(user), HVK_EHOST_VIRTIO);
	assert_int_equal(user_leave(user), 0);
}

static void memory_that_there_is_not(void **state)
{
	hvk_status status = HVK_ENOMEM;

	(void)state;
	for (uint32_t n = 1; n < 64 && status != HVK_OK; n++) {
		struct user *user = user_begin(1);

		user_create(user);
		user->device->port.fail_allocation = n;
		status = user_attach(user);
		user->device->port.fail_allocation = 0;
		assert_true(status == HVK_OK || status == HVK_ENOMEM);
		if (status == HVK_OK) {
			assert_true(n > 8);
			user_end(user);
		} else {
			assert_int_equal(user->device->status, 0);
			assert_int_equal(user_leave(user), 0);
		}
	}
	assert_int_equal(status, HVK_OK);
}

static void detached_before_it_began(void **state)
{
	struct user *user = user_begin(1);

	(void)state;
	user_create(user);
	hvk_virtio_net_attach(user->net, &user->attach);
	hvk_virtio_net_detach(user->net, &user->detach);
	assert_int_equal(vd_wait(user->device, &user->detach), HVK_OK);
	assert_int_equal(user->attach.status, HVK_ECANCELED);
	user_up(user);
	assert_int_equal(user_detach(user), HVK_OK);
	hvk_virtio_net_attach(user->net, &user->attach); /* the function is off, and stays so */
	hvk_virtio_net_detach(user->net, &user->detach);
	assert_int_equal(vd_wait(user->device, &user->detach), HVK_OK);
	assert_int_equal(user_leave(user), 0);
}

/* At each poll of its bring-up. */
static void detached_while_it_comes_up(void **state)
{
	hvk_status status = HVK_ECANCELED;

	(void)state;
	for (uint32_t polls = 0; polls < 100 && status != HVK_OK; polls++) {
		struct user *user = user_begin(1);

		user->device->resets_late = 2;
		user->device->lazy = true;
		user->config.queues = 4;
		user_create(user);
		hvk_virtio_net_attach(user->net, &user->attach);
		for (uint32_t i = 0; i < polls; i++) {
			user->device->port.now += HVK_TIME_PER_MS;
			vd_poll(user->device);
		}
		status = user->attach.status == HVK_OK ? HVK_OK : HVK_ECANCELED;
		hvk_virtio_net_detach(user->net, &user->detach);
		assert_int_equal(vd_wait(user->device, &user->detach), HVK_OK);
		if (user->attach.status != HVK_OK)
			assert_int_equal(user->attach.status, status);
		assert_int_equal(user->device->status, 0);
		assert_int_equal(user_leave(user), 0);
	}
	assert_int_equal(status, HVK_OK);
}

/* A detach that comes while a failed attach is being undone does not make a success of it. */
static void detached_while_a_failure_is_undone(void **state)
{
	struct user *user = user_begin(1);

	(void)state;
	user->device->interrupt_status = HVK_EREFUSED_VPCI;
	user->device->interrupt_refused = 1;
	user_create(user);
	user->device->resets_late = 50; /* its undoing takes a while */
	hvk_virtio_net_attach(user->net, &user->attach);
	for (uint32_t i = 0; i < 6; i++)
		vd_poll(user->device);
	assert_int_equal(user->attach.status, HVK_EINPROGRESS);
	hvk_virtio_net_detach(user->net, &user->detach);
	assert_int_equal(vd_wait(user->device, &user->detach), HVK_OK);
	assert_int_equal(user->attach.status, HVK_EREFUSED_VPCI);
	assert_int_equal(user_leave(user), 0);
}

static void a_dump_says_what_it_is(void *context, const char *text)
{
	uint32_t *found = context;

	assert_true(strlen(text) < 110);
	*found |= strstr(text, "state: attached") ? 1u : 0;
	*found |= strstr(text, "receive-entries: 256") ? 2u : 0;
	*found |= strstr(text, "queue-0:") ? 4u : 0;
}

static void a_dump(void **state)
{
	struct user *user = user_begin_up(1);
	uint32_t found = 0;

	(void)state;
	hvk_virtio_net_dump(user->net, a_dump_says_what_it_is, &found);
	assert_int_equal(found, 7);
	user_end(user);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attached_and_detached),
		cmocka_unit_test(attached_again_and_again),
		cmocka_unit_test(nothing_that_is_no_network_device),
		cmocka_unit_test(states),
		cmocka_unit_test(a_late_reset_is_awaited),
		cmocka_unit_test(a_device_that_does_not_reset),
		cmocka_unit_test(memory_is_withheld_from_a_device_that_does_not_reset),
		cmocka_unit_test(features_that_every_one_has),
		cmocka_unit_test(features_that_are_refused),
		cmocka_unit_test(features_depend_on_each_other),
		cmocka_unit_test(only_what_it_must_have),
		cmocka_unit_test(configuration_that_cannot_be),
		cmocka_unit_test(the_longest_mtu_there_is),
		cmocka_unit_test(configuration_that_changes_while_it_is_read),
		cmocka_unit_test(queues_of_sizes_that_cannot_be),
		cmocka_unit_test(queues_are_as_long_as_both_want),
		cmocka_unit_test(capabilities_that_lie),
		cmocka_unit_test(capabilities_without_end),
		cmocka_unit_test(a_short_configuration),
		cmocka_unit_test(a_notification_register_outside),
		cmocka_unit_test(memory_that_there_is_not),
		cmocka_unit_test(detached_before_it_began),
		cmocka_unit_test(detached_while_it_comes_up),
		cmocka_unit_test(detached_while_a_failure_is_undone),
		cmocka_unit_test(a_dump),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
