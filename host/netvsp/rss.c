/* SPDX-License-Identifier: MIT */
/*
 * Receive-side scaling. Sources: OpenVMM (which parameters it refuses), Linux and FreeBSD (what
 * guests send), "RSS Hashing Types" of the NDIS documentation.
 */
#include "rss.h"

#include <stddef.h>
#include <string.h>

#define PARAMETERS_SIZE_1 28u
#define FLAGS_KNOWN 0x3fu /* 0x20: the default processor is unchanged (revision 3) */
#define FUNCTION_MASK 0xffu
/* Linux asks for these whatever the capabilities say. */
#define ASKED_ANYHOW (NDIS_HASH_IPV6 | NDIS_HASH_TCP6)
#define HASH_INPUT_MAX 36u

uint32_t netvsp_rss_write(uint32_t queues, uint32_t capabilities, bool ndis_6_0, uint8_t *to, uint32_t room)
{
	uint32_t size = ndis_6_0 ? NDIS_RSS_CAPABILITIES_SIZE_6_0 : NDIS_RSS_CAPABILITIES_SIZE_2;
	const struct ndis_rss_capabilities object = {
		.header = {NDIS_OBJECT_RSS_CAPABILITIES, ndis_6_0 ? 1 : 2, (uint16_t)size},
		.capabilities = capabilities == 0 ? 0 : capabilities | NDIS_HASH_TOEPLITZ,
		.interrupt_messages = queues,
		.receive_queues = queues,
		.table_entries = NDIS_RSS_TABLE_ENTRIES_MAX};

	if (size > room)
		return 0;
	memcpy(to, &object, size);
	return size;
}

uint32_t netvsp_rss_types(uint32_t capabilities)
{
	static const struct {
		uint32_t capability, types;
	} allowed[] = {
		{NDIS_RSS_CAPABILITY_IPV4, NDIS_HASH_IPV4 | NDIS_HASH_TCP4},
		{NDIS_RSS_CAPABILITY_IPV6, NDIS_HASH_IPV6 | NDIS_HASH_TCP6},
		{NDIS_RSS_CAPABILITY_IPV6_EX, NDIS_HASH_IPV6_EX | NDIS_HASH_TCP6_EX},
		{NDIS_RSS_CAPABILITY_UDP4, NDIS_HASH_UDP4},
		{NDIS_RSS_CAPABILITY_UDP6, NDIS_HASH_UDP6},
		{NDIS_RSS_CAPABILITY_UDP6_EX, NDIS_HASH_UDP6_EX},
	};
	uint32_t types = 0;

	for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
		if ((capabilities & allowed[i].capability) != 0)
			types |= allowed[i].types;
	return types;
}

/* --- Parameters --------------------------------------------------------------------------- */

static const char *check_header(const struct ndis_rss_parameters *parameters, uint32_t length,
				uint32_t *value)
{
	const struct ndis_object_header *header = &parameters->header;

	*value = header->type;
	if (header->type != NDIS_OBJECT_RSS_PARAMETERS)
		return "RSS parameters: type of the object, 0x89 would be right";
	*value = header->revision;
	if (header->revision == 0)
		return "RSS parameters of revision 0";
	*value = header->size;
	if (header->size < (header->revision == 1 ? PARAMETERS_SIZE_1 : (uint32_t)sizeof *parameters) ||
	    header->size > length)
		return "RSS parameters: size of the object: 28 or 40 by its revision, and all of it sent";
	*value = parameters->flags;
	if ((parameters->flags & ~FLAGS_KNOWN) != 0)
		return "RSS parameters with unknown flags";
	return NULL;
}

static bool inside(const struct ndis_rss_parameters *parameters, uint32_t length, uint32_t offset,
		   uint32_t size)
{
	return offset >= parameters->header.size && offset <= length && size <= length - offset;
}

