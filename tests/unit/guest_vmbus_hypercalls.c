/* SPDX-License-Identifier: MIT */
/* Each status that a post can get: tried again, the next version, or the end. */
#include "tests/unit/guest_vmbus_host.h"

static const uint32_t passing[] = {HV_STATUS_INSUFFICIENT_MEMORY, HV_STATUS_INSUFFICIENT_BUFFERS,
				   HV_STATUS_TIMEOUT, HV_STATUS_INVALID_CONNECTION_ID};
static const uint32_t final[] = {HV_STATUS_INVALID_HYPERCALL_CODE, HV_STATUS_INVALID_PARAMETER,
				 HV_STATUS_ACCESS_DENIED, HV_STATUS_INVALID_PORT_ID,
				 HV_STATUS_INVALID_SYNIC_STATE};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define RETRIES 3u

static uint64_t retries(const struct host *host)
{
	struct hvk_counters counters;

	hvk_get_counters(host->hvk, &counters);
	return counters.post_retries;
}

/* A connection in which each message of ours is posted. */
static void whole_life(struct host *host)
{
	struct hvk_gpadl gpadl;

	assert_int_equal(host_connect(host), HVK_OK);
	hvk_gpadl_create(host->channel, 28, &gpadl, &host->request);
	assert_int_equal(host_wait(host), HVK_OK);
	assert_int_equal(host_open(host), HVK_OK);
	assert_int_equal(host_close(host), HVK_OK);
	hvk_gpadl_teardown(&gpadl, &host->request);
	assert_int_equal(host_wait(host), HVK_OK);
	HOST_SAY(host, golden_rescind_offer);
	host_poll(host);
	for (uint32_t i = 0; i < 40 && host->gone == 0; i++)
		host_poll(host);
	assert_int_equal(host->gone, 1);
	assert_int_equal(host_disconnect(host), HVK_OK);
}

static void passes(uint32_t type, uint32_t status)
{
	struct host host;
	const struct host_post *first, *again;
	uint32_t once;

	host_start(&host, 0);
	whole_life(&host);
	once = host_posts(&host, type);
	assert_true(once >= 1);
	assert_int_equal(retries(&host), 0);
	assert_int_equal(host_end(&host), 0);

	host_start(&host, 0);
	host.fail_type = type;
	host.fail_status = status;
	host.fail_count = RETRIES;
	whole_life(&host);
	assert_int_equal(host_posts(&host, type), once + RETRIES);
	assert_int_equal(retries(&host), RETRIES);
	assert_int_equal(host_faults(&host), 0);
	first = host_post(&host, type, 0);
	for (uint32_t n = 1; n <= RETRIES; n++) {
		again = host_post(&host, type, n);
		assert_int_equal(again->length, first->length);
		assert_int_equal(again->connection, first->connection);
		assert_memory_equal(again->bytes, first->bytes, first->length);
		assert_true(again->time > host_post(&host, type, n - 1)->time);
	}
	assert_int_equal(host_end(&host), 0);
}

static void later_messages_are_tried_again(void **state)
{
	static const uint32_t types[] = {VMBUS_MSG_REQUEST_OFFERS, VMBUS_MSG_GPADL_HEADER,
					 VMBUS_MSG_GPADL_BODY,     VMBUS_MSG_OPEN_CHANNEL,
					 VMBUS_MSG_CLOSE_CHANNEL,  VMBUS_MSG_GPADL_TEARDOWN,
					 VMBUS_MSG_RELID_RELEASED, VMBUS_MSG_UNLOAD};

	(void)state;
	for (uint32_t i = 0; i < COUNT(types); i++) {
		for (uint32_t j = 0; j < COUNT(passing); j++)
			passes(types[i], passing[j]);
	}
}

/* But 0x12: that has a meaning of its own there. */
static void contact_is_tried_again(void **state)
{
	(void)state;
	for (uint32_t j = 0; j < COUNT(passing); j++) {
		if (passing[j] != HV_STATUS_INVALID_CONNECTION_ID)
			passes(VMBUS_MSG_INITIATE_CONTACT, passing[j]);
	}
}

