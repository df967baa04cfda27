/* SPDX-License-Identifier: MIT */
/* Whoever is above card and VF, how a test begins and ends, and frames. Included by guest_vf_fake.h. */
#ifndef GUEST_VF_USERS_H
#define GUEST_VF_USERS_H

/* --- The users ----------------------------------------------------------------------------- */

static void stack_input(void *context, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame)
{
	struct fake_stack *stack = context;

	stack->inputs++;
	stack->last = *frame;
	stack->from = netdev;
}

static void stack_ready(void *context, struct hvk_netdev *netdev)
{
	(void)netdev;
	(void)__atomic_add_fetch(&((struct fake_stack *)context)->ready, 1, __ATOMIC_SEQ_CST);
}

static void stack_link(void *context, struct hvk_netdev *netdev, bool up)
{
	struct fake_stack *stack = context;

	(void)netdev;
	stack->links++;
	stack->link = up;
}

static void stack_gone(void *context, struct hvk_netdev *netdev)
{
	(void)netdev;
	((struct fake_stack *)context)->gone++;
}

static void stack_burst(void *context, struct hvk_netdev *netdev, uint32_t queue)
{
	(void)netdev;
	(void)queue;
	((struct fake_stack *)context)->bursts++;
}

static void stack_info(void *context, struct hvk_netdev *netdev)
{
	(void)netdev;
	((struct fake_stack *)context)->infos++;
}

static struct hvk_netdev_hooks fake_hooks(struct fake_stack *stack)
{
	return (struct hvk_netdev_hooks){stack_input, stack_ready, stack_link, stack_gone,
					 stack,       stack_burst, stack_info};
}

static void fake_told(void *context, struct hvk_vf *vf, enum hvk_vf_state state)
{
	(void)context;
	(void)vf;
	assert_true(bench.state_count < 64);
	bench.states[bench.state_count++] = state;
	if (bench.told)
		bench.told(state);
}

/* --- Beginning and end --------------------------------------------------------------------- */

static void fake_device_init(struct fake_device *device, const char *name)
{
	*device = (struct fake_device){.name = name};
	device->netdev.ops = &fake_ops;
	device->netdev.info = (struct hvk_netdev_info){
		.mac = FAKE_MAC,
		.mtu = 1500,
		.mtu_max = 9000,
		.frame_max = 1514,
		.link_speed = 1000000000,
		.link_up = true,
		.capabilities = FAKE_CAPABILITIES,
		.enabled = FAKE_CAPABILITIES,
		.tso_bytes_max = 65000,
		.tso_pieces_max = 20,
		.tso_segments_min = 2,
		.queues = 2,
		.rss_table_size = 16,
		.rss_types = HVK_RSS_IPV4 | HVK_RSS_TCP4,
	};
	device->rss.types = HVK_RSS_IPV4 | HVK_RSS_TCP4;
	device->result = HVK_TX_TAKEN;
}

static void fake_begin_with(const struct hvk_vf_config *config)
{
	struct hvk_vf_config own = *config;

	memset(&bench, 0, sizeof(bench));
	pthread_mutex_init(&bench.hvk.lock, NULL);
	bench.hvk.now = 10000;
	fake_device_init(&bench.nic.device, "card");
	fake_device_init(&bench.vf, "vf");
	bench.vf.rss.key[0] = 0x77;
	bench.nic.device.rss.key[0] = 0x11;
	bench.vf.netdev.info.link_speed = 40000000000;
	bench.vf.netdev.hooks = fake_hooks(&bench.driver);
	bench.nic.association.attaches = 3; /* of a life before */
	own.changed = fake_told;
	assert_int_equal(hvk_vf_create(&bench.nic, &own, &bench.pair), HVK_OK);
	hvk_vf_netdev(bench.pair)->hooks = fake_hooks(&bench.stack);
	fake_associate(true, FAKE_SERIAL);
	fake_run();
}

static void fake_begin(bool transparent)
{
	const struct hvk_vf_config config = {.transparent = transparent, .grace_ms = HVK_VF_GRACE_EVENT};

	fake_begin_with(&config);
}

static struct hvk_netdev *fake_card(void)
{
	return hvk_vf_netdev(bench.pair);
}

static enum hvk_vf_state fake_state(void)
{
	struct hvk_vf_info info;

	hvk_vf_get_info(bench.pair, &info);
	return info.state;
}

static struct hvk_request *fake_request(void)
{
	assert_true(bench.request_count < 16);
	return &bench.requests[bench.request_count++];
}

