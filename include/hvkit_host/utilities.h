/* SPDX-License-Identifier: MIT */
/*
 * The host's side of the integration components. Each asks the guest and is told the answer by a
 * callback; one request of a component is under way at a time, others wait.
 */
#ifndef HVKIT_HOST_UTILITIES_H
#define HVKIT_HOST_UTILITIES_H

#include "host.h"
#include "hvkit/wire/ic.h"

#ifdef __cplusplus
extern "C" {
#endif

struct hvh_utilities; /* all of them, of one partition */

#define HVH_UTILITY_SHUTDOWN (1u << 0)
#define HVH_UTILITY_TIMESYNC (1u << 1)
#define HVH_UTILITY_HEARTBEAT (1u << 2)
#define HVH_UTILITY_KVP (1u << 3)
#define HVH_UTILITY_VSS (1u << 4)
#define HVH_UTILITY_FCOPY (1u << 5)
#define HVH_UTILITIES_ALL 0x3fu

enum hvh_utility_result {
	HVH_UTILITY_OK,
	HVH_UTILITY_FAILED,    /* the guest said so: see status */
	HVH_UTILITY_TIMED_OUT, /* no answer */
	HVH_UTILITY_AWAY       /* not open, or not negotiated */
};
/* The end of a request: status is the guest's IC_STATUS_*, text what it answered (one line for a
 * person; key = value for KVP). Called with the partition's lock held; may ask for the next thing.
 * Comes inside the call that asks, where that is refused at once. Each request ends once, unless the
 * partition is destroyed before. May be NULL. */
typedef void (*hvh_utility_done)(void *context, enum hvh_utility_result result, uint32_t status,
				 const char *text);

struct hvh_utilities_config {
	uint32_t which; /* HVH_UTILITY_*; 0 = all that the host has (quirk ic-versions) */
	/* Versions offered, as profiles have them; 0 = the profile's. For tests. */
	uint32_t framework_newest, message_newest;
	/* 100 ns since 1601 at the partition's time now. NULL: of the seed. */
	uint64_t (*wall_clock)(void *context, uint64_t now);
	void *context;
	uint64_t heartbeat_period; /* 100 ns; 0 = 2 s */
	uint64_t sample_period;    /* 100 ns; 0 = 5 s */
	/* Keeps what the host has set, between runs; NULL = nowhere. Made if it is not there, and kept
	 * open and locked until the partition goes. */
	const char *kvp_file;
};
/* Offers them: "shutdown0", "timesync0", "heartbeat0", "kvp0", "vss0", "fcopy0"; once per partition.
 * NULL, and a line in error: the host lacks one that was asked for, the file cannot be used, or there
 * is no room. They live until the partition does. */
struct hvh_utilities *hvh_utilities_create(struct hvh_partition *partition,
					   const struct hvh_utilities_config *config, char *error,
					   size_t error_size);
struct hvh_utilities *hvh_utilities_find(struct hvh_partition *partition);

/* flags: IC_SHUTDOWN_*. text: UTF-8, cut to fit; may be NULL. */
void hvh_shutdown_request(struct hvh_utilities *utilities, uint64_t now, uint32_t flags, const char *text,
			  hvh_utility_done done, void *context);
/* Moves the host's clock by so many 100 ns and tells the guest (SYNC). */
void hvh_time_step(struct hvh_utilities *utilities, uint64_t now, int64_t difference);
/* As it stands: answers seen, and the last of them. */
uint64_t hvh_heartbeats(const struct hvh_utilities *utilities, uint64_t *last_at);
/* IC_KVP_GET, _SET, _DELETE (of key), _ENUMERATE (of index: FAILED with IC_STATUS_NO_MORE_ITEMS past the
 * last) on pools 0 to 3. UTF-8. What a guest has taken of SET is kept, and set again whenever it
 * negotiates. */
void hvh_kvp_request(struct hvh_utilities *utilities, uint64_t now, uint8_t operation, uint8_t pool,
		     const char *key, const char *value, uint32_t index, hvh_utility_done done,
		     void *context);
/* adapter: the GUID of a network card's channel, as text. Lists with ';', printable ASCII; NULL: empty. */
struct hvh_kvp_ip {
	const char *adapter, *addresses, *masks, *gateways, *name_servers;
	bool ipv4, ipv6, dhcp;
};
/* adapter: as above, or (Linux's daemon wants that) a hardware address. The answer's text is
 * "adapter={...} ipv4=yes ipv6=no dhcp=no addresses=... masks=... gateways=... name-servers=...". Up to
 * KVP 4.0. */
void hvh_kvp_get_ip(struct hvh_utilities *utilities, uint64_t now, const char *adapter, hvh_utility_done done,
		    void *context);
void hvh_kvp_set_ip(struct hvh_utilities *utilities, uint64_t now, const struct hvh_kvp_ip *ip,
		    hvh_utility_done done, void *context);
/* IC_VSS_HOT_BACKUP, _FREEZE, _THAW, ... A freeze may take 15 minutes. */
void hvh_vss_request(struct hvh_utilities *utilities, uint64_t now, uint8_t operation, hvh_utility_done done,
		     void *context);
/* Copies a file of this machine to path/name in the guest, which is to make the path if it lacks it. The file
 * is open until the end; if it cannot go on the guest is told to drop what it has. */
void hvh_fcopy_send(struct hvh_utilities *utilities, uint64_t now, const char *file, const char *path,
		    const char *name, bool overwrite, hvh_utility_done done, void *context);
/* A restart of the host's services, in the middle of whatever is under way: its end is AWAY, and the guest is
 * asked for versions again, on the same channel. which: HVH_UTILITY_*. */
void hvh_utilities_restart(struct hvh_utilities *utilities, uint64_t now, uint32_t which);

struct hvh_utilities_counters {
	uint64_t negotiations, requests, answers, failures, timeouts, restarts;
};
void hvh_utilities_get_counters(const struct hvh_utilities *utilities, struct hvh_utilities_counters *out);

#ifdef __cplusplus
}
#endif
#endif
