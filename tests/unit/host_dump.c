/* SPDX-License-Identifier: MIT */
/* The state tree: its form in every state, and some of its values. */
#include "host_echo_guest.h"
#include "hvkit_host/network.h"
#include "hvkit_host/quirk.h"

#define LINES 1024u
#define DEPTH 8u

struct tree {
	char path[LINES][128]; /* "vmbus/channel-1/phase" */
	char value[LINES][128];
	char parents[DEPTH][64];
	unsigned count, depth;
	bool open; /* the line before was "name:", so members follow */
};

static void add(void *context, const char *line)
{
	struct tree *tree = context;
	size_t spaces = strspn(line, " ");
	const char *name = line + spaces;
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
	unsigned depth = (unsigned)spaces / 2;
	char *path = tree->path[tree->count];
	assert_true(tree->count < LINES && depth < DEPTH);
	assert_int_equal(spaces % 2, 0);
	assert_true(length > 0 && length < sizeof(tree->parents[0]));
	assert_int_equal(name[length], ':');
	/* One deeper exactly after "name:", never deeper else. */
	if (tree->open)
		assert_int_equal(depth, tree->depth + 1);
	else
		assert_true(tree->count == 0 || depth <= tree->depth);
	tree->open = name[length + 1] == '\0';
	if (!tree->open) {
		assert_int_equal(name[length + 1], ' ');
		assert_true(name[length + 2] != '\0' && name[length + 2] != ' ');
		assert_null(strpbrk(name, "\n\t\r"));
		snprintf(tree->value[tree->count], sizeof(tree->value[0]), "%s", name + length + 2);
	}
	tree->depth = depth;
	snprintf(tree->parents[depth], sizeof(tree->parents[0]), "%.*s", (int)length, name);
	path[0] = '\0';
	for (unsigned n = 0; n <= depth; n++) {
		strcat(path, n == 0 ? "" : "/");
		strcat(path, tree->parents[n]);
	}
	for (unsigned n = 0; n < tree->count; n++)
		assert_string_not_equal(tree->path[n], path); /* unique among its siblings */
	tree->count++;
}

static struct tree *dump(struct guest *guest)
{
	static struct tree tree;
	memset(&tree, 0, sizeof(tree));
	hvh_dump(guest->host, add, &tree);
	assert_false(tree.open); /* "name:" with nothing below says nothing */
	return &tree;
}

static const char *value(const struct tree *tree, const char *path)
{
	for (unsigned n = 0; n < tree->count; n++) {
		if (strcmp(tree->path[n], path) == 0)
			return tree->value[n];
	}
	return NULL;
}

#define assert_value(tree, path, wanted)                  \
	do {                                              \
		const char *found_ = value(tree, path);   \
		if (found_ == NULL)                       \
			fail_msg("there is no %s", path); \
		assert_string_equal(found_, wanted);      \
	} while (0)

static int set_up(void **state)
{
	struct guest *guest = calloc(1, sizeof(*guest));
	guest_create(guest, "ws2022");
	*state = guest;
	return 0;
}

static int tear_down(void **state)
{
	guest_destroy(*state);
	free(*state);
	return 0;
}

static void before_anything(void **state)
{
	struct guest *guest = *state;
	struct tree *tree = dump(guest);
	assert_value(tree, "partition/profile", "ws2022");
	assert_value(tree, "partition/quirks", "none");
	assert_value(tree, "partition/seed", "1");
	assert_value(tree, "partition/vps", "2");
	assert_value(tree, "partition/violations/count", "0");
	assert_value(tree, "partition/faults/silence", "none");
	assert_value(tree, "hypervisor/os-id", "0x0");
	assert_value(tree, "vmbus/connected", "no");
	assert_null(value(tree, "vmbus/version"));
	assert_value(tree, "devices/count", "0");
}

