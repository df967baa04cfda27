/* SPDX-License-Identifier: MIT */
/* Calls at the wrong time or with arguments out of range: each has its status, changes
 * nothing, and what comes after it works. And dumps, in each state of the bus. */
#include "tests/unit/guest_vmbus_host.h"

#define CALL(host, call) (call, host_wait(host))

static void contact_out_of_order(void **state)
{
	const struct hvk_vmbus_config config = {0}, other_cpu = {.cpu = 1};
	struct host host;

	(void)state;
	host_start(&host, 0);
	assert_int_equal(CALL(&host, hvk_vmbus_disconnect(host.hvk, &host.request)), HVK_ESTATE);
	assert_int_equal(CALL(&host, hvk_vmbus_suspend(host.hvk, &host.request)), HVK_ESTATE);
	assert_int_equal(CALL(&host, hvk_vmbus_resume(host.hvk, &host.request)), HVK_ESTATE);
	assert_int_equal(CALL(&host, hvk_vmbus_connect(host.hvk, &other_cpu, &host.request)), HVK_EINVAL);
	assert_null(hvk_vmbus_next_channel(host.hvk, NULL));
	assert_int_equal(hvk_vmbus_version(host.hvk), 0);
	assert_int_equal(host.post_count, 0);

	assert_int_equal(host_connect(&host), HVK_OK);
	assert_int_equal(CALL(&host, hvk_vmbus_connect(host.hvk, &config, &host.request)), HVK_ESTATE);
	assert_int_equal(CALL(&host, hvk_vmbus_resume(host.hvk, &host.request)), HVK_ESTATE);
	assert_int_equal(hvk_cpu_stop(host.hvk), HVK_ESTATE);
	assert_int_equal(hvk_stop(host.hvk), HVK_ESTATE);

	assert_int_equal(CALL(&host, hvk_vmbus_suspend(host.hvk, &host.request)), HVK_OK);
	assert_int_equal(CALL(&host, hvk_vmbus_suspend(host.hvk, &host.request)), HVK_ESTATE);
	assert_int_equal(CALL(&host, hvk_vmbus_disconnect(host.hvk, &host.request)), HVK_ESTATE);
	assert_int_equal(CALL(&host, hvk_vmbus_connect(host.hvk, &config, &host.request)), HVK_ESTATE);
	assert_int_equal(CALL(&host, hvk_vmbus_resume(host.hvk, &host.request)), HVK_OK);
	assert_int_equal(host_end(&host), 0);
}

/* A second call while the first is under way. */
static void leaving_twice(void **state)
{
	struct hvk_request second = {0};
	struct host host;

	(void)state;
	host_start(&host, 0);
	assert_int_equal(host_connect(&host), HVK_OK);
	hvk_vmbus_disconnect(host.hvk, &host.request);
	hvk_vmbus_disconnect(host.hvk, &second);
	assert_int_equal(host_wait(&host), HVK_OK);
	assert_int_equal(hvk_wait(host.hvk, &second, 1000), HVK_ESTATE);
	assert_int_equal(host_posts(&host, VMBUS_MSG_UNLOAD), 1);
	assert_int_equal(host_end(&host), 0);
}

/* Pages that cannot be had: connecting fails, and works when they can. */
static void connect_without_memory(void **state)
{
	hvk_status status = HVK_ENOMEM;

	(void)state;
	for (uint32_t n = 1; status != HVK_OK; n++) {
		struct host host;

		host_start(&host, 0);
		host.port.fail_allocation = n;
		status = host_connect(&host);
		if (status != HVK_OK) {
			assert_int_equal(status, HVK_ENOMEM);
			assert_int_equal(hvk_vmbus_state(host.hvk), HVK_VMBUS_COLD);
			host.port.fail_allocation = 0;
			assert_int_equal(host_connect(&host), HVK_OK);
			assert_int_equal(host.offered, 1);
		}
		assert_int_equal(host_end(&host), 0);
		assert_true(n < 16);
	}
}