static const char *copy_hash(struct netvsp_rss *rss, const struct ndis_rss_parameters *parameters,
			     uint32_t types, uint32_t *value)
{
	*value = parameters->hash;
	if ((parameters->hash & FUNCTION_MASK) != NDIS_HASH_TOEPLITZ)
		return "RSS parameters: the hash function is not Toeplitz";
	if ((parameters->hash & ~(FUNCTION_MASK | ASKED_ANYHOW | types)) != 0)
		return "RSS parameters ask for a type of hash that the capabilities do not have";
	if ((parameters->hash & types) == 0)
		return "RSS parameters without a type of hash";
	rss->hash = parameters->hash & (FUNCTION_MASK | types);
	return NULL;
}

static const char *copy_key(struct netvsp_rss *rss, const struct ndis_rss_parameters *parameters,
			    const uint8_t *bytes, uint32_t length, uint32_t *value)
{
	*value = parameters->key_size;
	if (parameters->key_size != NDIS_RSS_KEY_SIZE)
		return "RSS parameters: size of the key, 40 would be right";
	*value = parameters->key_offset;
	if (!inside(parameters, length, parameters->key_offset, parameters->key_size))
		return "RSS parameters: the key is not inside what was sent";
	memcpy(rss->key, bytes + parameters->key_offset, sizeof rss->key);
	return NULL;
}

static const char *copy_table(struct netvsp_rss *rss, const struct ndis_rss_parameters *parameters,
			      const uint8_t *bytes, uint32_t length, uint32_t queues, uint32_t *value)
{
	*value = parameters->table_size;
	if (parameters->table_size == 0 || parameters->table_size % sizeof rss->table[0] != 0 ||
	    parameters->table_size > sizeof rss->table)
		return "RSS parameters: size of the table in bytes: a multiple of 4 up to 512 would be right";
	*value = parameters->table_offset;
	if (!inside(parameters, length, parameters->table_offset, parameters->table_size))
		return "RSS parameters: the table is not inside what was sent";
	memcpy(rss->table, bytes + parameters->table_offset, parameters->table_size);
	rss->entries = parameters->table_size / (uint32_t)sizeof rss->table[0];
	for (uint32_t i = 0; i < rss->entries; i++) {
		*value = rss->table[i];
		if (rss->table[i] >= queues)
			return "RSS parameters: the table names a queue that the guest has not got";
	}
	return NULL;
}

const char *netvsp_rss_set(struct netvsp_rss *rss, const uint8_t *parameters, uint32_t length,
			   uint32_t queues, uint32_t types, bool heed_unchanged, uint32_t *value)
{
	struct ndis_rss_parameters wanted = {0};
	struct netvsp_rss made = *rss;
	uint32_t unchanged;
	const char *fault;

	*value = length;
	if (length < PARAMETERS_SIZE_1)
		return "RSS parameters of fewer than 28 bytes";
	memcpy(&wanted, parameters, length < sizeof wanted ? length : sizeof wanted);
	fault = check_header(&wanted, length, value);
	if (fault != NULL)
		return fault;
	if ((wanted.flags & NDIS_RSS_FLAG_DISABLE) != 0) {
		rss->enabled = false; /* nothing else is looked at */
		return NULL;
	}
	/* What has never been set cannot stay as it was. */
	unchanged = heed_unchanged && rss->entries > 0 ? wanted.flags : 0;
	if ((unchanged & NDIS_RSS_FLAG_HASH_UNCHANGED) == 0)
		fault = copy_hash(&made, &wanted, types, value);
	if (fault == NULL && (unchanged & NDIS_RSS_FLAG_KEY_UNCHANGED) == 0)
		fault = copy_key(&made, &wanted, parameters, length, value);
	if (fault == NULL && (unchanged & NDIS_RSS_FLAG_TABLE_UNCHANGED) == 0)
		fault = copy_table(&made, &wanted, parameters, length, queues, value);
	if (fault != NULL)
		return fault;
	made.enabled = true;
	*rss = made;
	return NULL;
}

