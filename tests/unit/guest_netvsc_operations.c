/* SPDX-License-Identifier: MIT */
/* While attached: flags, link, keepalive, the device going away. */
#include "tests/unit/guest_netvsc_fake.h"

static const struct hvk_netvsc_config defaults;

static struct hvk_netdev_counters counters(void)
{
	struct hvk_netdev_counters now;

	hvk_netdev_get_counters(bench.netdev, &now);
	return now;
}

static void indicate(uint32_t status)
{
	uint8_t message[20] = {7, 0, 0, 0, 20};

	fake_put(message + 8, status);
	fake_message(message, 20, 20);
	fake_run();
}

static void flags_become_the_packet_filter(void **state)
{
	static const struct {
		uint32_t flags, filter;
	} cases[] = {
		{HVK_NETDEV_UP, 0x09},
		{HVK_NETDEV_UP | HVK_NETDEV_ALL_MULTICAST, 0x0d},
		{HVK_NETDEV_UP | HVK_NETDEV_PROMISCUOUS, 0x29},
		{HVK_NETDEV_UP | HVK_NETDEV_ALL_MULTICAST | HVK_NETDEV_PROMISCUOUS, 0x2d},
		{HVK_NETDEV_PROMISCUOUS, 0},
		{0, 0},
	};

	(void)state;
	fake_create(&defaults);
	assert_int_equal(fake_set_flags(HVK_NETDEV_UP), HVK_ESTATE);
	assert_int_equal(fake_attach(), HVK_OK);
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(fake_set_flags(cases[i].flags), HVK_OK);
		assert_int_equal(bench.last_filter, cases[i].filter);
		assert_int_equal(bench.netdev->info.flags, cases[i].flags);
	}
	assert_int_equal(fake_set_flags(8), HVK_EINVAL);
	fake_down();
}

static void a_filter_that_fails_changes_nothing(void **state)
{
	uint32_t flags;

	(void)state;
	fake_up(&defaults);
	flags = bench.netdev->info.flags;
	bench.refuse_oid = 0x0001010e;
	assert_int_equal(fake_set_flags(0), HVK_EREFUSED_RNDIS);
	assert_int_equal(bench.netdev->info.flags, flags);
	bench.refuse_oid = FAKE_NONE;
	bench.mute_oid = 0x0001010e;
	assert_int_equal(fake_set_flags(0), HVK_EINPROGRESS);
	fake_advance(4990);
	assert_int_equal(bench.flags.status, HVK_EINPROGRESS);
	fake_advance(20);
	assert_int_equal(bench.flags.status, HVK_ETIMEDOUT_RNDIS_SET);
	assert_int_equal(bench.netdev->info.flags, flags);
	bench.mute_oid = FAKE_NONE;
	assert_int_equal(fake_set_flags(0), HVK_OK);
	fake_down();
}

static void requests_are_done_one_after_the_other(void **state)
{
	struct hvk_request requests[12];
	uint32_t busy = 0;

	(void)state;
	fake_create(&defaults);
	assert_int_equal(fake_attach(), HVK_OK);
	bench.log[0] = 0;
	memset(requests, 0, sizeof(requests));
	for (uint32_t i = 0; i < 12; i++)
		hvk_netdev_set_flags(bench.netdev, i & 1 ? HVK_NETDEV_UP : 0, &requests[i]);
	/* Never two with the host at once. */
	for (int i = 0; i < 200; i++) {
		uint32_t open = 0;

		(void)fake_poll();
		for (uint32_t n = bench.answered; n < bench.channel.sent_count; n++)
			open += bench.channel.sent[n].kind == FAKE_GPA_DIRECT;
		assert_true(open <= 1);
		fake_answer();
	}
	for (uint32_t i = 0; i < 12; i++) {
		assert_true(requests[i].status == HVK_OK || requests[i].status == HVK_EBUSY);
		busy += requests[i].status == HVK_EBUSY;
	}
	assert_int_equal(busy, 4);
	assert_int_equal(bench.netdev->info.flags, HVK_NETDEV_UP); /* the last that was taken */
	fake_down();
}

