/* SPDX-License-Identifier: MIT */
/*
 * The integration components, the guest's drivers and the host's, on hosts of every age: what versions they
 * agree on, every dialogue at each of them, and restarts of the host's side in the middle.
 */
#include "tests/conformance/utilities_user.h"

/* --- Dialogues --------------------------------------------------------------------------------- */

static void goes_down(struct user *user)
{
	static const struct {
		uint32_t flags, since;
		enum hvk_shutdown_action action;
	} wishes[] = {{0, V(1, 0), HVK_SHUTDOWN_POWER_OFF},
		      {IC_SHUTDOWN_FORCE, V(1, 0), HVK_SHUTDOWN_POWER_OFF},
		      {IC_SHUTDOWN_RESTART, V(3, 1), HVK_SHUTDOWN_REBOOT},
		      {IC_SHUTDOWN_HIBERNATE | IC_SHUTDOWN_FORCE, V(3, 2), HVK_SHUTDOWN_HIBERNATE}};
	uint32_t version = version_of(user, HVK_UTILITY_SHUTDOWN);

	for (uint32_t n = 0; n < 4; n++) {
		bool can = (version << 16 | version >> 16) >= (wishes[n].since << 16 | wishes[n].since >> 16);

		user->went_down = user->asked_down = 0;
		hvh_shutdown_request(user->host, host_locked(user), wishes[n].flags, "tr\xc3\xa4ge", on_end,
				     user);
		ends_with(user, "shutdown", can ? HVH_UTILITY_OK : HVH_UTILITY_FAILED,
			  can ? IC_STATUS_OK : IC_STATUS_INVALID_ARGUMENT,
			  can ? "goes down" : "needs shutdown");
		EXPECT(user, user->went_down == can && user->asked_down == can);
		EXPECT(user, !can || (user->action == wishes[n].action &&
				      user->forced == ((wishes[n].flags & IC_SHUTDOWN_FORCE) != 0)));
		EXPECT(user, !can || strcmp(user->reason, "tr\xc3\xa4ge") == 0);
	}
	user->refuses = true;
	user->went_down = 0;
	hvh_shutdown_request(user->host, host_locked(user), 0, NULL, on_end, user);
	ends_with(user, "shutdown", HVH_UTILITY_FAILED, IC_STATUS_FAIL, "refused");
	EXPECT(user, user->went_down == 0);
	user->refuses = false;
}

/* How far apart they are, in microseconds. */
static int64_t apart(struct user *user)
{
	uint64_t now = host_locked(user);
	int64_t found = (int64_t)(host_clock(user, now) - guest_clock(user)) / 10;

	host_unlocked(user);
	return found < 0 ? -found : found;
}

static void keeps_time(struct user *user)
{
	bool exact = version_of(user, HVK_UTILITY_TIMESYNC) == V(4, 0);

	UNTIL(user, SETTLE_MS, user->steps > 0); /* SYNC, at once */
	EXPECT(user, apart(user) < (exact ? 100 : 10000));
	user->steps = user->slews = 0;
	user->clock_offset += 2000000; /* 0.2 s */
	UNTIL(user, 15000, user->slews > 0);
	EXPECT(user, user->steps == 0);
	user->clock_offset -= 900000000; /* 90 s */
	UNTIL(user, 15000, user->steps > 0);
	EXPECT(user, apart(user) < (exact ? 100 : 10000));
}

static void lives(struct user *user)
{
	uint64_t before, after, last;

	(void)host_locked(user);
	before = hvh_heartbeats(user->host, &last);
	host_unlocked(user);
	poll_for(user, 10000);
	(void)host_locked(user);
	after = hvh_heartbeats(user->host, &last);
	host_unlocked(user);
	EXPECT(user, before >= 1 && after >= before + 4 && after <= before + 6);
}

