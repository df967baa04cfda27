/* SPDX-License-Identifier: MIT */
/* Time-outs of several at once, and memory that the host does not let go of. */
#include "tests/unit/guest_storvsc_host.h"

static const struct hvk_storvsc_config impatient = {.queues = 1, .timeout_ms = 1000};

static _Alignas(4096) uint8_t memory[1 << 20];

static hvk_status submit_to(uint32_t n, uint32_t unit, const struct hvk_buffer *piece, uint32_t cpu)
{
	struct fake_user *user = &bench.users[n];
	hvk_status status;

	*user = (struct fake_user){.status = HVK_EINPROGRESS};
	user->block = (struct hvk_block_request){.operation = HVK_BLOCK_READ,
						 .count = piece->length / 512,
						 .pieces = piece,
						 .piece_count = 1,
						 .done = block_done,
						 .context = user};
	bench.hvk.cpu = cpu;
	status = hvk_block_submit(hvk_storvsc_block(bench.units[unit]), &user->block);
	bench.hvk.cpu = 0;
	return status;
}

static void up(const struct hvk_storvsc_config *config, uint8_t disks)
{
	fake_begin();
	for (uint8_t i = 0; i < disks; i++)
		fake_add_disk(0, i, 4096, 512);
	assert_int_equal(fake_create(config), HVK_OK);
	assert_int_equal(fake_attach(), HVK_OK);
	bench.log[0] = 0;
}

/* LUNs that have been reset, as the bits of a number. */
static uint32_t units_reset(void)
{
	uint32_t found = 0;

	for (uint32_t i = 0; i < bench.channel[0].sent_count; i++) {
		const uint8_t *payload = bench.channel[0].sent[i].payload;

		if (payload[0] == VSTOR_OPERATION_RESET_LUN)
			found |= 1u << payload[19];
	}
	return found;
}

/* --- Several at once ------------------------------------------------------------------------- */

static void hold_reads(uint32_t count, uint32_t units)
{
	static struct hvk_buffer piece;

	piece = direct(memory, 512);
	fake_add_rule((struct fake_rule){.operation = 0x28, .count = count, .held = true});
	for (uint32_t n = 0; n < count; n++)
		assert_int_equal(submit_to(n, n % units, &piece, 0), HVK_OK);
}

static void each_unit_is_reset(void **state)
{
	(void)state;
	up(&impatient, 3);
	hold_reads(4, 3);
	fake_advance(1002);
	assert_int_equal(units_reset(), 7);
	assert_string_equal(bench.log, "28 28 28 28 op4 op4 op4 ");
	assert_int_equal(bench.users[0].done, 0);
	fake_add_rule((struct fake_rule){.operation = 0x28, .count = 4, .srb = 2});
	fake_release(false);
	fake_run();
	for (uint32_t n = 0; n < 4; n++)
		assert_int_equal(bench.users[n].status, HVK_ETIMEDOUT_REQUEST);
	assert_int_equal(bench.gone, 0);
	fake_down();
}

static void answer_unit(uint8_t lun)
{
	for (uint32_t i = 0; i < bench.channel[0].sent_count; i++) {
		struct fake_sent *sent = &bench.channel[0].sent[i];

		if (sent->cookie && sent->payload[0] == VSTOR_OPERATION_EXECUTE_SRB &&
		    sent->payload[19] == lun)
			fake_answer_srb(&bench.channel[0], sent);
	}
	fake_run();
}

/* A host that answers no reset, though that helps: each unit has its turn, however long that takes. */
static void resets_take_turns(void **state)
{
	(void)state;
	up(&impatient, 3);
	bench.hvk.timeouts.device_ms = 2000;
	bench.mute_operation = VSTOR_OPERATION_RESET_LUN;
	hold_reads(3, 3);
	fake_advance(1002);
	for (uint8_t lun = 2; lun < 3; lun--) { /* the newest first, as it happens */
		assert_int_equal(units_reset(), 8u - (1u << lun));
		assert_int_equal(bench.users[lun].done, 0);
		answer_unit(lun);
		assert_int_equal(bench.users[lun].status, HVK_OK);
		fake_advance(2001);
	}
	assert_int_equal(bench.gone, 0);
	fake_down();
}

