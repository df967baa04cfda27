/* SPDX-License-Identifier: MIT */
/* What a card says of a VF beside it, and is told: association, data path, and that both are over when the
 * card is brought up anew. */
#include "tests/unit/guest_netvsc_fake.h"

static const struct hvk_netvsc_config with_vf = {.vf = true};
static const struct hvk_netvsc_config without_vf;

static struct {
	uint32_t calls;
	struct hvk_netvsc_association association; /* as it was then */
} told;

static void changed(void *context, struct hvk_netvsc *nic)
{
	assert_ptr_equal(context, &told);
	assert_int_equal(bench.hvk.locked, 0);
	told.calls++;
	hvk_netvsc_get_association(nic, &told.association);
}

static void up(const struct hvk_netvsc_config *config)
{
	memset(&told, 0, sizeof(told));
	fake_create(config);
	(void)hvk_netvsc_set_association_hook(bench.nic, changed, &told);
	assert_int_equal(fake_attach(), HVK_OK);
}

/* VF_ASSOCIATION (128): allocated, serial. */
static void associate(uint32_t allocated, uint32_t serial, uint32_t length)
{
	struct fake_packet *packet = fake_post(VMBUS_PACKET_IN_BAND);

	fake_put(packet->payload, 128);
	fake_put(packet->payload + 4, allocated);
	fake_put(packet->payload + 8, serial);
	packet->payload_length = length;
	fake_run();
}

static struct hvk_netvsc_association now(void)
{
	struct hvk_netvsc_association association;

	hvk_netvsc_get_association(bench.nic, &association);
	return association;
}

static const struct fake_sent *last_sent(uint32_t type)
{
	for (uint32_t i = bench.channel.sent_count; i > 0; i--) {
		if (bench.channel.sent[i - 1].kind == FAKE_IN_BAND &&
		    fake_word(bench.channel.sent[i - 1].payload) == type)
			return &bench.channel.sent[i - 1];
	}
	return NULL;
}

static void vf_is_asked_for_by_a_capability_from_nvs_5(void **state)
{
	(void)state;
	up(&with_vf);
	assert_int_equal(fake_word(last_sent(125)->payload + 12) & 4, 4);
	fake_down();
	up(&without_vf);
	assert_int_equal(fake_word(last_sent(125)->payload + 12) & 4, 0);
	fake_down();
	fake_create(&with_vf);
	bench.nvs_newest = NVS_VERSION_4;
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(fake_word(last_sent(125)->payload + 12) & 4, 0);
	fake_down();
}

static void association_is_kept_and_told(void **state)
{
	uint32_t calls, generation;

	(void)state;
	up(&with_vf);
	assert_false(now().allocated);
	calls = told.calls;
	generation = now().generation;
	associate(1, 0x4711, 32);
	assert_int_equal(told.calls, calls + 1);
	assert_true(told.association.allocated);
	assert_int_equal(told.association.serial, 0x4711);
	assert_int_equal(told.association.generation, generation + 1);
	associate(0, 0, 12); /* as short as it may be */
	assert_false(told.association.allocated);
	assert_int_equal(now().generation, generation + 2);
	assert_int_equal(hvk_netvsc_set_association_hook(bench.nic, NULL, NULL), HVK_OK);
	associate(1, 1, 32);
	assert_int_equal(told.calls, calls + 2);
	assert_true(now().allocated);
	fake_down();
}

static void short_association_is_a_fault_of_the_host(void **state)
{
	uint64_t faults;

	(void)state;
	up(&with_vf);
	faults = bench.hvk.faults;
	associate(1, 0x4711, 11);
	assert_int_equal(bench.hvk.faults, faults + 1);
	assert_false(now().allocated);
	fake_down();
}

static void association_that_nobody_asked_for_means_nothing(void **state)
{
	(void)state;
	up(&without_vf);
	assert_int_equal(hvk_netvsc_set_association_hook(bench.nic, changed, &told), HVK_EINVAL);
	associate(1, 0x4711, 32);
	assert_false(now().allocated);
	assert_int_equal(told.calls, 0);
	assert_int_equal(bench.hvk.faults, 0);
	fake_down();
}

/* Whoever pairs a VF learns the card's address then. */
static void end_of_an_attach_and_a_detach_is_told(void **state)
{
	(void)state;
	fake_create(&with_vf);
	memset(&told, 0, sizeof(told));
	assert_int_equal(hvk_netvsc_set_association_hook(bench.nic, changed, &told), HVK_OK);
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(told.calls, 2); /* what was said before is over; the card is there */
	associate(1, 0x4711, 32);
	fake_down();
	assert_int_equal(told.calls, 5);
	assert_false(told.association.allocated);
}

