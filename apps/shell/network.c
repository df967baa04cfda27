/* SPDX-License-Identifier: MIT */
/* The network card, lwIP above it, and an address by DHCP. */
#include <stdio.h>
#include <string.h>

#include "apps/shell/private.h"
#include "lwip/dhcp.h"
#include "lwip/dns.h"

#define DHCP_TIMEOUT_MS 15000u
#define RESOLVE_TIMEOUT_MS 60000u /* lwIP gives up by itself before that */
#define DRAIN_MS 100u             /* for the last frames, DHCP's RELEASE among them */

static uint64_t after_ms(struct shell *shell, uint32_t ms)
{
	return hvk_time(atomic_load(&shell->hvk)) + ms * HVK_TIME_PER_MS;
}

static bool step(struct shell *shell, const char *name, hvk_status status)
{
	if (status == HVK_OK)
		return true;
	shell_fail(shell, name, status);
	return false;
}

/* --- Coming up ---------------------------------------------------------------------- */

static void tell_card(struct shell *shell)
{
	const struct hvk_netdev_info *info = &hvk_netvsc_netdev(shell->nic)->info;
	char speed[32] = "";

	shell->results.network = true;
	shell->results.netdev = *info;
	shell->results.nvs_version = hvk_netvsc_nvs_version(shell->nic);
	if (info->link_speed)
		snprintf(speed, sizeof(speed), ", %llu Mbit/s",
			 (unsigned long long)(info->link_speed / 1000000));
	shell_print(shell, SHELL_STORY,
		    "network: channel %u, NVS %s, %02x:%02x:%02x:%02x:%02x:%02x, MTU %u, link %s%s\n",
		    hvk_channel_offer(shell->nic_channel)->channel_id,
		    shell_nvs_name(shell->results.nvs_version), info->mac[0], info->mac[1], info->mac[2],
		    info->mac[3], info->mac[4], info->mac[5], info->mtu, info->link_up ? "up" : "down",
		    speed);
}

static bool attach_card(struct shell *shell)
{
	const struct hvk_netvsc_config config = {.cpu = 0}; /* lwIP's CPU; all else by default */
	struct hvk_netvsc *nic;
	hvk_status status;

	if (!step(shell, "create the network driver", hvk_netvsc_create(shell->nic_candidate, &config, &nic)))
		return false;
	shell->nic_channel = shell->nic_candidate;
	hvk_netvsc_attach(nic, shell_request(shell));
	status = shell_wait(shell);
	if (status != HVK_OK) {
		/* attach has given everything back */
		if (!shell->abandoned)
			hvk_netvsc_destroy(nic);
		shell->nic_channel = NULL;
		shell_fail(shell, "attach the network card", status);
		return false;
	}
	shell->nic = nic;
	tell_card(shell);
	return true;
}

static bool start_stack(struct shell *shell)
{
	struct hvk_netdev *netdev = hvk_netvsc_netdev(shell->nic);

	shell->lwip = (struct net_lwip_port){.hvk = atomic_load(&shell->hvk),
					     .port = shell->platform.port,
					     .fatal = shell->platform.fatal,
					     .context = shell->platform.context};
	if (!step(shell, "start TCP/IP", net_lwip_start(&shell->lwip)))
		return false;
	shell->lwip_started = true;
	if (!step(shell, "add the network interface",
		  netif_hvk_add(&shell->netif, shell->platform.port, netdev)))
		return false;
	shell->netif_added = true;
	hvk_netdev_set_flags(netdev, HVK_NETDEV_UP, shell_request(shell));
	if (!step(shell, "bring the network card up", shell_wait(shell)))
		return false;
	netif_set_up(&shell->netif.netif);
	return true;
}

