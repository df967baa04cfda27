/* SPDX-License-Identifier: MIT */
/* Bringing a storage controller up and down: the dialogue, versions, refusals, silence, and memory. */
#include "tests/unit/guest_storvsc_host.h"

static const struct hvk_storvsc_config one_queue = {.queues = 1};

static void begin(const struct hvk_storvsc_config *config)
{
	fake_begin();
	fake_add_disk(0, 0, 4096, 512);
	assert_int_equal(fake_create(config), HVK_OK);
}

static void dialogue(void **state)
{
	(void)state;
	begin(&one_queue);
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(memcmp(bench.log, "open:0 op7 v602 op10 op8 a0 12 ", 31), 0);
	assert_int_equal(hvk_storvsc_protocol(bench.controller), 0x602);
	assert_int_equal(hvk_storvsc_queues(bench.controller), 1);
	assert_int_equal(bench.added, 1);
	bench.log[0] = 0;
	assert_int_equal(fake_detach(), HVK_OK);
	assert_string_equal(bench.log, "close:0 ");
	assert_int_equal(bench.unit_gone, 0);
	assert_null(hvk_storvsc_next_unit(bench.controller, NULL));
	/* And once more. */
	memset(bench.units, 0, sizeof(bench.units));
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(bench.added, 2);
	fake_down();
}

static void versions(void **state)
{
	static const uint16_t newest[] = {0x602, 0x600, 0x501, 0x402, 0x200};

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		uint32_t size = newest[i] >= 0x501 ? 64 : 48;

		begin(&one_queue);
		bench.newest = newest[i];
		assert_int_equal(fake_attach(), HVK_OK);
		assert_int_equal(hvk_storvsc_protocol(bench.controller), newest[i]);
		assert_int_equal(bench.channel[0].sent[0].length, 64);
		assert_int_equal(bench.channel[0].sent[bench.channel[0].sent_count - 1].length, size);
		assert_int_equal(bench.channel[0].sent[bench.channel[0].sent_count - 1].payload[12],
				 size - 12);
		assert_int_equal(bench.channel[0].sent[bench.channel[0].sent_count - 1].payload[21],
				 size == 64 ? 20 : 18);
		fake_down();
	}
}

static void newest_that_is_wanted(void **state)
{
	const struct hvk_storvsc_config old = {.queues = 1, .protocol_newest = VSTOR_VERSION_5_1};

	(void)state;
	begin(&old);
	assert_int_equal(fake_attach(), HVK_OK);
	assert_null(strstr(bench.log, "v60"));
	assert_int_equal(hvk_storvsc_protocol(bench.controller), 0x501);
	fake_down();
}

static void no_version(void **state)
{
	(void)state;
	begin(&one_queue);
	bench.newest = 0x100;
	assert_int_equal(fake_attach(), HVK_EREFUSED_VSTOR);
	assert_string_equal(bench.log, "open:0 op7 v602 v600 v501 v402 v200 close:0 ");
	fake_free();
}

static void each_step_refused_silent_or_short(void **state)
{
	static const uint32_t operations[] = {7, 10, 8};

	(void)state;
	for (size_t i = 0; i < 9; i++) {
		uint32_t operation = operations[i % 3];
		hvk_status expected;

		begin(&one_queue);
		if (i < 3) {
			bench.refuse_operation = operation;
			expected = HVK_EREFUSED_VSTOR;
		} else if (i < 6) {
			bench.mute_operation = operation;
			expected = HVK_ETIMEDOUT_VSTOR;
		} else {
			bench.short_operation = operation;
			expected = HVK_EHOST_VSTOR;
		}
		(void)fake_attach();
		if (i >= 3 && i < 6) {
			assert_int_equal(bench.attach.status, HVK_EINPROGRESS);
			fake_advance(5001);
		}
		assert_int_equal(bench.attach.status, expected);
		assert_int_equal(bench.hvk.faults, i >= 6 ? 1 : 0);
		/* All is given back, and it may be tried again. */
		bench.refuse_operation = bench.mute_operation = bench.short_operation = FAKE_NONE;
		assert_int_equal(fake_attach(), HVK_OK);
		fake_down();
	}
}

static void transfers_of_less_than_a_page(void **state)
{
	(void)state;
	begin(&one_queue);
	bench.transfer_max = 4095;
	assert_int_equal(fake_attach(), HVK_EHOST_VALUE);
	fake_free();
}