/* The host has its time from the reset on, and that one waits for another. */
static void reset_behind_another(void **state)
{
	struct hvk_request second = {0};

	(void)state;
	up(&impatient, 1);
	bench.hvk.timeouts.device_ms = 2000;
	bench.mute_operation = VSTOR_OPERATION_RESET_ADAPTER;
	hold_reads(1, 1);
	fake_advance(900);
	hvk_storvsc_reset(bench.controller, NULL, &bench.reset);
	fake_advance(1999);
	assert_int_equal(bench.reset.status, HVK_EINPROGRESS);
	assert_int_equal(units_reset(), 0);
	fake_advance(2);
	assert_int_equal(bench.reset.status, HVK_ETIMEDOUT_REQUEST);
	assert_int_equal(units_reset(), 1);
	fake_advance(1990);
	assert_int_equal(bench.gone, 0);
	answer_unit(0);
	assert_int_equal(bench.users[0].status, HVK_OK);
	hvk_storvsc_reset(bench.controller, NULL, &second);
	fake_advance(2001);
	assert_int_equal(second.status, HVK_ETIMEDOUT_REQUEST);
	fake_down();
}

/* The command of a scan is aborted like any other. */
static void scan_is_aborted(void **state)
{
	(void)state;
	up(&impatient, 1);
	fake_add_rule((struct fake_rule){.operation = 0xa0, .count = 1, .held = true});
	fake_notice(VSTOR_OPERATION_ENUMERATE_BUS);
	fake_advance(1100);
	assert_string_equal(bench.log, "a0 op4 ");
	fake_add_rule((struct fake_rule){.operation = 0xa0, .count = 1, .srb = 2});
	fake_release(false);
	fake_advance(2000); /* and tried again */
	assert_int_equal(bench.gone, 0);
	assert_int_equal(bench.unit_gone, 0);
	assert_non_null(strstr(bench.log, "a0 op4 a0 a0 12 "));
	fake_down();
}

/* A ring without room for the reset: it is sent when there is some. */
static void reset_without_room(void **state)
{
	const struct hvk_buffer piece = direct(memory, 512);

	(void)state;
	up(&impatient, 1);
	fake_add_rule((struct fake_rule){.operation = 0x28, .count = 1, .held = true});
	assert_int_equal(submit_to(1, 0, &piece, 0), HVK_OK);
	bench.channel[0].room = 0;
	fake_advance(1500);
	assert_int_equal(units_reset(), 0);
	bench.channel[0].room = FAKE_NONE;
	bench.channel[0].kicked = true;
	fake_run();
	assert_int_equal(units_reset(), 1);
	fake_release(false);
	fake_run();
	assert_int_equal(bench.users[1].status, HVK_OK);
	/* For ever: who asked for one hears of it. */
	bench.channel[0].room = 0;
	hvk_storvsc_reset(bench.controller, NULL, &bench.reset);
	fake_advance(4999);
	assert_int_equal(bench.reset.status, HVK_EINPROGRESS);
	fake_advance(2);
	assert_int_equal(bench.reset.status, HVK_ETIMEDOUT_REQUEST);
	bench.channel[0].room = FAKE_NONE;
	fake_down();
}

/* --- Memory that is withheld ------------------------------------------------------------------- */

/* Of several parts one failed before, or all were given up: that memory is lost counts more. */
static void lost_memory_is_said(void **state)
{
	const struct hvk_buffer piece = direct(memory, 1 << 20);

	(void)state;
	for (uint32_t detached = 0; detached < 2; detached++) {
		up(&impatient, 1);
		bench.lose_teardown = true;
		if (!detached)
			fake_add_rule((struct fake_rule){.operation = 0x28,
							 .count = 1,
							 .srb = 0x84,
							 .scsi = 2,
							 .key = 3,
							 .code = 0x1100});
		fake_add_rule((struct fake_rule){.operation = 0x28, .count = 100, .silent = true});
		assert_int_equal(submit_to(1, 0, &piece, 0), HVK_OK);
		fake_run();
		if (detached) {
			bench.detach = (struct hvk_request){0};
			hvk_storvsc_detach(bench.controller, &bench.detach);
			fake_advance(2001);
			assert_int_equal(bench.detach.status, HVK_ETIMEDOUT_TEARDOWN);
		} else {
			fake_advance(6100);
			assert_int_equal(fake_detach(), HVK_ETIMEDOUT_TEARDOWN);
		}
		assert_int_equal(bench.users[1].status, HVK_ETIMEDOUT_TEARDOWN);
		fake_free();
	}
}

static bool was_listed(const struct hvk_channel *channel, uint32_t from, uint64_t page)
{
	for (uint32_t i = from; i < channel->sent_count; i++) {
		for (uint32_t j = 0; j < channel->sent[i].page_count; j++) {
			if (channel->sent[i].pages[j] == page)
				return true;
		}
	}
	return false;
}