static void record_lease(struct shell *shell)
{
	struct netif *netif = &shell->netif.netif;
	const struct dhcp *dhcp = netif_dhcp_data(netif);
	struct shell_lease *lease = &shell->results.lease;

	memcpy(lease->address, netif_ip4_addr(netif), 4);
	memcpy(lease->mask, netif_ip4_netmask(netif), 4);
	memcpy(lease->router, netif_ip4_gw(netif), 4);
	memcpy(lease->server, &dhcp->server_ip_addr, 4);
	memcpy(lease->dns, ip_2_ip4(dns_getserver(0)), 4);
	lease->seconds = dhcp->offered_t0_lease;
	lease->valid = true;
}

static void tell_lease(struct shell *shell)
{
	const struct shell_lease *lease = &shell->results.lease;
	char address[SHELL_ADDRESS_TEXT], mask[SHELL_ADDRESS_TEXT], router[SHELL_ADDRESS_TEXT];
	char server[SHELL_ADDRESS_TEXT], dns[SHELL_ADDRESS_TEXT];

	shell_address_text(lease->address, address);
	shell_address_text(lease->mask, mask);
	shell_address_text(lease->router, router);
	shell_address_text(lease->server, server);
	shell_address_text(lease->dns, dns);
	shell_print(shell, SHELL_STORY, "dhcp: %s mask %s router %s dns %s, from %s for %u s\n", address,
		    mask, router, dns, server, lease->seconds);
}

static bool get_lease(struct shell *shell)
{
	struct netif *netif = &shell->netif.netif;
	uint64_t limit = after_ms(shell, DHCP_TIMEOUT_MS);

	if (dhcp_start(netif) != ERR_OK)
		return step(shell, "start DHCP", HVK_ENOMEM);
	while (!dhcp_supplied_address(netif)) {
		if (shell->nic_gone || !shell->netif.netdev)
			return step(shell, "get an address by DHCP", HVK_EGONE);
		if (hvk_time(atomic_load(&shell->hvk)) >= limit) {
			shell_print(shell, SHELL_ERROR, "no DHCP server answered within %u s\n",
				    DHCP_TIMEOUT_MS / 1000);
			return step(shell, "get an address by DHCP", HVK_ETIMEDOUT);
		}
		shell_turn(shell, limit);
	}
	record_lease(shell);
	tell_lease(shell);
	return true;
}

bool shell_network_up(struct shell *shell)
{
	if (!shell->nic_candidate) {
		if (shell->config.network)
			return step(shell, "find a network card", HVK_ENOTSUP);
		shell_print(shell, SHELL_STORY, "network: none\n");
		return true;
	}
	return attach_card(shell) && start_stack(shell) && get_lease(shell);
}

/* --- Going down --------------------------------------------------------------------- */

static void stop_interface(struct shell *shell)
{
	struct netif *netif = &shell->netif.netif;
	uint64_t limit = after_ms(shell, DRAIN_MS);
	hvk_status status;

	if (netif_dhcp_data(netif)) {
		dhcp_release_and_stop(netif);
		while (shell->netif.netdev && (shell->netif.taken || shell->netif.queue) &&
		       hvk_time(atomic_load(&shell->hvk)) < limit)
			shell_turn(shell, limit);
		dhcp_cleanup(netif);
	}
	netif_set_down(netif);
	hvk_netdev_get_counters(hvk_netvsc_netdev(shell->nic), &shell->results.netdev_counters);
	if (!shell->netif.netdev)
		return;
	hvk_netdev_set_flags(shell->netif.netdev, 0, shell_request(shell));
	status = shell_wait(shell);
	if (status != HVK_OK && status != HVK_EGONE)
		shell_fail(shell, "take the network card down", status);
}