static void no_memory(void **state)
{
	uint32_t failed = 0;

	(void)state;
	for (uint32_t i = 0; i < 8; i++) {
		hvk_status status;

		fake_begin();
		fake_add_disk(0, 0, 64, 512);
		bench.hvk.fail_allocation = i;
		status = fake_create(&one_queue);
		if (status == HVK_OK) {
			status = fake_attach();
			failed += status == HVK_ENOMEM;
			fake_down();
		} else {
			failed++;
			assert_int_equal(status, HVK_ENOMEM);
			assert_int_equal(fake_pages_in_use(&bench.hvk), 0);
			assert_false(bench.channel[0].claimed);
			fake_free_host();
		}
	}
	assert_int_equal(failed, 6); /* object, pool, bounce pages, their tables, zeros, scan */
}

static void silent_open(void **state)
{
	(void)state;
	begin(&one_queue);
	bench.silent_open = true;
	assert_int_equal(fake_attach(), HVK_ETIMEDOUT_OPEN);
	fake_free();
}

static void detached_meanwhile(void **state)
{
	(void)state;
	begin(&one_queue);
	bench.mute_operation = 10;
	assert_int_equal(fake_attach(), HVK_EINPROGRESS);
	assert_int_equal(fake_detach(), HVK_OK);
	assert_int_equal(bench.attach.status, HVK_ECANCELED);
	fake_free();
}

static void detached_in_the_scan(void **state)
{
	(void)state;
	begin(&one_queue);
	fake_add_rule((struct fake_rule){.operation = 0xa0, .count = 1, .silent = true});
	assert_int_equal(fake_attach(), HVK_EINPROGRESS);
	bench.detach = (struct hvk_request){0};
	hvk_storvsc_detach(bench.controller, &bench.detach);
	fake_advance(2100);
	assert_int_equal(bench.attach.status, HVK_ECANCELED);
	assert_int_equal(bench.detach.status, HVK_OK);
	fake_free();
}

static void rescinded_at_each_step(void **state)
{
	(void)state;
	for (uint32_t operation = 7; operation <= 10; operation++) {
		begin(&one_queue);
		bench.mute_operation = operation;
		(void)fake_attach();
		fake_rescind(0);
		assert_int_equal(bench.attach.status, HVK_EGONE);
		assert_int_equal(bench.gone, 0); /* an attach that fails says it */
		assert_int_equal(fake_attach(), HVK_EGONE);
		fake_free();
	}
}

static void configurations_refused(void **state)
{
	static const struct hvk_storvsc_config bad[] = {
		{.cpu = FAKE_CPUS},         {.ring_pages = 4095},    {.queues = 65},
		{.queue_depth = 2049},      {.bounce_pages = 4097},  {.units_max = 513},
		{.protocol_newest = 0x601}, {.timeout_ms = 3600001},
	};

	(void)state;
	fake_begin();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(fake_create(&bad[i]), HVK_EINVAL);
	bench.channel[0].offer.subchannel_index = 1;
	assert_int_equal(fake_create(&one_queue), HVK_EINVAL);
	bench.channel[0].offer.subchannel_index = 0;
	bench.channel[0].offer.type = (struct vmbus_guid){0};
	assert_int_equal(fake_create(&one_queue), HVK_EINVAL);
	assert_int_equal(fake_pages_in_use(&bench.hvk), 0);
	fake_free_host();
}

/* One disk, at the place that the offer names; no list of LUNs is asked for. */
static void emulated_ide(void **state)
{
	static const struct vmbus_guid type = VMBUS_GUID_IDE;
	const struct vstor_offer_data data = {.path = 1, .target = 1, .flags = VSTOR_OFFER_EMULATED_IDE};

	(void)state;
	fake_begin();
	bench.channel[0].offer.type = type;
	memcpy(bench.channel[0].offer.user_data, &data, sizeof(data));
	fake_add_disk(1, 0, 4096, 512);
	assert_int_equal(fake_create(&one_queue), HVK_OK);
	assert_int_equal(fake_attach(), HVK_OK);
	assert_null(strstr(bench.log, "a0 "));
	assert_int_equal(bench.added, 1);
	assert_int_equal(bench.channel[0].sent[5].payload[17], 1); /* path */
	assert_int_equal(hvk_storvsc_unit_target(bench.units[0]), 1);
	fake_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dialogue),
		cmocka_unit_test(versions),
		cmocka_unit_test(newest_that_is_wanted),
		cmocka_unit_test(no_version),
		cmocka_unit_test(each_step_refused_silent_or_short),
		cmocka_unit_test(transfers_of_less_than_a_page),
		cmocka_unit_test(no_memory),
		cmocka_unit_test(silent_open),
		cmocka_unit_test(detached_meanwhile),
		cmocka_unit_test(detached_in_the_scan),
		cmocka_unit_test(rescinded_at_each_step),
		cmocka_unit_test(configurations_refused),
		cmocka_unit_test(emulated_ide),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
