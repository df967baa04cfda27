/* SPDX-License-Identifier: MIT */
/* Moving a channel between two CPUs, and whether the host is asked to be quiet meanwhile. */
#include "tests/unit/guest_vmbus_host.h"

/* One test at a time: which CPU runs just now. */
static uint32_t cpu_now;
static uint32_t ready_on[2];
static uint32_t mask_seen;

static uint32_t cpu_index(void *context)
{
	(void)context;
	return cpu_now;
}

static bool note_ready(void *context, struct hvk_channel *channel)
{
	(void)context;
	ready_on[cpu_now]++;
	assert_int_equal(hvk_channel_cpu(channel), cpu_now);
	mask_seen = hvk_shared_load(&channel->in.control, VMBUS_RING_INTERRUPT_MASK);
	return false;
}

/* CPU 1 first: the one set of registers is CPU 0's in the end. */
static void start(struct host *host, uint32_t version, uint32_t channel_cpu)
{
	const struct hvk_config config = {.cpus = 2};

	host_start(host, 0);
	assert_int_equal(hvk_cpu_stop(host->hvk), HVK_OK);
	assert_int_equal(hvk_stop(host->hvk), HVK_OK);
	assert_int_equal(hvk_destroy(host->hvk), HVK_OK);
	polled_port_locks(&host->port);
	host->port.port.cpu_index = cpu_index;
	assert_int_equal(hvk_create(&host->port.port, &config, &host->hvk), HVK_OK);
	assert_int_equal(hvk_start(host->hvk), HVK_OK);
	for (uint32_t i = 0; i < 2; i++) {
		cpu_now = 1 - i;
		host->port.registers[HVK_REG_VP_INDEX] = cpu_now;
		assert_int_equal(hvk_cpu_start(host->hvk), HVK_OK);
	}
	host->newest_try = version;
	host->channel_config.ready = note_ready;
	host->channel_config.cpu = channel_cpu;
	memset(ready_on, 0, sizeof(ready_on));
	assert_int_equal(host_connect(host), HVK_OK);
}

static void poll_cpu(struct host *host, uint32_t cpu)
{
	for (unsigned i = 0; i < 20; i++) {
		cpu_now = cpu;
		(void)hvk_poll(host->hvk, cpu);
	}
	cpu_now = 0;
}

static void poll_both(struct host *host)
{
	poll_cpu(host, 0);
	poll_cpu(host, 1);
	poll_cpu(host, 0);
}

static void open_channel(struct host *host)
{
	hvk_channel_open(host->channel, &host->channel_config, &host->request);
	poll_both(host);
	poll_both(host);
	assert_int_equal(host->request.status, HVK_OK);
}

static void end(struct host *host)
{
	if (hvk_channel_state(host->channel) != HVK_CHANNEL_CLOSED) {
		hvk_channel_close(host->channel, &host->request);
		poll_both(host);
		poll_both(host);
		assert_int_equal(host->request.status, HVK_OK);
	}
	hvk_vmbus_disconnect(host->hvk, &host->request);
	assert_int_equal(host_wait(host), HVK_OK);
	for (cpu_now = 0; cpu_now < 2; cpu_now++) {
		if (host->hvk->cpus[cpu_now].started)
			assert_int_equal(hvk_cpu_stop(host->hvk), HVK_OK);
	}
	assert_int_equal(hvk_stop(host->hvk), HVK_OK);
	assert_int_equal(hvk_destroy(host->hvk), HVK_OK);
	assert_int_equal(polled_port_end(&host->port), 0);
}

static void move(struct host *host, uint32_t cpu)
{
	hvk_channel_set_cpu(host->channel, cpu, &host->request);
	poll_cpu(host, 0);
}

static void event_on(struct host *host, uint32_t cpu)
{
	(void)hvk_shared_or(&host->hvk->cpus[cpu].flags, HOST_CHANNEL / 32 * 4, 1u << HOST_CHANNEL % 32);
}

/* --- Moving ------------------------------------------------------------------------------- */

