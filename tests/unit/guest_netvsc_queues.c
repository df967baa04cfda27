/* SPDX-License-Identifier: MIT */
/* Frames over several queues: which one, whose memory, whose counters, and one that goes. */
#include "tests/unit/guest_netvsc_frames.h"

#include "tests/golden/ndis.h"

static const struct hvk_netvsc_config three = {.queues = 3};

/* A host that gives two sub-channels. */
static void up_with_sections(const struct hvk_netvsc_config *config, uint32_t section_size)
{
	fill_data();
	fake_create(config);
	bench.section_size = section_size;
	memcpy(bench.rss, golden_ndis_rss_capabilities_2, 18);
	bench.rss_length = 18;
	bench.rss[16] = 16;
	bench.granted = bench.offered = 2;
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(fake_set_flags(HVK_NETDEV_UP | HVK_NETDEV_ALL_MULTICAST), HVK_OK);
	assert_int_equal(bench.netdev->info.queues, 3);
	bench.channel.sent_count = bench.answered = 0;
	bench.hold_sends = true;
}

static void up_with(const struct hvk_netvsc_config *config)
{
	up_with_sections(config, 6144);
}

static struct hvk_channel *channel_of(uint32_t queue)
{
	return queue == 0 ? &bench.channel : &bench.subs[queue];
}

static enum hvk_tx_result transmit_hashed(uint32_t n, uint32_t hash, uint32_t flags)
{
	(void)make_frame(n, data + n, 60, HVK_TX_HASH | flags);
	frames[n].tx.hash = hash;
	return transmit(&frames[n]);
}

/* The queue that the last frame went out on: the one with one packet more than it had. */
static uint32_t queue_of(uint32_t n, uint32_t hash)
{
	uint32_t before[3], found = FAKE_NONE;

	for (uint32_t i = 0; i < 3; i++)
		before[i] = channel_of(i)->sent_count;
	assert_int_equal(transmit_hashed(n, hash, 0), HVK_TX_TAKEN);
	for (uint32_t i = 0; i < 3; i++) {
		if (channel_of(i)->sent_count == before[i])
			continue;
		assert_int_equal(found, FAKE_NONE);
		assert_int_equal(channel_of(i)->sent_count, before[i] + 1);
		found = i;
	}
	return found;
}

/* On a channel: what fake_complete is for the primary. */
static void complete_on(uint32_t queue, uint32_t n)
{
	struct hvk_channel *channel = channel_of(queue);
	struct fake_packet *packet;

	assert_non_null(channel->sent[n].cookie);
	packet = &channel->inbox[(channel->inbox_first + channel->inbox_count++) % FAKE_INBOX_MAX];
	memset(packet, 0, sizeof(*packet));
	packet->type = VMBUS_PACKET_COMPLETION;
	packet->cookie = channel->sent[n].cookie;
	channel->sent[n].cookie = NULL;
	memcpy(packet->payload, fake_nvs_success, 8);
	packet->payload_length = 8;
}

static void complete_all(void)
{
	for (uint32_t queue = 0; queue < 3; queue++) {
		for (uint32_t n = 0; n < channel_of(queue)->sent_count; n++) {
			if (channel_of(queue)->sent[n].cookie)
				complete_on(queue, n);
		}
	}
	fake_run_alone();
}

/* One received frame, on a channel. */
static void receive_on(uint32_t queue, uint32_t suballocation)
{
	struct hvk_channel *channel = channel_of(queue);
	struct fake_packet *packet;
	uint32_t offset = suballocation * bench.suballocation_size;
	const uint32_t range[1][2] = {{104, offset}};

	(void)fake_make_frame(fake_receive_memory() + offset, 104, 60, (uint8_t)queue);
	packet = fake_transfer(0x2000 + suballocation, range, 1);
	if (queue == 0)
		return;
	channel->inbox[(channel->inbox_first + channel->inbox_count++) % FAKE_INBOX_MAX] = *packet;
	bench.channel.inbox_count--;
}

static uint32_t completions_on(uint32_t queue, uint64_t id)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < channel_of(queue)->sent_count; i++)
		count += channel_of(queue)->sent[i].kind == FAKE_COMPLETION &&
			 channel_of(queue)->sent[i].transaction_id == id;
	return count;
}

static void table(const uint32_t *entries, uint32_t offset, uint32_t length)
{
	struct fake_packet *packet = fake_post(VMBUS_PACKET_IN_BAND);

	fake_put(packet->payload, 134);
	fake_put(packet->payload + 4, 16);
	fake_put(packet->payload + 8, offset);
	for (uint32_t i = 0; i < 16; i++)
		fake_put(packet->payload + offset + 4 * i, entries[i]);
	packet->payload_length = length;
	fake_run_alone();
}

