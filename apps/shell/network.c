/* SPDX-License-Identifier: MIT */
/* lwIP above the network card, and an address by DHCP. */
#include <stdio.h>
#include <string.h>

#include "apps/shell/private.h"
#include "lwip/dhcp.h"
#include "lwip/dns.h"
#include "lwip/prot/dhcp.h"

#define DHCP_TIMEOUT_MS 15000u
#define DRAIN_MS 100u /* for the last frames, DHCP's RELEASE among them */

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

void shell_link_changed(struct netif *netif)
{
	struct netif_hvk *self = netif->state;
	struct shell *shell = self->user;

	shell->lease_stale = true;
	if (!self->netdev) /* told when it is detached */
		return;
	shell_print(shell, SHELL_STORY, "network: link %s\n", netif_is_link_up(netif) ? "up" : "down");
}

static uint64_t user_time(void *context)
{
	return hvk_time(atomic_load(&((struct shell *)context)->hvk));
}

static void user_turn(void *context, uint64_t until)
{
	shell_turn(context, until);
}

static const char *user_missing(void *context)
{
	return shell_cannot_go_on(context);
}

static bool start_stack(struct shell *shell)
{
	struct hvk_netdev *netdev = shell_netdev(shell);

	shell->lwip = (struct net_lwip_port){.hvk = atomic_load(&shell->hvk),
					     .port = shell->platform.port,
					     .fatal = shell->platform.fatal,
					     .context = shell->platform.context};
	if (!step(shell, "start TCP/IP", net_lwip_start(&shell->lwip)))
		return false;
	shell->lwip_started = true;
	shell->net_user = (struct net_user){.context = shell,
					    .time = user_time,
					    .turn = user_turn,
					    .missing = user_missing,
					    .netif = &shell->netif.netif};
	if (!step(shell, "add the network interface",
		  netif_hvk_add(&shell->netif, shell->platform.port, netdev)))
		return false;
	shell->netif_added = true;
	shell->netif.user = shell;
	hvk_netdev_set_flags(netdev, HVK_NETDEV_UP, shell_request(shell));
	if (!step(shell, "bring the network card up", shell_wait(shell)))
		return false;
	netif_set_link_callback(&shell->netif.netif, shell_link_changed);
	netif_set_up(&shell->netif.netif);
	return true;
}

static void record_addresses(const struct netif *netif, struct shell_lease *lease)
{
	memcpy(lease->address, netif_ip4_addr(netif), 4);
	memcpy(lease->mask, netif_ip4_netmask(netif), 4);
	memcpy(lease->router, netif_ip4_gw(netif), 4);
	memcpy(lease->dns, ip_2_ip4(dns_getserver(0)), 4);
}