static void detach_card(struct shell *shell)
{
	hvk_status status;

	hvk_netvsc_detach(shell->nic, shell_request(shell));
	status = shell_wait(shell);
	if (status != HVK_OK)
		shell_fail(shell, "detach the network card", status);
	if (shell->abandoned)
		return;
	if (shell->netif_added && netif_hvk_free(&shell->netif) != HVK_OK)
		shell_fail(shell, "give the network buffers back", HVK_ESTATE);
	status = hvk_netvsc_destroy(shell->nic);
	if (status != HVK_OK)
		shell_fail(shell, "give the network driver's memory back", status);
	else if (!shell->results.failed_step)
		shell_print(shell, SHELL_STORY, "network: detached\n");
}

void shell_network_down(struct shell *shell)
{
	if (shell->netif_added) {
		if (!shell->abandoned)
			stop_interface(shell);
		netif_hvk_remove(&shell->netif);
	}
	if (shell->nic && !shell->abandoned)
		detach_card(shell);
	if (shell->lwip_started)
		net_lwip_stop();
	shell->lwip_started = false;
	shell->netif_added = false;
	shell->nic = NULL;
	shell->nic_channel = NULL;
}

/* --- Using it ----------------------------------------------------------------------- */

const char *shell_network_missing(struct shell *shell)
{
	if (!shell->nic)
		return "there is no network card";
	if (shell->nic_gone || !shell->netif.netdev)
		return "the host has taken the network card away";
	if (!netif_is_link_up(&shell->netif.netif))
		return "the network card has no link";
	return NULL;
}

static void resolved(const char *name, const ip_addr_t *address, void *context)
{
	struct shell *shell = context;

	(void)name;
	shell->resolver.done = true;
	shell->resolver.found = address != NULL;
	if (address)
		ip4_addr_copy(shell->resolver.address, *ip_2_ip4(address));
}

const char *shell_resolve(struct shell *shell, const char *host, ip4_addr_t *address)
{
	uint64_t limit = after_ms(shell, RESOLVE_TIMEOUT_MS);
	ip_addr_t now;
	err_t error;

	shell->resolver.done = false;
	error = dns_gethostbyname(host, &now, resolved, shell);
	if (error == ERR_OK) {
		ip4_addr_copy(*address, *ip_2_ip4(&now));
		return NULL;
	}
	if (error != ERR_INPROGRESS)
		return "the name cannot be looked up";
	while (!shell->resolver.done && hvk_time(atomic_load(&shell->hvk)) < limit)
		shell_turn(shell, limit);
	if (!shell->resolver.done || !shell->resolver.found)
		return "the name server does not know the name, or does not answer";
	ip4_addr_copy(*address, shell->resolver.address);
	return NULL;
}

int shell_command_ip(struct shell *shell, uint32_t count, char *const words[])
{
	const struct shell_lease *lease = &shell->results.lease;
	const struct hvk_netdev_info *info;
	char text[SHELL_ADDRESS_TEXT];

	(void)words;
	if (count > 1)
		return shell_usage(shell, "ip takes no argument\n");
	if (!shell->nic)
		return shell_error(shell, "ip: there is no network card\n");
	info = &hvk_netvsc_netdev(shell->nic)->info;
	shell_print(shell, SHELL_OUTPUT, "hardware  %02x:%02x:%02x:%02x:%02x:%02x, MTU %u, link %s\n",
		    info->mac[0], info->mac[1], info->mac[2], info->mac[3], info->mac[4], info->mac[5],
		    shell->netif.netif.mtu, info->link_up ? "up" : "down");
	shell_address_text(lease->address, text);
	shell_print(shell, SHELL_OUTPUT, "address   %s\n", text);
	shell_address_text(lease->mask, text);
	shell_print(shell, SHELL_OUTPUT, "mask      %s\n", text);
	shell_address_text(lease->router, text);
	shell_print(shell, SHELL_OUTPUT, "router    %s\n", text);
	shell_address_text(lease->dns, text);
	shell_print(shell, SHELL_OUTPUT, "dns       %s\n", text);
	shell_address_text(lease->server, text);
	shell_print(shell, SHELL_OUTPUT, "server    %s, for %u s\n", text, lease->seconds);
	return SHELL_OK;
}