static void not_for_ever(void **state)
{
	struct host host;

	(void)state;
	for (uint32_t j = 0; j < COUNT(passing); j++) {
		uint64_t begun;

		host_start(&host, 0);
		assert_int_equal(host_connect(&host), HVK_OK);
		host.fail_type = VMBUS_MSG_OPEN_CHANNEL;
		host.fail_status = passing[j];
		host.fail_count = HOST_EVER;
		begun = host.port.now;
		assert_int_equal(host_open(&host), HVK_ETIMEDOUT_POST);
		assert_in_range(host.port.now - begun, 5 * HVK_TIME_PER_SECOND, 6 * HVK_TIME_PER_SECOND);
		/* Each waits longer, up to 128 ms. */
		assert_in_range(host_posts(&host, VMBUS_MSG_OPEN_CHANNEL), 40, 60);
		assert_int_equal(hvk_channel_state(host.channel), HVK_CHANNEL_CLOSED);
		assert_int_equal(host_posts(&host, VMBUS_MSG_CLOSE_CHANNEL), 0);
		host.fail_count = 0;
		assert_int_equal(host_open(&host), HVK_OK); /* nothing is left of it */
		assert_int_equal(host_end(&host), 0);

		host_start(&host, 0);
		host.fail_type = VMBUS_MSG_REQUEST_OFFERS;
		host.fail_status = passing[j];
		host.fail_count = HOST_EVER;
		assert_int_equal(host_connect(&host), HVK_ETIMEDOUT_POST);
		assert_int_equal(hvk_vmbus_state(host.hvk), HVK_VMBUS_ABANDONED);
		assert_int_equal(host_end(&host), 3);
	}
}

static void no_connection_4_means_an_older_version(void **state)
{
	static const uint32_t versions[] = {VMBUS_VERSION_5_3, VMBUS_VERSION_5_2, VMBUS_VERSION_5_1,
					    VMBUS_VERSION_5_0, VMBUS_VERSION_4_1};
	struct host host;

	(void)state;
	host_start(&host, 0);
	host.no_connection_4 = true;
	assert_int_equal(host_connect(&host), HVK_OK);
	assert_int_equal(hvk_vmbus_version(host.hvk), VMBUS_VERSION_4_1);
	assert_int_equal(host_posts(&host, VMBUS_MSG_INITIATE_CONTACT), COUNT(versions));
	for (uint32_t n = 0; n < COUNT(versions); n++) {
		const struct host_post *post = host_post(&host, VMBUS_MSG_INITIATE_CONTACT, n);
		uint32_t version = 0;
		bool accepted = false;

		assert_int_equal(get_word(post->bytes, 8), versions[n]);
		assert_int_equal(post->connection, versions[n] >= VMBUS_VERSION_5_0 ? 4 : 1);
		assert_true(hvk_vmbus_attempt(host.hvk, n, &version, &accepted));
		assert_int_equal(version, versions[n]);
		assert_int_equal(accepted, n + 1 == COUNT(versions));
	}
	assert_int_equal(host_post(&host, VMBUS_MSG_REQUEST_OFFERS, 0)->connection, 1);
	assert_int_equal(host_faults(&host), 0);
	assert_int_equal(host_end(&host), 0);
}

static void no_connection_at_all_means_no_version(void **state)
{
	struct host host;

	(void)state;
	host_start(&host, 0);
	host.fail_type = VMBUS_MSG_INITIATE_CONTACT;
	host.fail_status = HV_STATUS_INVALID_CONNECTION_ID;
	host.fail_count = HOST_EVER;
	assert_int_equal(host_connect(&host), HVK_EVERSION);
	assert_int_equal(host.post_count, 10);
	assert_int_equal(hvk_vmbus_state(host.hvk), HVK_VMBUS_COLD);
	host.fail_count = 0;
	assert_int_equal(host_connect(&host), HVK_OK);
	assert_int_equal(host_end(&host), 0);
}

/* --- The end -------------------------------------------------------------------------- */

static void fails(struct host *host, uint32_t type, uint32_t status)
{
	host->fail_type = type;
	host->fail_status = status;
	host->fail_count = HOST_EVER;
}

/* Asked once, told once, and the bus in that state; left: pages that are withheld. */
static void failed(struct host *host, uint32_t type, enum hvk_vmbus_state state, uint32_t left)
{
	assert_int_equal(host_posts(host, type), 1);
	assert_int_equal(retries(host), 0);
	assert_int_equal(host_faults(host), 1);
	assert_int_equal(hvk_vmbus_state(host->hvk), state);
	host->fail_count = 0;
	assert_int_equal(host_end(host), left);
}

