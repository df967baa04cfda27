/* SPDX-License-Identifier: MIT */
/*
 * Addresses: asked of a guest's adapter, and set (IP injection). An adapter is the instance of a network
 * card's channel, in braces; Linux's daemon wants its hardware address to be asked, and the GUID to be
 * set. Up to KVP 4.0: 5.0 has them in another form, which no guest known here takes.
 */
#include <string.h>

#include "host/utilities/utilities.h"

#define IP_POOL IC_KVP_POOL_GUEST /* OpenVMM */
#define BODY (IC_KVP_IP_OFFSET + (uint32_t)sizeof(struct ic_kvp_ip))
#define FIELD(name) IC_KVP_IP_OFFSET + offsetof(struct ic_kvp_ip, name)
#define UNITS(name) ((uint32_t)(sizeof(((struct ic_kvp_ip *)0)->name) / 2))

struct ip_list {
	const char *name;
	size_t offset;
	uint32_t units;
};

static const struct ip_list lists[] = {
	{"addresses", FIELD(addresses), UNITS(addresses)},
	{"masks", FIELD(masks), UNITS(masks)},
	{"gateways", FIELD(gateways), UNITS(gateways)},
	{"name-servers", FIELD(name_servers), UNITS(name_servers)},
};
#define LISTS (sizeof(lists) / sizeof(lists[0]))

/* --- Asking -------------------------------------------------------------------------------------- */

static struct utility_request *ip_request(struct utility *utility, uint64_t now, const char *name,
					  hvh_utility_done done, void *context)
{
	struct utility_request *request = utility_request(utility, now, name, BODY, done, context);

	if (request == NULL)
		return NULL;
	if (utility_has_version(utility, 5, 0)) {
		utility_refuse(utility, request,
			       "kvp: addresses are known up to 4.0; the guest has taken %u.%u",
			       utility->version & 0xffffu, utility->version >> 16);
		return NULL;
	}
	return request;
}

void hvh_kvp_get_ip(struct hvh_utilities *utilities, uint64_t now, const char *adapter, hvh_utility_done done,
		    void *context)
{
	struct utility *utility = &utilities->all[UTILITY_AT_KVP];
	struct utility_request *request = ip_request(utility, now, "GET_IP", done, context);
	char id[39];

	if (request == NULL)
		return;
	if (adapter == NULL || (!utility_guid_text(adapter, id) && !utility_mac_text(adapter, id))) {
		utility_refuse(
			utility, request,
			"kvp: an adapter is the GUID of a network card's channel, or its hardware address");
		return;
	}
	request->body[0] = IC_KVP_GET_IP;
	request->body[1] = IP_POOL;
	(void)utility_to_utf16(id, request->body + FIELD(adapter_id), IC_KVP_ADAPTER_ID_UNITS - 1);
	request->body[FIELD(family)] = IC_KVP_FAMILY_IPV4 | IC_KVP_FAMILY_IPV6;
	utility_submit(utility, request);
}

static bool is_printable(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text < 0x20 || *text > 0x7e)
			return false;
	}
	return true;
}

/* NULL, or what is wrong. */
static const char *put_ip(uint8_t *body, const struct hvh_kvp_ip *ip)
{
	const char *const texts[LISTS] = {ip->addresses, ip->masks, ip->gateways, ip->name_servers};
	char guid[39];

	if (ip->adapter == NULL || !utility_guid_text(ip->adapter, guid))
		return "an adapter is the GUID of a network card's channel";
	body[0] = IC_KVP_SET_IP;
	body[1] = IP_POOL;
	(void)utility_to_utf16(guid, body + FIELD(adapter_id), IC_KVP_ADAPTER_ID_UNITS - 1);
	body[FIELD(family)] = (uint8_t)((ip->ipv4 ? IC_KVP_FAMILY_IPV4 : 0) |
					(ip->ipv6 ? IC_KVP_FAMILY_IPV6 : 0));
	body[FIELD(dhcp)] = ip->dhcp;
	for (uint32_t n = 0; n < LISTS; n++) {
		const char *text = texts[n] != NULL ? texts[n] : "";

		if (!is_printable(text) ||
		    utility_to_utf16(text, body + lists[n].offset, lists[n].units - 1) == UTILITY_BAD_TEXT)
			return "lists are printable ASCII, of at most 1023 characters; gateways of at most "
			       "511";
	}
	return NULL;
}

void hvh_kvp_set_ip(struct hvh_utilities *utilities, uint64_t now, const struct hvh_kvp_ip *ip,
		    hvh_utility_done done, void *context)
{
	struct utility *utility = &utilities->all[UTILITY_AT_KVP];
	struct utility_request *request = ip_request(utility, now, "SET_IP", done, context);
	const char *wrong;

	if (request == NULL)
		return;
	wrong = put_ip(request->body, ip);
	if (wrong != NULL)
		utility_refuse(utility, request, "kvp: %s", wrong);
	else
		utility_submit(utility, request);
}

/* --- The answer ---------------------------------------------------------------------------------- */

static const char *yes_no(bool yes)
{
	return yes ? "yes" : "no";
}

const char *utility_kvp_ip_text(struct utility *utility, const uint8_t *body)
{
	uint8_t family = body[FIELD(family)];
	char *text = utility->text;
	char id[3 * IC_KVP_ADAPTER_ID_UNITS + 1];
	size_t used;

	if ((family & ~(IC_KVP_FAMILY_IPV4 | IC_KVP_FAMILY_IPV6)) != 0) {
		UTILITY_VIOLATE(utility, HVH_V_IC_VALUE, body, BODY,
				"kvp: GET_IP: address family 0x%x; 1 (IPv4), 2 (IPv6) and 3 would be right",
				family);
		return "there is no such address family";
	}
	(void)utility_line_from_utf16(body + FIELD(adapter_id), IC_KVP_ADAPTER_ID_UNITS, id, sizeof(id));
	used = (size_t)snprintf(text, UTILITY_TEXT_MAX, "adapter=%s ipv4=%s ipv6=%s dhcp=%s", id,
				yes_no((family & IC_KVP_FAMILY_IPV4) != 0),
				yes_no((family & IC_KVP_FAMILY_IPV6) != 0), yes_no(body[FIELD(dhcp)] != 0));
	for (uint32_t n = 0; n < LISTS && used + 16 < UTILITY_TEXT_MAX; n++) {
		used += (size_t)snprintf(text + used, UTILITY_TEXT_MAX - used, " %s=", lists[n].name);
		used += utility_line_from_utf16(body + lists[n].offset, lists[n].units, text + used,
						UTILITY_TEXT_MAX - used);
	}
	return NULL;
}