static void arguments_of_open(void **state)
{
	const struct hvk_channel_config good = {
		.tx_pages = 1, .rx_pages = 1, .requests_max = 4096, .ready = on_ready};
	struct hvk_channel_config bad[8];
	struct host host;

	(void)state;
	for (size_t i = 0; i < 8; i++)
		bad[i] = good;
	bad[0].ready = NULL;
	bad[1].cpu = 1;
	bad[2].cpu = UINT32_MAX;
	bad[3].tx_pages = 0;
	bad[4].rx_pages = 0;
	bad[5].tx_pages = 4095;
	bad[6].rx_pages = UINT32_MAX;
	bad[7].requests_max = 4097;
	host_start(&host, 0);
	assert_int_equal(host_connect(&host), HVK_OK);
	for (size_t i = 0; i < 8; i++) {
		host.channel_config = bad[i];
		assert_int_equal(host_open(&host), HVK_EINVAL);
		assert_int_equal(hvk_channel_state(host.channel), HVK_CHANNEL_CLOSED);
	}
	assert_int_equal(host_posts(&host, VMBUS_MSG_GPADL_HEADER), 0);
	host.channel_config = good;
	assert_int_equal(host_close(&host), HVK_ESTATE); /* it is not open */
	assert_int_equal(host_open(&host), HVK_OK);
	assert_int_equal(host_open(&host), HVK_ESTATE);
	assert_int_equal(CALL(&host, hvk_vmbus_suspend(host.hvk, &host.request)), HVK_EBUSY);
	assert_int_equal(host_close(&host), HVK_OK);
	assert_int_equal(host_end(&host), 0);
}

/* A channel that is opening cannot be closed yet, one that is closing not again. */
static void open_and_close_at_once(void **state)
{
	struct hvk_request second = {0};
	struct host host;

	(void)state;
	host_start(&host, 0);
	assert_int_equal(host_connect(&host), HVK_OK);
	hvk_channel_open(host.channel, &host.channel_config, &host.request);
	hvk_channel_close(host.channel, &second);
	assert_int_equal(host_wait(&host), HVK_OK);
	assert_int_equal(hvk_wait(host.hvk, &second, 1000), HVK_EBUSY);
	hvk_channel_close(host.channel, &host.request);
	hvk_channel_close(host.channel, &second);
	assert_int_equal(host_wait(&host), HVK_OK);
	assert_int_equal(hvk_wait(host.hvk, &second, 1000), HVK_EBUSY);
	assert_int_equal(host_posts(&host, VMBUS_MSG_CLOSE_CHANNEL), 1);
	assert_int_equal(host_end(&host), 0);
}

static void open_without_memory(void **state)
{
	hvk_status status = HVK_ENOMEM;

	(void)state;
	for (uint32_t n = 1; status != HVK_OK; n++) {
		struct host host;

		host_start(&host, 0);
		assert_int_equal(host_connect(&host), HVK_OK);
		host.port.fail_allocation = n;
		status = host_open(&host);
		if (status != HVK_OK) {
			assert_int_equal(status, HVK_ENOMEM);
			assert_int_equal(hvk_channel_state(host.channel), HVK_CHANNEL_CLOSED);
			host.port.fail_allocation = 0;
			assert_int_equal(host_open(&host), HVK_OK);
		}
		assert_int_equal(host_close(&host), HVK_OK);
		assert_int_equal(host_end(&host), 0);
		assert_true(n < 16);
	}
}

static void arguments_of_gpadls(void **state)
{
	struct hvk_gpadl gpadl;
	struct host host;

	(void)state;
	host_start(&host, 0);
	assert_int_equal(host_connect(&host), HVK_OK);
	assert_int_equal(CALL(&host, hvk_gpadl_create(host.channel, 0, &gpadl, &host.request)), HVK_EINVAL);
	assert_int_equal(CALL(&host, hvk_gpadl_create(host.channel, 8191, &gpadl, &host.request)),
			 HVK_EINVAL);
	assert_int_equal(gpadl.id, 0);
	assert_int_equal(CALL(&host, hvk_gpadl_teardown(&gpadl, &host.request)), HVK_ESTATE);
	host.port.fail_allocation = 1;
	assert_int_equal(CALL(&host, hvk_gpadl_create(host.channel, 3, &gpadl, &host.request)), HVK_ENOMEM);
	assert_int_equal(host_posts(&host, VMBUS_MSG_GPADL_HEADER), 0);
	assert_int_equal(CALL(&host, hvk_gpadl_create(host.channel, 3, &gpadl, &host.request)), HVK_OK);
	assert_int_equal(gpadl.pages.count, 3);
	assert_int_equal(CALL(&host, hvk_gpadl_teardown(&gpadl, &host.request)), HVK_OK);
	assert_int_equal(gpadl.id, 0);
	assert_int_equal(CALL(&host, hvk_gpadl_teardown(&gpadl, &host.request)), HVK_ESTATE);
	assert_int_equal(host_end(&host), 0);
}

