/* SPDX-License-Identifier: MIT */
/*
 * utilities: the integration components. Each is a channel on which the host asks and the
 * guest answers; one hvk_utility serves one of them.
 *
 *   struct hvk_utility *utility;
 *   hvk_utility_create(channel, &config, &utility);   the kind by the channel's type
 *   hvk_utility_attach(utility, &request);            open; the host then negotiates
 *   ...  callbacks of the config in hvk_poll
 *   hvk_utility_detach(utility, &request);
 *   hvk_utility_destroy(utility);
 *
 * Requests are answered in order, one at a time. A callback answers at once or later
 * (hvk_utility_answer); what is not answered within its bound is answered with a failure.
 * What the host chooses (keys, paths, texts) is checked and bounded before it gets here.
 */
#ifndef HVKIT_UTILITIES_H
#define HVKIT_UTILITIES_H

#include "hvkit.h"
#include "vmbus.h"
#include "wire/ic.h"

#ifdef __cplusplus
extern "C" {
#endif

struct hvk_utility;

enum hvk_utility_kind {
	HVK_UTILITY_SHUTDOWN,
	HVK_UTILITY_TIMESYNC,
	HVK_UTILITY_HEARTBEAT,
	HVK_UTILITY_KVP,
	HVK_UTILITY_VSS,
	HVK_UTILITY_FCOPY
};

/* What a callback says. LATER: hvk_utility_answer will come. */
enum hvk_utility_answer {
	HVK_UTILITY_DONE,
	HVK_UTILITY_REFUSED,
	HVK_UTILITY_LATER,
	HVK_UTILITY_NOT_FOUND, /* KVP: no such key, no more items, no such adapter */
	HVK_UTILITY_NOT_SUPPORTED,
	HVK_UTILITY_NO_ROOM /* KVP: full; fcopy: no room on the disk */
};

/* --- Shutdown ------------------------------------------------------------------------------ */

enum hvk_shutdown_action { HVK_SHUTDOWN_POWER_OFF, HVK_SHUTDOWN_REBOOT, HVK_SHUTDOWN_HIBERNATE };

struct hvk_shutdown {
	enum hvk_shutdown_action action;
	bool forced; /* programs are not to be asked */
	uint32_t reason;
	uint32_t timeout_seconds;
	const char *text; /* UTF-8, printable, at most 1 KiB; borrowed for the call */
};

struct hvk_shutdown_callbacks {
	/* The host asks the machine to go down. DONE: yes, go_down will be called; else no. */
	enum hvk_utility_answer (*asked)(void *context, const struct hvk_shutdown *shutdown);
	/* The host has the answer: go down now. */
	void (*go_down)(void *context, enum hvk_shutdown_action action, bool forced);
};

/* --- Time ------------------------------------------------------------------------------------ */

struct hvk_time_offer {
	/* 100 ns since 1601, UTC, at the moment of the call: what the host said, and since then by the
	 * reference counter (4.0); before 4.0 as it was said. */
	uint64_t host_time;
	uint64_t transit;      /* 100 ns that were added for it */
	bool step;             /* the host says: set the clock (SYNC). Else a sample, to be slewed to */
	uint8_t leap, stratum; /* as of NTP; 0 before 4.0 */
};

struct hvk_time_callbacks {
	/* The guest's own clock, 100 ns since 1601; 0 = it has none yet. */
	uint64_t (*now)(void *context);
	/* difference = host's minus guest's, 100 ns. Called for every SYNC, and for samples that differ by
	 * slew_min or more. offer->step tells whether the clock is to be set or to be drawn near; a sample
	 * beyond step_min comes with step true. May refuse. */
	void (*adjust)(void *context, const struct hvk_time_offer *offer, int64_t difference);
	uint64_t slew_min; /* 100 ns; 0 = 1 ms */
	uint64_t step_min; /* 100 ns; 0 = 5 s */
};

/* --- Key-value pairs ---------------------------------------------------------------------------- */

#define HVK_KVP_KEY_MAX 768u    /* bytes of UTF-8: 255 UTF-16 units, and the end */
#define HVK_KVP_VALUE_MAX 3072u /* 1023 units, and the end */

struct hvk_kvp_pair {
	/* UTF-8, ended by zero. UTF-16 that is not well-formed (lone surrogates) is written as its three
	 * bytes, so that it goes back unchanged. */
	char key[HVK_KVP_KEY_MAX];
	uint32_t type;                 /* IC_KVP_SZ, _EXPAND_SZ, _U32, _U64 */
	char value[HVK_KVP_VALUE_MAX]; /* SZ and EXPAND_SZ */
	uint64_t number;               /* U32, U64 */
};

struct hvk_kvp_ip {
	struct vmbus_guid adapter; /* instance of the network card's channel */
	bool ipv4, ipv6, dhcp;
	char addresses[1025], masks[1025], gateways[513], name_servers[1025]; /* lists with ';' */
};

/* The store behind the pools; pool is below IC_KVP_POOLS, never 4. All in hvk_poll. */
struct hvk_kvp_callbacks {
	/* pair->key is the question; fill in the rest. */
	enum hvk_utility_answer (*get)(void *context, uint8_t pool, struct hvk_kvp_pair *pair);
	enum hvk_utility_answer (*set)(void *context, uint8_t pool, const struct hvk_kvp_pair *pair);
	enum hvk_utility_answer (*remove)(void *context, uint8_t pool, const char *key);
	/* NOT_FOUND: no more items. */
	enum hvk_utility_answer (*enumerate)(void *context, uint8_t pool, uint32_t index,
					     struct hvk_kvp_pair *pair);
	/* adapter is the question. NULL: NOT_SUPPORTED. */
	enum hvk_utility_answer (*get_ip)(void *context, struct hvk_kvp_ip *ip);
	/* IP injection. May refuse, or answer LATER. NULL: NOT_SUPPORTED. */
	enum hvk_utility_answer (*set_ip)(void *context, const struct hvk_kvp_ip *ip);
};

/* A store of pages of the port, bounded: the pools of a guest that has no disk, and the cache of one
 * that has. Its callbacks fit into the above with the store as context. Task context or callback, any CPU.
 * hvk_kvp_store_save writes a pool in the format of Linux's and FreeBSD's pool files (512 bytes of key,
 * 2048 of value, each); hvk_kvp_store_load is the way back. pairs_max is 1 to 4096, all pools together:
 * HVK_EINVAL; HVK_ENOMEM. */
struct hvk_kvp_store;
hvk_status hvk_kvp_store_create(struct hvk *hvk, uint32_t pairs_max, struct hvk_kvp_store **out);
void hvk_kvp_store_destroy(struct hvk_kvp_store *store);
enum hvk_utility_answer hvk_kvp_store_get(void *store, uint8_t pool, struct hvk_kvp_pair *pair);
enum hvk_utility_answer hvk_kvp_store_set(void *store, uint8_t pool, const struct hvk_kvp_pair *pair);
enum hvk_utility_answer hvk_kvp_store_remove(void *store, uint8_t pool, const char *key);
enum hvk_utility_answer hvk_kvp_store_enumerate(void *store, uint8_t pool, uint32_t index,
						struct hvk_kvp_pair *pair);
#define HVK_KVP_RECORD_SIZE 2560u
/* One record of a pool file into the pool (a malformed one: HVK_EINVAL; full: HVK_ELIMIT), and out of it
 * (HVK_EEMPTY past the last; HVK_ETOOBIG: a text that does not fit). Numbers are written in decimal. */
hvk_status hvk_kvp_store_load(struct hvk_kvp_store *store, uint8_t pool,
			      const uint8_t record[HVK_KVP_RECORD_SIZE]);
hvk_status hvk_kvp_store_save(struct hvk_kvp_store *store, uint8_t pool, uint32_t index,
			      uint8_t record[HVK_KVP_RECORD_SIZE]);

/* --- Backup ---------------------------------------------------------------------------------------- */

struct hvk_vss_callbacks {
	/* File systems are to be made still, and again usable. freeze may answer LATER. */
	enum hvk_utility_answer (*freeze)(void *context);
	/* by_itself: the host did not thaw within freeze_max, or the channel went away. */
	void (*thaw)(void *context, bool by_itself);
	uint32_t freeze_max_ms; /* 0 = 60000 */
	bool needs_recovery;    /* after a restore from the backup, as if power had gone (no journal) */
};

/* --- File copy --------------------------------------------------------------------------------------- */

struct hvk_fcopy_callbacks {
	/* A file of size bytes is coming; name is one path component of UTF-8 without separators and not
	 * "." or "..", path (may be "") likewise with '/' between components. The embedder keeps both
	 * inside a directory of its own. REFUSED if it exists and overwrite is false. */
	enum hvk_utility_answer (*start)(void *context, const char *path, const char *name, uint64_t size,
					 bool overwrite, bool create_path);
	/* data are valid until it is answered. Anything but DONE and LATER ends the copy. */
	enum hvk_utility_answer (*write)(void *context, uint64_t offset, const void *data, uint32_t length);
	/* All is there; or (ok false) the copy ended before: remove what came. */
	enum hvk_utility_answer (*end)(void *context, bool ok);
	uint64_t quota; /* bytes of one file; 0 = 1 GiB */
};

/* --- All of them ---------------------------------------------------------------------------------------- */

struct hvk_utility_config {
	uint32_t cpu; /* of the channel; 0 below VMBus 2.4 */
	/* That of the channel's kind is used. */
	union {
		struct hvk_shutdown_callbacks shutdown;
		struct hvk_time_callbacks time;
		struct hvk_kvp_callbacks kvp;
		struct hvk_vss_callbacks vss;
		struct hvk_fcopy_callbacks fcopy;
	} callbacks;
	void (*gone)(void *context, struct hvk_utility *utility);
	void *context;
	uint32_t answer_max_ms; /* bound of HVK_UTILITY_LATER; 0 = 30000, VSS freeze 60000 */
	uint32_t newest;        /* IC_VERSION to offer at most; 0 = all that we know */
};

/* HVK_ENOTSUP: no integration component. Otherwise as hvk_netvsc_create. */
hvk_status hvk_utility_create(struct hvk_channel *channel, const struct hvk_utility_config *config,
			      struct hvk_utility **out);
/* Finishes when the channel is open; the versions are 0 until the host has negotiated. */
void hvk_utility_attach(struct hvk_utility *utility, struct hvk_request *request);
void hvk_utility_detach(struct hvk_utility *utility, struct hvk_request *request);
hvk_status hvk_utility_destroy(struct hvk_utility *utility);
/* The answer to what a callback put off: anything but LATER. For get and enumerate with pair, for get_ip
 * with ip (else NULL). HVK_ESTATE: nothing is waiting any more. Task context or callback. */
hvk_status hvk_utility_answer(struct hvk_utility *utility, enum hvk_utility_answer answer,
			      const struct hvk_kvp_pair *pair, const struct hvk_kvp_ip *ip);

/* Which component it is, by the type of its channel. */
enum hvk_utility_kind hvk_utility_kind(const struct hvk_utility *utility);
/* From create to destroy. */
struct hvk_channel *hvk_utility_channel(struct hvk_utility *utility);
/* IC_VERSION each, 0 before the host has negotiated, or if there is nothing in common. */
void hvk_utility_versions(const struct hvk_utility *utility, uint32_t *framework, uint32_t *message);

struct hvk_utility_counters {
	uint64_t requests, answers, refused, late, malformed, negotiations;
};
/* Since create. Task context or callback. */
void hvk_utility_get_counters(const struct hvk_utility *utility, struct hvk_utility_counters *out);
/* For people, in the form that hvk_dump has (hvkit.h). */
void hvk_utility_dump(struct hvk_utility *utility, hvk_dump_line line, void *context);

#ifdef __cplusplus
}
#endif
#endif
