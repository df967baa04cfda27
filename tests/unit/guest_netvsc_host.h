/* SPDX-License-Identifier: MIT */
/*
 * The second half of the bench: the host's bytes, a lawful host for the bring-up, the
 * user above, and how a test begins and ends. Included by guest_netvsc_fake.h.
 */
#ifndef GUEST_NETVSC_HOST_H
#define GUEST_NETVSC_HOST_H

/* --- The host's bytes ------------------------------------------------------------------------- */

static struct fake_packet *fake_post(uint16_t type)
{
	struct hvk_channel *channel = &bench.channel;
	struct fake_packet *packet;

	assert_true(channel->inbox_count < FAKE_INBOX_MAX);
	packet = &channel->inbox[(channel->inbox_first + channel->inbox_count++) % FAKE_INBOX_MAX];
	memset(packet, 0, sizeof(*packet));
	packet->type = type;
	return packet;
}

/* receive says status once. */
static void fake_post_status(hvk_status status)
{
	fake_post(0)->status = status;
}

/* Completion of the sent packet n, once. */
static void fake_complete(uint32_t n, const void *bytes, uint32_t length)
{
	struct fake_packet *packet;
	struct fake_sent *sent = &bench.channel.sent[n];

	assert_true(sent->answered);
	if (!sent->cookie)
		return; /* late: vmbus keeps it from the driver */
	packet = fake_post(VMBUS_PACKET_COMPLETION);
	packet->cookie = sent->cookie;
	sent->cookie = NULL;
	if (length)
		memcpy(packet->payload, bytes, length);
	packet->payload_length = length;
}

static const uint8_t fake_nvs_success[8] = {108, 0, 0, 0, 1, 0, 0, 0};
static const uint8_t fake_nvs_failure[8] = {108, 0, 0, 0, 2, 0, 0, 0};

/* A transfer-page packet; ranges are {length, offset}. */
static struct fake_packet *fake_transfer(uint64_t transaction_id, const uint32_t (*ranges)[2], uint32_t count)
{
	static const uint8_t rndis[40] = {107, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff};
	struct fake_packet *packet = fake_post(VMBUS_PACKET_TRANSFER_PAGES);

	packet->answer_wanted = true;
	packet->transaction_id = transaction_id;
	fake_put(packet->extension, 0xcafe);
	fake_put(packet->extension + 4, count);
	for (uint32_t i = 0; i < count; i++) {
		fake_put(packet->extension + 8 + 8 * i, ranges[i][0]);
		fake_put(packet->extension + 12 + 8 * i, ranges[i][1]);
	}
	packet->extension_length = 8 + 8 * count;
	memcpy(packet->payload, rndis, sizeof(rndis));
	packet->payload_length = sizeof(rndis);
	return packet;
}

static uint8_t *fake_receive_memory(void)
{
	assert_non_null(bench.receive_buffer);
	return bench.receive_buffer->pages.address;
}

static const uint8_t *fake_send_memory(void)
{
	assert_non_null(bench.send_buffer);
	return bench.send_buffer->pages.address;
}

/* One RNDIS message, in one sub-allocation, in a packet of its own. */
static void fake_message(const void *bytes, uint32_t length, uint32_t range_length)
{
	uint32_t n = (uint32_t)(bench.next_transaction++ % bench.suballocation_count);
	const uint32_t range[1][2] = {{range_length, n * bench.suballocation_size}};
	uint8_t *to = fake_receive_memory() + n * bench.suballocation_size;

	memset(to, 0x5a, bench.suballocation_size);
	memcpy(to, bytes, length);
	fake_transfer(0x1000 + n, range, 1);
}

/* RNDIS PACKET, with the length that the header is to show. Returns its size. */
static uint32_t fake_make_frame(uint8_t *to, uint32_t header_length, uint32_t frame_length, uint8_t seed)
{
	memset(to, 0, 44);
	fake_put(to, 1);
	fake_put(to + 4, header_length);
	fake_put(to + 8, 36);
	fake_put(to + 12, frame_length);
	for (uint32_t i = 0; i < frame_length; i++)
		to[44 + i] = (uint8_t)(seed + i);
	return 44 + frame_length;
}