static void requests_end_with_the_detach(void **state)
{
	struct hvk_request requests[3] = {{0}};

	(void)state;
	fake_up(&defaults);
	bench.mute_oid = 0x0001010e;
	for (int i = 0; i < 3; i++)
		hvk_netdev_set_flags(bench.netdev, 0, &requests[i]);
	fake_run();
	bench.mute_oid = FAKE_NONE;
	assert_int_equal(fake_detach(), HVK_OK);
	for (int i = 0; i < 3; i++)
		assert_int_equal(requests[i].status, HVK_ECANCELED);
	fake_check_nothing_left();
}

static void answers_too_late_or_twice_are_counted(void **state)
{
	uint8_t answer[16] = {5, 0, 0, 0x80, 16};

	(void)state;
	fake_up(&defaults);
	bench.mute_oid = 0x0001010e;
	assert_int_equal(fake_set_flags(0), HVK_EINPROGRESS);
	memcpy(answer + 8, bench.channel.sent[bench.channel.sent_count - 1].external + 8, 4);
	fake_advance(5010);
	assert_int_equal(bench.flags.status, HVK_ETIMEDOUT_RNDIS_SET);
	/* Its answer comes while the next one waits: it is not taken for its own. */
	assert_int_equal(fake_set_flags(HVK_NETDEV_UP | HVK_NETDEV_PROMISCUOUS), HVK_EINPROGRESS);
	fake_message(answer, 16, 16);
	fake_run();
	assert_int_equal(bench.flags.status, HVK_EINPROGRESS);
	memcpy(answer + 8, bench.channel.sent[bench.channel.sent_count - 2].external + 8, 4);
	for (uint32_t i = 0; i < bench.channel.sent_count; i++) {
		if (bench.channel.sent[i].kind == FAKE_GPA_DIRECT)
			memcpy(answer + 8, bench.channel.sent[i].external + 8, 4);
	}
	fake_message(answer, 16, 16);
	fake_message(answer, 16, 16);
	fake_run();
	assert_int_equal(bench.flags.status, HVK_OK);
	assert_int_equal(bench.netdev->info.flags, HVK_NETDEV_UP | HVK_NETDEV_PROMISCUOUS);
	assert_int_equal(bench.hvk.faults, 0);
	bench.mute_oid = FAKE_NONE;
	fake_down();
}

/* The ids can be foreseen, the answers must not be. */
static void an_answer_before_the_request_counts_as_late(void **state)
{
	uint8_t answer[16] = {5, 0, 0, 0x80, 16};

	(void)state;
	fake_up(&defaults);
	assert_int_equal(fake_set_flags(HVK_NETDEV_UP), HVK_OK);
	fake_put(answer + 8, fake_word(bench.channel.sent[0].external + 8) + 1);
	bench.channel.ring_full = true;
	assert_int_equal(fake_set_flags(0), HVK_EINPROGRESS);
	fake_message(answer, 16, 16);
	fake_run_alone();
	assert_int_equal(bench.flags.status, HVK_EINPROGRESS);
	bench.channel.ring_full = false;
	bench.channel.kicked = true;
	fake_run();
	assert_int_equal(bench.flags.status, HVK_OK);
	assert_int_equal(bench.last_filter, 0);
	fake_down();
}

/* What the host has not completed it may still be reading. */
static void a_control_message_keeps_its_memory_until_completed(void **state)
{
	(void)state;
	fake_up(&defaults);
	bench.hold_control = true;
	for (uint32_t i = 0; i < 8; i++) {
		uint64_t gpa;

		assert_int_equal(fake_set_flags(i & 1 ? HVK_NETDEV_UP : 0), HVK_OK);
		gpa = bench.channel.sent[2 * i].buffers[0].gpa;
		for (uint32_t j = 0; j < i; j++)
			assert_true(bench.channel.sent[2 * j].buffers[0].gpa != gpa);
	}
	assert_int_equal(fake_set_flags(0), HVK_EINPROGRESS); /* none is free */
	assert_int_equal(bench.channel.sent_count, 16);
	fake_complete(6, fake_nvs_success, 8);
	fake_run();
	assert_int_equal(bench.flags.status, HVK_OK);
	assert_int_equal(bench.channel.sent[16].buffers[0].gpa, bench.channel.sent[6].buffers[0].gpa);
	assert_int_equal(fake_set_flags(0), HVK_EINPROGRESS);
	fake_advance(5001);
	assert_int_equal(bench.flags.status, HVK_ETIMEDOUT_RNDIS_SET);
	bench.hold_control = false;
	fake_complete(2, fake_nvs_success, 8);
	fake_down();
}

