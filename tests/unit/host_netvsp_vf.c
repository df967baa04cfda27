/* SPDX-License-Identifier: MIT */
/* The card's part in a virtual function: association message, data-path switch, frames' ways. */
#include "host_netvsp_fake.h"

#include "host/netvsp/vf.h"

#define ASSOCIATION 0x8000000000000000ull

struct beside {
	bool there, silent;
	uint64_t delay, next;
	uint32_t ready, left, runs, switched, announced, links;
	bool to_vf;
	enum netvsp_path path;
	bool card; /* what receive was told */
	uint32_t room;
};

static void session(void *context, uint64_t now, bool ready)
{
	struct beside *vf = context;

	(void)now;
	vf->ready += ready;
	vf->left += !ready;
}

static void run(void *context, uint64_t now)
{
	(void)now;
	((struct beside *)context)->runs++;
}

static uint64_t next_event(void *context)
{
	return ((struct beside *)context)->next;
}

static bool there(void *context)
{
	return ((struct beside *)context)->there;
}

static uint64_t switch_due(void *context, uint64_t now, bool to_vf)
{
	struct beside *vf = context;

	(void)to_vf;
	return vf->silent ? HVH_NEVER : now + vf->delay;
}

static void switched(void *context, uint64_t now, bool to_vf)
{
	struct beside *vf = context;

	(void)now;
	vf->switched++;
	vf->to_vf = to_vf;
}

static enum netvsp_path receive(void *context, uint64_t now, const uint8_t *frame, uint32_t length, bool card)
{
	struct beside *vf = context;

	(void)now;
	(void)frame;
	(void)length;
	vf->card = card;
	return vf->path;
}

static uint32_t room(void *context, uint64_t now)
{
	(void)now;
	return ((struct beside *)context)->room;
}

static void changed_link(void *context, uint64_t now)
{
	(void)now;
	((struct beside *)context)->links++;
}

static void announce(void *context, uint64_t now)
{
	(void)now;
	((struct beside *)context)->announced++;
}

static void dump(const void *context, struct hvh_dump *dump)
{
	(void)context;
	(void)dump;
}

static void destroy(void *context)
{
	(void)context;
}

static void stand_beside(struct fake *fake, struct beside *vf)
{
	const struct netvsp_vf hooks = {
		.context = vf,
		.session = session,
		.run = run,
		.next_event = next_event,
		.there = there,
		.switch_due = switch_due,
		.switched = switched,
		.receive = receive,
		.room = room,
		.link = changed_link,
		.announce = announce,
		.dump = dump,
		.destroy = destroy,
	};

	*vf = (struct beside){.there = true, .next = HVH_NEVER, .path = NETVSP_BY_VF, .room = 7};
	netvsp_vf_set(fake->nic, &hooks);
}

/* Everything up to RNDIS INITIALIZE and a filter. */
static void bring_up(struct fake *fake, uint32_t version, bool capability)
{
	struct nvs_ndis_config config = {.type = NVS_TYPE_NDIS_CONFIG,
					 .mtu = 1514,
					 .capabilities_low = NVS_NDIS_CAPABILITY_VLAN |
							     (capability ? NVS_NDIS_CAPABILITY_SRIOV : 0)};
	const struct nvs_buffer buffers[] = {
		{NVS_TYPE_RECEIVE_BUFFER, FAKE_GPADL_RECEIVE, NVS_RECEIVE_PAGE_SET_ID, 0},
		{NVS_TYPE_SEND_BUFFER, FAKE_GPADL_SEND, NVS_SEND_PAGE_SET_ID, 0}};

	fake_open(fake);
	fake_init(fake, version);
	fake_nvs(fake, &config, sizeof config);
	fake_nvs(fake, golden_nvs_ndis_version_6_30, sizeof golden_nvs_ndis_version_6_30);
	fake_nvs(fake, &buffers[0], sizeof buffers[0]);
	fake_nvs(fake, &buffers[1], sizeof buffers[1]);
	while (fake_waiting(fake) > 0)
		fake_take(fake);
	fake_initialize(fake);
}