static void registers_and_slots(void **state)
{
	struct guest *guest = *state;
	struct tree *tree;
	guest_start(guest);
	struct vmbus_initiate_contact contact = contact_message(VMBUS_VERSION_5_3);
	send_contact(guest, &contact);
	tree = dump(guest);
	assert_value(tree, "hypervisor/vp-0/sint-2/vector", "117");
	assert_value(tree, "hypervisor/vp-0/sint-2/masked", "no");
	assert_value(tree, "hypervisor/vp-0/sint-2/messages-delivered", "1");
	assert_value(tree, "hypervisor/vp-1/sint-2/messages-delivered", "0");
	assert_null(value(tree, "hypervisor/vp-0/sint-3/vector")); /* as at reset */
	assert_value(tree, "vmbus/version", "5.3");
	assert_value(tree, "vmbus/message-connection", "4");
	assert_value(tree, "vmbus/pages/monitor-from-guest", "0x12000");
	assert_value(tree, "partition/counters/contacts", "1");
	assert_non_null(strstr(value(tree, "hypervisor/vp-1/simp"), ", visible"));
}

static void quirks_faults_and_violations(void **state)
{
	struct guest *guest = *state;
	struct tree *tree;
	assert_true(hvh_partition_set_quirk(guest->host, "late-pending", "on", NULL, 0));
	assert_true(hvh_partition_set_quirk(guest->host, "torndown-withheld", "always", NULL, 0));
	hvh_fault_set(guest->host, HVH_FAULT_FRAME_LOST, 77);
	hvh_silence_set(guest->host, HVH_SILENCE_OPEN);
	for (int n = 0; n < 100; n++)
		hvh_violate(guest->host, HVH_V_TRAILER, 0, 0, 0, NULL, 0, "so");
	hvh_violate(guest->host, HVH_V_MSR, 0, 0, 0, NULL, 0, "so");
	tree = dump(guest);
	assert_value(tree, "partition/quirks/late-pending", "on");
	assert_value(tree, "partition/quirks/torndown-withheld", "always");
	assert_null(value(tree, "partition/quirks/rescind"));
	assert_value(tree, "partition/faults/frame-lost", "0 (chance 77 in 65536)");
	assert_value(tree, "partition/faults/late-pending", "0 (chance 65536 in 65536)");
	assert_null(value(tree, "partition/faults/rescind"));
	assert_value(tree, "partition/faults/silence", "open");
	assert_value(tree, "partition/violations/count", "101");
	assert_value(tree, "partition/violations/kept", "64");
	assert_value(tree, "partition/violations/trailer", "100");
	assert_value(tree, "partition/violations/msr", "1");
}

static void channels_rings_and_gpadls(void **state)
{
	struct guest *guest = *state;
	struct tree *tree;
	struct answer answer;
	struct vmbus_gpadl_header header = gpadl_message(1, 0x77, 60);
	struct vmbus_modify_channel modify = {{VMBUS_MSG_MODIFY_CHANNEL, 0}, 1, 1};
	struct hvh_profile profile = *hvh_profile_find("ws2022");
	profile.subchannel_order = HVH_SUBCHANNELS_AFTER;
	guest_destroy(guest);
	guest_create_with(guest, &profile, 1);
	echo_opened(guest, VMBUS_VERSION_5_3, NULL);
	echo_request(guest, HVH_ECHO_SUBCHANNELS, 1, true, 1);
	assert_true(echo_receive(guest, &answer));
	pass(guest, 1);
	assert_true(take(guest, 0));
	send_gpadl(guest, &header, PAGE_RING + 8, 26);
	header = gpadl_message(1, GPADL + 1, 60); /* in use: refused, and its bodies are to come */
	send_gpadl(guest, &header, PAGE_RING + 8, 26);
	assert_true(take(guest, 0));
	echo_request(guest, HVH_ECHO_BURST, 500, true, 0x99);
	hvh_fault_set(guest->host, HVH_FAULT_DELAY_COMPLETION, 65536);
	post(guest, &modify, sizeof(modify));
	tree = dump(guest);
	assert_value(tree, "vmbus/channel-1/device", "echo0");
	assert_value(tree, "vmbus/channel-1/phase", "open");
	assert_value(tree, "vmbus/channel-1/target-vp", "0");
	assert_value(tree, "vmbus/channel-1/modify-pending/target-vp", "1");
	assert_value(tree, "vmbus/channel-1/ring-gpadl", "0xe1e11");
	assert_value(tree, "vmbus/channel-1/ring-from-guest/size", "4096");
	assert_value(tree, "vmbus/channel-1/ring-from-guest/read", "64");
	assert_string_not_equal(value(tree, "vmbus/channel-1/ring-to-guest/pending-send-size"), "0");
	assert_value(tree, "vmbus/channel-1/gpadl-e1e11/state", "accepted");
	assert_value(tree, "vmbus/channel-1/gpadl-e1e11/bytes", "16384");
	assert_value(tree, "vmbus/channel-1/gpadl-77/state", "assembling");
	assert_value(tree, "vmbus/channel-1/gpadl-77/words", "27 of 61");
	assert_value(tree, "vmbus/channel-1/gpadl-refused-e1e11/state", "refused");
	assert_value(tree, "vmbus/channel-2/phase", "closed");
	assert_value(tree, "vmbus/channel-2/sub-channel-index", "1");
	assert_value(tree, "vmbus/gpadls", "3");
	assert_value(tree, "devices/echo0/present", "yes");
	assert_value(tree, "devices/echo0/type", "b8d1a1f0-6d0e-4c55-9a3e-2f5f0a7e4d10");
	assert_value(tree, "devices/echo0/sub-channels", "1");
	assert_value(tree, "devices/echo0/job-of-line-0/kind", "burst");
	assert_value(tree, "devices/echo0/job-of-line-0/transaction", "0x99");
}

