/* SPDX-License-Identifier: MIT */
/* The two exits before a loaded system: the order of each step, what is left on, what memory is reserved. */
#include "tests/unit/guest_leaving_record.h"

#define UNLOAD_MS 100u
#define BUS_PAGES 3u  /* interrupt page and both monitor pages */
#define RING_PAGES 4u /* of host.channel_config */

static void start_connected(struct host *host, uint32_t cpus, uint64_t scontrol)
{
	record_start(host, cpus, scontrol);
	assert_int_equal(record_connect(host, HVK_VMBUS_MODE_BOOT), HVK_OK);
}

static void start_open(struct host *host, uint32_t cpus)
{
	start_connected(host, cpus, 0);
	assert_int_equal(host_open(host), HVK_OK);
	record_clear();
}

static uint32_t end(struct host *host)
{
	assert_int_equal(hvk_destroy(host->hvk), HVK_OK);
	return polled_port_end(&host->port);
}

/* No answer to UNLOAD. */
static void be_silent(struct host *host)
{
	host->answer_type = VMBUS_MSG_UNLOAD;
	host->says = NULL;
}

/* --- Orderly ------------------------------------------------------------------------------------- */

static const struct record off_from_0[] = {WROTE(SINT2, MASKED),
					   WROTE(HVK_REG_SIEFP, 0),
					   WROTE(HVK_REG_SIMP, 0),
					   WROTE(HVK_REG_SCONTROL, 0),
					   WROTE(HVK_REG_REFERENCE_TSC, 0),
					   WROTE(HVK_REG_HYPERCALL, 0),
					   WROTE(HVK_REG_GUEST_OS_ID, 0),
					   END};

static void orderly_in_order(void **state)
{
	static const struct record expected[] = {
		POSTED(VMBUS_MSG_UNLOAD),    WROTE(SINT2, MASKED),          WROTE(HVK_REG_SIEFP, 0),
		WROTE(HVK_REG_SIMP, 0),      WROTE(HVK_REG_SCONTROL, 0),    WROTE(HVK_REG_REFERENCE_TSC, 0),
		WROTE(HVK_REG_HYPERCALL, 0), WROTE(HVK_REG_GUEST_OS_ID, 0), END};
	struct host host;

	(void)state;
	start_connected(&host, 1, 0);
	assert_int_equal(hvk_handover_orderly(host.hvk, HVK_HANDOVER_OR_STOP), HVK_OK);
	assert_recorded(expected);
	assert_int_equal(reserved_pages(&host), 0);
	assert_int_equal(end(&host), 0);
}

/* What is in reserved bits stays, what was enabled does not come back, SCONTROL is as found. */
static void what_was_found_does_not_come_back(void **state)
{
	static const struct record expected[] = {POSTED(VMBUS_MSG_UNLOAD),
						 WROTE(SINT2, MASKED | 1ull << 40),
						 WROTE(HVK_REG_SIEFP, 0x24),
						 WROTE(HVK_REG_SIMP, 0x12),
						 WROTE(HVK_REG_SCONTROL, HV_SCONTROL_ENABLE),
						 WROTE(HVK_REG_REFERENCE_TSC, 0x36),
						 WROTE(HVK_REG_HYPERCALL, 0),
						 WROTE(HVK_REG_GUEST_OS_ID, 0),
						 END};
	struct host host;

	(void)state;
	record_start(&host, 1, HV_SCONTROL_ENABLE);
	assert_int_equal(hvk_cpu_stop(host.hvk), HVK_OK);
	assert_int_equal(hvk_stop(host.hvk), HVK_OK);
	host.hvk->config.take_over = true;
	host.port.registers[HVK_REG_GUEST_OS_ID] = 0x1040a00000000;
	host.port.registers[HVK_REG_HYPERCALL] = 0x9000 | HV_PAGE_ENABLE;
	host.port.registers[HVK_REG_REFERENCE_TSC] = 0xa000 | 0x36 | HV_PAGE_ENABLE;
	assert_int_equal(hvk_start(host.hvk), HVK_OK);
	host.port.registers[HVK_REG_SIMP] = 0x7000 | 0x12 | HV_PAGE_ENABLE;
	host.port.registers[HVK_REG_SIEFP] = 0x8000 | 0x24 | HV_PAGE_ENABLE;
	host.port.registers[SINT2] = 1ull << 40 | 0x41;
	assert_int_equal(hvk_cpu_start(host.hvk), HVK_OK);
	assert_int_equal(record_connect(&host, HVK_VMBUS_MODE_BOOT), HVK_OK);
	assert_int_equal(hvk_handover_orderly(host.hvk, HVK_HANDOVER_OR_STOP), HVK_OK);
	assert_recorded(expected);
	assert_int_equal(end(&host), 0);
}