static uint64_t ask(struct fake *fake, uint32_t active)
{
	const struct nvs_switch_data_path path = {NVS_TYPE_SWITCH_DATA_PATH, active};

	return fake_nvs(fake, &path, sizeof path);
}

/* The oldest packet is an association message. */
static void expect_association(struct fake *fake, uint32_t allocated, uint32_t serial)
{
	const struct nvs_vf_association wanted = {NVS_TYPE_VF_ASSOCIATION, allocated, serial};
	const struct fake_packet *packet = fake_take(fake);

	assert_int_equal(packet->type, VMBUS_PACKET_IN_BAND);
	assert_true(packet->completion_requested);
	assert_true(packet->transaction_id == ASSOCIATION);
	assert_int_equal(packet->payload_length, 40);
	assert_memory_equal(packet->payload, &wanted, sizeof wanted);
}

static void test_a_guest_is_told_after_initialize_if_it_asked_from_version_4_on(void **state)
{
	static const struct {
		uint32_t version;
		bool capability, ready;
	} cases[] = {{NVS_VERSION_6_1, true, true},
		     {NVS_VERSION_6_1, false, false},
		     {NVS_VERSION_4, true, true},
		     {NVS_VERSION_2, true, false}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct fake *fake = fake_create();
		struct beside vf;

		stand_beside(fake, &vf);
		bring_up(fake, cases[i].version, cases[i].capability);
		assert_int_equal(vf.ready, cases[i].ready);
		assert_int_equal(netvsp_vf_is_ready(fake->nic), cases[i].ready);
		netvsp_vf_tell(fake->nic, fake->now, true, 0x1234);
		fake_run(fake);
		assert_int_equal(fake_waiting(fake), cases[i].ready);
		fake_destroy(fake);
	}
}

static void test_association_may_be_answered_once(void **state)
{
	struct fake *fake = fake_create();
	struct beside vf;

	(void)state;
	stand_beside(fake, &vf);
	bring_up(fake, NVS_VERSION_6_1, true);
	netvsp_vf_tell(fake->nic, fake->now, true, 0xabcd);
	fake_run(fake);
	expect_association(fake, 1, 0xabcd);
	fake_complete(fake, ASSOCIATION);
	fake_expect_lawful(fake);
	fake_complete(fake, ASSOCIATION);
	fake_expect_violation(fake, HVH_V_COMPLETION);
	fake_destroy(fake);
}

static void test_association_waits_for_room_and_keeps_its_order(void **state)
{
	struct fake *fake = fake_create();
	struct beside vf;

	(void)state;
	stand_beside(fake, &vf);
	bring_up(fake, NVS_VERSION_6_1, true);
	fake->on->full = true;
	netvsp_vf_tell(fake->nic, fake->now, true, 1);
	netvsp_vf_tell(fake->nic, fake->now, false, 1);
	fake_run(fake);
	fake->on->full = false;
	fake_run(fake);
	expect_association(fake, 1, 1);
	expect_association(fake, 0, 1);
	assert_int_equal(fake_waiting(fake), 0);
	fake_destroy(fake);
}

static void test_switch_is_answered_when_done(void **state)
{
	struct fake *fake = fake_create();
	struct beside vf;
	uint64_t id;

	(void)state;
	stand_beside(fake, &vf);
	bring_up(fake, NVS_VERSION_6_1, true);
	netvsp_vf_tell(fake->nic, fake->now, true, 1);
	fake_run(fake);
	expect_association(fake, 1, 1);
	vf.delay = 5;
	id = ask(fake, 1);
	assert_int_equal(fake_waiting(fake), 0);
	assert_false(netvsp_vf_has_data_path(fake->nic));
	fake_wait(fake);
	assert_int_equal(fake->now, 6);
	fake_expect_completion(fake, id, NULL, 0);
	assert_true(netvsp_vf_has_data_path(fake->nic));
	assert_true(vf.to_vf);
	vf.delay = 0;
	id = ask(fake, 1); /* again: nothing changes */
	fake_expect_completion(fake, id, NULL, 0);
	assert_int_equal(vf.switched, 1);
	id = ask(fake, 0);
	fake_expect_completion(fake, id, NULL, 0);
	assert_int_equal(vf.switched, 2);
	assert_false(netvsp_vf_has_data_path(fake->nic));
	vf.silent = true;
	ask(fake, 1);
	assert_int_equal(fake_waiting(fake), 0);
	assert_false(netvsp_vf_has_data_path(fake->nic));
	fake_expect_lawful(fake);
	fake_destroy(fake);
}