static void exchanges_pairs(struct user *user)
{
	pair(user, IC_KVP_SET, 0,
	     "gr\xc3\xb6\xc3\x9f"
	     "e",
	     "\xf0\x9f\x98\x80 42", HVH_UTILITY_OK, 0, "");
	pair(user, IC_KVP_SET, 3,
	     "gr\xc3\xb6\xc3\x9f"
	     "e",
	     "", HVH_UTILITY_OK, 0, "");
	pair(user, IC_KVP_GET, 0,
	     "gr\xc3\xb6\xc3\x9f"
	     "e",
	     NULL, HVH_UTILITY_OK, 0,
	     "gr\xc3\xb6\xc3\x9f"
	     "e = \xf0\x9f\x98\x80 42");
	pair(user, IC_KVP_ENUMERATE, 0, "first", NULL, HVH_UTILITY_OK, 0,
	     "gr\xc3\xb6\xc3\x9f"
	     "e = ");
	pair(user, IC_KVP_ENUMERATE, 1, "none", NULL, HVH_UTILITY_FAILED, IC_STATUS_NO_MORE_ITEMS, "no more");
	pair(user, IC_KVP_DELETE, 0,
	     "gr\xc3\xb6\xc3\x9f"
	     "e",
	     NULL, HVH_UTILITY_OK, 0, "");
	pair(user, IC_KVP_GET, 0,
	     "gr\xc3\xb6\xc3\x9f"
	     "e",
	     NULL, HVH_UTILITY_FAILED, IC_STATUS_NOT_FOUND, "not found");
	pair(user, IC_KVP_DELETE, 3,
	     "gr\xc3\xb6\xc3\x9f"
	     "e",
	     NULL, HVH_UTILITY_OK, 0, "");
	pair(user, IC_KVP_DELETE, 3,
	     "gr\xc3\xb6\xc3\x9f"
	     "e",
	     NULL, HVH_UTILITY_FAILED, IC_STATUS_NOT_FOUND, "");
}

static void address(struct user *user, const char *adapter, enum hvh_utility_result result, uint32_t status,
		    const char *text)
{
	hvh_kvp_get_ip(user->host, host_locked(user), adapter, on_end, user);
	ends_with(user, adapter, result, status, text);
}

static void has_addresses(struct user *user)
{
	const struct hvh_kvp_ip ip = {.adapter = OTHER_ADAPTER,
				      .addresses = "192.168.7.2;fd00::2",
				      .masks = "/24;/64",
				      .gateways = "192.168.7.1",
				      .name_servers = "9.9.9.9",
				      .ipv4 = true,
				      .ipv6 = true};
	struct hvh_kvp_ip nobodys = ip;

	address(user, ADAPTER, HVH_UTILITY_OK, 0, "ipv4=yes ipv6=no dhcp=yes addresses=10.0.0.2 ");
	hvh_kvp_set_ip(user->host, host_locked(user), &ip, on_end, user);
	ends_with(user, "set IP", HVH_UTILITY_OK, 0, "");
	address(user, ADAPTER, HVH_UTILITY_OK, 0, "addresses=10.0.0.2 ");
	address(user, OTHER_ADAPTER, HVH_UTILITY_OK, 0,
		"ipv4=yes ipv6=yes dhcp=no addresses=192.168.7.2;fd00::2 masks=/24;/64 gateways=192.168.7.1 "
		"name-servers=9.9.9.9");
	EXPECT(user, strcmp(user->ip[0].addresses, "10.0.0.2") == 0);
	user->refuses = true;
	hvh_kvp_set_ip(user->host, host_locked(user), &ip, on_end, user);
	ends_with(user, "set IP", HVH_UTILITY_FAILED, IC_STATUS_FAIL, "refused");
	user->refuses = false;
	nobodys.adapter = "b1a2c3d4-e5f6-0718-293a-4b5c6d7e8f91";
	hvh_kvp_set_ip(user->host, host_locked(user), &nobodys, on_end, user);
	ends_with(user, "set IP", HVH_UTILITY_FAILED, IC_STATUS_NOT_FOUND, "not found");
}