/* --- Link ------------------------------------------------------------------------------- */

static void link_goes_down_and_up(void **state)
{
	(void)state;
	fake_up(&defaults);
	indicate(0x4001000b); /* as it is */
	assert_int_equal(bench.link_changes, 0);
	indicate(0x4001000c);
	assert_int_equal(bench.link_changes, 1);
	assert_false(bench.netdev->info.link_up);
	indicate(0x4001000c);
	assert_int_equal(bench.link_changes, 1);
	indicate(0x4001000b);
	assert_int_equal(bench.link_changes, 2);
	assert_true(bench.netdev->info.link_up);
	fake_down();
}

/* Down at once, and for five seconds: those above are to notice. */
static void another_network_is_a_link_that_went_down(void **state)
{
	(void)state;
	fake_up(&defaults);
	indicate(0x40010018);
	assert_string_equal(bench.log, "link:down ");
	fake_advance(4990);
	assert_string_equal(bench.log, "link:down ");
	fake_advance(20);
	assert_string_equal(bench.log, "link:down rndis:4:10114 link:up ");
	/* The host says that it is down now. */
	bench.custom_oid = 0x00010114;
	fake_put(bench.custom, 1);
	bench.custom_length = 4;
	bench.log[0] = 0;
	indicate(0x40010018);
	fake_advance(5010);
	assert_string_equal(bench.log, "link:down rndis:4:10114 ");
	assert_false(bench.netdev->info.link_up);
	/* It does not say. */
	bench.custom_oid = FAKE_NONE;
	indicate(0x4001000b);
	assert_true(bench.netdev->info.link_up);
	bench.mute_oid = 0x00010114;
	indicate(0x40010018);
	fake_advance(9990);
	assert_false(bench.netdev->info.link_up);
	fake_advance(20);
	assert_true(bench.netdev->info.link_up);
	fake_down();
}

/* Several in a row are one, five seconds after the last; what the host says of the link meanwhile is
 * heard then. */
static void networks_that_change_in_a_row(void **state)
{
	(void)state;
	fake_up(&defaults);
	indicate(0x40010018);
	fake_advance(3000);
	indicate(0x40010018);
	indicate(0x4001000b);
	indicate(0x4001000c);
	indicate(0x4001000b);
	fake_advance(4990);
	assert_string_equal(bench.log, "link:down ");
	fake_advance(20);
	assert_string_equal(bench.log, "link:down rndis:4:10114 link:up ");
	indicate(0x4001000c); /* over: heard at once again */
	assert_false(bench.netdev->info.link_up);
	fake_down();
}

static void a_detach_while_the_network_settles(void **state)
{
	(void)state;
	fake_up(&defaults);
	indicate(0x40010018);
	fake_advance(1000);
	assert_int_equal(fake_detach(), HVK_OK);
	bench.log[0] = 0;
	fake_advance(6000);
	assert_string_equal(bench.log, "");
	fake_check_nothing_left(); /* no timer is left either */
}

static void flags_wait_for_the_question_about_the_link(void **state)
{
	(void)state;
	fake_up(&defaults);
	bench.mute_oid = 0x00010114;
	indicate(0x40010018);
	assert_int_equal(fake_set_flags(HVK_NETDEV_UP), HVK_OK); /* not for the five seconds */
	fake_advance(5010);
	assert_int_equal(fake_set_flags(0), HVK_EINPROGRESS);
	fake_advance(5010);
	assert_int_equal(bench.flags.status, HVK_OK);
	fake_down();
}