static void by_hash(void **state)
{
	(void)state;
	up_with(&three);
	for (uint32_t hash = 0; hash < 12; hash++)
		assert_int_equal(queue_of(hash, hash), hash % 3);
	complete_all();
	assert_int_equal(frames_done, 12);
	fake_down();
}

static void by_the_hosts_table(void **state)
{
	static const uint32_t entries[16] = {2, 2, 1, 0, 0, 1, 2, 2, 2, 0, 0, 0, 1, 1, 1, 2};
	static const uint32_t beyond[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3};

	(void)state;
	up_with(&three);
	table(entries, 12, 76);
	for (uint32_t hash = 0; hash < 16; hash++)
		assert_int_equal(queue_of(hash, hash + 0x340), entries[hash]);
	assert_int_equal(bench.hvk.faults, 0);
	/* Entries for a queue that there is not, and tables that are cut off: the old one stays. */
	table(beyond, 12, 76);
	assert_int_equal(bench.hvk.faults, 1);
	assert_int_equal(bench.hvk.last_fault, HVK_EHOST_NVS);
	table(beyond, 12, 72);
	assert_int_equal(bench.hvk.faults, 2);
	assert_int_equal(queue_of(20, 0), 2);
	complete_all();
	fake_down();
}

static void by_cpu_without_a_hash(void **state)
{
	const struct hvk_netvsc_config elsewhere = {.queues = 3, .cpu = 3};

	(void)state;
	up_with(&three);
	assert_int_equal(transmit_plain(0, 60, 0), HVK_TX_TAKEN); /* the bench is on CPU 0 */
	assert_int_equal(bench.channel.sent_count, 1);
	complete_all();
	fake_down();
	up_with(&elsewhere); /* queue 0 on CPU 3, queue 1 on CPU 0 */
	assert_int_equal(transmit_plain(0, 60, 0), HVK_TX_TAKEN);
	assert_int_equal(bench.subs[1].sent_count, 1);
	complete_all();
	fake_down();
}

static void sections_are_divided(void **state)
{
	bool used[170] = {false};

	(void)state;
	up_with(&three);
	for (uint32_t i = 0; i < 12; i++) {
		uint32_t queue = queue_of(i, i);
		const struct hvk_channel *channel = channel_of(queue);
		uint32_t section = fake_word(channel->sent[channel->sent_count - 1].payload + 8);

		assert_true(section / 56 == queue); /* 170 / 3 */
		assert_false(used[section]);
		used[section] = true;
		assert_memory_equal(frame_of(fake_send_memory() + section * bench.section_size), data + i,
				    60);
	}
	complete_all();
	fake_down();
}

/* 1 MiB is two sections for three queues. Frames that can only be copied go by queue 0, others as ever. */
static void fewer_sections_than_queues(void **state)
{
	bool used[2] = {false};

	(void)state;
	up_with_sections(&three, 512 * 1024);
	for (uint32_t i = 0; i < 2; i++) {
		(void)make_frame(i, data + i, 60, HVK_TX_HASH);
		frames[i].tx.hash = i + 1; /* queues 1 and 2 */
		frames[i].pieces[0].gpa = 0;
		assert_int_equal(transmit(&frames[i]), HVK_TX_TAKEN);
		assert_int_equal(bench.channel.sent_count, i + 1);
		uint32_t section = fake_word(bench.channel.sent[i].payload + 8);
		assert_true(section < 2);
		assert_false(used[section]);
		used[section] = true;
		assert_memory_equal(frame_of(fake_send_memory() + section * bench.section_size), data + i,
				    60);
	}
	assert_int_equal(queue_of(2, 1), 1); /* by page */
	assert_int_equal(queue_of(3, 2), 2);
	assert_int_equal(fake_word(bench.subs[1].sent[0].payload + 8), NVS_SECTION_NONE);
	(void)make_frame(4, data, 60, HVK_TX_HASH);
	frames[4].tx.hash = 1;
	frames[4].pieces[0].gpa = 0;
	assert_int_equal(transmit(&frames[4]), HVK_TX_BUSY);
	complete_all();
	fake_down();
}