static void vss(struct user *user, uint8_t operation, enum hvh_utility_result result, uint32_t status,
		const char *text)
{
	hvh_vss_request(user->host, host_locked(user), operation, on_end, user);
	ends_with(user, "vss", result, status, text);
}

static void is_backed_up(struct user *user)
{
	user->freezes = user->thaws = user->thaws_alone = 0;
	vss(user, IC_VSS_HOT_BACKUP, HVH_UTILITY_OK, 0, "needs no recovery");
	vss(user, IC_VSS_GET_DM_INFO, HVH_UTILITY_OK, 0, "");
	vss(user, IC_VSS_FREEZE, HVH_UTILITY_OK, 0, "");
	EXPECT(user, user->freezes == 1 && user->thaws == 0);
	vss(user, IC_VSS_THAW, HVH_UTILITY_OK, 0, "");
	EXPECT(user, user->thaws == 1 && user->thaws_alone == 0);
	vss(user, IC_VSS_BACKUP_COMPLETE, HVH_UTILITY_OK, 0, "");
	vss(user, IC_VSS_AUTO_RECOVER, HVH_UTILITY_OK, 0, "");
	user->refuses = true;
	vss(user, IC_VSS_FREEZE, HVH_UTILITY_FAILED, IC_STATUS_FAIL, "refused");
	user->refuses = false;
}

static void a_freeze_without_a_thaw(struct user *user)
{
	if (!has(user, HVK_UTILITY_VSS))
		return;
	vss(user, IC_VSS_FREEZE, HVH_UTILITY_OK, 0, "");
	poll_for(user, 59900);
	EXPECT(user, user->thaws == 0);
	poll_for(user, 200);
	EXPECT(user, user->thaws == 1 && user->thaws_alone == 1);
	vss(user, IC_VSS_THAW, HVH_UTILITY_FAILED, IC_STATUS_FAIL, "failed");
	EXPECT(user, user->thaws == 1);
}

static const char *source_file(uint32_t size)
{
	static char name[64];
	FILE *file;

	(void)snprintf(name, sizeof name, "/tmp/hvkit-conformance-%d", (int)getpid());
	file = fopen(name, "wb");
	for (uint32_t n = 0; file && n < size; n++)
		(void)fputc((int)((n * 7 + n / 251) & 0xff), file);
	if (file)
		(void)fclose(file);
	return name;
}

static void copy(struct user *user, const char *path, bool overwrite, enum hvh_utility_result result,
		 uint32_t status, const char *text)
{
	hvh_fcopy_send(user->host, host_locked(user), source_file(FILE_BYTES), path, "bild.png", overwrite,
		       on_end, user);
	ends_with(user, "copy", result, status, text);
}

static void takes_files(struct user *user)
{
	user->file_there = false;
	user->files = user->files_dropped = 0;
	copy(user, "/a/b/", false, HVH_UTILITY_OK, 0, "20000 bytes");
	EXPECT(user, user->files == 1 && user->file_size == FILE_BYTES);
	EXPECT(user, strcmp(user->file_path, "a/b") == 0 && strcmp(user->file_name, "bild.png") == 0);
	for (uint32_t n = 0; n < FILE_BYTES; n++)
		EXPECT(user, user->file[n] == (uint8_t)(n * 7 + n / 251));
	copy(user, "/a/b", false, HVH_UTILITY_FAILED, IC_STATUS_ALREADY_EXISTS, "exists");
	copy(user, "/a/b", true, HVH_UTILITY_OK, 0, "");
	copy(user, "/../etc", true, HVH_UTILITY_FAILED, IC_STATUS_INVALID_ARGUMENT, "invalid");
	EXPECT(user, user->files_dropped == 0);
	user->refuses = true;
	copy(user, "", true, HVH_UTILITY_FAILED, IC_STATUS_DISK_FULL, "no room");
	EXPECT(user, user->files_dropped == 1);
	user->refuses = false;
	(void)remove(source_file(0));
}

