/* SPDX-License-Identifier: MIT */
/* Frames lent in place: who has them, when their packets are completed, what ends the loan. */
#include "tests/unit/guest_netvsc_fake.h"

#define KEPT_MAX 2000u

static const struct hvk_netvsc_config borrowing = {.rx_borrow = 16};

static struct {
	struct hvk_rx_frame frames[KEPT_MAX];
	uint32_t count;
	uint32_t copied;     /* of them, without an owner */
	bool release_inside; /* the input hook gives it back */
} kept;

static void keep(void *context, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame)
{
	(void)context;
	assert_int_equal(bench.hvk.locked, 0);
	assert_true(kept.count < KEPT_MAX);
	kept.frames[kept.count++] = *frame;
	kept.copied += frame->owner == NULL;
	if (frame->owner && kept.release_inside)
		hvk_netdev_release(netdev, frame->owner);
}

static void up(const struct hvk_netvsc_config *config)
{
	memset(&kept, 0, sizeof(kept));
	fake_up(config);
	bench.netdev->hooks.input = keep;
}

static void release(uint32_t n)
{
	hvk_netdev_release(bench.netdev, kept.frames[n].owner);
	fake_run();
}

static struct hvk_netdev_counters counters(void)
{
	struct hvk_netdev_counters now;

	hvk_netdev_get_counters(bench.netdev, &now);
	return now;
}

static uint32_t completions_of(uint64_t id)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < bench.channel.sent_count; i++)
		count += bench.channel.sent[i].kind == FAKE_COMPLETION &&
			 bench.channel.sent[i].transaction_id == id;
	return count;
}

/* A packet of count frames of 60 bytes, from sub-allocation first on. */
static void packet_of(uint64_t id, uint32_t first, uint32_t count)
{
	static uint32_t ranges[KEPT_MAX][2];

	for (uint32_t i = 0; i < count; i++) {
		ranges[i][0] = 104;
		ranges[i][1] = (first + i) * bench.suballocation_size;
		(void)fake_make_frame(fake_receive_memory() + ranges[i][1], 104, 60, (uint8_t)(first + i));
	}
	fake_transfer(id, (const uint32_t(*)[2])ranges, count);
	fake_run();
}

/* --- Out and back -------------------------------------------------------------------- */

static void a_frame_lies_where_the_host_put_it(void **state)
{
	(void)state;
	up(&borrowing);
	packet_of(7, 3, 1);
	assert_int_equal(kept.count, 1);
	assert_non_null(kept.frames[0].owner);
	assert_ptr_equal(kept.frames[0].data, fake_receive_memory() + 3 * 1806 + 44);
	assert_int_equal(kept.frames[0].length, 60);
	assert_int_equal(completions_of(7), 0);
	release(0);
	assert_int_equal(completions_of(7), 1);
	assert_int_equal(counters().rx_lent, 1);
	assert_int_equal(counters().rx_copied, 0);
	fake_down();
}

/* Its bytes are the host's, who may write there. Nothing else follows from what it writes. */
static void the_host_rewrites_what_it_lent(void **state)
{
	const uint8_t *data;

	(void)state;
	up(&borrowing);
	packet_of(7, 0, 2);
	data = kept.frames[1].data;
	memset(fake_receive_memory(), 0xff, 2 * 1806);
	assert_int_equal(kept.frames[1].length, 60);
	assert_ptr_equal(kept.frames[1].data, data);
	assert_int_equal(data[59], 0xff);
	release(1);
	release(0);
	assert_int_equal(completions_of(7), 1);
	assert_int_equal(bench.hvk.faults, 0);
	fake_down();
}

static void a_packet_waits_for_its_last_frame(void **state)
{
	(void)state;
	up(&borrowing);
	packet_of(1, 0, 3);
	packet_of(2, 3, 2);
	release(1);
	release(4);
	release(2);
	assert_int_equal(completions_of(1), 0);
	assert_int_equal(completions_of(2), 0);
	release(3);
	assert_int_equal(completions_of(2), 1);
	release(0);
	assert_int_equal(completions_of(1), 1);
	fake_down();
}

static void given_back_at_once(void **state)
{
	(void)state;
	up(&borrowing);
	kept.release_inside = true;
	for (uint32_t i = 0; i < 100; i++)
		packet_of(i, i, 4);
	assert_int_equal(counters().rx_lent, 400);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(completions_of(i), 1);
	fake_down();
}