static void the_hash_is_told_to_the_host(void **state)
{
	const struct hvk_netvsc_config one = {.queues = 1};
	const struct fake_sent *sent;

	(void)state;
	up_with(&three);
	assert_int_equal(transmit_hashed(0, 0x12345, 0), HVK_TX_TAKEN);
	sent = sent_of(channel_of(0x12345 % 3), 0);
	assert_int_equal(info_of(section_of(sent), 8), 0x12345);
	complete_all();
	fake_down();
	fake_up(&one); /* one queue: nothing to choose */
	assert_int_equal(transmit_hashed(0, 0x12345, 0), HVK_TX_TAKEN);
	assert_int_equal(fake_word(section_of(sent_of(&bench.channel, 0)) + 32), 0);
	fake_run();
	fake_down();
}

static void a_flush_is_of_all(void **state)
{
	(void)state;
	up_with(&three);
	for (uint32_t i = 0; i < 6; i++)
		assert_int_equal(transmit_hashed(i, i, HVK_TX_MORE), HVK_TX_TAKEN);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(channel_of(i)->sent_count, 0);
	hvk_netdev_flush(bench.netdev);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(channel_of(i)->sent_count, 1);
	complete_all();
	assert_int_equal(frames_done, 6);
	/* Or the end of each one's poll. */
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(transmit_hashed(i, i, HVK_TX_MORE), HVK_TX_TAKEN);
	fake_run_alone();
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(channel_of(i)->sent_count, 2);
	complete_all();
	fake_down();
}

static void counters_of_each(void **state)
{
	struct hvk_netdev_counters one, all;

	(void)state;
	up_with(&three);
	for (uint32_t queue = 0; queue < 3; queue++) {
		for (uint32_t i = 0; i <= queue; i++) {
			receive_on(queue, 10 * queue + i);
			assert_int_equal(transmit_hashed(10 * queue + i, queue, 0), HVK_TX_TAKEN);
		}
	}
	fake_run_alone();
	complete_all();
	for (uint32_t queue = 0; queue < 3; queue++) {
		hvk_netdev_get_queue_counters(bench.netdev, queue, &one);
		assert_int_equal(one.rx_frames, queue + 1);
		assert_int_equal(one.rx_bytes, 60 * (queue + 1));
		assert_int_equal(one.tx_frames, queue + 1);
		assert_int_equal(one.tx_packets, queue + 1);
		for (uint32_t i = 0; i <= queue; i++)
			assert_int_equal(completions_on(queue, 0x2000 + 10 * queue + i), 1);
	}
	hvk_netdev_get_counters(bench.netdev, &all);
	assert_int_equal(all.rx_frames, 6);
	assert_int_equal(all.tx_frames, 6);
	assert_ptr_equal(hvk_netvsc_queue_channel(bench.nic, 0), &bench.channel);
	assert_ptr_equal(hvk_netvsc_queue_channel(bench.nic, 2), &bench.subs[2]);
	assert_null(hvk_netvsc_queue_channel(bench.nic, 3));
	fake_down();
}

/* The answer to a request of ours, where it has no business to be. */
static void no_control_messages_on_others(void **state)
{
	static const uint8_t up_again[20] = {7, 0, 0, 0, 20, 0, 0, 0, 0x0c, 0, 0x01, 0x40};
	struct fake_packet *packet;
	const uint32_t range[1][2] = {{20, 0}};

	(void)state;
	up_with(&three);
	memcpy(fake_receive_memory(), up_again, 20);
	packet = fake_transfer(0x2000, range, 1);
	bench.subs[1].inbox[bench.subs[1].inbox_count++] = *packet;
	bench.channel.inbox_count--;
	fake_run_alone();
	assert_int_equal(bench.link_changes, 0);
	assert_int_equal(bench.hvk.last_fault, HVK_EHOST_RNDIS);
	assert_int_equal(completions_on(1, 0x2000), 1);
	fake_down();
}

/* Its frames come back, the others go on; its flows go over another queue. */
static void one_goes_alone(void **state)
{
	(void)state;
	up_with(&three);
	for (uint32_t i = 0; i < 6; i++)
		assert_int_equal(transmit_hashed(i, i, 0), HVK_TX_TAKEN);
	fake_rescind(2);
	fake_run_alone();
	/* Not waited for: the RSS table is said anew first, which the host has to answer. */
	bench.hold_sends = true;
	fake_run();
	assert_false(bench.subs[2].open);
	assert_int_equal(bench.netdev->info.queues, 2);
	for (uint32_t i = 0; i < 6; i++) {
		assert_int_equal(frames[i].done, i % 3 == 2);
		if (i % 3 == 2)
			assert_int_equal(frames[i].status, HVK_ECANCELED);
	}
	assert_int_equal(bench.gone, 0);
	for (uint32_t hash = 0; hash < 6; hash++)
		assert_int_equal(queue_of(10 + hash, hash), hash % 2);
	for (uint32_t queue = 0; queue < 2; queue++) {
		for (uint32_t n = 0; n < channel_of(queue)->sent_count; n++) {
			if (channel_of(queue)->sent[n].kind == FAKE_IN_BAND &&
			    channel_of(queue)->sent[n].cookie)
				complete_on(queue, n);
		}
	}
	fake_run();
	for (uint32_t i = 0; i < 6; i++) {
		assert_int_equal(frames[i].done, 1);
		assert_int_equal(frames[10 + i].done, 1);
	}
	fake_down();
}

