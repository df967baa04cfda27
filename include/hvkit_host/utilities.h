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
 * person; key = value for KVP). Called with the partition's lock held. May be NULL. */
typedef void (*hvh_utility_done)(void *context, enum hvh_utility_result result, uint32_t status,
				 const char *text);

struct hvh_utilities_config {
	uint32_t which; /* HVH_UTILITY_*; 0 = all */
	/* Versions offered, as profiles have them; 0 = the profile's. For tests. */
	uint32_t framework_newest, message_newest;
	/* 100 ns since 1601 at the partition's time now. NULL: of the seed. */
	uint64_t (*wall_clock)(void *context, uint64_t now);
	void *context;
	uint64_t heartbeat_period; /* 100 ns; 0 = 2 s */
	uint64_t sample_period;    /* 100 ns; 0 = 5 s */
	const char *kvp_file;      /* keeps what the host has set, between runs; NULL = nowhere */
};
/* Offers them. NULL if there is no room. They live until the partition does. */
struct hvh_utilities *hvh_utilities_create(struct hvh_partition *partition,
					   const struct hvh_utilities_config *config, char *error,
					   size_t error_size);
struct hvh_utilities *hvh_utilities_find(struct hvh_partition *partition);

/* flags: IC_SHUTDOWN_*. */
void hvh_shutdown_request(struct hvh_utilities *utilities, uint64_t now, uint32_t flags, const char *text,
			  hvh_utility_done done, void *context);
/* Moves the host's clock by so many 100 ns and tells the guest (SYNC). */
void hvh_time_step(struct hvh_utilities *utilities, uint64_t now, int64_t difference);
/* As it stands: answers seen, and the last of them. */
uint64_t hvh_heartbeats(const struct hvh_utilities *utilities, uint64_t *last_at);
void hvh_kvp_request(struct hvh_utilities *utilities, uint64_t now, uint8_t operation, uint8_t pool,
		     const char *key, const char *value, uint32_t index, hvh_utility_done done,
		     void *context);
/* adapter: text of a GUID. lists with ';'. */
struct hvh_kvp_ip {
	const char *adapter, *addresses, *masks, *gateways, *name_servers;
	bool ipv4, ipv6, dhcp;
};
void hvh_kvp_get_ip(struct hvh_utilities *utilities, uint64_t now, const char *adapter, hvh_utility_done done,
		    void *context);
void hvh_kvp_set_ip(struct hvh_utilities *utilities, uint64_t now, const struct hvh_kvp_ip *ip,
		    hvh_utility_done done, void *context);
/* IC_VSS_HOT_BACKUP, _FREEZE, _THAW, ... */
void hvh_vss_request(struct hvh_utilities *utilities, uint64_t now, uint8_t operation, hvh_utility_done done,
		     void *context);
/* Copies a file of this machine to path/name in the guest. */
void hvh_fcopy_send(struct hvh_utilities *utilities, uint64_t now, const char *file, const char *path,
		    const char *name, bool overwrite, hvh_utility_done done, void *context);
/* A restart of the host's services, in the middle of whatever is under way. which: HVH_UTILITY_*. */
void hvh_utilities_restart(struct hvh_utilities *utilities, uint64_t now, uint32_t which);

struct hvh_utilities_counters {
	uint64_t negotiations, requests, answers, failures, timeouts, restarts;
};
void hvh_utilities_get_counters(const struct hvh_utilities *utilities, struct hvh_utilities_counters *out);

#ifdef __cplusplus
}
#endif
#endif
