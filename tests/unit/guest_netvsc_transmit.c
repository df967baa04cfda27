/* SPDX-License-Identifier: MIT */
/* Transmit: sections, page lists, room, and what the host may see. */
#include "tests/unit/guest_netvsc_fake.h"

static const struct hvk_netvsc_config defaults;

#define FRAMES 700u

struct frame {
	struct hvk_tx_frame tx;
	struct hvk_buffer piece;
	uint32_t done;
	hvk_status status;
};
static struct frame frames[FRAMES];
static _Alignas(4096) uint8_t data[20 * 4096];

static void frame_done(struct hvk_tx_frame *tx, hvk_status status, void *context)
{
	struct frame *frame = context;

	assert_ptr_equal(tx, &frame->tx);
	assert_int_equal(bench.hvk.locked, 0);
	frame->done++;
	frame->status = status;
}

static struct frame *make(uint32_t n, const void *address, uint64_t gpa, uint32_t length)
{
	struct frame *frame = &frames[n];

	memset(frame, 0, sizeof(*frame));
	frame->piece = (struct hvk_buffer){address, gpa, length};
	frame->tx = (struct hvk_tx_frame){.pieces = &frame->piece,
					  .piece_count = 1,
					  .length = length,
					  .done = frame_done,
					  .context = frame};
	return frame;
}

static uint64_t gpa_of(const void *address)
{
	return (uint64_t)(uintptr_t)address;
}

static enum hvk_tx_result transmit(struct frame *frame)
{
	return hvk_netdev_transmit(bench.netdev, &frame->tx);
}