static void answers_that_wait(void **state)
{
	struct guest *guest = *state;
	struct device device;
	offered_at(guest, &device, VMBUS_VERSION_5_3, false);
	hvh_fault_set(guest->host, HVH_FAULT_DELAY_MESSAGE, 65536);
	post(guest, golden_unload, sizeof(golden_unload));
	struct tree *tree = dump(guest);
	assert_value(tree, "vmbus/answers-waiting", "1");
	assert_value(tree, "vmbus/next-answer", "unload-response");
	assert_value(tree, "partition/quiet", "no");
	assert_value(tree, "devices/test0/present", "yes"); /* a device without a tree of its own */
	pass(guest, 20 * MS);
	assert_true(take(guest, 0));
	assert_value(dump(guest), "partition/quiet", "yes");
}

static void transmit(void *context, const void *frame, uint32_t length)
{
	(void)context, (void)frame, (void)length;
}

static void network_cards(void **state)
{
	static const struct hvh_backend backend = {.transmit = transmit};
	struct hvh_nic_config config = {.mac = {2, 0, 0, 0, 0, 0x1f}, .link_up = true};
	struct guest *guest = *state;
	guest_start(guest);
	struct hvh_nic *nic = hvh_nic_create(guest->host, &config, &backend);
	struct tree *tree = dump(guest);
	assert_value(tree, "devices/net0/mac", "02:00:00:00:00:1f");
	assert_value(tree, "devices/net0/link", "up");
	assert_null(value(tree, "devices/net0/nvs/version")); /* not open */
	connect_at(guest, VMBUS_VERSION_5_3);
	post(guest, golden_request_offers, 8);
	while (take(guest, 0))
		;
	create_gpadl(guest, 1, GPADL, PAGE_RING, RING_PAGES);
	struct vmbus_open_channel open = open_message(1);
	assert_int_equal(send_open(guest, &open), 0);
	hvh_nic_set_link(nic, guest->now, false);
	tree = dump(guest);
	assert_value(tree, "devices/net0/link", "down");
	assert_value(tree, "devices/net0/nvs/version", "none");
	assert_value(tree, "devices/net0/nvs/receive-buffer/state", "none");
	assert_value(tree, "devices/net0/rndis/initialized", "no");
	assert_value(tree, "devices/net0/counters/to-guest-frames", "0");
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(before_anything),           T(registers_and_slots), T(quirks_faults_and_violations),
		T(channels_rings_and_gpadls), T(answers_that_wait),   T(network_cards),
	};
	return cmocka_run_group_tests_name("host_dump", tests, NULL, NULL);
}