static void the_message(void **state)
{
	const struct host_post *post;
	struct host host;

	(void)state;
	start(&host, VMBUS_VERSION_5_3, 0);
	open_channel(&host);
	move(&host, 1);
	post = host_post(&host, VMBUS_MSG_MODIFY_CHANNEL, 0);
	assert_non_null(post);
	assert_int_equal(post->length, sizeof(golden_modify_channel));
	assert_memory_equal(post->bytes, golden_modify_channel, sizeof(golden_modify_channel));
	poll_both(&host);
	assert_int_equal(host.request.status, HVK_EINPROGRESS); /* until the answer */
	assert_int_equal(hvk_channel_cpu(host.channel), 0);
	HOST_SAY(&host, golden_modify_channel_response);
	poll_both(&host);
	assert_int_equal(host.request.status, HVK_OK);
	assert_int_equal(hvk_channel_cpu(host.channel), 1);
	assert_int_equal(host_faults(&host) + host_late(&host), 0);
	end(&host);
}

/* Finished once the old CPU has passed a poll; what comes there later is passed on. */
static void the_old_cpu_lets_go(void **state)
{
	uint64_t registers[POLLED_REGISTERS];
	struct host host;
	uint32_t before;

	(void)state;
	start(&host, VMBUS_VERSION_5_3, 1);
	open_channel(&host);
	move(&host, 0);
	HOST_SAY(&host, golden_modify_channel_response);
	poll_cpu(&host, 0);
	poll_cpu(&host, 0);
	assert_int_equal(host.request.status, HVK_EINPROGRESS);
	assert_int_equal(hvk_channel_cpu(host.channel), 1);
	before = ready_on[0];
	poll_cpu(&host, 1);
	poll_cpu(&host, 0);
	assert_int_equal(host.request.status, HVK_OK);
	assert_true(ready_on[0] > before); /* it looks at once */
	before = ready_on[0];
	event_on(&host, 1);
	poll_cpu(&host, 1);
	poll_cpu(&host, 0);
	assert_int_equal(ready_on[0], before + 1);
	/* ... even by a CPU that stops. */
	event_on(&host, 1);
	cpu_now = 1;
	memcpy(registers, host.port.registers, sizeof(registers)); /* CPU 0's */
	assert_int_equal(hvk_cpu_stop(host.hvk), HVK_OK);
	memcpy(host.port.registers, registers, sizeof(registers));
	poll_cpu(&host, 0);
	assert_int_equal(ready_on[0], before + 2);
	end(&host);
}

static void before_5_3_there_is_no_answer(void **state)
{
	static const uint32_t versions[] = {VMBUS_VERSION_4_1, VMBUS_VERSION_5_0, VMBUS_VERSION_5_2};
	struct host host;

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		start(&host, versions[i], 0);
		open_channel(&host);
		move(&host, 1);
		poll_both(&host);
		assert_int_equal(host.request.status, HVK_OK);
		assert_int_equal(hvk_channel_cpu(host.channel), 1);
		HOST_SAY(&host, golden_modify_channel_response); /* a message of 5.3 */
		poll_both(&host);
		assert_int_equal(host_fault_count(&host, HVK_EHOST_MESSAGE), 1);
		end(&host);
	}
}

static void refused_silent_or_unsent(void **state)
{
	struct host host;

	(void)state;
	start(&host, VMBUS_VERSION_5_3, 0);
	open_channel(&host);
	move(&host, 1);
	HOST_SAY_WITH(&host, golden_modify_channel_response, 12, VMBUS_STATUS_FAILURE);
	poll_both(&host);
	assert_int_equal(host.request.status, HVK_EREFUSED_MODIFY);
	assert_int_equal(hvk_channel_cpu(host.channel), 0);

	hvk_channel_set_cpu(host.channel, 1, &host.request);
	assert_int_equal(host_wait(&host), HVK_ETIMEDOUT_MODIFY);
	assert_int_equal(hvk_channel_cpu(host.channel), 0);
	HOST_SAY(&host, golden_modify_channel_response); /* too late */
	poll_both(&host);
	assert_int_equal(host_late(&host), 1);
	assert_int_equal(hvk_channel_cpu(host.channel), 0);

	host.fail_type = VMBUS_MSG_MODIFY_CHANNEL;
	host.fail_status = HV_STATUS_INVALID_PARAMETER;
	host.fail_count = 1;
	move(&host, 1);
	poll_both(&host);
	assert_int_equal(host.request.status, HVK_EHYPERCALL);
	assert_int_equal(hvk_channel_cpu(host.channel), 0);
	end(&host);
}

