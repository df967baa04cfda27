/* SPDX-License-Identifier: MIT */
/* Pools in memory, and records of pool files. */
#include "guest/core/core.h"
#include "hvkit/utilities.h"

#define PAIRS_MAX 4096u
#define RECORD_KEY IC_KVP_KEY_SIZE
#define RECORD_VALUE IC_KVP_VALUE_SIZE

struct entry {
	uint8_t pool;
	struct hvk_kvp_pair pair;
};

/* Entries are in the order in which they came; one that is removed leaves no gap behind. */
struct hvk_kvp_store {
	struct hvk *hvk;
	struct hvk_pages pages;
	struct hvk_lock lock;
	uint32_t count, max;
	struct hvk_kvp_pair loaded; /* here, not on a stack */
	struct entry entries[];
};

hvk_status hvk_kvp_store_create(struct hvk *hvk, uint32_t pairs_max, struct hvk_kvp_store **out)
{
	size_t bytes = sizeof(struct hvk_kvp_store) + pairs_max * sizeof(struct entry);
	struct hvk_kvp_store *store;
	struct hvk_pages pages;
	hvk_status status;

	*out = NULL;
	if (pairs_max == 0 || pairs_max > PAIRS_MAX)
		return HVK_EINVAL;
	status = hvk_pages_get(hvk, (uint32_t)((bytes + HVK_PAGE_SIZE - 1) / HVK_PAGE_SIZE), HVK_PAGE_PRIVATE,
			       &pages);
	if (status != HVK_OK)
		return status;
	store = pages.address; /* zeros */
	store->hvk = hvk;
	store->pages = pages;
	store->max = pairs_max;
	status = hvk_lock_init(hvk, &store->lock);
	if (status != HVK_OK) {
		hvk_pages_put(hvk, &pages);
		return status;
	}
	*out = store;
	return HVK_OK;
}

void hvk_kvp_store_destroy(struct hvk_kvp_store *store)
{
	struct hvk_pages pages = store->pages;

	hvk_pages_put(store->hvk, &pages);
}