/* --- The hash ------------------------------------------------------------------------------- */

uint32_t netvsp_toeplitz(const uint8_t key[NDIS_RSS_KEY_SIZE], const uint8_t *input, uint32_t length)
{
	uint32_t window = netvsp_get32(key), hash = 0;

	for (uint32_t i = 0; i < length; i++) {
		uint32_t next = i + 4 < NDIS_RSS_KEY_SIZE ? key[i + 4] : 0;

		for (int bit = 7; bit >= 0; bit--) {
			if ((input[i] >> bit & 1) != 0)
				hash ^= window;
			window = window << 1 | (next >> bit & 1);
		}
	}
	return hash;
}

/* Of these types the one with ports if it is allowed and the frame has them, else without. */
static uint32_t choose_type(uint32_t allowed, const struct netvsp_headers *headers, uint32_t tcp,
			    uint32_t udp, uint32_t ip)
{
	if (headers->transport != 0 && headers->protocol == IP_PROTOCOL_TCP && (allowed & tcp) != 0)
		return tcp;
	if (headers->transport != 0 && headers->protocol == IP_PROTOCOL_UDP && (allowed & udp) != 0)
		return udp;
	return allowed & ip;
}

static uint32_t type_of(uint32_t allowed, const struct netvsp_headers *headers)
{
	uint32_t type, plain;

	if (headers->version == 4)
		return choose_type(allowed, headers, NDIS_HASH_TCP4, NDIS_HASH_UDP4, NDIS_HASH_IPV4);
	if (headers->version != 6)
		return 0;
	/* With extension headers' addresses where both are allowed. */
	type = choose_type(allowed, headers, NDIS_HASH_TCP6_EX, NDIS_HASH_UDP6_EX, NDIS_HASH_IPV6_EX);
	plain = choose_type(allowed, headers, NDIS_HASH_TCP6, NDIS_HASH_UDP6, NDIS_HASH_IPV6);
	if (type == 0 || (type == NDIS_HASH_IPV6_EX && (plain & (NDIS_HASH_TCP6 | NDIS_HASH_UDP6)) != 0))
		return plain;
	return type;
}

bool netvsp_rss_hash(const struct netvsp_rss *rss, const uint8_t *frame, const struct netvsp_headers *headers,
		     uint32_t *hash, uint32_t *type)
{
	const uint32_t with_ports = NDIS_HASH_TCP4 | NDIS_HASH_UDP4 | NDIS_HASH_TCP6 | NDIS_HASH_UDP6 |
				    NDIS_HASH_TCP6_EX | NDIS_HASH_UDP6_EX;
	const uint32_t extended = NDIS_HASH_IPV6_EX | NDIS_HASH_TCP6_EX | NDIS_HASH_UDP6_EX;
	uint32_t address = headers->version == 4 ? 4 : 16, length = 2 * address;
	uint8_t input[HASH_INPUT_MAX];

	if (!rss->enabled)
		return false;
	*type = type_of(rss->hash, headers);
	if (*type == 0)
		return false;
	if (headers->version == 4 || (*type & extended) != 0) {
		memcpy(input, frame + headers->source, address);
		memcpy(input + address, frame + headers->destination, address);
	} else {
		memcpy(input, frame + headers->ip + IPV6_SOURCE_AT, length);
	}
	if ((*type & with_ports) != 0) {
		memcpy(input + length, frame + headers->transport, 4);
		length += 4;
	}
	*hash = netvsp_toeplitz(rss->key, input, length);
	return true;
}

uint32_t netvsp_rss_queue(const struct netvsp_rss *rss, uint32_t hash, uint32_t open)
{
	uint32_t queue;

	if (!rss->enabled || rss->entries == 0)
		return 0;
	queue = rss->table[hash % rss->entries];
	return queue < open ? queue : 0;
}