/* While the answer is awaited, and while the old CPU is to let go. */
static void closed_or_rescinded_meanwhile(void **state)
{
	struct hvk_request close;
	struct host host;

	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		start(&host, VMBUS_VERSION_5_3, 1);
		open_channel(&host);
		move(&host, 0);
		if (i & 1) {
			HOST_SAY(&host, golden_modify_channel_response);
			poll_cpu(&host, 0);
		}
		close = (struct hvk_request){0};
		if (i & 2) {
			HOST_SAY(&host, golden_rescind_offer);
			poll_cpu(&host, 0);
			assert_int_equal(hvk_channel_state(host.channel), HVK_CHANNEL_RESCINDED);
		}
		assert_int_equal(hvk_channel_claim(host.channel), i & 2 ? HVK_EGONE : HVK_OK);
		hvk_channel_close(host.channel, &close);
		poll_both(&host);
		poll_both(&host);
		assert_int_equal(close.status, HVK_OK);
		assert_int_equal(host.request.status, i & 2 ? HVK_EGONE : HVK_ECANCELED);
		assert_int_equal(host_faults(&host), 0);
		if (i & 2) {
			assert_int_equal(host.gone, 1);
			assert_int_equal(host_disconnect(&host), HVK_OK);
			for (cpu_now = 0; cpu_now < 2; cpu_now++)
				assert_int_equal(hvk_cpu_stop(host.hvk), HVK_OK);
			assert_int_equal(hvk_stop(host.hvk), HVK_OK);
			assert_int_equal(hvk_destroy(host.hvk), HVK_OK);
			assert_int_equal(polled_port_end(&host.port), 0);
			continue;
		}
		hvk_channel_unclaim(host.channel);
		end(&host);
	}
}

/* The host took the primary back: a sub-channel's move is over, as if it had been rescinded itself. */
static void moving_while_the_primary_goes(void **state)
{
	struct hvk_channel *primary, *subchannel;
	uint8_t bytes[sizeof(golden_offer_channel)];
	struct hvk_request close = {0};
	struct host host;

	(void)state;
	start(&host, VMBUS_VERSION_5_3, 0);
	open_channel(&host);
	primary = host.channel;
	memcpy(bytes, golden_offer_channel, sizeof(bytes));
	bytes[180] = 1; /* sub-channel index */
	put_word(bytes, 184, 6);
	HOST_SAY(&host, bytes);
	poll_both(&host);
	subchannel = hvk_channel_next_subchannel(primary, NULL);
	assert_non_null(subchannel);
	host.channel = subchannel;
	open_channel(&host);
	move(&host, 1);
	HOST_SAY(&host, golden_rescind_offer); /* of the primary */
	poll_both(&host);
	assert_int_equal(host.request.status, HVK_EGONE);
	assert_int_equal(hvk_channel_cpu(subchannel), 0);
	hvk_channel_close(primary, &close);
	for (unsigned i = 0; i < 3; i++)
		poll_both(&host);
	assert_int_equal(close.status, HVK_OK);
	hvk_vmbus_disconnect(host.hvk, &host.request);
	assert_int_equal(host_wait(&host), HVK_OK);
	for (cpu_now = 0; cpu_now < 2; cpu_now++)
		assert_int_equal(hvk_cpu_stop(host.hvk), HVK_OK);
	cpu_now = 0;
	assert_int_equal(hvk_stop(host.hvk), HVK_OK);
	assert_int_equal(hvk_destroy(host.hvk), HVK_OK);
	assert_int_equal(polled_port_end(&host.port), 0);
}

/* --- Reading --------------------------------------------------------------------------------- */

static void the_host_is_asked_to_be_quiet(void **state)
{
	struct host host;

	(void)state;
	for (uint32_t reading = 0; reading < 2; reading++) {
		start(&host, VMBUS_VERSION_5_3, 0);
		host.channel_config.reading = (enum hvk_channel_reading)reading;
		open_channel(&host);
		mask_seen = 2;
		event_on(&host, 0);
		poll_cpu(&host, 0);
		assert_int_equal(mask_seen, reading == HVK_CHANNEL_BATCHED ? 1 : 0);
		assert_int_equal(hvk_shared_load(&host.channel->in.control, VMBUS_RING_INTERRUPT_MASK), 0);
		end(&host);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_message),
		cmocka_unit_test(the_old_cpu_lets_go),
		cmocka_unit_test(before_5_3_there_is_no_answer),
		cmocka_unit_test(refused_silent_or_unsent),
		cmocka_unit_test(closed_or_rescinded_meanwhile),
		cmocka_unit_test(moving_while_the_primary_goes),
		cmocka_unit_test(the_host_is_asked_to_be_quiet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