/* Nothing is given back while a register still names it. */
static void memory_after_registers(void **state)
{
	struct host host;
	uint32_t last_write = 0;

	(void)state;
	start_connected(&host, 1, 0);
	assert_int_equal(hvk_handover_orderly(host.hvk, HVK_HANDOVER_OR_STOP), HVK_OK);
	for (uint32_t i = 0; i < recorder.count; i++) {
		if (recorder.entries[i].kind == RECORD_WRITE)
			last_write = i;
	}
	for (uint32_t i = 0; i < last_write; i++) {
		const struct record *entry = &recorder.entries[i];

		/* The bus' own pages: the host let go of them when it answered. */
		if (entry->kind == RECORD_FREE)
			assert_true(recorder.entries[i - 1].kind != RECORD_WRITE && entry->value < BUS_PAGES);
	}
	assert_int_equal(end(&host), 0);
}

/* Whoever is next must not find our messages, nor wait for ever behind one. */
static void the_slot_is_drained(void **state)
{
	struct host host;
	uint32_t eoms = 0;

	(void)state;
	start_connected(&host, 1, 0);
	be_silent(&host);
	host.says = &(const struct host_bytes){sizeof(golden_unload_response), {VMBUS_MSG_UNLOAD_RESPONSE}};
	(void)hvk_shared_or(&host.hvk->cpus[0].flags, 4, 1u << 7);
	hvk_vmbus_disconnect(host.hvk, &host.request);
	assert_int_equal(host_wait(&host), HVK_OK);
	for (unsigned i = 0; i < 5; i++)
		HOST_SAY(&host, golden_rescind_offer);
	(void)hvk_shared_or(&host.hvk->cpus[0].flags, 4, 1u << 7);
	record_clear();
	assert_int_equal(hvk_handover_orderly(host.hvk, HVK_HANDOVER_OR_STOP), HVK_OK);
	assert_int_equal(host.queue_count, 0);
	assert_false(recorder.flags_left);
	for (uint32_t i = 0; i < recorder.count; i++) {
		const struct record *entry = &recorder.entries[i];

		if (entry->kind == RECORD_WRITE && entry->what == HVK_REG_SIEFP)
			assert_int_equal(eoms, 4); /* all but the last one had more behind it */
		eoms += entry->kind == RECORD_WRITE && entry->what == HVK_REG_EOM;
	}
	assert_int_equal(eoms, 4);
	assert_int_equal(end(&host), 0);
}

static void an_open_channel_first(void **state)
{
	struct host host;

	(void)state;
	start_open(&host, 1);
	assert_int_equal(hvk_handover_orderly(host.hvk, HVK_HANDOVER_ANYWAY), HVK_EBUSY);
	assert_int_equal(recorder.count, 0);
	assert_int_equal(host_close(&host), HVK_OK);
	assert_int_equal(hvk_handover_orderly(host.hvk, HVK_HANDOVER_OR_STOP), HVK_OK);
	assert_int_equal(end(&host), 0);
}

/* A GPADL that its driver forgot is torn down before UNLOAD. */
static void a_gpadl_is_torn_down(void **state)
{
	struct hvk_gpadl gpadl = {0};
	struct host host;

	(void)state;
	start_connected(&host, 1, 0);
	hvk_gpadl_create(host.channel, 2, &gpadl, &host.request);
	assert_int_equal(host_wait(&host), HVK_OK);
	record_clear();
	assert_int_equal(hvk_handover_orderly(host.hvk, HVK_HANDOVER_OR_STOP), HVK_OK);
	assert_int_equal(recorder.entries[0].what, VMBUS_MSG_GPADL_TEARDOWN);
	assert_int_equal(host_posts(&host, VMBUS_MSG_UNLOAD), 2);
	assert_int_equal(reserved_pages(&host), 0);
	assert_int_equal(end(&host), 0);
}

