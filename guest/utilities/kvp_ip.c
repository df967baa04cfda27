/* SPDX-License-Identifier: MIT */
/*
 * IP injection: the host's message and struct hvk_kvp_ip. The adapter is the GUID of a network card's
 * channel, as text. Source: Linux hyperv.h and hv_kvp.c.
 */
#include "guest/core/core.h"
#include "guest/utilities/kvp.h"
#include "guest/utilities/utf16.h"

#define GUID_TEXT 36u /* without braces */
#define FIELD(name) offsetof(struct ic_kvp_ip, name), sizeof(((struct ic_kvp_ip *)0)->name)

/* Where each digit pair of the text goes: the first three parts travel little-endian. */
static const uint8_t guid_order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

static int digit(uint32_t unit)
{
	if (unit >= '0' && unit <= '9')
		return (int)(unit - '0');
	unit |= 0x20;
	return unit >= 'a' && unit <= 'f' ? (int)(unit - 'a') + 10 : -1;
}

static bool has_dash(uint32_t pair)
{
	return pair == 4 || pair == 6 || pair == 8 || pair == 10;
}

static bool parse_guid(const uint8_t *units, struct vmbus_guid *guid)
{
	uint32_t at = 0;

	for (uint32_t pair = 0; pair < 16; pair++) {
		int high, low;

		if (has_dash(pair) && hvk_utf16_unit(units, at++) != '-')
			return false;
		high = digit(hvk_utf16_unit(units, at++));
		low = digit(hvk_utf16_unit(units, at++));
		if (high < 0 || low < 0)
			return false;
		guid->bytes[guid_order[pair]] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static void put_unit(uint8_t *units, uint32_t *at, char c)
{
	units[2 * *at] = (uint8_t)c;
	units[2 * *at + 1] = 0;
	(*at)++;
}

static void build_guid(const struct vmbus_guid *guid, uint8_t *units)
{
	static const char digits[] = "0123456789ABCDEF";
	uint32_t at = 0;

	put_unit(units, &at, '{');
	for (uint32_t pair = 0; pair < 16; pair++) {
		uint8_t byte = guid->bytes[guid_order[pair]];

		if (has_dash(pair))
			put_unit(units, &at, '-');
		put_unit(units, &at, digits[byte >> 4]);
		put_unit(units, &at, digits[byte & 15]);
	}
	put_unit(units, &at, '}');
}

/* In braces or without. */
enum kvp_ip_parsed hvk_kvp_parse_adapter(const uint8_t *body, struct vmbus_guid *adapter)
{
	uint32_t length = hvk_utf16_length(body, IC_KVP_ADAPTER_ID_UNITS);
	bool braces = length == GUID_TEXT + 2 && hvk_utf16_unit(body, 0) == '{' &&
		      hvk_utf16_unit(body, length - 1) == '}';

	if (length == IC_KVP_ADAPTER_ID_UNITS)
		return KVP_IP_MALFORMED;
	if (!braces && length != GUID_TEXT)
		return KVP_IP_NO_ADAPTER;
	return parse_guid(body + (braces ? 2 : 0), adapter) ? KVP_IP_OK : KVP_IP_NO_ADAPTER;
}

/* Addresses are of ASCII: nothing else gets into somebody's configuration file, no line end either. */
static bool parse_list(const uint8_t *body, size_t offset, size_t size, char *out)
{
	uint32_t length = hvk_utf16_length(body + offset, (uint32_t)size / 2);

	for (uint32_t i = 0; i < length; i++) {
		uint16_t unit = hvk_utf16_unit(body + offset, i);

		if (unit < 0x20 || unit > 0x7e)
			return false;
		out[i] = (char)unit;
	}
	out[length] = '\0';
	return true;
}

bool hvk_kvp_parse_ip(const uint8_t *body, struct hvk_kvp_ip *ip)
{
	uint8_t family = body[offsetof(struct ic_kvp_ip, family)];
	uint8_t dhcp = body[offsetof(struct ic_kvp_ip, dhcp)];

	if (family & ~(IC_KVP_FAMILY_IPV4 | IC_KVP_FAMILY_IPV6))
		return false;
	ip->ipv4 = (family & IC_KVP_FAMILY_IPV4) != 0;
	ip->ipv6 = (family & IC_KVP_FAMILY_IPV6) != 0;
	ip->dhcp = dhcp != 0;
	return parse_list(body, FIELD(addresses), ip->addresses) &&
	       parse_list(body, FIELD(masks), ip->masks) && parse_list(body, FIELD(gateways), ip->gateways) &&
	       parse_list(body, FIELD(name_servers), ip->name_servers);
}

/* An end has its place. */
static bool build_list(const char *list, uint8_t *body, size_t offset, size_t size)
{
	uint32_t at = 0;

	for (; *list != '\0'; list++) {
		if (at + 1 >= size / 2 || (uint8_t)*list < 0x20 || (uint8_t)*list > 0x7e)
			return false;
		put_unit(body + offset, &at, *list);
	}
	return true;
}

bool hvk_kvp_build_ip(const struct hvk_kvp_ip *ip, uint8_t *body)
{
	memset(body, 0, sizeof(struct ic_kvp_ip));
	build_guid(&ip->adapter, body + offsetof(struct ic_kvp_ip, adapter_id));
	body[offsetof(struct ic_kvp_ip, family)] = (uint8_t)((ip->ipv4 ? IC_KVP_FAMILY_IPV4 : 0) |
							     (ip->ipv6 ? IC_KVP_FAMILY_IPV6 : 0));
	body[offsetof(struct ic_kvp_ip, dhcp)] = ip->dhcp;
	return build_list(ip->addresses, body, FIELD(addresses)) &&
	       build_list(ip->masks, body, FIELD(masks)) && build_list(ip->gateways, body, FIELD(gateways)) &&
	       build_list(ip->name_servers, body, FIELD(name_servers));
}
