/* SPDX-License-Identifier: MIT */
/* The guest's user of the integration components, their life, and the host's requests. */
#ifndef CONFORMANCE_UTILITIES_USER_H
#define CONFORMANCE_UTILITIES_USER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "hvkit/utilities.h"
#include "hvkit/wire/guids.h"
#include "hvkit/wire/vmbus.h"
#include "hvkit_host/utilities.h"
#include "tests/support/rig.h"

#define KINDS 6u
#define OFFER_MS 5000u
#define REQUEST_MS 60000u
#define SETTLE_MS 20000u
#define CLOCK_BASE 134117424000000000ull
#define FILE_BYTES 20000u
#define V(major, minor) IC_VERSION(major, minor)
#define ADAPTER "{b1a2c3d4-e5f6-0718-293a-4b5c6d7e8f90}"
#define OTHER_ADAPTER "{00000001-0002-0003-0405-060708090a0b}"

struct agreed {
	const char *host;
	uint32_t framework, messages[KINDS]; /* 0: not there; 1: nothing in common */
};

struct user {
	struct rig *rig;
	void (*session)(struct user *user);
	const struct agreed *agreed;
	uint32_t newest;      /* of the guest's messages; 0 = all */
	uint32_t host_newest; /* of the host's */
	const char *kvp_file;
	bool refuses, later; /* later: of shutdown */
	bool threads;
	uint32_t cpus; /* that the channels are on; 0 = 1 */
	struct hvh_utilities *host;
	struct hvk_channel *channels[KINDS];
	struct hvk_utility *utilities[KINDS];
	struct hvk_request requests[KINDS];
	struct hvk_kvp_store *store;
	struct hvk_kvp_ip ip[2];
	int64_t clock_offset;
	uint32_t steps, slews;
	uint64_t transit;
	uint32_t asked_down, went_down;
	enum hvk_shutdown_action action;
	bool forced;
	char reason[1100];
	uint32_t freezes, thaws, thaws_alone;
	uint8_t file[FILE_BYTES];
	char file_path[600], file_name[600];
	uint64_t file_size;
	uint32_t files, files_dropped;
	bool file_there;
	/* How the host's request ended: */
	_Atomic uint32_t ended; /* the rest before it */
	enum hvh_utility_result result;
	uint32_t status;
	char text[4200];
	char wrong[400];
};

#define WRONG(user, ...)                                                                 \
	do {                                                                             \
		if ((user)->wrong[0] == '\0')                                            \
			(void)snprintf((user)->wrong, sizeof(user)->wrong, __VA_ARGS__); \
	} while (0)
