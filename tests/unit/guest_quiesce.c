/* SPDX-License-Identifier: MIT */
/* Stepping aside for a loaded system whose disk we serve, and coming back (iPXE b91cc983d). */
#include "tests/unit/guest_leaving_record.h"

#define BUS_PAGES 3u
#define RING_PAGES 4u
#define OTHER_SINT (HVK_REG_SINT0 + 4)
#define HYPERCALL_LOCKED 2u

static struct hvk_channel *opened;

static void start(struct host *host, enum hvk_vmbus_mode mode)
{
	record_start(host, 1, 0);
	for (uint32_t n = 0; n < HV_SINT_COUNT; n++) {
		if (n != VMBUS_SINT)
			host->port.registers[HVK_REG_SINT0 + n] = MASKED;
	}
	assert_int_equal(record_connect(host, mode), HVK_OK);
	assert_int_equal(host_open(host), HVK_OK);
	opened = host->channel;
	record_clear();
}

static void quiesce(struct host *host)
{
	assert_int_equal(hvk_handover_quiesce(host->hvk), HVK_OK);
	assert_true(hvk_handover_quiesced(host->hvk));
	record_clear();
	host->post_count = 0;
}

static void close_and_leave(struct host *host, struct hvk_channel *channel)
{
	hvk_channel_close(channel, &host->request);
	assert_int_equal(host_wait(host), HVK_OK);
	host_poll(host);
	assert_int_equal(hvk_handover_orderly(host->hvk, HVK_HANDOVER_OR_STOP), HVK_OK);
	assert_int_equal(hvk_destroy(host->hvk), HVK_OK);
	assert_int_equal(polled_port_end(&host->port), 0);
}

/* --- Off --------------------------------------------------------------------------------------- */

/* SCONTROL stays, UNLOAD is not said, nothing is given back. */
static void off_in_order(void **state)
{
	static const struct record expected[] = {
		WROTE(OTHER_SINT, MASKED | 0x41), WROTE(SINT2, MASKED),
		WROTE(HVK_REG_SIEFP, 0),          WROTE(HVK_REG_SIMP, 0),
		WROTE(HVK_REG_REFERENCE_TSC, 0),  WROTE(HVK_REG_HYPERCALL, 0),
		WROTE(HVK_REG_GUEST_OS_ID, 0),    END};
	struct host host;

	(void)state;
	start(&host, HVK_VMBUS_MODE_BOOT);
	host.port.registers[OTHER_SINT] = 0x41;
	(void)hvk_shared_or(&host.hvk->cpus[0].flags, 4, 1u << 7);
	assert_int_equal(hvk_handover_quiesce(host.hvk), HVK_OK);
	assert_recorded(expected);
	assert_false(recorder.flags_left);
	assert_int_equal(recorded(RECORD_FREE), 0);
	assert_int_equal(host.port.registers[HVK_REG_SCONTROL], HV_SCONTROL_ENABLE);
	assert_int_equal(hvk_handover_unquiesce(host.hvk), HVK_OK);
	close_and_leave(&host, opened);
}

static void a_message_in_the_slot_is_dropped(void **state)
{
	struct host host;

	(void)state;
	start(&host, HVK_VMBUS_MODE_BOOT);
	HOST_SAY(&host, golden_rescind_offer);
	HOST_SAY(&host, golden_rescind_offer);
	quiesce(&host);
	assert_int_equal(host.queue_count, 0);
	assert_int_equal(hvk_shared_load(&host.hvk->cpus[0].slot, HVK_SLOT_TYPE), HV_MESSAGE_NONE);
	assert_int_equal(hvk_handover_unquiesce(host.hvk), HVK_OK);
	close_and_leave(&host, opened);
}

/* The machine is the loaded system's: nothing of ours touches it. */
static void nothing_happens_meanwhile(void **state)
{
	struct host host;

	(void)state;
	start(&host, HVK_VMBUS_MODE_BOOT);
	quiesce(&host);
	assert_int_equal(hvk_handover_quiesce(host.hvk), HVK_ESTATE);
	assert_false(hvk_poll(host.hvk, 0));
	hvk_interrupt(host.hvk, 0);
	assert_int_equal(hvk_next_deadline(host.hvk, 0), HVK_NEVER);
	assert_int_equal(hvk_cpu_stop(host.hvk), HVK_ESTATE);
	assert_int_equal(hvk_handover_cpu(host.hvk), HVK_ESTATE);
	assert_int_equal(hvk_handover_orderly(host.hvk, HVK_HANDOVER_ANYWAY), HVK_ESTATE);
	assert_int_equal(hvk_handover_abrupt(host.hvk, 0), HVK_ESTATE);
	assert_int_equal(recorder.count, 0);
	assert_int_equal(reserved_pages(&host), BUS_PAGES + RING_PAGES);
	assert_int_equal(hvk_handover_unquiesce(host.hvk), HVK_OK);
	assert_int_equal(reserved_pages(&host), 0);
	close_and_leave(&host, opened);
}