static void test_switch_to_a_vf_that_has_just_gone_is_answered_without_effect(void **state)
{
	struct fake *fake = fake_create();
	struct beside vf;

	(void)state;
	stand_beside(fake, &vf);
	bring_up(fake, NVS_VERSION_6_1, true);
	netvsp_vf_tell(fake->nic, fake->now, true, 1);
	netvsp_vf_tell(fake->nic, fake->now, false, 1);
	fake_run(fake);
	vf.there = false;
	fake_take(fake);
	fake_take(fake);
	fake_expect_completion(fake, ask(fake, 1), NULL, 0);
	assert_false(netvsp_vf_has_data_path(fake->nic));
	fake_expect_lawful(fake);
	fake_complete(fake, ASSOCIATION);
	fake_complete(fake, ASSOCIATION);
	fake_expect_completion(fake, ask(fake, 1), NULL, 0);
	fake_expect_violation(fake, HVH_V_NVS_VALUE); /* now it knows */
	fake_destroy(fake);
}

static void test_switch_without_a_vf_and_to_nothing_are_violations(void **state)
{
	struct fake *fake = fake_create();
	struct beside vf;

	(void)state;
	stand_beside(fake, &vf);
	bring_up(fake, NVS_VERSION_6_1, true);
	vf.there = false;
	fake_expect_completion(fake, ask(fake, 1), NULL, 0);
	fake_expect_violation(fake, HVH_V_NVS_VALUE);
	vf.there = true;
	netvsp_vf_tell(fake->nic, fake->now, true, 1);
	fake_run(fake);
	fake_take(fake);
	fake_expect_completion(fake, ask(fake, 2), NULL, 0);
	fake_expect_violation(fake, HVH_V_NVS_VALUE);
	assert_false(netvsp_vf_has_data_path(fake->nic));
	fake_destroy(fake);
}

static void test_five_switches_without_an_answer_are_too_many(void **state)
{
	struct fake *fake = fake_create();
	struct beside vf;

	(void)state;
	stand_beside(fake, &vf);
	bring_up(fake, NVS_VERSION_6_1, true);
	netvsp_vf_tell(fake->nic, fake->now, true, 1);
	fake_run(fake);
	fake_take(fake);
	vf.delay = 100;
	for (uint32_t n = 0; n < 4; n++)
		ask(fake, (n + 1) % 2);
	fake_expect_lawful(fake);
	ask(fake, 1);
	fake_expect_violation(fake, HVH_V_NVS_ORDER);
	fake->now += 100;
	fake_run(fake);
	assert_int_equal(fake_waiting(fake), 4);
	assert_int_equal(vf.switched, 4);
	assert_false(netvsp_vf_has_data_path(fake->nic));
	fake_destroy(fake);
}