/* Another channel of the card: the hook is told, if there is one. */
static void fake_offer(uint32_t index)
{
	struct hvk_channel *sub = &bench.subs[index];
	static const struct vmbus_guid type = VMBUS_GUID_NETVSC;

	assert_false(sub->open || sub->claimed);
	free(sub->sent);
	free(sub->inbox);
	*sub = (struct hvk_channel){.hvk = &bench.hvk, .offer.type = type, .room = FAKE_NONE};
	sub->offer.subchannel_index = (uint16_t)index;
	sub->sent = calloc(FAKE_SENT_MAX, sizeof(*sub->sent));
	sub->inbox = calloc(FAKE_INBOX_MAX, sizeof(*sub->inbox));
	if (bench.hooks.offered)
		bench.hooks.offered(bench.hooks.context, &bench.channel, sub);
}

/* The host takes one back. */
static void fake_rescind(uint32_t index)
{
	bench.subs[index].rescinded = true;
	bench.subs[index].kicked = true;
}

/* --- The lawful host ------------------------------------------------------------------------------ */

static void fake_answer_nvs(uint32_t n, const struct fake_sent *sent, uint32_t type)
{
	uint8_t answer[40] = {0};
	uint32_t length = 32;

	if (type == 103 || type == 106) {
		if (bench.dead_after_revoke)
			bench.dead = true;
	}
	if (bench.mute_nvs == type || bench.dead || !sent->answered)
		return;
	if (bench.custom_nvs == type) {
		fake_complete(n, bench.custom, bench.custom_length);
		return;
	}
	switch (type) {
	case 1:
		fake_put(answer, 2);
		fake_put(answer + 4, 0xffffffff);
		fake_put(answer + 8, 34);
		fake_put(answer + 12, fake_word(sent->payload + 4) <= bench.nvs_newest ? 1 : 0);
		break;
	case 101:
		fake_put(answer, 102);
		fake_put(answer + 4, 1);
		fake_put(answer + 8, 1);
		fake_put(answer + 16, bench.suballocation_size);
		fake_put(answer + 20, bench.suballocation_count);
		fake_put(answer + 24, bench.suballocation_size * bench.suballocation_count);
		break;
	case 104:
		fake_put(answer, 105);
		fake_put(answer + 4, 1);
		fake_put(answer + 8, bench.section_size);
		length = 16;
		break;
	case 133:
		fake_put(answer, 133);
		fake_put(answer + 4, bench.granted == FAKE_NONE ? 2 : 1);
		fake_put(answer + 8, bench.granted == FAKE_NONE ? 0 : bench.granted);
		for (uint32_t i = 1; i <= bench.offered; i++)
			fake_offer(i);
		length = 12;
		break;
	default:
		length = 0;
		break;
	}
	fake_complete(n, answer, length);
}

/* Information of the OIDs that netvsc asks for. */
static uint32_t fake_information(uint32_t oid, uint8_t *to)
{
	static const uint8_t mac[6] = {0x00, 0x15, 0x5d, 0x01, 0x02, 0x03};

	if (oid == bench.custom_oid) {
		memcpy(to, bench.custom, bench.custom_length);
		return bench.custom_length;
	}
	switch (oid) {
	case 0x01010101:
		memcpy(to, mac, 6);
		return 6;
	case 0x00010106:
		fake_put(to, bench.frame_size != 0 ? bench.frame_size : 1500);
		return 4;
	case 0xfc01020d:
		memcpy(to, bench.offload, bench.offload_length);
		return bench.offload_length;
	case 0x00010203:
		memcpy(to, bench.rss, bench.rss_length);
		return bench.rss_length;
	case 0x00010114:
		fake_put(to, 0);
		return 4;
	case 0x00010107:
		fake_put(to, 100000000); /* 10 Gbit/s */
		return 4;
	default:
		fail_msg("OID %08x", oid);
		return 0;
	}
}

static bool fake_refuses(uint32_t oid)
{
	return oid == bench.refuse_oid ||
	       (oid != bench.custom_oid && ((oid == 0xfc01020d && bench.offload_length == 0) ||
					    (oid == 0x00010203 && bench.rss_length == 0)));
}