static void fake_forget(void)
{
	bench.log[0] = 0;
	bench.state_count = 0;
	memset(bench.vf.calls, 0, sizeof(bench.vf.calls));
	memset(bench.nic.device.calls, 0, sizeof(bench.nic.device.calls));
}

static hvk_status fake_flags(struct hvk_netdev *netdev, uint32_t flags)
{
	struct hvk_request request = {0};

	hvk_netdev_set_flags(netdev, flags, &request);
	fake_run();
	return request.status;
}

static void fake_pair(void)
{
	assert_int_equal(hvk_vf_pair(bench.pair, &bench.vf.netdev, FAKE_SERIAL), HVK_OK);
}

static void fake_up(void)
{
	assert_int_equal(fake_flags(fake_card(), HVK_NETDEV_UP), HVK_OK);
}

/* Up, and the VF has the frames. */
static void fake_activate(void)
{
	fake_up();
	fake_pair();
	hvk_vf_attach_complete(bench.pair);
	fake_run();
	assert_int_equal(fake_state(), HVK_VF_ACTIVE);
	fake_forget();
}

/* The card is detached, and attached again: as it is configured, and down. */
static void fake_attach_anew(void)
{
	struct fake_device *card = &bench.nic.device;

	card->netdev.info.flags = 0;
	fake_associate(false, 0);
	fake_run();
	card->gone = false;
	card->netdev.info.mtu = 1500;
	card->netdev.info.frame_max = 1514;
	card->netdev.info.enabled = FAKE_CAPABILITIES;
	bench.nic.to_vf = false;
	bench.nic.association.attaches++;
	fake_associate(false, 0);
	fake_associate(true, FAKE_SERIAL);
	fake_run();
}

static void fake_vanish(void)
{
	__atomic_store_n(&bench.vf.gone, true, __ATOMIC_SEQ_CST);
	if (bench.vf.held)
		fake_let_go(&bench.vf, HVK_EGONE);
	if (bench.vf.netdev.hooks.gone)
		bench.vf.netdev.hooks.gone(bench.vf.netdev.hooks.context, &bench.vf.netdev);
}

static hvk_status fake_unpair(void)
{
	struct hvk_request request = {0};

	hvk_vf_unpair(bench.pair, &request);
	fake_pass(300);
	return request.status;
}

static void fake_end(void)
{
	uint32_t left_running = 0;

	if (fake_state() != HVK_VF_ABSENT)
		(void)fake_unpair();
	fake_run();
	bench.nic.device.netdev.info.flags = 0;        /* the card is detached */
	for (uint32_t i = 0; i < FAKE_TIMERS_MAX; i++) /* but for the one that tries again */
		left_running += bench.hvk.timers[i] && bench.hvk.timers[i]->deadline != HVK_NEVER;
	assert_true(left_running <= 1);
	assert_int_equal(hvk_vf_destroy(bench.pair), HVK_OK);
	assert_ptr_equal(bench.nic.device.netdev.ops, &fake_ops);
	assert_ptr_equal(bench.vf.netdev.ops, &fake_ops);
	assert_int_equal(bench.hvk.pages, 0);
	for (uint32_t i = 0; i < bench.request_count; i++)
		assert_int_not_equal(bench.requests[i].status, HVK_EINPROGRESS);
}

/* --- Frames -------------------------------------------------------------------------------- */

static enum hvk_tx_result fake_send(struct hvk_netdev *netdev)
{
	static struct hvk_tx_frame frame;

	return hvk_netdev_transmit(netdev, &frame);
}

static const uint8_t fake_mac[6] = FAKE_MAC;

/* The device hands up a frame of 60 bytes to that address. */
static void fake_receive(struct fake_device *device, const uint8_t address[6], uint32_t flags,
			 uint32_t hash_type, void *owner)
{
	uint8_t bytes[60] = {0};
	struct hvk_rx_frame frame = {.data = bytes,
				     .length = sizeof(bytes),
				     .owner = owner,
				     .flags = flags,
				     .hash = 5,
				     .hash_type = hash_type,
				     .segments = 1};

	memcpy(bytes, address, 6);
	device->counters.rx_frames++;
	device->counters.rx_bytes += sizeof(bytes);
	if (device->netdev.hooks.input)
		device->netdev.hooks.input(device->netdev.hooks.context, &device->netdev, &frame);
	if (device->netdev.hooks.burst_end)
		device->netdev.hooks.burst_end(device->netdev.hooks.context, &device->netdev, 0);
}

#endif