static void another_speed_is_asked_for_and_told(void **state)
{
	(void)state;
	fake_up(&defaults);
	assert_true(bench.netdev->info.link_speed == 10000000000);
	bench.custom_oid = 0x00010107;
	fake_put(bench.custom, 25000000);
	bench.custom_length = 4;
	indicate(0x40010013);
	assert_true(bench.netdev->info.link_speed == 2500000000);
	assert_string_equal(bench.log, "rndis:4:10107 info ");
	bench.refuse_oid = 0x00010107; /* does not say any more: as it was */
	bench.custom_oid = FAKE_NONE;
	indicate(0x40010013);
	assert_true(bench.netdev->info.link_speed == 2500000000);
	fake_down();
}

static void unknown_status_is_counted_and_no_fault(void **state)
{
	(void)state;
	fake_up(&defaults);
	indicate(0x40020006);
	indicate(0x12345678);
	assert_int_equal(counters().status_ignored, 2);
	assert_int_equal(counters().rx_faults, 0);
	assert_int_equal(bench.hvk.faults, 0);
	assert_int_equal(bench.link_changes, 0);
	assert_string_equal(bench.log, "");
	fake_down();
}

/* --- Groups ------------------------------------------------------------------------------- */

static struct hvk_request groups_request;

static hvk_status set_groups(const uint8_t (*groups)[6], uint32_t count)
{
	hvk_netdev_set_multicast(bench.netdev, groups, count, &groups_request);
	fake_run();
	return groups_request.status;
}

/* A frame of 60 bytes to that address. */
static uint32_t inputs_after(const uint8_t address[6])
{
	uint8_t message[104];

	(void)fake_make_frame(message, 104, 60, 0);
	memcpy(message + 44, address, 6);
	fake_message(message, sizeof(message), sizeof(message));
	fake_run();
	return bench.inputs;
}

static void groups_are_all_or_none_for_the_host_and_a_list_for_us(void **state)
{
	static const uint8_t groups[3][6] = {
		{1, 0, 0x5e, 0, 0, 1}, {0x33, 0x33, 0, 0, 0, 1}, {1, 0, 0x5e, 1, 2, 3}};
	static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	static const uint8_t ours[6] = {0x00, 0x15, 0x5d, 0x01, 0x02, 0x03};

	(void)state;
	fake_up(&defaults);
	assert_int_equal(fake_set_flags(HVK_NETDEV_UP), HVK_OK);
	bench.log[0] = 0;
	assert_int_equal(set_groups(groups, 2), HVK_OK);
	assert_int_equal(bench.last_filter, 1 | 4 | 8);
	assert_int_equal(inputs_after(groups[0]), 1);
	assert_int_equal(inputs_after(groups[1]), 2);
	assert_int_equal(inputs_after(groups[2]), 2);
	assert_int_equal(counters().rx_other_group, 1);
	assert_int_equal(inputs_after(broadcast), 3);
	assert_int_equal(inputs_after(ours), 4);
	bench.log[0] = 0;
	assert_int_equal(set_groups(groups + 2, 1), HVK_OK); /* in their place; the filter is right already */
	assert_string_equal(bench.log, "");
	assert_int_equal(inputs_after(groups[0]), 4);
	assert_int_equal(inputs_after(groups[2]), 5);
	assert_int_equal(set_groups(NULL, 0), HVK_OK);
	assert_int_equal(bench.last_filter, 1 | 8);
	assert_int_equal(inputs_after(groups[2]), 5);
	assert_int_equal(fake_set_flags(HVK_NETDEV_UP | HVK_NETDEV_ALL_MULTICAST), HVK_OK);
	assert_int_equal(inputs_after(groups[2]), 6);
	fake_down();
}

static void groups_outlast_down_and_not_detach(void **state)
{
	static const uint8_t group[1][6] = {{1, 0, 0x5e, 0, 0, 1}};

	(void)state;
	fake_create(&defaults);
	assert_int_equal(set_groups(group, 1), HVK_ESTATE);
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(set_groups(group, 1), HVK_OK);
	assert_int_equal(bench.last_filter, 0); /* down is down */
	assert_int_equal(fake_set_flags(HVK_NETDEV_UP), HVK_OK);
	assert_int_equal(bench.last_filter, 1 | 4 | 8);
	assert_int_equal(fake_detach(), HVK_OK);
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(fake_set_flags(HVK_NETDEV_UP), HVK_OK);
	assert_int_equal(bench.last_filter, 1 | 8);
	fake_down();
}

