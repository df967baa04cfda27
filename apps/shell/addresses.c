/* SPDX-License-Identifier: MIT */
/*
 * Addresses that the host reads and injects, by adapter: the instance of a network card's channel. The card
 * that the shell uses gets them in lwIP; those of other cards are kept, and told again.
 */
#include <stdio.h>
#include <string.h>

#include "apps/shell/service_files.h"
#include "lwip/dhcp.h"
#include "lwip/dns.h"

static struct shell_pairs *pairs_of(struct shell *shell)
{
	return &shell->services.pairs;
}

/* --- Which card --------------------------------------------------------------------------- */

static bool is_our_card(const struct shell *shell, const struct vmbus_guid *adapter)
{
	return shell->netif_added && shell->nic_channel &&
	       memcmp(&hvk_channel_offer(shell->nic_channel)->instance, adapter, sizeof(*adapter)) == 0;
}

static bool is_card(struct shell *shell, const struct vmbus_guid *adapter)
{
	static const struct vmbus_guid network = VMBUS_GUID_NETVSC;
	struct hvk *hvk = atomic_load(&shell->hvk);
	struct hvk_channel *channel = NULL;

	for (uint32_t n = 0; n < VMBUS_MAX_CHANNELS; n++) {
		const struct hvk_offer *offer;

		channel = hvk_vmbus_next_channel(hvk, channel);
		if (!channel)
			return false;
		offer = hvk_channel_offer(channel);
		if (offer->subchannel_index == 0 && !hvk_channel_rescinded(channel) &&
		    memcmp(&offer->type, &network, sizeof(network)) == 0 &&
		    memcmp(&offer->instance, adapter, sizeof(*adapter)) == 0)
			return true;
	}
	return false;
}

static struct hvk_kvp_ip *find_kept(struct shell_pairs *pairs, const struct vmbus_guid *adapter)
{
	for (uint32_t n = 0; n < pairs->adapter_count; n++) {
		if (memcmp(&pairs->adapters[n].adapter, adapter, sizeof(*adapter)) == 0)
			return &pairs->adapters[n];
	}
	return NULL;
}

/* False: of too many cards. */
static bool keep(struct shell_pairs *pairs, const struct hvk_kvp_ip *ip)
{
	struct hvk_kvp_ip *kept = find_kept(pairs, &ip->adapter);

	if (!kept && pairs->adapter_count < SHELL_ADAPTERS_MAX)
		kept = &pairs->adapters[pairs->adapter_count++];
	if (kept)
		*kept = *ip;
	return kept != NULL;
}

/* --- Reading ------------------------------------------------------------------------------ */

static void put_address(char *list, size_t size, const ip4_addr_t *address)
{
	char text[SHELL_ADDRESS_TEXT] = "";

	if (!ip4_addr_isany(address))
		shell_address_text((const uint8_t *)address, text);
	snprintf(list, size, "%s", text);
}

static void read_ours(struct shell *shell, struct hvk_kvp_ip *ip)
{
	const struct netif *netif = &shell->netif.netif;

	ip->ipv4 = true;
	ip->dhcp = !shell->addresses_injected;
	put_address(ip->addresses, sizeof(ip->addresses), netif_ip4_addr(netif));
	put_address(ip->masks, sizeof(ip->masks), netif_ip4_netmask(netif));
	put_address(ip->gateways, sizeof(ip->gateways), netif_ip4_gw(netif));
	put_address(ip->name_servers, sizeof(ip->name_servers), ip_2_ip4(dns_getserver(0)));
}

/* In hvk_poll; *ip is zeros but for the adapter. */
enum hvk_utility_answer shell_addresses_get(void *context, struct hvk_kvp_ip *ip)
{
	struct shell *shell = context;
	const struct hvk_kvp_ip *kept = find_kept(pairs_of(shell), &ip->adapter);

	if (is_our_card(shell, &ip->adapter)) {
		read_ours(shell, ip);
		return HVK_UTILITY_DONE;
	}
	if (!is_card(shell, &ip->adapter))
		return HVK_UTILITY_NOT_FOUND;
	if (kept)
		*ip = *kept;
	return HVK_UTILITY_DONE;
}

/* --- Injection ---------------------------------------------------------------------------- */

