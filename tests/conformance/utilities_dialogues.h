/* SPDX-License-Identifier: MIT */
/* Dialogues of the integration components, whole runs: for utilities.c and utilities_threads.c. */
#ifndef CONFORMANCE_UTILITIES_DIALOGUES_H
#define CONFORMANCE_UTILITIES_DIALOGUES_H

#include "tests/conformance/utilities_user.h"

static inline void goes_down(struct user *user)
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

static inline void exchanges_pairs(struct user *user)
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

static inline void address(struct user *user, const char *adapter, enum hvh_utility_result result,
			   uint32_t status, const char *text)
{
	hvh_kvp_get_ip(user->host, host_locked(user), adapter, on_end, user);
	ends_with(user, adapter, result, status, text);
}

static inline void has_addresses(struct user *user)
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

static inline void vss(struct user *user, uint8_t operation, enum hvh_utility_result result, uint32_t status,
		       const char *text)
{
	hvh_vss_request(user->host, host_locked(user), operation, on_end, user);
	ends_with(user, "vss", result, status, text);
}

static inline void is_backed_up(struct user *user)
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

static inline const char *source_file(uint32_t size)
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

static inline void copy(struct user *user, const char *path, bool overwrite, enum hvh_utility_result result,
			uint32_t status, const char *text)
{
	hvh_fcopy_send(user->host, host_locked(user), source_file(FILE_BYTES), path, "bild.png", overwrite,
		       on_end, user);
	ends_with(user, "copy", result, status, text);
}

static inline void takes_files(struct user *user)
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

/* --- Runs ----------------------------------------------------------------------------------- */

static inline void restart(struct user *user, uint32_t which)
{
	hvh_utilities_restart(user->host, host_locked(user), which);
	host_unlocked(user);
}

static inline void create_host(struct user *user)
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

static inline void create_cards(struct user *user)
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

static inline void session(void *context, struct rig *rig)
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

static inline void run(struct rig_config config, const struct user *wishes)
{
	struct rig_result result;
	const char *wrong;

	the_user = *wishes;
	config.mode = wishes->threads ? HOSTED_THREADS : HOSTED_DETERMINISTIC;
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

#endif