/* A sub-channel that the host does not let go of: its bounce page is nobody's again, and what needs
 * more than are left is told so. */
static void bounce_pages_are_withheld(void **state)
{
	const struct hvk_storvsc_config config = {.queues = 2, .timeout_ms = 1000, .bounce_pages = 2};
	const struct hvk_buffer odd = {memory + 1, 0, 512}, two_pages = {memory + 1, 0, 8192};
	const struct hvk_buffer even = direct(memory, 512);
	uint64_t page;
	uint32_t before;

	(void)state;
	up(&config, 1);
	fake_advance(1001); /* for sub-channels */
	for (uint32_t lost = 0; lost < 2; lost++) {
		if (lost == 1) {
			bench.channel[1].sent_count = bench.channel[1].seen = 0;
			fake_offer(1);
			fake_run();
		}
		assert_int_equal(hvk_storvsc_queues(bench.controller), 2);
		fake_add_rule((struct fake_rule){.operation = 0x28, .count = 1, .silent = true});
		assert_int_equal(submit_to(1, 0, &odd, 1), HVK_OK);
		fake_run();
		assert_int_equal(bench.channel[1].sent_count, 1);
		page = bench.channel[1].sent[0].pages[0];
		bench.lose_teardown = true;
		fake_advance(6100);
		bench.lose_teardown = false;
		assert_int_equal(bench.users[1].status, HVK_ETIMEDOUT_TEARDOWN);
		before = bench.channel[0].sent_count;
		for (uint32_t n = 2; n < 10; n++)
			assert_int_equal(submit_to(n, 0, n % 2 ? &odd : &two_pages, 0), HVK_OK);
		fake_run();
		for (uint32_t n = 2; n < 10; n++)
			assert_int_equal(bench.users[n].status, lost == 0 ? HVK_OK : HVK_ENOMEM);
		assert_false(was_listed(&bench.channel[0], before, page));
		bench.users[10].raw = (struct hvk_scsi_request){.cdb = {0x28, 0, 0, 0, 0, 0, 0, 0, 16},
								.cdb_length = 10,
								.direction = HVK_SCSI_IN,
								.pieces = &two_pages,
								.piece_count = 1,
								.length = 8192,
								.done = raw_done,
								.context = &bench.users[10]};
		bench.users[10].done = 0;
		assert_int_equal(hvk_storvsc_submit(bench.units[0], &bench.users[10].raw), HVK_OK);
		fake_run();
		assert_int_equal(bench.users[10].status, HVK_ENOMEM);
	}
	assert_int_equal(submit_to(1, 0, &even, 0), HVK_OK); /* as it lies */
	fake_run();
	assert_int_equal(bench.users[1].status, HVK_OK);
	assert_int_equal(fake_detach(), HVK_OK);
	assert_int_equal(bench.hvk.quarantined, 2 + 1 + 1);
	fake_free();
}

/* What the host never had is not lost with it, and goes by another channel. */
static void unsent_is_not_lost(void **state)
{
	const struct hvk_storvsc_config config = {.queues = 2, .timeout_ms = 1000};
	const struct hvk_buffer piece = direct(memory, 512);

	(void)state;
	up(&config, 1);
	fake_advance(1001);
	fake_add_rule((struct fake_rule){.operation = 0x28, .count = 1, .silent = true});
	bench.channel[1].room = 1;
	assert_int_equal(submit_to(1, 0, &piece, 1), HVK_OK);
	assert_int_equal(submit_to(2, 0, &piece, 1), HVK_OK);
	bench.lose_teardown = true;
	fake_advance(6100);
	bench.lose_teardown = false;
	assert_int_equal(bench.users[1].status, HVK_ETIMEDOUT_TEARDOWN);
	assert_int_equal(bench.users[2].status, HVK_OK);
	/* Nor is what the primary channel has, which the host does let go of. */
	fake_add_rule((struct fake_rule){.operation = 0x28, .count = 1, .held = true});
	assert_int_equal(submit_to(3, 0, &piece, 0), HVK_OK);
	fake_run();
	fake_rescind(0);
	assert_int_equal(bench.users[3].status, HVK_EGONE);
	fake_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_unit_is_reset),        cmocka_unit_test(resets_take_turns),
		cmocka_unit_test(reset_behind_another),      cmocka_unit_test(scan_is_aborted),
		cmocka_unit_test(reset_without_room),        cmocka_unit_test(lost_memory_is_said),
		cmocka_unit_test(bounce_pages_are_withheld), cmocka_unit_test(unsent_is_not_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