static void test_frames_go_where_the_vf_says_while_it_has_the_data_path(void **state)
{
	uint8_t frame[64] = {0x00, 0x15, 0x5d, 1, 2, 3};
	struct fake *fake = fake_create();
	struct beside vf;

	(void)state;
	stand_beside(fake, &vf);
	bring_up(fake, NVS_VERSION_6_1, true);
	assert_true(hvh_nic_room(fake->nic, fake->now) > vf.room);
	netvsp_vf_tell(fake->nic, fake->now, true, 1);
	fake_run(fake);
	fake_take(fake);
	assert_true(hvh_nic_receive(fake->nic, fake->now, frame, sizeof frame));
	fake_run(fake);
	assert_int_equal(fake_waiting(fake), 1); /* before the switch: by the card */
	fake_complete(fake, fake_take(fake)->transaction_id);
	ask(fake, 1);
	fake_take(fake);
	assert_int_equal(hvh_nic_room(fake->nic, fake->now), vf.room);
	assert_true(hvh_nic_receive(fake->nic, fake->now, frame, sizeof frame));
	fake_run(fake);
	assert_int_equal(fake_waiting(fake), 0);
	assert_true(vf.card);
	vf.path = NETVSP_LOST;
	frame[5] = 4; /* another's address: not the card's */
	assert_false(hvh_nic_receive(fake->nic, fake->now, frame, sizeof frame));
	assert_false(vf.card);
	vf.path = NETVSP_BY_CARD;
	frame[5] = 3;
	assert_true(hvh_nic_receive(fake->nic, fake->now, frame, sizeof frame));
	fake_run(fake);
	assert_int_equal(fake_waiting(fake), 1);
	fake_destroy(fake);
}

static void test_frames_of_the_vf_reach_the_backend_while_the_link_is_up(void **state)
{
	const uint8_t frame[60] = {1, 2, 3};
	struct fake *fake = fake_create();
	struct beside vf;

	(void)state;
	stand_beside(fake, &vf);
	assert_true(netvsp_vf_transmit(fake->nic, 3, frame, sizeof frame));
	netvsp_vf_flush(fake->nic);
	assert_int_equal(fake->frames, 1);
	assert_int_equal(fake->flushed, 1);
	assert_memory_equal(fake->frame[0], frame, sizeof frame);
	hvh_nic_set_link(fake->nic, fake->now, false);
	assert_int_equal(vf.links, 1);
	assert_false(netvsp_vf_transmit(fake->nic, 3, frame, sizeof frame));
	hvh_nic_network_change(fake->nic, fake->now);
	assert_int_equal(vf.announced, 1);
	fake_destroy(fake);
}

static void test_data_path_is_the_cards_again_after_halt_and_close(void **state)
{
	static const uint32_t halt[] = {RNDIS_MSG_HALT, 12, 1};

	(void)state;
	for (unsigned closing = 0; closing < 2; closing++) {
		struct fake *fake = fake_create();
		struct beside vf;
		uint32_t left;

		stand_beside(fake, &vf);
		bring_up(fake, NVS_VERSION_6_1, true);
		netvsp_vf_tell(fake->nic, fake->now, true, 1);
		fake_run(fake);
		ask(fake, 1);
		assert_true(netvsp_vf_has_data_path(fake->nic));
		left = vf.left;
		if (closing != 0)
			fake_close(fake);
		else
			fake_control(fake, halt, sizeof halt);
		assert_false(netvsp_vf_has_data_path(fake->nic));
		assert_int_equal(vf.left, left + 1);
		assert_false(netvsp_vf_is_ready(fake->nic));
		fake_destroy(fake);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_guest_is_told_after_initialize_if_it_asked_from_version_4_on),
		cmocka_unit_test(test_association_may_be_answered_once),
		cmocka_unit_test(test_association_waits_for_room_and_keeps_its_order),
		cmocka_unit_test(test_switch_is_answered_when_done),
		cmocka_unit_test(test_switch_to_a_vf_that_has_just_gone_is_answered_without_effect),
		cmocka_unit_test(test_switch_without_a_vf_and_to_nothing_are_violations),
		cmocka_unit_test(test_five_switches_without_an_answer_are_too_many),
		cmocka_unit_test(test_frames_go_where_the_vf_says_while_it_has_the_data_path),
		cmocka_unit_test(test_frames_of_the_vf_reach_the_backend_while_the_link_is_up),
		cmocka_unit_test(test_data_path_is_the_cards_again_after_halt_and_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
