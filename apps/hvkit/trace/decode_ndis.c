/* SPDX-License-Identifier: MIT */
/* What NDIS puts into RNDIS: per-packet information, and the objects of queries and sets. */
#include <stdio.h>
#include <string.h>

#include "apps/hvkit/trace/decode_private.h"
#include "hvkit/wire/ndis.h"
#include "hvkit/wire/rndis.h"

#define PPI_MAX 16u
#define LIST_SHOWN 32u
#define GROUPS_SHOWN 16u
#define ADDRESS_BYTES 6u

/* --- Per-packet information ----------------------------------------------------------- */

static void append(char text[TRACE_VALUE_MAX], const char *format, unsigned value)
{
	size_t length = strlen(text);

	snprintf(text + length, TRACE_VALUE_MAX - length, format, value);
}

static void format_checksum(bool to_guest, uint32_t value, char text[TRACE_VALUE_MAX])
{
	uint32_t offset = value >> RNDIS_CHECKSUM_TX_OFFSET_SHIFT;

	if (to_guest) {
		trace_format_value(value, FORM_BITS, &trace_rx_checksum_bits, text);
		return;
	}
	trace_format_value(value & 0xffffu, FORM_BITS, &trace_tx_checksum_bits, text);
	if (offset != 0)
		append(text, "@%u", offset);
}

static void format_vlan(uint32_t value, char text[TRACE_VALUE_MAX])
{
	text[0] = '\0';
	append(text, "id=%u", value >> RNDIS_VLAN_ID_SHIFT & 0xfffu);
	if (value & RNDIS_VLAN_PRIORITY_MASK)
		append(text, "+priority=%u", value & RNDIS_VLAN_PRIORITY_MASK);
	if (value & RNDIS_VLAN_DEI)
		append(text, "+dei", 0);
}

static void format_part(uint32_t value, char text[TRACE_VALUE_MAX])
{
	trace_format_value(value >> 8 & 0xffu, FORM_BITS, &trace_part_bits, text);
	append(text, "+id=%u", value >> 16);
	if ((value & 0xffu) != 1)
		append(text, "+version=%u", value & 0xffu);
}

/* Empty if the type has no meaning here. */
static void format_ppi(uint32_t type, bool to_guest, uint32_t value, char text[TRACE_VALUE_MAX])
{
	text[0] = '\0';
	switch (type) {
	case RNDIS_INFO_CHECKSUM:
		format_checksum(to_guest, value, text);
		return;
	case RNDIS_INFO_LSO:
		append(text, value & RNDIS_LSO_V2 ? "v2" : "v1", 0);
		append(text, value & RNDIS_LSO_IPV6 ? "+ipv6" : "+ipv4", 0);
		append(text, "+mss=%u", value & RNDIS_LSO_MSS_MASK);
		append(text, "@%u", value >> RNDIS_LSO_OFFSET_SHIFT & 0x3ffu);
		return;
	case RNDIS_INFO_VLAN:
		format_vlan(value, text);
		return;
	case RNDIS_INFO_HASH_VALUE:
		append(text, "0x%x", value);
		return;
	case RNDIS_INFO_HASH_INFO:
		trace_format_value(value, FORM_BITS, &trace_ndis_hash_bits, text);
		return;
	case RNDIS_INFO_PACKET_ID:
		format_part(value, text);
		return;
	default:
		return;
	}
}