/* The first of a list; false if it is none of IPv4. An empty list is 0.0.0.0. */
static bool parse_first(const char *list, ip4_addr_t *address)
{
	uint8_t bytes[4] = {0};

	if (*list) {
		for (uint32_t n = 0; n < 4; n++) {
			uint32_t value = 0, digits = 0;

			for (; *list >= '0' && *list <= '9' && digits < 4; digits++)
				value = value * 10 + (uint32_t)(*list++ - '0');
			if (!digits || value > 255 || (n < 3 && *list++ != '.'))
				return false;
			bytes[n] = (uint8_t)value;
		}
		if (*list && *list != ';')
			return false;
	}
	memcpy(address, bytes, sizeof(bytes));
	return true;
}

struct addresses {
	ip4_addr_t address, mask, gateway, name_server;
};

static bool parse(const struct hvk_kvp_ip *ip, struct addresses *out)
{
	return parse_first(ip->addresses, &out->address) && parse_first(ip->masks, &out->mask) &&
	       parse_first(ip->gateways, &out->gateway) && parse_first(ip->name_servers, &out->name_server) &&
	       (ip->dhcp || (!ip4_addr_isany_val(out->address) && !ip4_addr_isany_val(out->mask)));
}

/* In hvk_poll. What lwIP is told waits for a turn of the main loop. */
enum hvk_utility_answer shell_addresses_set(void *context, const struct hvk_kvp_ip *ip)
{
	struct shell *shell = context;
	struct shell_pairs *pairs = pairs_of(shell);
	struct addresses parsed;

	if (shell->services.refuses & SHELL_REFUSES_ADDRESSES)
		return HVK_UTILITY_REFUSED;
	if (!is_our_card(shell, &ip->adapter)) {
		if (!is_card(shell, &ip->adapter))
			return HVK_UTILITY_NOT_FOUND;
		if (!keep(pairs, ip))
			return HVK_UTILITY_NO_ROOM;
		pairs->injected++;
		shell_print(shell, SHELL_STORY, "kvp: the host sets the address of another card: %.60s\n",
			    ip->dhcp ? "by DHCP" : ip->addresses);
		return HVK_UTILITY_DONE;
	}
	if (!parse(ip, &parsed))
		return HVK_UTILITY_REFUSED;
	pairs->asked = *ip;
	pairs->ip_asked = true;
	return HVK_UTILITY_LATER;
}

static void apply(struct shell *shell, const struct hvk_kvp_ip *ip)
{
	struct netif *netif = &shell->netif.netif;
	struct addresses parsed;
	ip_addr_t server;

	(void)parse(ip, &parsed);
	if (ip->dhcp) {
		shell->addresses_injected = false;
		shell->lease_stale = true;
		(void)dhcp_start(netif);
		shell_print(shell, SHELL_STORY, "kvp: the host has the address come from DHCP\n");
		return;
	}
	dhcp_release_and_stop(netif);
	netif_set_addr(netif, &parsed.address, &parsed.mask, &parsed.gateway);
	ip_addr_copy_from_ip4(server, parsed.name_server);
	dns_setserver(0, &server);
	shell->addresses_injected = true;
	shell_print(shell, SHELL_STORY, "kvp: the host sets the address: %.60s mask %.60s router %.60s\n",
		    ip->addresses, ip->masks, ip->gateways);
}

/* What the host has injected before the card was attached. */
bool shell_addresses_take(struct shell *shell)
{
	struct shell_pairs *pairs = pairs_of(shell);
	const struct hvk_kvp_ip *kept;
	struct addresses parsed;

	for (uint32_t n = 0; n < pairs->adapter_count; n++) {
		kept = &pairs->adapters[n];
		if (!is_our_card(shell, &kept->adapter) || kept->dhcp || !parse(kept, &parsed))
			continue;
		apply(shell, kept);
		return true;
	}
	return false;
}

bool shell_addresses_turn(struct shell *shell)
{
	struct shell_pairs *pairs = pairs_of(shell);
	struct hvk_utility *utility = shell->services.service[SHELL_KVP].utility;

	if (!pairs->ip_asked)
		return false;
	pairs->ip_asked = false;
	if (shell->netif_added) {
		apply(shell, &pairs->asked);
		pairs->injected++;
	}
	/* A host that has begun anew meanwhile does not wait for it any more. */
	if (utility)
		(void)hvk_utility_answer(utility, shell->netif_added ? HVK_UTILITY_DONE : HVK_UTILITY_REFUSED,
					 NULL, NULL);
	return true;
}