static void only_at_rest(void **state)
{
	struct hvk_request request = {0};
	struct hvk_gpadl gpadl = {0};
	struct host host;

	(void)state;
	record_start(&host, 1, 0);
	assert_int_equal(hvk_handover_quiesce(host.hvk), HVK_ESTATE); /* not connected */
	assert_int_equal(hvk_handover_unquiesce(host.hvk), HVK_ESTATE);
	assert_int_equal(record_connect(&host, HVK_VMBUS_MODE_BOOT), HVK_OK);
	hvk_gpadl_create(host.channel, 1, &gpadl, &request);
	assert_int_equal(hvk_handover_quiesce(host.hvk), HVK_ESTATE);
	assert_int_equal(hvk_wait(host.hvk, &request, HOST_WAIT_MS), HVK_OK);
	hvk_gpadl_teardown(&gpadl, &request);
	assert_int_equal(hvk_handover_quiesce(host.hvk), HVK_ESTATE);
	assert_int_equal(hvk_wait(host.hvk, &request, HOST_WAIT_MS), HVK_OK);
	hvk_vmbus_disconnect(host.hvk, &host.request);
	assert_int_equal(hvk_handover_quiesce(host.hvk), HVK_ESTATE);
	assert_int_equal(host_wait(&host), HVK_OK);
	assert_int_equal(recorded(RECORD_WRITE), 0);
	assert_int_equal(host_end(&host), 0);
}

static void one_cpu_alone(void **state)
{
	struct host host;

	(void)state;
	record_start(&host, 2, 0);
	assert_int_equal(record_connect(&host, HVK_VMBUS_MODE_BOOT), HVK_OK);
	assert_int_equal(hvk_handover_quiesce(host.hvk), HVK_ESTATE);
	run_on(&host, 1);
	assert_int_equal(hvk_cpu_stop(host.hvk), HVK_OK);
	assert_int_equal(hvk_handover_quiesce(host.hvk), HVK_ESTATE);
	run_on(&host, 0);
	quiesce(&host);
	assert_int_equal(hvk_handover_unquiesce(host.hvk), HVK_OK);
	assert_int_equal(host_end(&host), 0);
}

/* --- On again ------------------------------------------------------------------------------------ */

static uint32_t contact_version(const struct host *host, uint32_t n)
{
	return get_word(host_post(host, VMBUS_MSG_INITIATE_CONTACT, n)->bytes, 8);
}

static void on_again_in_order(void **state)
{
	static const struct record expected[] = {POSTED(VMBUS_MSG_INITIATE_CONTACT), POSTED(VMBUS_MSG_UNLOAD),
						 POSTED(VMBUS_MSG_INITIATE_CONTACT),
						 POSTED(VMBUS_MSG_REQUEST_OFFERS), END};
	static const uint64_t registers[] = {HVK_REG_GUEST_OS_ID, HVK_REG_HYPERCALL, HVK_REG_REFERENCE_TSC,
					     HVK_REG_SIMP,        HVK_REG_SIEFP,     SINT2,
					     HVK_REG_SCONTROL};
	struct host host;
	uint32_t count = sizeof(registers) / sizeof(registers[0]);

	(void)state;
	start(&host, HVK_VMBUS_MODE_BOOT);
	quiesce(&host);
	assert_int_equal(hvk_handover_unquiesce(host.hvk), HVK_OK);
	for (uint32_t n = 0; n < count; n++) {
		assert_int_equal(recorder.entries[n].kind, RECORD_WRITE);
		assert_int_equal(recorder.entries[n].what, registers[n]);
	}
	for (uint32_t n = count; n < recorder.count; n++) /* end-of-message apart: what was said */
		if (recorder.entries[n].kind == RECORD_WRITE)
			assert_int_equal(recorder.entries[n].what, HVK_REG_EOM);
	assert_int_equal(host.port.registers[HVK_REG_SIMP] & HV_PAGE_ENABLE, HV_PAGE_ENABLE);
	assert_int_equal(host.port.registers[SINT2], HVK_VECTOR_DEFAULT);
	for (uint32_t n = 0; n < 4; n++)
		assert_int_equal(host.posts[n].type, expected[n].what);
	assert_int_equal(host.post_count, 4);
	assert_int_equal(contact_version(&host, 0), VMBUS_VERSION_3_0);
	assert_int_equal(contact_version(&host, 1), VMBUS_VERSION_0_13);
	close_and_leave(&host, opened);
}