static void bus_messages_that_fail(void **state)
{
	struct host host;

	(void)state;
	for (uint32_t i = 0; i < COUNT(final); i++) {
		host_start(&host, 0);
		fails(&host, VMBUS_MSG_INITIATE_CONTACT, final[i]);
		assert_int_equal(host_connect(&host), HVK_EHYPERCALL);
		failed(&host, VMBUS_MSG_INITIATE_CONTACT, HVK_VMBUS_COLD, 0);

		host_start(&host, 0);
		fails(&host, VMBUS_MSG_REQUEST_OFFERS, final[i]);
		assert_int_equal(host_connect(&host), HVK_EHYPERCALL);
		failed(&host, VMBUS_MSG_REQUEST_OFFERS, HVK_VMBUS_ABANDONED, 3);

		host_start(&host, 0);
		assert_int_equal(host_connect(&host), HVK_OK);
		fails(&host, VMBUS_MSG_UNLOAD, final[i]);
		assert_int_equal(host_disconnect(&host), HVK_EHYPERCALL);
		failed(&host, VMBUS_MSG_UNLOAD, HVK_VMBUS_ABANDONED, 3);
	}
}

static void open_that_fails(void **state)
{
	struct host host;

	(void)state;
	for (uint32_t i = 0; i < COUNT(final); i++) {
		host_start(&host, 0);
		assert_int_equal(host_connect(&host), HVK_OK);
		fails(&host, VMBUS_MSG_OPEN_CHANNEL, final[i]);
		assert_int_equal(host_open(&host), HVK_EHYPERCALL);
		assert_int_equal(hvk_channel_state(host.channel), HVK_CHANNEL_CLOSED);
		assert_int_equal(host_posts(&host, VMBUS_MSG_CLOSE_CHANNEL), 0); /* it never heard */
		assert_int_equal(host_posts(&host, VMBUS_MSG_GPADL_TEARDOWN), 1);
		failed(&host, VMBUS_MSG_OPEN_CHANNEL, HVK_VMBUS_CONNECTED, 0);
	}
}

/* Pages are withheld as soon as the host may know of them. */
static void gpadls_that_fail(void **state)
{
	static const struct {
		uint32_t type, withheld;
	} rows[] = {{VMBUS_MSG_GPADL_HEADER, 0}, {VMBUS_MSG_GPADL_BODY, 28}, {VMBUS_MSG_GPADL_TEARDOWN, 28}};
	struct hvk_gpadl gpadl;
	struct host host;

	(void)state;
	for (uint32_t i = 0; i < COUNT(final) * COUNT(rows); i++) {
		uint32_t type = rows[i % COUNT(rows)].type;
		hvk_status status;

		host_start(&host, 0);
		assert_int_equal(host_connect(&host), HVK_OK);
		fails(&host, type, final[i / COUNT(rows)]);
		hvk_gpadl_create(host.channel, 28, &gpadl, &host.request);
		status = host_wait(&host);
		if (type == VMBUS_MSG_GPADL_TEARDOWN) {
			assert_int_equal(status, HVK_OK);
			hvk_gpadl_teardown(&gpadl, &host.request);
			status = host_wait(&host);
		}
		assert_int_equal(status, HVK_EHYPERCALL);
		failed(&host, type, HVK_VMBUS_CONNECTED, rows[i % COUNT(rows)].withheld);
	}
}

static void signal_that_fails(void **state)
{
	struct host host;
	uint64_t payload = 0;

	(void)state;
	host_start(&host, 0);
	assert_int_equal(host_connect(&host), HVK_OK);
	assert_int_equal(host_open(&host), HVK_OK);
	host.signal_status = HV_STATUS_INVALID_PARAMETER;
	(void)hvk_channel_send(host.channel, &payload, sizeof(payload), false, NULL);
	assert_int_equal(host_faults(&host), 1);
	host.signal_status = HV_STATUS_SUCCESS;
	assert_int_equal(host_end(&host), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(later_messages_are_tried_again),
		cmocka_unit_test(contact_is_tried_again),
		cmocka_unit_test(not_for_ever),
		cmocka_unit_test(no_connection_4_means_an_older_version),
		cmocka_unit_test(no_connection_at_all_means_no_version),
		cmocka_unit_test(bus_messages_that_fail),
		cmocka_unit_test(open_that_fails),
		cmocka_unit_test(gpadls_that_fail),
		cmocka_unit_test(signal_that_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