void trace_decode_ppi(struct trace_job *job, const struct trace_view *list)
{
	uint32_t at = 0;

	for (uint32_t n = 0; n < PPI_MAX && at < list->size; n++) {
		uint32_t size = (uint32_t)trace_get(list, at, 4), type = (uint32_t)trace_get(list, at + 4, 4);
		struct trace_view one = trace_part(list, at, size);
		uint32_t offset = (uint32_t)trace_get(&one, 8, 4);
		char name[TRACE_VALUE_MAX], text[TRACE_VALUE_MAX] = "";

		if (size < sizeof(struct rndis_per_packet_info) || one.size < size) {
			trace_say(job, " (ppi of %u bytes in %u)", (unsigned)size, (unsigned)one.size);
			return;
		}
		trace_format_value(type, FORM_NAME, &trace_ppi_names, name);
		if (trace_has(&one, offset, 4))
			format_ppi(type, job->record->to_guest, (uint32_t)trace_get(&one, offset, 4), text);
		trace_say(job, "%s%s", n == 0 ? " ppi=" : "+", name);
		if (text[0] != '\0')
			trace_say(job, "(%s)", text);
		trace_detail(job, &one, 0, size, "ppi", "%s%s%s", name, text[0] != '\0' ? " " : "", text);
		at += size;
	}
}

/* --- Lists ---------------------------------------------------------------------------------- */

void trace_say_list(struct trace_job *job, const struct trace_view *view, uint64_t at, uint64_t count,
		    const char *name)
{
	struct trace_view list = trace_part(view, at, 4 * count);
	char text[TRACE_VALUE_MAX] = "";

	for (uint32_t n = 0; n < list.size / 4u && n < LIST_SHOWN; n++)
		append(text, n > 0 ? ",%u" : "%u", (unsigned)trace_get(&list, 4 * n, 4));
	if (list.size / 4u > LIST_SHOWN)
		append(text, "...", 0);
	if (list.size < 4 * count)
		trace_say(job, " (%s of %llu is not all there)", name, (unsigned long long)count);
	if (list.size >= 4)
		trace_field(job, &list, 0, list.size, name, "%s", text);
}

/* --- Objects ---------------------------------------------------------------------------------- */

static bool format_groups(const struct trace_view *view, char text[TRACE_VALUE_MAX])
{
	uint32_t count = view->size / ADDRESS_BYTES;

	text[0] = '\0';
	for (uint32_t n = 0; n < count && n < GROUPS_SHOWN; n++) {
		for (uint32_t m = 0; m < ADDRESS_BYTES; m++)
			append(text,
			       m > 0   ? ":%02x"
			       : n > 0 ? ",%02x"
				       : "%02x",
			       view->bytes[ADDRESS_BYTES * n + m]);
	}
	if (count > GROUPS_SHOWN)
		append(text, "...", 0);
	return count > 0 && view->size % ADDRESS_BYTES == 0;
}

/* The key and the table lie where the object says. */
static void say_rss(struct trace_job *job, const struct trace_view *view)
{
	uint64_t table_at = trace_get(view, offsetof(struct ndis_rss_parameters, table_offset), 4);
	uint64_t table_size = trace_get(view, offsetof(struct ndis_rss_parameters, table_size), 2);
	uint64_t key_at = trace_get(view, offsetof(struct ndis_rss_parameters, key_offset), 4);
	uint64_t key_size = trace_get(view, offsetof(struct ndis_rss_parameters, key_size), 2);
	struct trace_view key = trace_part(view, key_at, key_size);
	char text[TRACE_VALUE_MAX];

	trace_format(&key, 0, key.size, FORM_BYTES, NULL, text);
	if (key.size > 0)
		trace_field(job, &key, 0, key.size, "key", "%s", text);
	if (table_size / 4 > 0)
		trace_say_list(job, view, table_at, table_size / 4, "table");
}

bool trace_decode_object(struct trace_job *job, const struct trace_view *view, uint32_t oid)
{
	const struct trace_layout *layout = trace_layout(&trace_ndis, oid);
	char text[TRACE_VALUE_MAX];

	if (oid == RNDIS_OID_802_3_MULTICAST_LIST && format_groups(view, text)) {
		trace_field(job, view, 0, view->size, "information", "%s", text);
		return true;
	}
	if (layout == NULL)
		return false;
	trace_say(job, " %s", layout->name);
	if (trace_fields(job, view, layout) && oid == RNDIS_OID_GEN_RECEIVE_SCALE_PARAMETERS)
		say_rss(job, view);
	return true;
}