static void fake_take_set(const uint8_t *request, uint32_t oid)
{
	uint32_t length = fake_word(request + 16);

	if (oid == 0x0001010e)
		bench.last_filter = fake_word(request + 28);
	if (oid == 0xfc01020c) {
		assert_true(length == 22 || length == 28);
		memset(bench.offload_parameters, 0, sizeof(bench.offload_parameters));
		memcpy(bench.offload_parameters, request + 28, length);
		bench.offload_sets++;
	}
	if (oid == 0x00010204) {
		assert_true(length <= sizeof(bench.rss_parameters));
		memcpy(bench.rss_parameters, request + 28, length);
		bench.rss_sets++;
	}
}

/* The message to answer with, in answer; returns its length, 0 for none. */
static uint32_t fake_rndis_answer(const uint8_t *request, uint8_t *answer)
{
	uint32_t type = fake_word(request), oid = fake_word(request + 12), length;

	if (type == bench.mute_rndis || ((type == 4 || type == 5) && oid == bench.mute_oid))
		return 0;
	if (type == bench.custom_rndis) {
		memcpy(answer, bench.custom, bench.custom_length);
		memcpy(answer + 8, request + 8, 4);
		return bench.custom_length;
	}
	fake_put(answer, type | 0x80000000u);
	memcpy(answer + 8, request + 8, 4);
	switch (type) {
	case 2:
		fake_put(answer + 16, 1);
		fake_put(answer + 24, 1);
		fake_put(answer + 32, 8);
		fake_put(answer + 36, 0xefffffff);
		fake_put(answer + 40, 3);
		length = 52;
		break;
	case 4:
		if (fake_refuses(oid)) {
			fake_put(answer + 12, 0xc00000bb);
			length = 24;
			break;
		}
		length = fake_information(oid, answer + 24);
		fake_put(answer + 16, length);
		fake_put(answer + 20, 16);
		length += 24;
		break;
	case 5:
		if (oid == bench.refuse_oid)
			fake_put(answer + 12, 0xc0010015);
		else
			fake_take_set(request, oid);
		length = 16;
		break;
	default:
		return 0;
	}
	fake_put(answer + 4, length);
	return length;
}

static void fake_answer_control(uint32_t n, const struct fake_sent *sent)
{
	const uint8_t *request = sent->external;
	uint8_t answer[512] = {0};
	uint32_t type = fake_word(request), length;

	if (bench.dead)
		return;
	if (type == bench.reject_rndis) {
		fake_complete(n, fake_nvs_failure, 8);
		return;
	}
	if (!bench.hold_control)
		fake_complete(n, fake_nvs_success, 8);
	length = fake_rndis_answer(request, answer);
	if (length != 0)
		fake_message(answer, length, length);
}

/* Looks at what was sent since the last time. */
static void fake_answer(void)
{
	struct hvk_channel *channel = &bench.channel;

	for (; bench.answered < channel->sent_count; bench.answered++) {
		const struct fake_sent *sent = &channel->sent[bench.answered];
		uint32_t type = fake_word(sent->payload);

		if (sent->kind == FAKE_COMPLETION || !channel->open)
			continue;
		if (type == 107 && fake_word(sent->payload + 4) == 1)
			fake_answer_control(bench.answered, sent);
		else if (type != 107)
			fake_answer_nvs(bench.answered, sent, type);
		else if (!bench.hold_sends && !bench.dead)
			fake_complete(bench.answered, fake_nvs_success, 8);
	}
}

/* --- The user ---------------------------------------------------------------------- */

static void fake_input(void *context, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame)
{
	assert_ptr_equal(context, &bench);
	assert_ptr_equal(netdev, bench.netdev);
	assert_int_equal(bench.hvk.locked, 0);
	assert_true(frame->length <= sizeof(bench.frame));
	memcpy(bench.frame, frame->data, frame->length);
	bench.frame_length = frame->length;
	bench.inputs++;
	fake_log("input:%u", frame->length);
}

static void fake_tx_ready(void *context, struct hvk_netdev *netdev)
{
	(void)context;
	(void)netdev;
	assert_int_equal(bench.hvk.locked, 0);
	bench.tx_ready++;
}

static void fake_link_changed(void *context, struct hvk_netdev *netdev, bool up)
{
	(void)context;
	assert_int_equal(netdev->info.link_up, up);
	bench.link = up;
	bench.link_changes++;
	fake_log("link:%s", up ? "up" : "down");
}

