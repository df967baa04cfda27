/* SPDX-License-Identifier: MIT */
/*
 * Receive-side scaling: capabilities, the guest's parameters, and the hash.
 */
#ifndef HVH_NETVSP_RSS_H
#define HVH_NETVSP_RSS_H

#include "headers.h"
#include "hvkit/wire/ndis.h"

struct netvsp_rss {
	bool enabled;
	uint32_t hash;    /* NDIS_HASH_* */
	uint32_t entries; /* of the table, 1 to NDIS_RSS_TABLE_ENTRIES_MAX */
	uint32_t table[NDIS_RSS_TABLE_ENTRIES_MAX];
	uint8_t key[NDIS_RSS_KEY_SIZE];
};

/* What a card of so many queues and these NDIS_RSS_CAPABILITY_* says, in the form of 18 bytes (Linux
 * takes no more) or of 16 (NDIS 6.0). Returns its length, 0 if room is too small. */
uint32_t netvsp_rss_write(uint32_t queues, uint32_t capabilities, bool ndis_6_0, uint8_t *to, uint32_t room);
/* The NDIS_HASH_* that such capabilities allow. */
uint32_t netvsp_rss_types(uint32_t capabilities);
/* OID_GEN_RECEIVE_SCALE_PARAMETERS, for so many queues and these NDIS_HASH_* types. NULL if all is
 * right; else what is not, in *value the number, and nothing has changed. heed_unchanged: the flags that
 * say so are obeyed (FreeBSD: no host does). */
const char *netvsp_rss_set(struct netvsp_rss *rss, const uint8_t *parameters, uint32_t length,
			   uint32_t queues, uint32_t types, bool heed_unchanged, uint32_t *value);

uint32_t netvsp_toeplitz(const uint8_t key[NDIS_RSS_KEY_SIZE], const uint8_t *input, uint32_t length);
/* The frame's hash and its one NDIS_HASH_* type, of those in rss->hash. False: none applies. */
bool netvsp_rss_hash(const struct netvsp_rss *rss, const uint8_t *frame, const struct netvsp_headers *headers,
		     uint32_t *hash, uint32_t *type);
/* Among the queues that the guest has open; queue 0 for a table entry beyond them. */
uint32_t netvsp_rss_queue(const struct netvsp_rss *rss, uint32_t hash, uint32_t open);

#endif