static void record_lease(struct shell *shell)
{
	struct netif *netif = &shell->netif.netif;
	const struct dhcp *dhcp = netif_dhcp_data(netif);
	struct shell_lease *lease = &shell->results.lease;

	record_addresses(netif, lease);
	memcpy(lease->server, &dhcp->server_ip_addr, 4);
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

void shell_network_check(struct shell *shell)
{
	shell_card_check(shell);
	if (!shell->netif_added || !shell->lease_stale || !netif_is_link_up(&shell->netif.netif) ||
	    !dhcp_supplied_address(&shell->netif.netif))
		return;
	shell->lease_stale = false;
	record_lease(shell);
	tell_lease(shell);
}

static bool get_lease(struct shell *shell)
{
	struct netif *netif = &shell->netif.netif;
	uint64_t limit = after_ms(shell, DHCP_TIMEOUT_MS);

	if (dhcp_start(netif) != ERR_OK)
		return step(shell, "start DHCP", HVK_ENOMEM);
	while (!dhcp_supplied_address(netif) && !shell->addresses_injected) {
		shell_card_check(shell); /* it may go, and come back */
		if (shell->abandoned)
			return false;
		if (atomic_load(&shell->cancelled)) {
			shell->results.exit_status = SHELL_CANCELLED;
			shell_print(shell, SHELL_ERROR, "get an address by DHCP: interrupted\n");
			return false;
		}
		if (hvk_time(atomic_load(&shell->hvk)) >= limit) {
			if (!shell->netif.netdev)
				return step(shell, "get an address by DHCP", HVK_EGONE);
			shell_print(shell, SHELL_ERROR, "no DHCP server answered within %u s\n",
				    DHCP_TIMEOUT_MS / 1000);
			return step(shell, "get an address by DHCP", HVK_ETIMEDOUT);
		}
		shell_turn(shell, limit);
	}
	shell->lease_stale = true;
	shell_network_check(shell);
	return true;
}

bool shell_network_up(struct shell *shell)
{
	const char *name;
	hvk_status status;

	if (!shell->config.network && !shell_card_offered(shell)) {
		shell_print(shell, SHELL_STORY, "network: none\n");
		return true;
	}
	status = shell_card_attach(shell, &name);
	return step(shell, name, status) && start_stack(shell) &&
	       (shell_addresses_take(shell) || get_lease(shell));
}

/* --- Going down --------------------------------------------------------------------- */

static void stop_interface(struct shell *shell)
{
	struct netif *netif = &shell->netif.netif;
	uint64_t limit = after_ms(shell, DRAIN_MS);
	hvk_status status;

	netif_set_link_callback(netif, NULL);
	if (netif_dhcp_data(netif)) {
		dhcp_release_and_stop(netif);
		while (shell->netif.netdev && !shell->nic_suspended && !netif_hvk_idle(&shell->netif) &&
		       hvk_time(atomic_load(&shell->hvk)) < limit)
			shell_turn(shell, limit);
		dhcp_cleanup(netif);
	}
	netif_set_down(netif);
	if (!shell->netif.netdev || shell->nic_suspended)
		return;
	hvk_netdev_set_flags(shell->netif.netdev, 0, shell_request(shell));
	status = shell_wait(shell);
	if (status != HVK_OK && status != HVK_EGONE)
		shell_fail(shell, "take the network card down", status);
}

void shell_network_down(struct shell *shell)
{
	if (shell->netif_added) {
		if (!shell->abandoned)
			stop_interface(shell);
		netif_hvk_remove(&shell->netif);
	}
	if (shell->nic && !shell->abandoned) {
		shell_card_detach(shell);
		if (!shell->results.failed_step)
			shell_print(shell, SHELL_STORY, "network: detached\n");
	}
	if (shell->netif_added && !shell->abandoned && netif_hvk_free(&shell->netif) != HVK_OK)
		shell_fail(shell, "give the network buffers back", HVK_ESTATE);
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
	if (!shell->netif_added)
		return "there is no network card";
	if (!shell->nic || !shell->netif.netdev)
		return "the host has taken the network card away";
	if (shell->nic_suspended)
		return "the network card is suspended: nic resume";
	if (!(shell->netif.netdev->info.flags & HVK_NETDEV_UP))
		return "the network card is down: nic up";
	if (!netif_is_link_up(&shell->netif.netif))
		return "the network card has no link";
	return NULL;
}

const char *shell_cannot_go_on(struct shell *shell)
{
	return atomic_load(&shell->cancelled) ? "interrupted" : shell_network_missing(shell);
}

const char *shell_resolve(struct shell *shell, const char *host, ip4_addr_t *address)
{
	return net_resolve(&shell->net_user, host, address);
}

/* --- ip ------------------------------------------------------------------------------- */

/* What lwIP does about the address now, if it is more than keeping it. */
static const char *lease_note(const struct shell *shell)
{
	const struct dhcp *dhcp = netif_dhcp_data(&shell->netif.netif);

	switch (dhcp ? dhcp->state : DHCP_STATE_OFF) {
	case DHCP_STATE_BOUND:
		return "";
	case DHCP_STATE_REBOOTING:
		return netif_is_link_up(&shell->netif.netif) ? ", being renewed" : "";
	case DHCP_STATE_RENEWING:
	case DHCP_STATE_REBINDING:
		return ", being renewed";
	default:
		return ", lost: being asked for";
	}
}

int shell_command_ip(struct shell *shell, uint32_t count, char *const words[])
{
	struct shell_lease injected = {.valid = true};
	const struct shell_lease *lease = shell->addresses_injected ? &injected : &shell->results.lease;
	struct netif *netif = &shell->netif.netif;
	char text[SHELL_ADDRESS_TEXT];

	(void)words;
	(void)count;
	if (!shell->netif_added)
		return shell_error(shell, "ip: there is no network card\n");
	if (dhcp_supplied_address(netif))
		record_lease(shell);
	record_addresses(netif, &injected);
	shell_print(shell, SHELL_OUTPUT, "hardware  %02x:%02x:%02x:%02x:%02x:%02x, MTU %u, %s\n",
		    netif->hwaddr[0], netif->hwaddr[1], netif->hwaddr[2], netif->hwaddr[3], netif->hwaddr[4],
		    netif->hwaddr[5], netif->mtu,
		    !shell->nic               ? "taken away by the host"
		    : netif_is_link_up(netif) ? "link up"
					      : "link down");
	shell_address_text(lease->address, text);
	shell_print(shell, SHELL_OUTPUT, "address   %s%s\n", text,
		    shell->addresses_injected ? ", set by the host" : lease_note(shell));
	shell_address_text(lease->mask, text);
	shell_print(shell, SHELL_OUTPUT, "mask      %s\n", text);
	shell_address_text(lease->router, text);
	shell_print(shell, SHELL_OUTPUT, "router    %s\n", text);
	shell_address_text(lease->dns, text);
	shell_print(shell, SHELL_OUTPUT, "dns       %s\n", text);
	if (shell->addresses_injected)
		return SHELL_OK;
	shell_address_text(lease->server, text);
	shell_print(shell, SHELL_OUTPUT, "server    %s, for %u s\n", text, lease->seconds);
	return SHELL_OK;
}