/* A channel that somebody holds on to stays, and can do nothing any more. */
static void after_a_rescind(void **state)
{
	struct hvk_gpadl gpadl;
	struct host host;
	struct hvk_channel *channel;

	(void)state;
	host_start(&host, 0);
	assert_int_equal(host_connect(&host), HVK_OK);
	channel = host.channel;
	assert_int_equal(hvk_channel_claim(channel), HVK_OK);
	assert_int_equal(hvk_channel_claim(channel), HVK_EBUSY);
	HOST_SAY(&host, golden_rescind_offer);
	host_poll(&host);
	assert_true(hvk_channel_rescinded(channel));
	assert_int_equal(host.gone, 0);
	assert_int_equal(host_open(&host), HVK_EGONE);
	assert_int_equal(CALL(&host, hvk_gpadl_create(channel, 2, &gpadl, &host.request)), HVK_EGONE);
	assert_int_equal(host_posts(&host, VMBUS_MSG_RELID_RELEASED), 0);
	hvk_channel_unclaim(channel);
	host_poll(&host);
	assert_int_equal(host.gone, 1);
	assert_int_equal(host_posts(&host, VMBUS_MSG_RELID_RELEASED), 1);
	assert_int_equal(host_end(&host), 0);
}

/* Rescinded at each step of an open: it ends, and nothing stays behind. */
static void rescind_during_an_open(void **state)
{
	static const uint32_t steps[] = {VMBUS_MSG_GPADL_HEADER, VMBUS_MSG_OPEN_CHANNEL};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct host host;

		host_start(&host, 0);
		assert_int_equal(host_connect(&host), HVK_OK);
		host.answer_type = steps[i]; /* no answer to this; the rescind comes instead */
		hvk_channel_open(host.channel, &host.channel_config, &host.request);
		host_poll(&host);
		assert_int_equal(host.request.status, HVK_EINPROGRESS);
		HOST_SAY(&host, golden_rescind_offer);
		assert_int_equal(host_wait(&host), HVK_EGONE);
		host_poll(&host);
		assert_int_equal(host.gone, 1);
		assert_int_equal(host_faults(&host), 0);
		assert_int_equal(host_end(&host), 0);
	}
}

/* --- Dumps ---------------------------------------------------------------------------------- */

#define LINES_MAX 256u
#define LINE_MAX 200u
#define DEPTH_MAX 8u

struct dump {
	char lines[LINES_MAX][LINE_MAX];
	uint32_t depths[LINES_MAX], lengths[LINES_MAX]; /* of the names */
	uint32_t count;
};

/* Two spaces a level, a word of a-z, 0-9 and '-', a colon, and a value or nothing. */
static void take_line(void *context, const char *text)
{
	struct dump *dump = context;
	uint32_t spaces = 0, length = 0;

	assert_true(dump->count < LINES_MAX && strlen(text) < LINE_MAX);
	strcpy(dump->lines[dump->count], text);
	while (text[spaces] == ' ')
		spaces++;
	assert_int_equal(spaces % 2, 0);
	text += spaces;
	while ((text[length] >= 'a' && text[length] <= 'z') || (text[length] >= '0' && text[length] <= '9') ||
	       text[length] == '-')
		length++;
	assert_true(length > 0 && text[length] == ':');
	assert_true(text[length + 1] == 0 || (text[length + 1] == ' ' && text[length + 2] != 0));
	dump->depths[dump->count] = spaces / 2;
	dump->lengths[dump->count] = length;
	if (dump->count == 0)
		assert_int_equal(spaces, 0);
	else
		assert_true(spaces / 2 <= dump->depths[dump->count - 1] + 1);
	dump->count++;
}