static void everything(struct user *user)
{
	for (uint32_t kind = 0; kind < KINDS; kind++) {
		uint32_t wanted = user->agreed->messages[kind];

		if (wanted > 1 && version_of(user, (enum hvk_utility_kind)kind) != wanted)
			WRONG(user, "component %u: messages 0x%x, not 0x%x", kind,
			      version_of(user, (enum hvk_utility_kind)kind), wanted);
	}
	if (has(user, HVK_UTILITY_SHUTDOWN))
		goes_down(user);
	if (has(user, HVK_UTILITY_TIMESYNC))
		keeps_time(user);
	if (has(user, HVK_UTILITY_HEARTBEAT))
		lives(user);
	if (has(user, HVK_UTILITY_KVP)) {
		exchanges_pairs(user);
		has_addresses(user);
	}
	if (has(user, HVK_UTILITY_VSS))
		is_backed_up(user);
	if (has(user, HVK_UTILITY_FCOPY))
		takes_files(user);
}

/* --- Restarts ---------------------------------------------------------------------------------- */

static void restart(struct user *user, uint32_t which)
{
	hvh_utilities_restart(user->host, host_locked(user), which);
	host_unlocked(user);
}

static void services_that_restart(struct user *user)
{
	for (uint32_t n = 0; n < 12; n++) {
		uint32_t which = n % 4 == 3 ? HVH_UTILITIES_ALL : 1u << n % KINDS;
		uint64_t now = host_locked(user);

		hvh_kvp_request(user->host, now, IC_KVP_SET, 2, "k", "v", 0, on_end, user);
		hvh_vss_request(user->host, now, IC_VSS_FREEZE, NULL, NULL);
		hvh_fcopy_send(user->host, now, source_file(FILE_BYTES), "", "f", true, NULL, NULL);
		hvh_time_step(user->host, now, 0);
		host_unlocked(user);
		poll_for(user, n % 7);
		restart(user, which);
		UNTIL(user, SETTLE_MS, user->ended > 0);
		user->ended = 0;
		poll_for(user, 200);
	}
	(void)remove(source_file(0));
	restart(user, HVH_UTILITIES_ALL);
	poll_for(user, 200);
	if (user->freezes > 0) /* the service that froze knows nothing of it any more: time thaws */
		UNTIL(user, 61000, user->freezes == user->thaws);
	everything(user);
}

/* What the host has set comes again to a guest that begins anew, and to the next run. */
static void kept_by_the_host(struct user *user)
{
	pair(user, IC_KVP_SET, 0, "a", "1", HVH_UTILITY_OK, 0, "");
	pair(user, IC_KVP_SET, 1, "b", "\xc3\xa4", HVH_UTILITY_OK, 0, "");
	detach_one(user, HVK_UTILITY_KVP);
	EXPECT(user, hvk_kvp_store_remove(user->store, 0, "a") == HVK_UTILITY_DONE);
	attach_one(user, HVK_UTILITY_KVP);
	UNTIL(user, SETTLE_MS, version_of(user, HVK_UTILITY_KVP) != 0);
	poll_for(user, 20);
	pair(user, IC_KVP_GET, 0, "a", NULL, HVH_UTILITY_OK, 0, "a = 1");
}

static void told_in_the_next_run(struct user *user)
{
	pair(user, IC_KVP_GET, 0, "a", NULL, HVH_UTILITY_OK, 0, "a = 1");
	pair(user, IC_KVP_GET, 1, "b", NULL, HVH_UTILITY_OK, 0, "b = \xc3\xa4");
}

/* --- Runs -------------------------------------------------------------------------------------- */

static void create_host(struct user *user)
{
	const struct hvh_utilities_config config = {
		.wall_clock = host_clock, .message_newest = user->host_newest, .kvp_file = user->kvp_file};
	char error[200] = "";

	hosted_lock(user->rig->machine);
	user->host = hvh_utilities_create(hosted_partition(user->rig->machine), &config, error, sizeof error);
	host_unlocked(user);
	if (!user->host)
		WRONG(user, "%s", error);
}