/* Whoever was told to wait for a queue that goes is told to try again: there are others. */
static void nobody_waits_for_one_that_is_gone(void **state)
{
	(void)state;
	up_with(&three);
	bench.subs[2].ring_full = true;
	assert_int_equal(transmit_hashed(0, 2, 0), HVK_TX_BUSY);
	fake_run_alone();
	assert_int_equal(bench.tx_ready, 0);
	fake_rescind(2);
	fake_run_alone();
	fake_run();
	assert_int_equal(bench.tx_ready, 1);
	assert_int_equal(transmit_hashed(0, 2, 0), HVK_TX_TAKEN);
	assert_int_equal(bench.channel.sent[bench.channel.sent_count - 1].kind, FAKE_IN_BAND);
	bench.hold_sends = false;
	complete_all();
	fake_run();
	assert_int_equal(bench.tx_ready, 1);
	fake_down();
	/* With the card itself nothing is owed any more. */
	up_with(&three);
	bench.subs[2].ring_full = true;
	assert_int_equal(transmit_hashed(0, 2, 0), HVK_TX_BUSY);
	assert_int_equal(fake_set_flags(0), HVK_OK);
	fake_run();
	assert_int_equal(bench.tx_ready, 0);
	fake_down();
}

static void rescind_2(void)
{
	fake_rescind(2);
	fake_run_alone();
}

static void one_that_goes_just_now(void **state)
{
	(void)state;
	up_with(&three);
	bench.hvk.interloper = rescind_2;
	bench.hvk.interloper_at = 1;
	assert_int_equal(transmit_hashed(0, 2, 0), HVK_TX_TAKEN);
	assert_int_equal(bench.subs[2].sent_count, 0);
	bench.hold_sends = false;
	complete_all();
	fake_run();
	assert_int_equal(frames[0].done, 1);
	assert_int_equal(frames[0].status, HVK_OK);
	fake_down();
}

static void a_corrupt_ring_of_one_is_the_end_of_all(void **state)
{
	struct fake_packet *packet;

	(void)state;
	up_with(&three);
	packet = fake_post(0);
	packet->status = HVK_EHOST_PACKET;
	bench.subs[1].inbox[bench.subs[1].inbox_count++] = *packet;
	bench.channel.inbox_count--;
	fake_run_alone();
	assert_int_equal(bench.gone, 1);
	assert_int_equal(transmit_hashed(0, 0, 0), HVK_TX_GONE);
	assert_int_equal(transmit_hashed(0, 1, 0), HVK_TX_GONE);
	fake_down();
}

static void a_detach_cancels_on_all(void **state)
{
	(void)state;
	up_with(&three);
	for (uint32_t i = 0; i < 6; i++)
		assert_int_equal(transmit_hashed(i, i, i < 3 ? 0 : HVK_TX_MORE), HVK_TX_TAKEN);
	assert_int_equal(fake_detach(), HVK_EINPROGRESS);
	fake_advance(1000);
	assert_int_equal(bench.detach.status, HVK_OK);
	for (uint32_t i = 0; i < 6; i++) {
		assert_int_equal(frames[i].done, 1);
		assert_int_equal(frames[i].status, HVK_ECANCELED);
	}
	fake_check_nothing_left();
}

/* What the card's CPU does while another one is in the user's hook of a queue that is to be closed. */
static void detach_meanwhile(void *context, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame)
{
	uint8_t before[60];

	(void)context;
	(void)netdev;
	memcpy(before, frame->data, sizeof(before));
	hvk_netvsc_detach(bench.nic, &bench.detach);
	for (uint32_t i = 0; i < 1000; i++) {
		(void)fake_poll();
		fake_answer();
	}
	assert_int_equal(bench.detach.status, HVK_EINPROGRESS);
	assert_false(bench.subs[2].open);
	assert_memory_equal(frame->data, before, sizeof(before));
	bench.inputs++;
}

static void nobody_is_in_it_when_it_is_stopped(void **state)
{
	(void)state;
	up_with(&three);
	bench.netdev->hooks.input = detach_meanwhile;
	receive_on(2, 20);
	fake_run();
	assert_int_equal(bench.inputs, 1);
	assert_int_equal(bench.detach.status, HVK_OK);
	fake_check_nothing_left();
}