static void check_siblings(const struct dump *dump)
{
	for (uint32_t i = 0; i < dump->count; i++) {
		for (uint32_t j = i + 1; j < dump->count && dump->depths[j] >= dump->depths[i]; j++) {
			if (dump->depths[j] == dump->depths[i] && dump->lengths[i] == dump->lengths[j])
				assert_memory_not_equal(dump->lines[i], dump->lines[j],
							2 * dump->depths[i] + dump->lengths[i]);
		}
	}
}

static bool dump_says(struct host *host, const char *text)
{
	static struct dump dump;
	bool found = false;

	memset(&dump, 0, sizeof(dump));
	hvk_dump(host->hvk, take_line, &dump);
	check_siblings(&dump);
	for (uint32_t i = 0; i < dump.count; i++)
		found = found || strstr(dump.lines[i], text) != NULL;
	return found;
}

static void dump_in_each_state(void **state)
{
	struct host host;

	(void)state;
	host_start(&host, 0);
	assert_true(dump_says(&host, "cold"));
	hvk_vmbus_connect(host.hvk, &(const struct hvk_vmbus_config){.offered = on_offered, .context = &host},
			  &host.request);
	assert_true(dump_says(&host, "connecting"));
	assert_int_equal(host_wait(&host), HVK_OK);
	assert_true(dump_says(&host, "connected"));
	assert_true(dump_says(&host, "5.3"));
	assert_true(dump_says(&host, "closed"));
	hvk_channel_open(host.channel, &host.channel_config, &host.request);
	assert_true(dump_says(&host, "opening"));
	assert_int_equal(host_wait(&host), HVK_OK);
	assert_true(dump_says(&host, "open"));
	hvk_channel_close(host.channel, &host.request);
	assert_true(dump_says(&host, "closing"));
	assert_int_equal(host_wait(&host), HVK_OK);
	assert_int_equal(CALL(&host, hvk_vmbus_suspend(host.hvk, &host.request)), HVK_OK);
	assert_true(dump_says(&host, "suspended"));
	assert_int_equal(CALL(&host, hvk_vmbus_resume(host.hvk, &host.request)), HVK_OK);
	hvk_vmbus_disconnect(host.hvk, &host.request);
	assert_true(dump_says(&host, "unloading"));
	assert_int_equal(host_wait(&host), HVK_OK);
	assert_true(dump_says(&host, "cold"));
	assert_int_equal(host_end(&host), 0);
}

static void dump_of_what_is_withheld(void **state)
{
	struct hvk_gpadl gpadl;
	struct host host;

	(void)state;
	host_start(&host, 0);
	assert_int_equal(host_connect(&host), HVK_OK);
	assert_int_equal(CALL(&host, hvk_gpadl_create(host.channel, 3, &gpadl, &host.request)), HVK_OK);
	host.answer_type = VMBUS_MSG_GPADL_TEARDOWN; /* never */
	assert_int_equal(CALL(&host, hvk_gpadl_teardown(&gpadl, &host.request)), HVK_ETIMEDOUT_TEARDOWN);
	assert_true(dump_says(&host, "pages: 3"));
	HOST_SAY(&host, golden_rescind_offer);
	assert_int_equal(host_end(&host), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(contact_out_of_order),     cmocka_unit_test(leaving_twice),
		cmocka_unit_test(connect_without_memory),   cmocka_unit_test(arguments_of_open),
		cmocka_unit_test(open_and_close_at_once),   cmocka_unit_test(open_without_memory),
		cmocka_unit_test(arguments_of_gpadls),      cmocka_unit_test(after_a_rescind),
		cmocka_unit_test(rescind_during_an_open),   cmocka_unit_test(dump_in_each_state),
		cmocka_unit_test(dump_of_what_is_withheld),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