static void groups_that_cannot_be(void **state)
{
	static uint8_t groups[HVK_NETDEV_GROUPS_MAX + 1][6];

	(void)state;
	for (uint32_t i = 0; i <= HVK_NETDEV_GROUPS_MAX; i++) {
		groups[i][0] = 1;
		groups[i][5] = (uint8_t)i;
	}
	fake_up(&defaults);
	assert_int_equal(set_groups(groups, HVK_NETDEV_GROUPS_MAX), HVK_OK);
	assert_int_equal(fake_set_flags(HVK_NETDEV_UP), HVK_OK);
	assert_int_equal(inputs_after(groups[HVK_NETDEV_GROUPS_MAX - 1]), 1);
	assert_int_equal(set_groups(groups, HVK_NETDEV_GROUPS_MAX + 1), HVK_EINVAL);
	groups[3][0] = 2; /* somebody's own address */
	assert_int_equal(set_groups(groups, 4), HVK_EINVAL);
	assert_int_equal(inputs_after(groups[HVK_NETDEV_GROUPS_MAX - 1]), 2);
	fake_down();
}

static void a_refused_filter_leaves_the_groups(void **state)
{
	static const uint8_t group[1][6] = {{1, 0, 0x5e, 0, 0, 1}};

	(void)state;
	fake_up(&defaults);
	assert_int_equal(fake_set_flags(HVK_NETDEV_UP), HVK_OK);
	bench.refuse_oid = 0x0001010e;
	assert_int_equal(set_groups(group, 1), HVK_EREFUSED_RNDIS);
	assert_int_equal(inputs_after(group[0]), 0);
	fake_down();
}

static void operations_that_it_lacks(void **state)
{
	struct hvk_request request = {0};

	(void)state;
	fake_up(&defaults);
	bench.netdev->ops->refuse(bench.netdev, &request);
	fake_run();
	assert_int_equal(request.status, HVK_ENOTSUP);
	fake_down();
}

/* --- Keepalive ---------------------------------------------------------------------------- */

static uint32_t keepalive_answers(uint32_t id)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < bench.channel.sent_count; i++) {
		const struct fake_sent *sent = &bench.channel.sent[i];

		if (sent->kind != FAKE_GPA_DIRECT || fake_word(sent->external) != 0x80000008)
			continue;
		assert_int_equal(sent->external_length, 16);
		assert_int_equal(fake_word(sent->external + 4), 16);
		assert_int_equal(fake_word(sent->external + 12), 0);
		count += fake_word(sent->external + 8) == id;
	}
	return count;
}

static void keepalive_is_answered(void **state)
{
	uint8_t message[12] = {8, 0, 0, 0, 0, 0, 0, 0, 0x44, 0x33, 0x22, 0x11};

	(void)state;
	fake_up(&defaults);
	fake_message(message, 12, 12);
	fake_run();
	assert_int_equal(keepalive_answers(0x11223344), 1);
	/* While a request is in flight, and while the ring is full. */
	bench.mute_oid = 0x0001010e;
	assert_int_equal(fake_set_flags(0), HVK_EINPROGRESS);
	message[8] = 0x45;
	bench.channel.ring_full = true;
	fake_message(message, 12, 12);
	fake_run_alone();
	assert_int_equal(keepalive_answers(0x11223345), 0);
	bench.channel.ring_full = false;
	bench.channel.kicked = true;
	fake_run();
	assert_int_equal(keepalive_answers(0x11223345), 1);
	fake_message(message, 11, 11); /* no id */
	fake_run();
	assert_int_equal(bench.hvk.faults, 1);
	assert_int_equal(bench.flags.status, HVK_EINPROGRESS);
	bench.mute_oid = FAKE_NONE;
	fake_down();
}

/* --- Gone ------------------------------------------------------------------------------------ */