static void without_an_answer_nothing_changes(void **state)
{
	static const struct record posted[] = {POSTED(VMBUS_MSG_UNLOAD), END};
	struct host host;

	(void)state;
	start_connected(&host, 1, 0);
	be_silent(&host);
	assert_int_equal(hvk_handover_orderly(host.hvk, HVK_HANDOVER_OR_STOP), HVK_ETIMEDOUT_UNLOAD);
	assert_recorded(posted);
	assert_int_equal(recorded(RECORD_FREE), 0);
	assert_true(host.port.registers[HVK_REG_SIMP] & HV_PAGE_ENABLE);
	assert_int_equal(reserved_pages(&host), BUS_PAGES);
	record_clear(); /* the caller's second choice */
	assert_int_equal(hvk_handover_orderly(host.hvk, HVK_HANDOVER_ANYWAY), HVK_ETIMEDOUT_UNLOAD);
	assert_recorded(off_from_0);
	assert_int_equal(reserved_pages(&host), BUS_PAGES);
	assert_int_equal(end(&host), BUS_PAGES);
}

static void a_teardown_without_an_answer_is_reserved(void **state)
{
	struct host host;
	uint64_t rings;

	(void)state;
	start_open(&host, 1);
	rings = hvk_page_gpa(host.hvk, &host.channel->rings.pages, 0);
	host.answer_type = VMBUS_MSG_GPADL_TEARDOWN;
	assert_int_equal(host_close(&host), HVK_ETIMEDOUT_TEARDOWN);
	assert_int_equal(hvk_handover_orderly(host.hvk, HVK_HANDOVER_OR_STOP), HVK_OK);
	assert_int_equal(reserved_pages(&host), RING_PAGES);
	assert_true(is_reserved(&host, rings) && is_reserved(&host, rings + 3 * HVK_PAGE_SIZE));
	assert_false(is_reserved(&host, rings + RING_PAGES * HVK_PAGE_SIZE));
	assert_int_equal(end(&host), RING_PAGES);
}

/* One range for what is consecutive, one for each that is not. */
static void ranges(void **state)
{
	struct hvk_handover_cursor cursor = {0, 0};
	struct hvk_mmio_range range;
	struct host host;

	(void)state;
	start_connected(&host, 1, 0);
	be_silent(&host);
	assert_int_equal(hvk_handover_orderly(host.hvk, HVK_HANDOVER_ANYWAY), HVK_ETIMEDOUT_UNLOAD);
	assert_true(hvk_handover_next_reserved(host.hvk, &cursor, &range));
	assert_int_equal(range.length, HVK_PAGE_SIZE);
	assert_true(hvk_handover_next_reserved(host.hvk, &cursor, &range));
	assert_int_equal(range.length, 2 * HVK_PAGE_SIZE);
	assert_false(hvk_handover_next_reserved(host.hvk, &cursor, &range));
	assert_false(hvk_handover_next_reserved(host.hvk, &cursor, &range));
	assert_int_equal(end(&host), BUS_PAGES);
}

static void a_host_below_3_0(void **state)
{
	static const struct record nothing[] = {END};
	struct host host;

	(void)state;
	record_start(&host, 1, 0);
	host.newest = VMBUS_VERSION_2_4;
	assert_int_equal(record_connect(&host, HVK_VMBUS_MODE_SYSTEM), HVK_OK);
	assert_int_equal(hvk_handover_orderly(host.hvk, HVK_HANDOVER_OR_STOP), HVK_EHOSTTOOOLD);
	assert_recorded(nothing);
	assert_int_equal(hvk_vmbus_state(host.hvk), HVK_VMBUS_CONNECTED);
	assert_int_equal(hvk_handover_orderly(host.hvk, HVK_HANDOVER_ANYWAY), HVK_EHOSTTOOOLD);
	assert_int_equal(reserved_pages(&host), BUS_PAGES);
	assert_int_equal(host.port.registers[HVK_REG_GUEST_OS_ID], 0);
	assert_int_equal(end(&host), BUS_PAGES);
}

/* Boot mode refused such a host: the machine is left as if nobody had been there. */
static void after_a_refusal(void **state)
{
	struct host host;

	(void)state;
	record_start(&host, 1, 0);
	host.newest = VMBUS_VERSION_2_4;
	assert_int_equal(record_connect(&host, HVK_VMBUS_MODE_BOOT), HVK_EHOSTTOOOLD);
	assert_int_equal(hvk_handover_orderly(host.hvk, HVK_HANDOVER_OR_STOP), HVK_OK);
	assert_recorded(off_from_0);
	assert_int_equal(reserved_pages(&host), 0);
	assert_int_equal(end(&host), 0);
}