static void a_bad_range_among_lent_ones(void **state)
{
	const uint32_t ranges[3][2] = {{104, 0}, {104, 0xfffffff8}, {104, 1806}};

	(void)state;
	up(&borrowing);
	(void)fake_make_frame(fake_receive_memory(), 104, 60, 1);
	(void)fake_make_frame(fake_receive_memory() + 1806, 104, 60, 2);
	fake_transfer(5, ranges, 3);
	fake_run();
	assert_int_equal(kept.count, 2);
	assert_int_equal(counters().rx_faults, 1);
	release(0);
	assert_int_equal(completions_of(5), 0);
	release(1);
	assert_int_equal(completions_of(5), 1);
	fake_down();
}

static void released_twice(void **state)
{
	(void)state;
	up(&borrowing);
	packet_of(1, 0, 1);
	packet_of(2, 1, 1);
	release(0);
	release(0);
	assert_int_equal(completions_of(1), 1);
	assert_int_equal(completions_of(2), 0);
	release(1);
	fake_down();
}

static void released_while_the_ring_is_full(void **state)
{
	(void)state;
	up(&borrowing);
	packet_of(1, 0, 1);
	packet_of(2, 1, 1);
	bench.channel.ring_full = true;
	release(1);
	release(0);
	assert_int_equal(completions_of(1) + completions_of(2), 0);
	bench.channel.ring_full = false;
	bench.channel.kicked = true; /* there is room */
	fake_run();
	assert_int_equal(completions_of(1), 1);
	assert_int_equal(completions_of(2), 1);
	fake_down();
}

/* --- Limits --------------------------------------------------------------------------- */

static void copied_beyond_the_limit(void **state)
{
	(void)state;
	up(&(struct hvk_netvsc_config){.rx_borrow = 2});
	packet_of(1, 0, 5);
	assert_int_equal(kept.count, 5);
	assert_int_equal(kept.copied, 3);
	assert_int_equal(counters().rx_lent, 2);
	assert_int_equal(counters().rx_copied, 180);
	assert_int_equal(completions_of(1), 0);
	packet_of(2, 5, 1); /* none left to lend: completed at once */
	assert_int_equal(completions_of(2), 1);
	release(0);
	packet_of(3, 6, 1);
	assert_int_equal(counters().rx_lent, 3);
	release(1);
	release(6);
	assert_int_equal(completions_of(1), 1);
	assert_int_equal(completions_of(3), 1);
	fake_down();
}

/* Whoever keeps frames until more of them come must not keep the host from sending them. */
static void half_of_the_buffer_stays_the_hosts(void **state)
{
	(void)state;
	up(&(struct hvk_netvsc_config){.rx_borrow = 1024});
	packet_of(1, 0, 501); /* of 1000 sub-allocations */
	assert_int_equal(counters().rx_lent, 0);
	assert_int_equal(completions_of(1), 1);
	packet_of(2, 0, 499);
	assert_int_equal(counters().rx_lent, 499);
	packet_of(3, 500, 2);
	assert_int_equal(counters().rx_lent, 499);
	assert_int_equal(completions_of(3), 1);
	packet_of(4, 502, 1);
	assert_int_equal(counters().rx_lent, 500);
	for (uint32_t i = 0; i < kept.count; i++) {
		if (kept.frames[i].owner)
			release(i);
	}
	assert_int_equal(completions_of(2), 1);
	packet_of(5, 0, 500);
	assert_int_equal(counters().rx_lent, 1000);
	for (uint32_t i = kept.count - 500; i < kept.count; i++)
		release(i);
	fake_down();
}

/* The tag that the host took out has to go into the frame. */
static void a_frame_with_a_tag_is_copied(void **state)
{
	const uint32_t range[1][2] = {{120, 0}};
	uint8_t *memory;

	(void)state;
	up(&borrowing);
	memory = fake_receive_memory();
	(void)fake_make_frame(memory, 120, 60, 1);
	memmove(memory + 60, memory + 44, 60);
	fake_put(memory + 8, 52);  /* data, counted from byte 8 */
	fake_put(memory + 28, 36); /* information: at 44, of 16 bytes */
	fake_put(memory + 32, 16);
	fake_put(memory + 44, 16);
	fake_put(memory + 48, 6);
	fake_put(memory + 52, 12);
	fake_put(memory + 56, 7 << 4);
	fake_transfer(1, range, 1);
	fake_run();
	assert_int_equal(kept.count, 1);
	assert_null(kept.frames[0].owner);
	assert_int_equal(kept.frames[0].length, 64);
	assert_int_equal(completions_of(1), 1);
	fake_down();
}