static void rescind_ends_requests_and_is_told_once(void **state)
{
	struct hvk_request requests[2] = {{0}};

	(void)state;
	fake_up(&defaults);
	bench.mute_oid = 0x0001010e;
	hvk_netdev_set_flags(bench.netdev, 0, &requests[0]);
	hvk_netdev_set_flags(bench.netdev, 0, &requests[1]);
	fake_run();
	bench.channel.rescinded = true;
	bench.channel.kicked = true;
	fake_run();
	assert_int_equal(requests[0].status, HVK_EGONE);
	assert_int_equal(requests[1].status, HVK_EGONE);
	assert_int_equal(bench.gone, 1);
	bench.channel.kicked = true;
	fake_run();
	assert_int_equal(bench.gone, 1);
	assert_int_equal(fake_set_flags(0), HVK_EGONE);
	fake_down();
}

/* A tree as hvkit.h has it: two spaces per level, "name: value", or "name:" above members. */
struct tree {
	uint32_t lines, depth;
	bool opened; /* by the last line */
	char text[4096];
};

static void dump_line(void *context, const char *line)
{
	struct tree *tree = context;
	size_t spaces = strspn(line, " "),
	       name = strspn(line + spaces, "abcdefghijklmnopqrstuvwxyz0123456789-");
	const char *after = line + spaces + name;

	assert_true(name > 0 && strlen(line) < 100);
	assert_int_equal(spaces % 2, 0);
	assert_true(spaces / 2 == tree->depth + tree->opened || (!tree->opened && spaces / 2 < tree->depth));
	assert_true(strcmp(after, ":") == 0 || (strncmp(after, ": ", 2) == 0 && strlen(after) > 2));
	tree->opened = strcmp(after, ":") == 0;
	tree->depth = (uint32_t)spaces / 2;
	tree->lines++;
	assert_true(strlen(tree->text) + strlen(line) + 2 < sizeof(tree->text));
	strcat(strcat(tree->text, line), "\n");
}

static struct tree dump(void)
{
	struct tree tree = {0};

	hvk_netvsc_dump(bench.nic, dump_line, &tree);
	assert_false(tree.opened);
	return tree;
}

static void the_dump_is_a_tree_in_every_state(void **state)
{
	struct tree tree;

	(void)state;
	fake_create(&defaults);
	tree = dump();
	assert_non_null(strstr(tree.text, "netvsc:\n  state: detached\n"));
	hvk_netvsc_attach(bench.nic, &bench.attach);
	(void)fake_poll();
	assert_non_null(strstr(dump().text, "\n  state: attaching\n  step: open\n"));
	fake_run();
	tree = dump();
	assert_non_null(strstr(tree.text, "\n  state: attached\n"));
	assert_non_null(strstr(tree.text, "\n  mac: 00:15:5d:01:02:03\n"));
	assert_non_null(strstr(tree.text, "\n    sub-allocations: 1000\n"));
	fake_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flags_become_the_packet_filter),
		cmocka_unit_test(a_filter_that_fails_changes_nothing),
		cmocka_unit_test(requests_are_done_one_after_the_other),
		cmocka_unit_test(requests_end_with_the_detach),
		cmocka_unit_test(answers_too_late_or_twice_are_counted),
		cmocka_unit_test(an_answer_before_the_request_counts_as_late),
		cmocka_unit_test(a_control_message_keeps_its_memory_until_completed),
		cmocka_unit_test(link_goes_down_and_up),
		cmocka_unit_test(another_network_is_a_link_that_went_down),
		cmocka_unit_test(groups_are_all_or_none_for_the_host_and_a_list_for_us),
		cmocka_unit_test(groups_outlast_down_and_not_detach),
		cmocka_unit_test(groups_that_cannot_be),
		cmocka_unit_test(a_refused_filter_leaves_the_groups),
		cmocka_unit_test(operations_that_it_lacks),
		cmocka_unit_test(networks_that_change_in_a_row),
		cmocka_unit_test(a_detach_while_the_network_settles),
		cmocka_unit_test(another_speed_is_asked_for_and_told),
		cmocka_unit_test(flags_wait_for_the_question_about_the_link),
		cmocka_unit_test(unknown_status_is_counted_and_no_fault),
		cmocka_unit_test(keepalive_is_answered),
		cmocka_unit_test(rescind_ends_requests_and_is_told_once),
		cmocka_unit_test(the_dump_is_a_tree_in_every_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