/* The host's side begins anew with the card: nothing that it said before counts. */
static void association_is_over_when_the_card_is_brought_up_anew(void **state)
{
	struct hvk_request request = {0};
	uint32_t generation;

	(void)state;
	up(&with_vf);
	associate(1, 0x4711, 32);
	generation = now().generation;
	hvk_netdev_set_mtu(bench.netdev, 1400, &request);
	fake_run();
	assert_int_equal(request.status, HVK_OK);
	assert_false(now().allocated);
	assert_true(now().generation > generation);
	assert_int_equal(now().attaches, 1); /* settings are what they were */
	assert_int_equal(fake_detach(), HVK_OK);
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(now().attaches, 2);
	fake_down();
}

/* --- The data path ------------------------------------------------------------------------------- */

static void data_path_is_switched_by_a_message_and_ends_with_its_completion(void **state)
{
	struct hvk_request request = {0};

	(void)state;
	up(&with_vf);
	for (uint32_t vf = 2; vf-- > 0;) {
		bench.mute_nvs = 129;
		hvk_netvsc_switch_data_path(bench.nic, vf != 0, &request);
		fake_run();
		assert_int_equal(fake_word(last_sent(129)->payload), 129);
		assert_int_equal(fake_word(last_sent(129)->payload + 4), vf);
		assert_true(last_sent(129)->length >= 32); /* hosts ignore shorter ones */
		assert_true(last_sent(129)->answered);
		assert_int_equal(request.status, HVK_EINPROGRESS);
		bench.mute_nvs = FAKE_NONE;
		fake_complete((uint32_t)(last_sent(129) - bench.channel.sent), NULL, 0);
		fake_run();
		assert_int_equal(request.status, HVK_OK);
	}
	fake_down();
}

static void silent_host_is_given_up(void **state)
{
	struct hvk_request request = {0};

	(void)state;
	up(&with_vf);
	bench.mute_nvs = 129;
	hvk_netvsc_switch_data_path(bench.nic, true, &request);
	fake_run();
	fake_advance(4990);
	assert_int_equal(request.status, HVK_EINPROGRESS);
	fake_advance(20);
	assert_int_equal(request.status, HVK_ETIMEDOUT_DATA_PATH);
	bench.mute_nvs = FAKE_NONE;
	hvk_netvsc_switch_data_path(bench.nic, false, &request);
	fake_run();
	assert_int_equal(request.status, HVK_OK);
	fake_down();
}

static void data_path_needs_nvs_4_the_option_and_an_attached_card(void **state)
{
	struct hvk_request request = {0};

	(void)state;
	up(&without_vf);
	hvk_netvsc_switch_data_path(bench.nic, true, &request);
	fake_run();
	assert_int_equal(request.status, HVK_ENOTSUP);
	assert_null(last_sent(129));
	fake_down();
	fake_create(&with_vf);
	hvk_netvsc_switch_data_path(bench.nic, true, &request);
	fake_run();
	assert_int_equal(request.status, HVK_ESTATE);
	bench.nvs_newest = NVS_VERSION_2;
	assert_int_equal(fake_attach(), HVK_OK);
	hvk_netvsc_switch_data_path(bench.nic, true, &request);
	fake_run();
	assert_int_equal(request.status, HVK_ENOTSUP);
	assert_null(last_sent(129));
	fake_down();
}

static void switch_under_way_ends_with_the_card(void **state)
{
	struct hvk_request request = {0};

	(void)state;
	up(&with_vf);
	bench.mute_nvs = 129;
	hvk_netvsc_switch_data_path(bench.nic, true, &request);
	fake_run();
	fake_down();
	assert_int_equal(request.status, HVK_ECANCELED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vf_is_asked_for_by_a_capability_from_nvs_5),
		cmocka_unit_test(association_is_kept_and_told),
		cmocka_unit_test(short_association_is_a_fault_of_the_host),
		cmocka_unit_test(association_that_nobody_asked_for_means_nothing),
		cmocka_unit_test(end_of_an_attach_and_a_detach_is_told),
		cmocka_unit_test(association_is_over_when_the_card_is_brought_up_anew),
		cmocka_unit_test(data_path_is_switched_by_a_message_and_ends_with_its_completion),
		cmocka_unit_test(silent_host_is_given_up),
		cmocka_unit_test(data_path_needs_nvs_4_the_option_and_an_attached_card),
		cmocka_unit_test(switch_under_way_ends_with_the_card),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