static void each_other_cpu_first(void **state)
{
	struct host host;

	(void)state;
	start_connected(&host, 2, 0);
	assert_int_equal(hvk_handover_orderly(host.hvk, HVK_HANDOVER_OR_STOP), HVK_ESTATE);
	assert_int_equal(recorder.count, 0);
	assert_int_equal(hvk_handover_cpu(host.hvk), HVK_ESTATE); /* the contact CPU */
	run_on(&host, 1);
	assert_int_equal(hvk_handover_orderly(host.hvk, HVK_HANDOVER_OR_STOP), HVK_ESTATE);
	assert_int_equal(hvk_handover_cpu(host.hvk), HVK_OK);
	assert_int_equal(hvk_handover_cpu(host.hvk), HVK_ESTATE);
	assert_int_equal(recorded(RECORD_WRITE), 4);
	assert_int_equal(recorded(RECORD_FREE), 0);
	run_on(&host, 0);
	assert_int_equal(hvk_handover_orderly(host.hvk, HVK_HANDOVER_OR_STOP), HVK_OK);
	assert_int_equal(end(&host), 0);
}

static void the_event_timer_is_off(void **state)
{
	struct host host;

	(void)state;
	record_start(&host, 1, 0);
	host.hvk->hypervisor.info.access |= HV_ACCESS_SYNTHETIC_TIMERS;
	assert_int_equal(hvk_event_timer_start(host.hvk, 0), HVK_OK);
	record_clear();
	assert_int_equal(hvk_handover_orderly(host.hvk, HVK_HANDOVER_OR_STOP), HVK_OK);
	assert_int_equal(recorder.entries[0].what, HVK_REG_STIMER0_CONFIG);
	assert_int_equal(recorder.entries[3].what, SINT2);
	assert_int_equal(host.port.registers[HVK_REG_STIMER0_CONFIG], 0);
	assert_int_equal(end(&host), 0);
}

static bool hand_over_within(void *context, struct hvk_channel *channel)
{
	struct host *host = context;

	(void)channel;
	assert_int_equal(hvk_handover_orderly(host->hvk, HVK_HANDOVER_ANYWAY), HVK_ECONTEXT);
	assert_int_equal(hvk_handover_quiesce(host->hvk), HVK_ECONTEXT);
	return false;
}

static void not_from_a_callback(void **state)
{
	struct host host;

	(void)state;
	start_connected(&host, 1, 0);
	host.channel_config.ready = hand_over_within;
	host.channel_config.context = &host;
	assert_int_equal(host_open(&host), HVK_OK);
	host_poll(&host);
	assert_true(host.hvk->bus->state == HVK_VMBUS_CONNECTED);
	assert_int_equal(host_close(&host), HVK_OK);
	assert_int_equal(hvk_handover_orderly(host.hvk, HVK_HANDOVER_OR_STOP), HVK_OK);
	assert_int_equal(hvk_handover_orderly(host.hvk, HVK_HANDOVER_OR_STOP), HVK_ESTATE);
	assert_int_equal(end(&host), 0);
}

/* --- Abrupt ---------------------------------------------------------------------------------------- */

/* Gives the memory back without a register. */
static uint32_t end_quietly(struct host *host)
{
	record_clear();
	for (uint32_t cpu = hvk_cpu_count(host->hvk); cpu-- > 0;) {
		run_on(host, cpu);
		assert_int_equal(hvk_cpu_stop(host->hvk), HVK_OK);
	}
	assert_int_equal(hvk_stop(host->hvk), HVK_OK);
	assert_int_equal(recorded(RECORD_WRITE) + recorded(RECORD_POST), 0);
	return end(host);
}