static void in_system_mode_too(void **state)
{
	struct host host;

	(void)state;
	start(&host, HVK_VMBUS_MODE_SYSTEM);
	quiesce(&host);
	assert_int_equal(hvk_handover_unquiesce(host.hvk), HVK_OK);
	assert_int_equal(contact_version(&host, 0), VMBUS_VERSION_5_3);
	assert_int_equal(host_posts(&host, VMBUS_MSG_UNLOAD), 0);
	close_and_leave(&host, opened);
}

/* Of the old connection nothing is said any more: no CLOSE, no teardown, no id given back. */
static void what_was_open_is_over(void **state)
{
	struct hvk_channel *before, *after;
	struct host host;
	uint64_t rings;

	(void)state;
	start(&host, HVK_VMBUS_MODE_BOOT);
	before = host.channel;
	rings = hvk_page_gpa(host.hvk, &before->rings.pages, 0);
	quiesce(&host);
	assert_int_equal(hvk_handover_unquiesce(host.hvk), HVK_OK);
	after = host.channel;
	assert_int_equal(host.offered, 2);
	assert_ptr_not_equal(before, after);
	assert_int_equal(hvk_channel_state(before), HVK_CHANNEL_RESCINDED);
	assert_int_equal(host.gone, 0);
	host.post_count = 0;
	record_clear();
	hvk_channel_close(before, &host.request);
	assert_int_equal(host_wait(&host), HVK_OK);
	host_poll(&host);
	assert_int_equal(host.gone, 1);
	assert_int_equal(host.post_count, 0);
	assert_int_equal(recorded(RECORD_FREE), 1);
	assert_int_equal(recorder.entries[0].what, rings);
	assert_int_equal(host_open(&host), HVK_OK);
	close_and_leave(&host, after);
}

/* A driver that closes before the host has answered: it is not told of a channel that it does not know. */
static void closed_while_contact_is_made(void **state)
{
	struct hvk_request contact = {0};
	struct host host;

	(void)state;
	start(&host, HVK_VMBUS_MODE_BOOT);
	host.post_count = 0;
	host.answer_type = VMBUS_MSG_INITIATE_CONTACT;
	host.says = NULL;
	hvk_vmbus_reconnect(host.hvk, &contact);
	(void)hvk_poll(host.hvk, 0);
	assert_int_equal(host.post_count, 1);
	hvk_channel_close(host.channel, &host.request);
	for (unsigned i = 0; i < 5; i++) {
		host.port.port.pause(&host.port);
		(void)hvk_poll(host.hvk, 0);
	}
	assert_int_equal(host.post_count, 1);
	assert_int_equal(recorded(RECORD_FREE), 0);
	HOST_SAY_WITH(&host, golden_version_response_5_3, 12, VMBUS_VERSION_3_0);
	assert_int_equal(hvk_wait(host.hvk, &contact, HOST_WAIT_MS), HVK_OK);
	assert_int_equal(host.request.status, HVK_OK);
	host_poll(&host);
	assert_int_equal(host_posts(&host, VMBUS_MSG_CLOSE_CHANNEL), 0);
	assert_int_equal(host_posts(&host, VMBUS_MSG_GPADL_TEARDOWN), 0);
	assert_int_equal(host.gone, 1);
	assert_int_equal(host_end(&host), 0);
}

/* --- Not again ------------------------------------------------------------------------------------ */

static void not_while_it_is_in_use(void **state)
{
	struct host host;

	(void)state;
	start(&host, HVK_VMBUS_MODE_BOOT);
	quiesce(&host);
	host.port.registers[HVK_REG_SIMP] = 0x7000 | HV_PAGE_ENABLE;
	host.port.registers[HVK_REG_GUEST_OS_ID] = 0x1040a00000000ull;
	assert_int_equal(hvk_handover_unquiesce(host.hvk), HVK_EINUSE);
	host.port.registers[HVK_REG_SIMP] = 0;
	host.port.registers[HVK_REG_GUEST_OS_ID] = HV_OS_ID_FIRMWARE;
	assert_int_equal(hvk_handover_unquiesce(host.hvk), HVK_EOWNED);
	host.port.registers[HVK_REG_GUEST_OS_ID] = 0;
	host.port.registers[HVK_REG_HYPERCALL] = HYPERCALL_LOCKED;
	assert_int_equal(hvk_handover_unquiesce(host.hvk), HVK_EINUSE);
	assert_int_equal(recorder.count, 0);
	assert_true(hvk_handover_quiesced(host.hvk));
	host.port.registers[HVK_REG_HYPERCALL] = 0;
	host.port.registers[HVK_REG_GUEST_OS_ID] = 0x1040a00000000ull; /* winload leaves one */
	assert_int_equal(hvk_handover_unquiesce(host.hvk), HVK_OK);
	close_and_leave(&host, opened);
}