static void create_cards(struct user *user)
{
	static const struct vmbus_guid guids[2] = {
		VMBUS_GUID(0xb1a2c3d4u, 0xe5f6u, 0x0718u, 0x29, 0x3a, 0x4b, 0x5c, 0x6d, 0x7e, 0x8f, 0x90),
		VMBUS_GUID(0x00000001u, 0x0002u, 0x0003u, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b)};

	for (uint32_t n = 0; n < 2; n++)
		user->ip[n] = (struct hvk_kvp_ip){.adapter = guids[n], .ipv4 = true, .dhcp = true};
	strcpy(user->ip[0].addresses, "10.0.0.2");
	strcpy(user->ip[1].addresses, "10.1.0.2");
	EXPECT(user, hvk_kvp_store_create(user->rig->hvk, 16, &user->store) == HVK_OK);
}

static void session(void *context, struct rig *rig)
{
	struct user *user = context;

	user->rig = rig;
	create_host(user);
	create_cards(user);
	if (user->wrong[0] == '\0')
		attach_all(user);
	if (user->wrong[0] == '\0')
		user->session(user);
	for (uint32_t kind = 0; kind < KINDS; kind++)
		detach_one(user, (enum hvk_utility_kind)kind);
	if (user->store)
		hvk_kvp_store_destroy(user->store);
}

static void run(struct rig_config config, const struct user *wishes)
{
	struct rig_result result;
	const char *wrong;

	the_user = *wishes;
	config.mode = HOSTED_DETERMINISTIC;
	config.no_nic = true;
	config.session = session;
	config.offered = offered;
	config.gone = gone;
	config.session_context = &the_user;
	rig_run(&config, &result);
	wrong = the_user.wrong[0] ? the_user.wrong : rig_check(&result, true);
	if (wrong)
		fail_msg("%s, %u CPUs, seed %u, newest 0x%x: %s", wishes->agreed->host, config.cpus,
			 (unsigned)config.seed, wishes->newest, wrong);
}

/* What guest and host agree on: shutdown, time, heartbeat, pairs, backup, copy. */
static const struct agreed hosts[] = {
	{"ws2008", V(1, 0), {V(1, 0), V(1, 0), V(1, 0), V(1, 0), 0, 0}},
	{"ws2008r2", V(3, 0), {V(3, 0), V(3, 0), V(3, 0), V(3, 0), 0, 0}},
	{"ws2012", V(3, 0), {V(3, 0), V(3, 0), V(3, 0), V(4, 0), 1, 0}},
	{"ws2012r2", V(3, 0), {V(3, 0), V(3, 0), V(3, 0), V(4, 0), V(5, 0), V(1, 1)}},
	{"ws2016", V(3, 0), {V(3, 1), V(4, 0), V(3, 0), V(4, 0), V(5, 0), V(1, 1)}},
	{"ws2019", V(3, 0), {V(3, 1), V(4, 0), V(3, 0), V(4, 0), V(5, 0), V(1, 1)}},
	{"ws2022", V(3, 0), {V(3, 2), V(4, 0), V(3, 0), V(4, 0), V(5, 0), V(1, 1)}},
	{"azure", V(3, 0), {V(3, 2), V(4, 0), V(3, 0), V(4, 0), V(5, 0), V(1, 1)}},
	{"openvmm", V(3, 0), {V(3, 2), V(4, 0), 0, V(4, 0), 0, 0}},
};
#define HOSTS (sizeof hosts / sizeof hosts[0])
#define WS2022 6u

static void every_host(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < HOSTS; n++) {
		const struct user wishes = {.agreed = &hosts[n], .session = everything};
		const struct rig_config config = {.profile = hosts[n].host, .seed = n, .cpus = 1 + n % 3};

		run(config, &wishes);
	}
}