static void abrupt_in_order(void **state)
{
	static const struct record expected[] = {
		POSTED(VMBUS_MSG_UNLOAD),    WROTE(SINT2, MASKED),          WROTE(HVK_REG_SIEFP, 0),
		WROTE(HVK_REG_SIMP, 0),      WROTE(HVK_REG_SCONTROL, 0),    WROTE(HVK_REG_REFERENCE_TSC, 0),
		WROTE(HVK_REG_HYPERCALL, 0), WROTE(HVK_REG_GUEST_OS_ID, 0), END};
	struct host host;

	(void)state;
	start_open(&host, 1);
	host.port.fail_allocation = 1;
	host.port.locks = 2; /* a third one would end the test */
	assert_int_equal(hvk_handover_abrupt(host.hvk, UNLOAD_MS), HVK_OK);
	host.port.locks = 0;
	assert_int_equal(host.port.fail_allocation, 1);
	assert_recorded(expected);
	assert_int_equal(recorded(RECORD_FREE), 0);
	assert_int_equal(reserved_pages(&host), 0);
	assert_int_equal(end_quietly(&host), 0);
}

static void abrupt_without_an_answer(void **state)
{
	struct host host;
	uint64_t rings;

	(void)state;
	start_open(&host, 1);
	rings = hvk_page_gpa(host.hvk, &host.channel->rings.pages, 0);
	be_silent(&host);
	assert_int_equal(hvk_handover_abrupt(host.hvk, UNLOAD_MS), HVK_ETIMEDOUT_UNLOAD);
	assert_int_equal(host.port.registers[HVK_REG_SIMP], 0);
	assert_int_equal(host.port.registers[HVK_REG_GUEST_OS_ID], 0);
	assert_int_equal(reserved_pages(&host), BUS_PAGES + RING_PAGES);
	assert_true(is_reserved(&host, rings));
	/* Asked once more, it has still not answered. */
	assert_int_equal(hvk_handover_abrupt(host.hvk, UNLOAD_MS), HVK_ETIMEDOUT_UNLOAD);
	assert_int_equal(end_quietly(&host), BUS_PAGES + RING_PAGES);
}

static void abrupt_below_3_0(void **state)
{
	struct host host;

	(void)state;
	record_start(&host, 1, 0);
	host.newest = VMBUS_VERSION_2_4;
	assert_int_equal(record_connect(&host, HVK_VMBUS_MODE_SYSTEM), HVK_OK);
	assert_int_equal(hvk_handover_abrupt(host.hvk, UNLOAD_MS), HVK_EHOSTTOOOLD);
	assert_int_equal(reserved_pages(&host), BUS_PAGES);
	assert_int_equal(end_quietly(&host), BUS_PAGES);
}

static void abrupt_with_another_cpu(void **state)
{
	struct host host;
	uint64_t messages;

	(void)state;
	start_open(&host, 2);
	messages = hvk_page_gpa(host.hvk, &host.hvk->cpus[1].message_page, 0);
	assert_int_equal(hvk_handover_abrupt(host.hvk, UNLOAD_MS), HVK_EBUSY);
	assert_int_equal(reserved_pages(&host), 2);
	assert_true(is_reserved(&host, messages));
	run_on(&host, 1);
	assert_int_equal(hvk_handover_cpu(host.hvk), HVK_OK);
	assert_int_equal(reserved_pages(&host), 0);
	run_on(&host, 0);
	assert_int_equal(end_quietly(&host), 0);
}

static void abrupt_with_nothing_connected(void **state)
{
	struct host host;

	(void)state;
	record_start(&host, 1, 0);
	assert_int_equal(hvk_handover_abrupt(host.hvk, UNLOAD_MS), HVK_OK);
	assert_recorded(off_from_0);
	assert_int_equal(end_quietly(&host), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orderly_in_order),
		cmocka_unit_test(what_was_found_does_not_come_back),
		cmocka_unit_test(memory_after_registers),
		cmocka_unit_test(the_slot_is_drained),
		cmocka_unit_test(an_open_channel_first),
		cmocka_unit_test(a_gpadl_is_torn_down),
		cmocka_unit_test(without_an_answer_nothing_changes),
		cmocka_unit_test(a_teardown_without_an_answer_is_reserved),
		cmocka_unit_test(ranges),
		cmocka_unit_test(a_host_below_3_0),
		cmocka_unit_test(after_a_refusal),
		cmocka_unit_test(each_other_cpu_first),
		cmocka_unit_test(the_event_timer_is_off),
		cmocka_unit_test(not_from_a_callback),
		cmocka_unit_test(abrupt_in_order),
		cmocka_unit_test(abrupt_without_an_answer),
		cmocka_unit_test(abrupt_below_3_0),
		cmocka_unit_test(abrupt_with_another_cpu),
		cmocka_unit_test(abrupt_with_nothing_connected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