static void fill_data(void)
{
	for (uint32_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
}

static struct hvk_netdev_counters counters(void)
{
	struct hvk_netdev_counters now;

	hvk_netdev_get_counters(bench.netdev, &now);
	return now;
}

static const struct fake_sent *last_sent(void)
{
	assert_true(bench.channel.sent_count > 0);
	return &bench.channel.sent[bench.channel.sent_count - 1];
}

static void a_small_frame_goes_by_section(void **state)
{
	static const uint8_t header[44] = {1, 0, 0, 0, 104, 0, 0, 0, 36, 0, 0, 0, 60};
	static const uint8_t message[40] = {107, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 104};
	struct frame *frame = make(0, data, gpa_of(data), 60);

	(void)state;
	fill_data();
	fake_up(&defaults);
	assert_int_equal(transmit(frame), HVK_TX_TAKEN);
	assert_int_equal(frame->done, 0); /* never inside the call */
	assert_int_equal(last_sent()->kind, FAKE_IN_BAND);
	assert_int_equal(last_sent()->length, 40);
	assert_memory_equal(last_sent()->payload, message, 40);
	assert_memory_equal(fake_send_memory(), header, 44);
	assert_memory_equal(fake_send_memory() + 44, data, 60);
	fake_run();
	assert_int_equal(frame->done, 1);
	assert_int_equal(frame->status, HVK_OK);
	assert_int_equal(counters().tx_frames, 1);
	assert_int_equal(counters().tx_bytes, 60);
	assert_int_equal(counters().tx_copied, 1);
	fake_down();
}

static void pieces_are_put_together(void **state)
{
	struct hvk_buffer pieces[4] = {
		{data, 0, 10}, {data + 100, 0, 0}, {data + 200, 0, 50}, {data + 300, 0, 4}};
	struct frame *frame = make(0, data, 0, 64);

	(void)state;
	fill_data();
	fake_up(&defaults);
	frame->tx.pieces = pieces;
	frame->tx.piece_count = 4;
	assert_int_equal(transmit(frame), HVK_TX_TAKEN);
	assert_memory_equal(fake_send_memory() + 44, data, 10);
	assert_memory_equal(fake_send_memory() + 54, data + 200, 50);
	assert_memory_equal(fake_send_memory() + 104, data + 300, 4);
	fake_run();
	fake_down();
}

static void what_does_not_fit_goes_by_page_list(void **state)
{
	const struct hvk_netvsc_config config = {.mtu = 9000};
	struct frame *frame = make(0, data + 100, gpa_of(data + 100), 9000);
	const struct fake_sent *sent;

	(void)state;
	fill_data();
	fake_create(&config);
	bench.custom_oid = 0x00010106;
	fake_put(bench.custom, 9000);
	bench.custom_length = 4;
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(fake_set_flags(HVK_NETDEV_UP), HVK_OK);
	assert_int_equal(transmit(frame), HVK_TX_TAKEN);
	sent = last_sent();
	assert_int_equal(sent->kind, FAKE_GPA_DIRECT);
	assert_int_equal(fake_word(sent->payload), 107);
	assert_int_equal(fake_word(sent->payload + 4), 0);
	assert_int_equal(fake_word(sent->payload + 8), 0xffffffff);
	assert_int_equal(fake_word(sent->payload + 12), 0);
	assert_int_equal(sent->buffer_count, 4);
	assert_int_equal(sent->buffers[0].length, 44);
	assert_int_equal(sent->buffers[1].gpa, gpa_of(data + 100));
	assert_int_equal(sent->buffers[1].length, 3996);
	assert_int_equal(sent->buffers[2].length, 4096);
	assert_int_equal(sent->buffers[3].length, 9000 - 3996 - 4096);
	assert_int_equal(fake_word(sent->external), 1);
	assert_int_equal(fake_word(sent->external + 4), 9044);
	assert_int_equal(fake_word(sent->external + 8), 36);
	assert_int_equal(fake_word(sent->external + 12), 9000);
	for (uint32_t i = 16; i < 44; i++)
		assert_int_equal(sent->external[i], 0);
	assert_memory_equal(sent->external + 44, data + 100, 2000);
	fake_run();
	assert_int_equal(frame->done, 1);
	assert_int_equal(frame->status, HVK_OK);
	assert_int_equal(counters().tx_by_page, 1);
	fake_down();
}

static void copy_max_decides(void **state)
{
	const struct hvk_netvsc_config config = {.copy_max = 200};

	(void)state;
	fake_up(&config);
	assert_int_equal(transmit(make(0, data, gpa_of(data), 200)), HVK_TX_TAKEN);
	assert_int_equal(last_sent()->kind, FAKE_IN_BAND);
	assert_int_equal(transmit(make(1, data, gpa_of(data), 201)), HVK_TX_TAKEN);
	assert_int_equal(last_sent()->kind, FAKE_GPA_DIRECT);
	assert_int_equal(transmit(make(2, data, 0, 201)), HVK_TX_TAKEN); /* cannot go by page list */
	assert_int_equal(last_sent()->kind, FAKE_IN_BAND);
	assert_int_equal(transmit(make(3, NULL, gpa_of(data), 20)), HVK_TX_TAKEN); /* cannot be copied */
	assert_int_equal(last_sent()->kind, FAKE_GPA_DIRECT);
	fake_run();
	fake_down();
}

static void without_a_send_buffer_all_goes_by_page_list(void **state)
{
	const struct hvk_netvsc_config config = {.send_buffer_pages = HVK_NETVSC_NO_SEND_BUFFER};

	(void)state;
	fake_up(&config);
	assert_int_equal(transmit(make(0, data, gpa_of(data), 60)), HVK_TX_TAKEN);
	assert_int_equal(last_sent()->kind, FAKE_GPA_DIRECT);
	assert_int_equal(transmit(make(1, data, 0, 60)), HVK_TX_GONE);
	fake_run();
	fake_down();
}

static void frames_that_cannot_be_sent(void **state)
{
	struct hvk_buffer many[31];
	struct frame *frame;

	(void)state;
	fake_up(&defaults);
	assert_int_equal(transmit(make(0, data, 0, 13)), HVK_TX_GONE);
	assert_int_equal(transmit(make(0, data, 0, 1515)), HVK_TX_GONE);
	assert_int_equal(transmit(make(0, NULL, 0, 60)), HVK_TX_GONE);
	frame = make(0, data, 0, 60);
	frame->tx.length = 61; /* not the sum */
	assert_int_equal(transmit(frame), HVK_TX_GONE);
	frame->tx.length = 59;
	assert_int_equal(transmit(frame), HVK_TX_GONE);
	frame = make(0, data, 0, 60);
	frame->tx.piece_count = 0;
	assert_int_equal(transmit(frame), HVK_TX_GONE);
	for (int i = 0; i < 31; i++)
		many[i] = (struct hvk_buffer){data, 0, 2};
	frame = make(0, data, 0, 62);
	frame->tx.pieces = many;
	frame->tx.piece_count = 31;
	assert_int_equal(transmit(frame), HVK_TX_GONE);
	assert_int_equal(counters().tx_errors, 7);
	assert_int_equal(bench.channel.sent_count, 0);
	assert_int_equal(frame->done, 0); /* the caller keeps it */
	assert_int_equal(fake_set_flags(0), HVK_OK);
	assert_int_equal(transmit(make(0, data, 0, 60)), HVK_TX_GONE);
	fake_down();
	fake_create(&defaults);
	assert_int_equal(transmit(make(0, data, 0, 60)), HVK_TX_GONE);
	fake_check_nothing_left();
}

static void each_frame_with_the_host_has_a_section_of_its_own(void **state)
{
	bool used[170] = {false};
	uint32_t section;

	(void)state;
	fake_up(&defaults);
	bench.hold_sends = true;
	for (uint32_t i = 0; i < 170; i++) { /* 1 MiB / 6144 */
		assert_int_equal(transmit(make(i, data, 0, 60)), HVK_TX_TAKEN);
		section = fake_word(last_sent()->payload + 8);
		assert_true(section < 170);
		assert_false(used[section]);
		used[section] = true;
	}
	assert_int_equal(transmit(make(170, data, 0, 60)), HVK_TX_BUSY);
	assert_int_equal(counters().tx_busy, 1);
	bench.channel.kicked = true;
	fake_run();
	assert_int_equal(bench.tx_ready, 0); /* a callback is not room */
	/* The host gives number 42 back: that section, and no other, is used again. */
	section = fake_word(bench.channel.sent[42].payload + 8);
	fake_complete(42, fake_nvs_success, 8);
	fake_run();
	assert_int_equal(frames[42].done, 1);
	assert_int_equal(bench.tx_ready, 1);
	assert_int_equal(transmit(&frames[170]), HVK_TX_TAKEN);
	assert_int_equal(fake_word(last_sent()->payload + 8), section);
	assert_int_equal(transmit(make(171, data, 0, 60)), HVK_TX_BUSY);
	assert_int_equal(fake_detach(), HVK_EINPROGRESS);
	fake_advance(300);
	assert_int_equal(bench.detach.status, HVK_OK);
	fake_check_nothing_left();
}

static void page_lists_have_slots_of_their_own(void **state)
{
	uint32_t taken = 0;

	(void)state;
	fake_up(&defaults);
	bench.hold_sends = true;
	while (taken < FRAMES && transmit(make(taken, NULL, gpa_of(data), 60)) == HVK_TX_TAKEN)
		taken++;
	assert_int_equal(taken, 32);
	for (uint32_t i = 0; i < taken; i++) { /* no two headers in one place */
		uint64_t gpa = bench.channel.sent[i].buffers[0].gpa;

		for (uint32_t j = 0; j < i; j++) {
			uint64_t other = bench.channel.sent[j].buffers[0].gpa;

			assert_true(gpa >= other + 44 || other >= gpa + 44);
		}
	}
	/* Sections are not taken by them. */
	assert_int_equal(transmit(make(taken, data, 0, 60)), HVK_TX_TAKEN);
	bench.hold_sends = false;
	bench.answered = 0;
	fake_run();
	for (uint32_t i = 0; i <= taken; i++)
		assert_int_equal(frames[i].done, 1);
	fake_down();
}

static void tx_ready_comes_when_the_ring_has_room(void **state)
{
	(void)state;
	fake_up(&defaults);
	bench.channel.ring_full = true;
	assert_int_equal(transmit(make(0, data, 0, 60)), HVK_TX_BUSY);
	assert_int_equal(frames[0].done, 0);
	bench.channel.ring_full = false;
	bench.channel.kicked = true;
	fake_run();
	assert_int_equal(bench.tx_ready, 1);
	assert_int_equal(transmit(&frames[0]), HVK_TX_TAKEN);
	fake_run();
	assert_int_equal(frames[0].done, 1);
	assert_int_equal(bench.tx_ready, 1); /* not again */
	/* The refused attempt kept no section. */
	bench.hold_sends = true;
	for (uint32_t i = 1; i <= 170; i++)
		assert_int_equal(transmit(make(i, data, 0, 60)), HVK_TX_TAKEN);
	bench.hold_sends = false;
	bench.answered = 0;
	fake_run();
	fake_down();
}

static void completions_that_cannot_be(void **state)
{
	static const uint8_t other[8] = {105, 0, 0, 0, 1};

	(void)state;
	fake_up(&defaults);
	bench.hold_sends = true;
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(transmit(make(i, data, 0, 60)), HVK_TX_TAKEN);
	fake_complete(0, fake_nvs_failure, 8);
	fake_complete(1, other, 8);
	fake_complete(2, fake_nvs_success, 7);
	fake_complete(3, "", 0);
	fake_run();
	assert_int_equal(frames[0].status, HVK_EREFUSED_RNDIS);
	for (int i = 1; i < 4; i++)
		assert_int_equal(frames[i].status, HVK_EHOST_NVS);
	for (int i = 0; i < 4; i++)
		assert_int_equal(frames[i].done, 1);
	assert_int_equal(counters().tx_errors, 4);
	assert_int_equal(bench.hvk.faults, 3);
	fake_down();
}

static void a_dead_ring_is_told_once(void **state)
{
	(void)state;
	fake_up(&defaults);
	bench.channel.send_status = HVK_EHOST_RING_INDEX;
	assert_int_equal(transmit(make(0, data, 0, 60)), HVK_TX_GONE);
	assert_int_equal(bench.gone, 0); /* not inside the call */
	fake_run();
	assert_int_equal(bench.gone, 1);
	assert_int_equal(transmit(make(0, data, 0, 60)), HVK_TX_GONE);
	fake_run();
	assert_int_equal(bench.gone, 1);
	assert_int_equal(frames[0].done, 0);
	fake_down();
}

/* The host can read all of its pages: nothing but messages and zeros may be there. */
static void shared_pages_hold_nothing_else(void **state)
{
	const uint8_t *memory;

	(void)state;
	fill_data();
	fake_up(&defaults);
	memory = fake_send_memory();
	for (uint32_t i = 0; i < 256 * 4096; i++)
		assert_int_equal(memory[i], 0);
	assert_int_equal(transmit(make(0, data, 0, 60)), HVK_TX_TAKEN);
	assert_int_equal(transmit(make(1, NULL, gpa_of(data), 60)), HVK_TX_TAKEN);
	for (uint32_t i = 104; i < 256 * 4096; i++)
		assert_int_equal(memory[i], 0);
	for (uint32_t a = 0; a < FAKE_ALLOCATIONS_MAX; a++) {
		const uint8_t *page = bench.hvk.allocations[a].address;
		uint32_t used = 0;

		if (bench.hvk.allocations[a].use != HVK_PAGE_HOST_READS ||
		    bench.hvk.allocations[a].count == 0)
			continue;
		for (uint32_t i = 0; i < bench.hvk.allocations[a].count * 4096; i++)
			used += page[i] != 0;
		/* Headers have 4 bytes that are not zero, control messages fewer than 16. */
		assert_true(used <= 8 * 16);
	}
	fake_run();
	fake_down();
}

static void many_frames_many_times(void **state)
{
	(void)state;
	fake_up(&defaults);
	for (uint32_t round = 0; round < 20; round++) {
		for (uint32_t i = 0; i < 100; i++)
			assert_int_equal(transmit(make(i, data, i & 1 ? gpa_of(data) : 0, 14 + 15 * i)),
					 HVK_TX_TAKEN);
		fake_run();
		for (uint32_t i = 0; i < 100; i++)
			assert_int_equal(frames[i].done, 1);
		bench.channel.sent_count = bench.answered = 0;
	}
	assert_int_equal(counters().tx_frames, 2000);
	fake_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_small_frame_goes_by_section),
		cmocka_unit_test(pieces_are_put_together),
		cmocka_unit_test(what_does_not_fit_goes_by_page_list),
		cmocka_unit_test(copy_max_decides),
		cmocka_unit_test(without_a_send_buffer_all_goes_by_page_list),
		cmocka_unit_test(frames_that_cannot_be_sent),
		cmocka_unit_test(each_frame_with_the_host_has_a_section_of_its_own),
		cmocka_unit_test(page_lists_have_slots_of_their_own),
		cmocka_unit_test(tx_ready_comes_when_the_ring_has_room),
		cmocka_unit_test(completions_that_cannot_be),
		cmocka_unit_test(a_dead_ring_is_told_once),
		cmocka_unit_test(shared_pages_hold_nothing_else),
		cmocka_unit_test(many_frames_many_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