static void fake_info_changed(void *context, struct hvk_netdev *netdev)
{
	(void)context;
	assert_ptr_equal(netdev, bench.netdev);
	fake_log("info");
}

static void fake_gone(void *context, struct hvk_netdev *netdev)
{
	(void)context;
	(void)netdev;
	bench.gone++;
	fake_log("gone");
}

/* --- Tests: begin and end ---------------------------------------------------------------------- */

static void fake_create(const struct hvk_netvsc_config *config)
{
	static const struct vmbus_guid type = VMBUS_GUID_NETVSC;
	struct hvk_channel *channel = &bench.channel;

	memset(&bench, 0, sizeof(bench));
	fake_core_begin(&bench.hvk, 1);
	bench.hvk.timeouts.device_ms = 5000;
	bench.hvk.timeouts.teardown_ms = 5000;
	channel->hvk = &bench.hvk;
	channel->offer.type = type;
	channel->room = FAKE_NONE;
	channel->sent = calloc(FAKE_SENT_MAX, sizeof(*channel->sent));
	channel->inbox = calloc(FAKE_INBOX_MAX, sizeof(*channel->inbox));
	bench.nvs_newest = NVS_VERSION_6_1;
	bench.mute_nvs = bench.mute_rndis = bench.mute_oid = FAKE_NONE;
	bench.refuse_oid = bench.reject_rndis = bench.custom_nvs = bench.custom_oid = bench.custom_rndis =
		FAKE_NONE;
	bench.suballocation_size = 1806;
	bench.suballocation_count = 1000;
	bench.section_size = 6144;
	bench.last_filter = FAKE_NONE;
	bench.granted = FAKE_NONE;
	assert_int_equal(hvk_netvsc_create(channel, config, &bench.nic), HVK_OK);
	bench.netdev = hvk_netvsc_netdev(bench.nic);
	bench.netdev->hooks = (struct hvk_netdev_hooks){.input = fake_input,
							.tx_ready = fake_tx_ready,
							.link_changed = fake_link_changed,
							.gone = fake_gone,
							.info_changed = fake_info_changed,
							.context = &bench};
}

static hvk_status fake_attach(void)
{
	hvk_netvsc_attach(bench.nic, &bench.attach);
	fake_run();
	return bench.attach.status;
}

static hvk_status fake_set_flags(uint32_t flags)
{
	hvk_netdev_set_flags(bench.netdev, flags, &bench.flags);
	fake_run();
	return bench.flags.status;
}

/* Attached and up, with nothing in the log and none of what was sent remembered. Frames of tests
 * begin with any byte, so groups are wanted. */
static void fake_up(const struct hvk_netvsc_config *config)
{
	fake_create(config);
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(fake_set_flags(HVK_NETDEV_UP | HVK_NETDEV_ALL_MULTICAST), HVK_OK);
	bench.log[0] = 0;
	bench.channel.sent_count = bench.answered = 0;
}

static hvk_status fake_detach(void)
{
	hvk_netvsc_detach(bench.nic, &bench.detach);
	fake_run();
	return bench.detach.status;
}

/* Everything has been given back, no timer runs, nothing is queued. */
static void fake_check_nothing_left(void)
{
	assert_true(bench.channel.claimed);
	assert_int_equal(hvk_netvsc_destroy(bench.nic), HVK_OK);
	assert_false(bench.channel.claimed);
	assert_int_equal(fake_pages_in_use(&bench.hvk), 0);
	assert_int_equal(bench.hvk.finished_count, 0);
	for (uint32_t i = 0; i < FAKE_TIMERS_MAX; i++)
		assert_null(bench.hvk.timers[i]);
	free(bench.channel.sent);
	free(bench.channel.inbox);
	for (uint32_t i = 0; i < FAKE_SUBCHANNELS; i++) {
		assert_false(bench.subs[i].open || bench.subs[i].claimed);
		free(bench.subs[i].sent);
		free(bench.subs[i].inbox);
	}
	memset(&bench, 0, sizeof(bench));
}

static void fake_down(void)
{
	assert_int_equal(fake_detach(), HVK_OK);
	fake_check_nothing_left();
}

#endif