static bool same(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static struct entry *find(struct hvk_kvp_store *store, uint8_t pool, const char *key)
{
	for (uint32_t i = 0; i < store->count; i++) {
		if (store->entries[i].pool == pool && same(store->entries[i].pair.key, key))
			return &store->entries[i];
	}
	return NULL;
}

static struct entry *find_index(struct hvk_kvp_store *store, uint8_t pool, uint32_t index)
{
	for (uint32_t i = 0; i < store->count; i++) {
		if (store->entries[i].pool == pool && index-- == 0)
			return &store->entries[i];
	}
	return NULL;
}

enum hvk_utility_answer hvk_kvp_store_get(void *context, uint8_t pool, struct hvk_kvp_pair *pair)
{
	struct hvk_kvp_store *store = context;
	const struct entry *entry;

	hvk_lock(store->hvk, &store->lock);
	entry = find(store, pool, pair->key);
	if (entry)
		*pair = entry->pair;
	hvk_unlock(store->hvk, &store->lock);
	return entry ? HVK_UTILITY_DONE : HVK_UTILITY_NOT_FOUND;
}

/* Under the lock. False: full. */
static bool put_pair(struct hvk_kvp_store *store, uint8_t pool, const struct hvk_kvp_pair *pair)
{
	struct entry *entry = find(store, pool, pair->key);

	if (!entry && store->count < store->max) {
		entry = &store->entries[store->count++];
		entry->pool = pool;
	}
	if (entry)
		memcpy(&entry->pair, pair, sizeof(*pair));
	return entry != NULL;
}

enum hvk_utility_answer hvk_kvp_store_set(void *context, uint8_t pool, const struct hvk_kvp_pair *pair)
{
	struct hvk_kvp_store *store = context;
	bool put;

	if (pool >= IC_KVP_POOLS || pair->key[0] == '\0')
		return HVK_UTILITY_REFUSED;
	hvk_lock(store->hvk, &store->lock);
	put = put_pair(store, pool, pair);
	hvk_unlock(store->hvk, &store->lock);
	return put ? HVK_UTILITY_DONE : HVK_UTILITY_NO_ROOM;
}

enum hvk_utility_answer hvk_kvp_store_remove(void *context, uint8_t pool, const char *key)
{
	struct hvk_kvp_store *store = context;
	struct entry *entry;

	hvk_lock(store->hvk, &store->lock);
	entry = find(store, pool, key);
	if (entry) {
		struct entry *end = &store->entries[--store->count];

		memmove(entry, entry + 1, (size_t)((uint8_t *)end - (uint8_t *)entry));
	}
	hvk_unlock(store->hvk, &store->lock);
	return entry ? HVK_UTILITY_DONE : HVK_UTILITY_NOT_FOUND;
}

enum hvk_utility_answer hvk_kvp_store_enumerate(void *context, uint8_t pool, uint32_t index,
						struct hvk_kvp_pair *pair)
{
	struct hvk_kvp_store *store = context;
	const struct entry *entry;

	hvk_lock(store->hvk, &store->lock);
	entry = find_index(store, pool, index);
	if (entry)
		*pair = entry->pair;
	hvk_unlock(store->hvk, &store->lock);
	return entry ? HVK_UTILITY_DONE : HVK_UTILITY_NOT_FOUND;
}

/* --- Pool files ------------------------------------------------------------------------------------ */

/* False: no end. */
static bool get_text(const uint8_t *from, uint32_t size, char *to)
{
	for (uint32_t i = 0; i < size; i++) {
		to[i] = (char)from[i];
		if (to[i] == '\0')
			return true;
	}
	return false;
}

/* False: it does not fit. The rest of the field is zeros. */
static bool put_text(const char *from, uint8_t *to, uint32_t size)
{
	uint32_t length = 0;

	while (from[length] != '\0' && length < size)
		length++;
	if (length == size)
		return false;
	memcpy(to, from, length);
	memset(to + length, 0, size - length);
	return true;
}

hvk_status hvk_kvp_store_load(struct hvk_kvp_store *store, uint8_t pool,
			      const uint8_t record[HVK_KVP_RECORD_SIZE])
{
	struct hvk_kvp_pair *pair = &store->loaded;
	hvk_status status = HVK_EINVAL;

	if (pool >= IC_KVP_POOLS)
		return HVK_EINVAL;
	hvk_lock(store->hvk, &store->lock);
	memset(pair, 0, sizeof(*pair));
	pair->type = IC_KVP_SZ;
	if (get_text(record, RECORD_KEY, pair->key) && pair->key[0] != '\0' &&
	    get_text(record + RECORD_KEY, RECORD_VALUE, pair->value))
		status = put_pair(store, pool, pair) ? HVK_OK : HVK_ELIMIT;
	hvk_unlock(store->hvk, &store->lock);
	return status;
}

hvk_status hvk_kvp_store_save(struct hvk_kvp_store *store, uint8_t pool, uint32_t index,
			      uint8_t record[HVK_KVP_RECORD_SIZE])
{
	hvk_status status = HVK_OK;
	const struct entry *entry;
	char number[24];

	hvk_lock(store->hvk, &store->lock);
	entry = find_index(store, pool, index);
	if (!entry) {
		status = HVK_EEMPTY;
	} else {
		bool text = entry->pair.type == IC_KVP_SZ || entry->pair.type == IC_KVP_EXPAND_SZ;
		/* The file has no types: numbers are written in decimal (Linux). */
		const char *value = text ? entry->pair.value
					 : hvk_format(number, sizeof(number), "%llu",
						      (unsigned long long)entry->pair.number);

		if (!put_text(entry->pair.key, record, RECORD_KEY) ||
		    !put_text(value, record + RECORD_KEY, RECORD_VALUE))
			status = HVK_ETOOBIG;
	}
	hvk_unlock(store->hvk, &store->lock);
	return status;
}