#define EXPECT(user, right)                          \
	do {                                         \
		if (!(right))                        \
			WRONG(user, "not: " #right); \
	} while (0)

/* --- The guest's user ----------------------------------------------------------------------------- */

static inline enum hvk_utility_answer asked_down(void *context, const struct hvk_shutdown *shutdown)
{
	struct user *user = context;

	user->asked_down++;
	user->action = shutdown->action;
	user->forced = shutdown->forced;
	(void)snprintf(user->reason, sizeof user->reason, "%s", shutdown->text);
	if (user->later)
		return HVK_UTILITY_LATER;
	return user->refuses ? HVK_UTILITY_REFUSED : HVK_UTILITY_DONE;
}

static inline void go_down(void *context, enum hvk_shutdown_action action, bool forced)
{
	struct user *user = context;

	EXPECT(user, action == user->action && forced == user->forced);
	user->went_down++;
}

static inline uint64_t host_clock(void *context, uint64_t now)
{
	(void)context;
	return CLOCK_BASE + now;
}

static inline uint64_t guest_clock(void *context)
{
	struct user *user = context;

	return CLOCK_BASE + hvk_time(user->rig->hvk) + (uint64_t)user->clock_offset;
}

static inline void adjust(void *context, const struct hvk_time_offer *offer, int64_t difference)
{
	struct user *user = context;

	user->steps += offer->step;
	user->slews += !offer->step;
	user->transit = offer->transit;
	user->clock_offset += offer->step ? difference : difference / 2;
}

/* The two cards that this guest has. */
static inline struct hvk_kvp_ip *find_ip(struct user *user, const struct vmbus_guid *adapter)
{
	for (uint32_t n = 0; n < 2; n++) {
		if (memcmp(&user->ip[n].adapter, adapter, sizeof *adapter) == 0)
			return &user->ip[n];
	}
	return NULL;
}

static struct user *user_of_store(void *store);

static inline enum hvk_utility_answer get_ip(void *context, struct hvk_kvp_ip *ip)
{
	const struct hvk_kvp_ip *found = find_ip(user_of_store(context), &ip->adapter);

	if (!found)
		return HVK_UTILITY_NOT_FOUND;
	*ip = *found;
	return HVK_UTILITY_DONE;
}

static inline enum hvk_utility_answer set_ip(void *context, const struct hvk_kvp_ip *ip)
{
	struct user *user = user_of_store(context);
	struct hvk_kvp_ip *found = find_ip(user, &ip->adapter);

	if (!found)
		return HVK_UTILITY_NOT_FOUND;
	if (user->refuses)
		return HVK_UTILITY_REFUSED;
	*found = *ip;
	return HVK_UTILITY_DONE;
}

static inline enum hvk_utility_answer freeze(void *context)
{
	struct user *user = context;

	if (user->refuses)
		return HVK_UTILITY_REFUSED;
	user->freezes++;
	return HVK_UTILITY_DONE;
}

static inline void thaw(void *context, bool by_itself)
{
	struct user *user = context;

	user->thaws++;
	user->thaws_alone += by_itself;
}

static inline enum hvk_utility_answer copy_start(void *context, const char *path, const char *name,
						 uint64_t size, bool overwrite, bool create_path)
{
	struct user *user = context;

	EXPECT(user, create_path);
	if (user->file_there && !overwrite)
		return HVK_UTILITY_REFUSED;
	if (size > FILE_BYTES)
		return HVK_UTILITY_NO_ROOM;
	(void)snprintf(user->file_path, sizeof user->file_path, "%s", path);
	(void)snprintf(user->file_name, sizeof user->file_name, "%s", name);
	user->file_size = size;
	return HVK_UTILITY_DONE;
}

static inline enum hvk_utility_answer copy_write(void *context, uint64_t offset, const void *data,
						 uint32_t length)
{
	struct user *user = context;

	if (user->refuses)
		return HVK_UTILITY_NO_ROOM;
	EXPECT(user, offset + length <= FILE_BYTES);
	memcpy(user->file + offset, data, length);
	return HVK_UTILITY_DONE;
}

static inline enum hvk_utility_answer copy_end(void *context, bool ok)
{
	struct user *user = context;

	user->files += ok;
	user->files_dropped += !ok;
	user->file_there = ok;
	return HVK_UTILITY_DONE;
}

/* --- Life ------------------------------------------------------------------------------------------- */

static struct user the_user;

static inline struct user *user_of_store(void *store)
{
	return store == the_user.store ? &the_user : NULL;
}

static inline struct hvk_utility_config config_of(struct user *user, enum hvk_utility_kind kind)
{
	struct hvk_utility_config config = {.context = user,
					    .newest = user->newest,
					    .cpu = user->cpus > 1 ? (uint32_t)kind % user->cpus : 0};

	switch (kind) {
	case HVK_UTILITY_SHUTDOWN:
		config.callbacks.shutdown = (struct hvk_shutdown_callbacks){asked_down, go_down};
		break;
	case HVK_UTILITY_TIMESYNC:
		config.callbacks.time = (struct hvk_time_callbacks){.now = guest_clock, .adjust = adjust};
		break;
	case HVK_UTILITY_KVP:
		config.context = user->store;
		config.callbacks.kvp = (struct hvk_kvp_callbacks){hvk_kvp_store_get,
								  hvk_kvp_store_set,
								  hvk_kvp_store_remove,
								  hvk_kvp_store_enumerate,
								  get_ip,
								  set_ip};
		break;
	case HVK_UTILITY_VSS:
		config.callbacks.vss = (struct hvk_vss_callbacks){.freeze = freeze, .thaw = thaw};
		break;
	case HVK_UTILITY_FCOPY:
		config.callbacks.fcopy = (struct hvk_fcopy_callbacks){
			.start = copy_start, .write = copy_write, .end = copy_end};
		break;
	case HVK_UTILITY_HEARTBEAT:
		break;
	}
	return config;
}

static inline void offered(void *context, struct hvk_channel *channel, bool again)
{
	static const struct vmbus_guid types[KINDS] = {[HVK_UTILITY_SHUTDOWN] = VMBUS_GUID_SHUTDOWN,
						       [HVK_UTILITY_TIMESYNC] = VMBUS_GUID_TIMESYNC,
						       [HVK_UTILITY_HEARTBEAT] = VMBUS_GUID_HEARTBEAT,
						       [HVK_UTILITY_KVP] = VMBUS_GUID_KVP,
						       [HVK_UTILITY_VSS] = VMBUS_GUID_VSS,
						       [HVK_UTILITY_FCOPY] = VMBUS_GUID_FCOPY};
	struct user *user = context;

	(void)again;
	for (uint32_t n = 0; n < KINDS; n++) {
		if (memcmp(&hvk_channel_offer(channel)->type, &types[n], sizeof types[n]) == 0)
			user->channels[n] = channel;
	}
}

static inline void gone(void *context, struct hvk_channel *channel)
{
	struct user *user = context;

	for (uint32_t n = 0; n < KINDS; n++) {
		if (user->channels[n] == channel)
			user->channels[n] = NULL;
	}
}

static inline uint64_t host_locked(struct user *user)
{
	hosted_lock(user->rig->machine);
	return hosted_now(user->rig->machine);
}

static inline void host_unlocked(struct user *user)
{
	hosted_kick(user->rig->machine);
	hosted_unlock(user->rig->machine);
}

static inline void poll_for(struct user *user, uint32_t ms)
{
	uint64_t end = hvk_time(user->rig->hvk) + ms * HVK_TIME_PER_MS;

	while (hvk_time(user->rig->hvk) < end) {
		(void)hvk_poll(user->rig->hvk, 0);
		hosted_wait(user->rig->machine, (ms < 20 ? 1 : 20) * 1000000);
	}
}

#define UNTIL(user, ms, condition)                                                       \
	do {                                                                             \
		uint64_t end_ = hvk_time((user)->rig->hvk) + (ms)*HVK_TIME_PER_MS;       \
		while (!(condition) && hvk_time((user)->rig->hvk) < end_)                \
			poll_for(user, (ms) == SETTLE_MS ? 1 : 20);                      \
		if (!(condition))                                                        \
			WRONG(user, "after %u ms not yet: " #condition, (unsigned)(ms)); \
	} while (0)

static inline void wait_for(struct user *user, struct hvk_request *request, const char *what)
{
	hvk_status status = hvk_wait(user->rig->hvk, request, REQUEST_MS);

	if (status != HVK_OK)
		WRONG(user, "%s: %s", what, hvk_status_name(status));
}

static inline void attach_one(struct user *user, enum hvk_utility_kind kind)
{
	struct hvk_utility_config config = config_of(user, kind);

	UNTIL(user, OFFER_MS, user->channels[kind] && !hvk_channel_rescinded(user->channels[kind]));
	if (user->wrong[0])
		return;
	EXPECT(user, hvk_utility_create(user->channels[kind], &config, &user->utilities[kind]) == HVK_OK);
	if (!user->utilities[kind])
		return;
	hvk_utility_attach(user->utilities[kind], &user->requests[kind]);
	wait_for(user, &user->requests[kind], "attach");
}

static inline void detach_one(struct user *user, enum hvk_utility_kind kind)
{
	if (!user->utilities[kind])
		return;
	hvk_utility_detach(user->utilities[kind], &user->requests[kind]);
	wait_for(user, &user->requests[kind], "detach");
	EXPECT(user, hvk_utility_destroy(user->utilities[kind]) == HVK_OK);
	user->utilities[kind] = NULL;
}

static inline uint32_t version_of(struct user *user, enum hvk_utility_kind kind)
{
	uint32_t framework = 0, message = 0;

	if (user->utilities[kind])
		hvk_utility_versions(user->utilities[kind], &framework, &message);
	return message;
}

static inline bool has(const struct user *user, enum hvk_utility_kind kind)
{
	return user->agreed->messages[kind] > 1;
}

static inline void attach_all(struct user *user)
{
	for (uint32_t kind = 0; kind < KINDS; kind++) {
		if (user->agreed->messages[kind] == 0)
			continue;
		attach_one(user, (enum hvk_utility_kind)kind);
	}
	for (uint32_t kind = 0; kind < KINDS; kind++) {
		if (has(user, (enum hvk_utility_kind)kind))
			UNTIL(user, SETTLE_MS, version_of(user, (enum hvk_utility_kind)kind) != 0);
	}
	poll_for(user, 20); /* the host has the answers, too */
}

/* --- The host's requests ------------------------------------------------------------------------------ */

static inline void on_end(void *context, enum hvh_utility_result result, uint32_t status, const char *text)
{
	struct user *user = context;

	user->result = result;
	user->status = status;
	(void)snprintf(user->text, sizeof user->text, "%s", text);
	user->ended++;
}

static inline void ends_with(struct user *user, const char *what, enum hvh_utility_result result,
			     uint32_t status, const char *text)
{
	host_unlocked(user);
	UNTIL(user, SETTLE_MS, user->ended > 0);
	if (user->ended != 1 || user->result != result || user->status != status || !strstr(user->text, text))
		WRONG(user, "%s: %u ends, %d, 0x%x: %.200s", what, user->ended, user->result, user->status,
		      user->text);
	user->ended = 0;
}

static inline void pair(struct user *user, uint8_t operation, uint8_t pool, const char *key,
			const char *value, enum hvh_utility_result result, uint32_t status, const char *text)
{
	hvh_kvp_request(user->host, host_locked(user), operation, pool, key, value, 0, on_end, user);
	ends_with(user, key, result, status, text);
}

#endif