/* --- Lent ------------------------------------------------------------------------------------ */

static struct {
	void *owners[64];
	uint32_t count, copied;
} kept;

static void keep(void *context, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame)
{
	(void)context;
	(void)netdev;
	if (frame->owner)
		kept.owners[kept.count++] = frame->owner;
	else
		kept.copied++;
}

static void so_many_are_lent_over_all(void **state)
{
	const struct hvk_netvsc_config lends = {.queues = 3, .rx_borrow = 5};

	(void)state;
	memset(&kept, 0, sizeof(kept));
	up_with(&lends);
	bench.netdev->hooks.input = keep;
	for (uint32_t i = 0; i < 9; i++)
		receive_on(i % 3, i);
	fake_run_alone();
	assert_int_equal(kept.count, 5);
	assert_int_equal(kept.copied, 4);
	/* A detach waits for all of them, whichever queue's they are. */
	assert_int_equal(fake_detach(), HVK_EINPROGRESS);
	fake_advance(60000);
	for (uint32_t i = 0; i < 5; i++) {
		assert_int_equal(bench.detach.status, HVK_EINPROGRESS);
		hvk_netdev_release(bench.netdev, kept.owners[i]);
		fake_run();
	}
	fake_advance(2000);
	assert_int_equal(bench.detach.status, HVK_OK);
	fake_check_nothing_left();
	/* Given back: they can be lent again, and are completed where they came from. */
	memset(&kept, 0, sizeof(kept));
	up_with(&lends);
	bench.netdev->hooks.input = keep;
	for (uint32_t round = 0; round < 4; round++) {
		for (uint32_t i = 0; i < 5; i++)
			receive_on(1 + i % 2, 10 * round + i);
		fake_run_alone();
		assert_int_equal(kept.count, 5);
		while (kept.count != 0)
			hvk_netdev_release(bench.netdev, kept.owners[--kept.count]);
		fake_run_alone();
		for (uint32_t i = 0; i < 5; i++)
			assert_int_equal(completions_on(1 + i % 2, 0x2000 + 10 * round + i), 1);
	}
	assert_int_equal(kept.copied, 0);
	fake_down();
}

static struct hvk_rx_frame lent_frame;

static void keep_one(void *context, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame)
{
	(void)context;
	(void)netdev;
	lent_frame = *frame;
}

/* What the user has of it stays until he gives it back, and nobody waits for him but its place. */
static void taken_back_while_a_frame_is_lent(void **state)
{
	const struct hvk_netvsc_config lending = {.queues = 3, .rx_borrow = 4};
	uint8_t first;

	(void)state;
	up_with(&lending);
	bench.netdev->hooks.input = keep_one;
	receive_on(2, 20);
	fake_run();
	assert_non_null(lent_frame.owner);
	first = lent_frame.data[0];
	fake_rescind(2);
	fake_run();
	assert_int_equal(bench.netdev->info.queues, 2);
	assert_false(bench.subs[2].claimed);
	assert_int_equal(fake_set_flags(HVK_NETDEV_UP | HVK_NETDEV_PROMISCUOUS), HVK_OK);
	assert_int_equal(lent_frame.data[0], first);
	fake_offer(2);
	fake_run();
	assert_int_equal(bench.netdev->info.queues, 2);
	hvk_netdev_release(bench.netdev, lent_frame.owner);
	fake_run();
	assert_int_equal(bench.netdev->info.queues, 3);
	fake_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_hash),
		cmocka_unit_test(by_the_hosts_table),
		cmocka_unit_test(by_cpu_without_a_hash),
		cmocka_unit_test(sections_are_divided),
		cmocka_unit_test(fewer_sections_than_queues),
		cmocka_unit_test(the_hash_is_told_to_the_host),
		cmocka_unit_test(a_flush_is_of_all),
		cmocka_unit_test(counters_of_each),
		cmocka_unit_test(no_control_messages_on_others),
		cmocka_unit_test(one_goes_alone),
		cmocka_unit_test(nobody_waits_for_one_that_is_gone),
		cmocka_unit_test(one_that_goes_just_now),
		cmocka_unit_test(a_corrupt_ring_of_one_is_the_end_of_all),
		cmocka_unit_test(a_detach_cancels_on_all),
		cmocka_unit_test(nobody_is_in_it_when_it_is_stopped),
		cmocka_unit_test(so_many_are_lent_over_all),
		cmocka_unit_test(taken_back_while_a_frame_is_lent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