/* A register faults on the way: all is off again, and it may be tried again. */
static void a_fault_on_the_way(void **state)
{
	struct host host;
	unsigned failed = 0;
	hvk_status status;

	(void)state;
	start(&host, HVK_VMBUS_MODE_BOOT);
	quiesce(&host);
	for (uint32_t n = 1;; n++) {
		host.port.fail_register = n;
		status = hvk_handover_unquiesce(host.hvk);
		if (host.port.fail_register != 0)
			break;          /* more than it accesses before contact */
		if (status == HVK_OK) { /* the reference TSC page is not needed */
			quiesce(&host);
			continue;
		}
		failed++;
		assert_int_equal(status, HVK_EPRIVILEGE);
		assert_true(hvk_handover_quiesced(host.hvk));
		assert_int_equal(host.post_count, 0);
		assert_int_equal(host.port.registers[HVK_REG_SIMP] & HV_PAGE_ENABLE, 0);
		assert_int_equal(host.port.registers[HVK_REG_GUEST_OS_ID], 0);
		assert_int_equal(host.port.registers[HVK_REG_HYPERCALL], 0);
		if (n > 40)
			break;
	}
	assert_in_range(failed, 8, 20);
	host.port.fail_register = 0;
	if (hvk_handover_quiesced(host.hvk))
		assert_int_equal(hvk_handover_unquiesce(host.hvk), HVK_OK);
	host_poll(&host);
	assert_int_equal(hvk_vmbus_state(host.hvk), HVK_VMBUS_CONNECTED);
	(void)hvk_handover_abrupt(host.hvk, 100);
	assert_int_equal(hvk_cpu_stop(host.hvk), HVK_OK);
	assert_int_equal(hvk_stop(host.hvk), HVK_OK);
	assert_int_equal(hvk_destroy(host.hvk), HVK_OK);
	assert_int_equal(polled_port_end(&host.port), 0);
}

/* Nobody answers: nobody knows whether it still writes. */
static void without_an_answer(void **state)
{
	struct hvk_gpadl gpadl = {0};
	struct host host;
	uint32_t pages = BUS_PAGES + RING_PAGES + 1;

	(void)state;
	start(&host, HVK_VMBUS_MODE_BOOT);
	hvk_gpadl_create(opened, 1, &gpadl, &host.request);
	assert_int_equal(host_wait(&host), HVK_OK);
	quiesce(&host);
	host.answer_type = VMBUS_MSG_INITIATE_CONTACT;
	assert_int_equal(hvk_handover_unquiesce(host.hvk), HVK_ETIMEDOUT_CONTACT);
	assert_int_equal(hvk_vmbus_state(host.hvk), HVK_VMBUS_ABANDONED);
	assert_int_equal(reserved_pages(&host), pages);
	hvk_gpadl_teardown(&gpadl, &host.request); /* by a driver that does not know it yet */
	assert_int_equal(recorded(RECORD_FREE), 0);
	assert_int_equal(hvk_handover_orderly(host.hvk, HVK_HANDOVER_OR_STOP), HVK_ETIMEDOUT_UNLOAD);
	assert_int_equal(hvk_handover_orderly(host.hvk, HVK_HANDOVER_ANYWAY), HVK_ETIMEDOUT_UNLOAD);
	assert_int_equal(reserved_pages(&host), pages);
	assert_int_equal(hvk_destroy(host.hvk), HVK_OK);
	assert_int_equal(polled_port_end(&host.port), pages);
}

static void a_refusal(void **state)
{
	struct hvk_channel *before;
	struct host host;

	(void)state;
	start(&host, HVK_VMBUS_MODE_BOOT);
	before = host.channel;
	quiesce(&host);
	host.newest = VMBUS_VERSION_2_4;
	assert_int_equal(hvk_handover_unquiesce(host.hvk), HVK_EHOSTTOOOLD);
	assert_int_equal(hvk_vmbus_state(host.hvk), HVK_VMBUS_COLD);
	close_and_leave(&host, before); /* that there is nothing to say to the host, and nothing waits */
	assert_int_equal(host.gone, 1);
	assert_int_equal(host_posts(&host, VMBUS_MSG_CLOSE_CHANNEL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(off_in_order),
		cmocka_unit_test(a_message_in_the_slot_is_dropped),
		cmocka_unit_test(nothing_happens_meanwhile),
		cmocka_unit_test(only_at_rest),
		cmocka_unit_test(one_cpu_alone),
		cmocka_unit_test(on_again_in_order),
		cmocka_unit_test(in_system_mode_too),
		cmocka_unit_test(what_was_open_is_over),
		cmocka_unit_test(closed_while_contact_is_made),
		cmocka_unit_test(not_while_it_is_in_use),
		cmocka_unit_test(a_fault_on_the_way),
		cmocka_unit_test(without_an_answer),
		cmocka_unit_test(a_refusal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