static void more_than_can_be_lent(void **state)
{
	const struct hvk_netvsc_config config = {.rx_borrow = 1025};
	struct hvk_netvsc *nic;

	(void)state;
	fake_create(&borrowing);
	bench.channel.claimed = false;
	assert_int_equal(hvk_netvsc_create(&bench.channel, &config, &nic), HVK_EINVAL);
	bench.channel.claimed = true;
	fake_check_nothing_left();
}

/* --- The end ------------------------------------------------------------------------------- */

static void detach_waits(void **state)
{
	const uint8_t *data;

	(void)state;
	up(&borrowing);
	packet_of(1, 0, 2);
	data = kept.frames[1].data;
	hvk_netvsc_detach(bench.nic, &bench.detach);
	fake_run();
	fake_advance(60000);
	assert_int_equal(bench.detach.status, HVK_EINPROGRESS);
	assert_int_equal(data[0], 1); /* still there: no page has been given back */
	assert_int_equal(hvk_netvsc_destroy(bench.nic), HVK_ESTATE);
	release(0);
	assert_int_equal(bench.detach.status, HVK_EINPROGRESS);
	release(1);
	assert_int_equal(bench.detach.status, HVK_OK);
	assert_int_equal(completions_of(1), 1); /* the host had it back before the buffer was revoked */
	fake_check_nothing_left();
}

static void rescinded_while_lent(void **state)
{
	const uint8_t *data;

	(void)state;
	up(&borrowing);
	packet_of(1, 4, 1);
	data = kept.frames[0].data;
	bench.channel.rescinded = true;
	bench.channel.kicked = true;
	fake_run();
	assert_int_equal(bench.gone, 1);
	assert_int_equal(data[0], 4);
	hvk_netvsc_detach(bench.nic, &bench.detach);
	fake_run();
	assert_int_equal(bench.detach.status, HVK_EINPROGRESS);
	assert_int_equal(data[0], 4);
	release(0);
	assert_int_equal(bench.detach.status, HVK_OK);
	fake_check_nothing_left();
}

/* The rescind comes while detach waits: that is no reason to give memory back. */
static void rescinded_while_detach_waits(void **state)
{
	const uint8_t *data;

	(void)state;
	up(&borrowing);
	packet_of(1, 4, 1);
	data = kept.frames[0].data;
	hvk_netvsc_detach(bench.nic, &bench.detach);
	fake_run();
	bench.channel.rescinded = true;
	bench.channel.kicked = true;
	fake_run();
	assert_int_equal(bench.detach.status, HVK_EINPROGRESS);
	assert_int_equal(data[0], 4);
	release(0);
	assert_int_equal(bench.detach.status, HVK_OK);
	fake_check_nothing_left();
}

static void no_memory_for_it(void **state)
{
	uint32_t failed = 0;

	(void)state;
	for (uint32_t n = 0; n < 32; n++) {
		fake_create(&borrowing);
		bench.hvk.fail_allocation = n;
		if (fake_attach() == HVK_OK) {
			fake_down();
			break;
		}
		failed++;
		assert_int_equal(bench.attach.status, HVK_ENOMEM);
		fake_check_nothing_left();
	}
	assert_in_range(failed, 6, 16); /* each of them once, the loan's among them */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_lies_where_the_host_put_it),
		cmocka_unit_test(the_host_rewrites_what_it_lent),
		cmocka_unit_test(a_packet_waits_for_its_last_frame),
		cmocka_unit_test(given_back_at_once),
		cmocka_unit_test(a_bad_range_among_lent_ones),
		cmocka_unit_test(released_twice),
		cmocka_unit_test(released_while_the_ring_is_full),
		cmocka_unit_test(copied_beyond_the_limit),
		cmocka_unit_test(half_of_the_buffer_stays_the_hosts),
		cmocka_unit_test(a_frame_with_a_tag_is_copied),
		cmocka_unit_test(more_than_can_be_lent),
		cmocka_unit_test(detach_waits),
		cmocka_unit_test(rescinded_while_lent),
		cmocka_unit_test(rescinded_while_detach_waits),
		cmocka_unit_test(no_memory_for_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