static void every_bus_version(void **state)
{
	static const uint32_t versions[] = {VMBUS_VERSION_0_13, VMBUS_VERSION_1_1, VMBUS_VERSION_2_4,
					    VMBUS_VERSION_3_0,  VMBUS_VERSION_4_0, VMBUS_VERSION_5_0};

	(void)state;
	for (uint32_t n = 0; n < sizeof versions / sizeof versions[0]; n++) {
		const struct user wishes = {.agreed = &hosts[WS2022], .session = everything};
		const struct rig_config config = {.accept_newest = versions[n], .seed = 20 + n, .cpus = 1};

		run(config, &wishes);
	}
}

/* A guest that knows less, as those before it did. */
static void every_message_version(void **state)
{
	static const struct agreed of_guests[] = {
		{"ws2022", V(3, 0), {V(3, 1), V(3, 0), V(3, 0), V(3, 0), 1, V(1, 1)}},
		{"ws2022", V(3, 0), {V(3, 0), V(3, 0), V(3, 0), V(3, 0), 1, V(1, 1)}},
		{"ws2022", V(3, 0), {V(1, 0), V(1, 0), V(1, 0), 1, 1, 1}},
		{"ws2022", V(3, 0), {V(3, 2), V(4, 0), V(3, 0), V(4, 0), 1, V(1, 1)}},
	};
	static const struct agreed of_hosts[] = {
		{"ws2022", V(3, 0), {V(3, 1), V(3, 0), V(3, 0), V(3, 0), 0, V(1, 1)}},
		{"ws2022", V(3, 0), {V(3, 0), V(3, 0), V(3, 0), V(3, 0), 0, V(1, 1)}},
		{"ws2022", V(3, 0), {V(1, 0), V(1, 0), V(1, 0), 0, 0, 0}},
		{"ws2022", V(3, 0), {V(3, 2), V(4, 0), V(3, 0), V(4, 0), 1, V(1, 1)}},
	};
	static const uint32_t newest[] = {V(3, 1), V(3, 0), V(1, 0), V(4, 0)};

	(void)state;
	for (uint32_t n = 0; n < 4; n++) {
		const struct user old_guest = {
			.agreed = &of_guests[n], .session = everything, .newest = newest[n]};
		const struct user old_host = {
			.agreed = &of_hosts[n], .session = everything, .host_newest = newest[n]};
		const struct rig_config config = {.seed = 40 + n, .cpus = 1};

		run(config, &old_guest);
		run(config, &old_host);
	}
}

static void seeds(void (*body)(struct user *user))
{
	for (uint64_t seed = 1; seed <= 4; seed++) {
		const struct user wishes = {.agreed = &hosts[WS2022], .session = body};
		const struct rig_config config = {
			.seed = seed, .cpus = 1 + (uint32_t)seed % 3, .fault_chance = seed % 2 ? 0 : 2000};

		run(config, &wishes);
	}
}

static void under_faults(void **state)
{
	(void)state;
	seeds(everything);
}

static void restarts_in_the_middle(void **state)
{
	(void)state;
	seeds(services_that_restart);
}

static void a_freeze_thaws_by_itself(void **state)
{
	(void)state;
	seeds(a_freeze_without_a_thaw);
}

static void pairs_outlive_guest_and_host(void **state)
{
	char name[64];
	struct user wishes = {.agreed = &hosts[WS2022], .session = kept_by_the_host, .kvp_file = name};
	const struct rig_config config = {.seed = 1, .cpus = 1};

	(void)state;
	(void)snprintf(name, sizeof name, "/tmp/hvkit-conformance-kvp-%d", (int)getpid());
	run(config, &wishes);
	wishes.session = told_in_the_next_run;
	run(config, &wishes);
	(void)remove(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_host),
		cmocka_unit_test(every_bus_version),
		cmocka_unit_test(every_message_version),
		cmocka_unit_test(under_faults),
		cmocka_unit_test(restarts_in_the_middle),
		cmocka_unit_test(a_freeze_thaws_by_itself),
		cmocka_unit_test(pairs_outlive_guest_and_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
