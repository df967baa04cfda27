/* SPDX-License-Identifier: MIT */
/* Cards, one after the other until one gets a lease; lwIP on it. */
#include <stdio.h>
#include <string.h>

#include "apps/netboot/netboot.h"
#include "lwip/dhcp.h"
#include "lwip/dns.h"
#include "lwip/prot/dhcp.h"
#include "lwip/timeouts.h"

#define DHCP_TIMEOUT_MS 20000u
#define LINK_TIMEOUT_MS 10000u
#define SEND_BUFFER_PAGES 64u

static uint64_t user_time(void *context)
{
	return hvk_time(((struct netboot *)context)->hvk);
}

static void user_turn(void *context, uint64_t until)
{
	(void)until; /* polled: there is no sleep to end */
	(void)netboot_turn(context);
}

static const char *user_missing(void *context)
{
	struct netboot *self = context;

	if (!self->cancelled && netboot_key(self) == NETBOOT_ABORT)
		self->cancelled = true;
	if (self->cancelled)
		return "interrupted";
	if (!self->netif_added || !self->netif.netdev)
		return "the host has taken the network card away";
	return NULL;
}

bool netboot_network_turn(struct netboot *self)
{
	if (!self->lwip_started)
		return false;
	sys_check_timeouts();
	return self->netif_added && netif_hvk_poll(&self->netif);
}

/* --- One card ------------------------------------------------------------------------------------ */

static const char *attach_card(struct netboot *self, struct hvk_channel *channel)
{
	const struct hvk_netvsc_config config = {.send_buffer_pages = SEND_BUFFER_PAGES,
						 .offloads = NETIF_HVK_OFFLOADS & ~HVK_NETDEV_RSS};
	hvk_status status = hvk_netvsc_create(channel, &config, &self->nic);
	const uint8_t *mac;

	if (status != HVK_OK)
		return netboot_failed(self, status, "create the network driver");
	hvk_netvsc_attach(self->nic, netboot_request(self));
	status = netboot_wait(self);
	if (status != HVK_OK) {
		if (!self->abandoned)
			hvk_netvsc_destroy(self->nic);
		self->nic = NULL;
		return netboot_failed(self, status, "attach the network card");
	}
	mac = hvk_netvsc_netdev(self->nic)->info.mac;
	netboot_print(self, "network: card %02x:%02x:%02x:%02x:%02x:%02x\n", mac[0], mac[1], mac[2], mac[3],
		      mac[4], mac[5]);
	return NULL;
}

static const char *start_stack(struct netboot *self)
{
	struct hvk_netdev *netdev = hvk_netvsc_netdev(self->nic);
	hvk_status status = HVK_OK;

	self->dhcp_boot = (struct net_dhcp_boot){.file = ""};
	self->lwip = (struct net_lwip_port){
		.hvk = self->hvk, .port = self->platform.port, .boot = &self->dhcp_boot};
	if (!self->lwip_started)
		status = net_lwip_start(&self->lwip);
	if (status != HVK_OK)
		return netboot_failed(self, status, "start TCP/IP");
	self->lwip_started = true;
	self->net_user = (struct net_user){.context = self,
					   .time = user_time,
					   .turn = user_turn,
					   .missing = user_missing,
					   .netif = &self->netif.netif};
	memset(&self->netif, 0, sizeof(self->netif));
	status = netif_hvk_add(&self->netif, self->platform.port, netdev);
	if (status != HVK_OK)
		return netboot_failed(self, status, "add the network interface");
	self->netif_added = true;
	hvk_netdev_set_flags(netdev, HVK_NETDEV_UP, netboot_request(self));
	status = netboot_wait(self);
	if (status != HVK_OK)
		return netboot_failed(self, status, "bring the network card up");
	netif_set_up(&self->netif.netif);
	return NULL;
}

static const char *wait_for(struct netboot *self, uint32_t ms, bool (*there)(const struct netboot *self),
			    const char *what)
{
	uint64_t limit = hvk_time(self->hvk) + ms * HVK_TIME_PER_MS;

	while (!there(self)) {
		const char *missing = user_missing(self);

		if (missing)
			return netboot_wrong(self, "%s: %s", what, missing);
		if (hvk_time(self->hvk) >= limit)
			return netboot_wrong(self, "%s: nothing within %u s", what, ms / 1000);
		(void)netboot_turn(self);
	}
	return NULL;
}

static bool has_link(const struct netboot *self)
{
	return netif_is_link_up(&self->netif.netif);
}

static bool has_lease(const struct netboot *self)
{
	return dhcp_supplied_address(&self->netif.netif) != 0;
}

static const char *get_lease(struct netboot *self)
{
	const char *wrong = wait_for(self, LINK_TIMEOUT_MS, has_link, "wait for the link");

	if (wrong)
		return wrong;
	if (dhcp_start(&self->netif.netif) != ERR_OK)
		return netboot_failed(self, HVK_ENOMEM, "start DHCP");
	return wait_for(self, DHCP_TIMEOUT_MS, has_lease, "get an address by DHCP");
}

/* --- What the lease says ------------------------------------------------------------------------- */

static void set_address(struct netboot *self, const char *name, const void *address)
{
	uint8_t bytes[4];
	char text[16];

	memcpy(bytes, address, sizeof(bytes));
	snprintf(text, sizeof(text), "%u.%u.%u.%u", bytes[0], bytes[1], bytes[2], bytes[3]);
	(void)script_set(&self->variables, name, text);
}

static void tell_lease(struct netboot *self)
{
	struct netif *netif = &self->netif.netif;
	const struct dhcp *dhcp = netif_dhcp_data(netif);
	const uint8_t *mac = netif->hwaddr;
	uint8_t next[4], server[4];
	char text[DHCP_BOOT_URL_MAX + 1];

	set_address(self, "ip", netif_ip4_addr(netif));
	set_address(self, "netmask", netif_ip4_netmask(netif));
	set_address(self, "gateway", netif_ip4_gw(netif));
	set_address(self, "dns", ip_2_ip4(dns_getserver(0)));
	set_address(self, "dhcp-server", ip_2_ip4(&dhcp->server_ip_addr));
	set_address(self, "next-server", &dhcp->offered_si_addr);
	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
		 mac[5]);
	(void)script_set(&self->variables, "mac", text);
	netboot_print(self, "dhcp: %s mask %s router %s dns %s, from %s\n",
		      script_get(&self->variables, "ip"), script_get(&self->variables, "netmask"),
		      script_get(&self->variables, "gateway"), script_get(&self->variables, "dns"),
		      script_get(&self->variables, "dhcp-server"));
	memcpy(next, &dhcp->offered_si_addr, 4);
	memcpy(server, ip_2_ip4(&dhcp->server_ip_addr), 4);
	if (!net_dhcp_boot_url(&self->dhcp_boot, dhcp->boot_file_name, next, server, text))
		text[0] = '\0';
	(void)script_set(&self->variables, "filename", text);
}

/* --- All ----------------------------------------------------------------------------------------- */

const char *netboot_network_up(struct netboot *self)
{
	static const struct vmbus_guid type = VMBUS_GUID_NETVSC;
	const char *wrong = NULL;
	struct hvk_channel *channel;

	if (self->leased)
		return NULL;
	for (uint32_t n = 0; (channel = netboot_channel(self, &type, n)) != NULL; n++) {
		if (wrong)
			netboot_print(self, "network: %s; another card is tried\n", wrong);
		wrong = attach_card(self, channel);
		if (!wrong)
			wrong = start_stack(self);
		if (!wrong)
			wrong = get_lease(self);
		self->leased = !wrong;
		if (!wrong) {
			tell_lease(self);
			return NULL;
		}
		if (self->cancelled || self->abandoned)
			return wrong;
		netboot_network_down(self);
	}
	return wrong ? wrong : "there is no network card";
}

void netboot_network_down(struct netboot *self)
{
	if (self->abandoned)
		return;
	self->leased = false;
	if (self->netif_added) {
		/* The lease stays: the loaded system asks with the same address, and gets it again. */
		dhcp_cleanup(&self->netif.netif);
		netif_set_down(&self->netif.netif);
		netif_hvk_remove(&self->netif);
	}
	if (self->nic) {
		hvk_netvsc_detach(self->nic, netboot_request(self));
		(void)netboot_wait(self);
	}
	if (self->abandoned)
		return;
	if (self->nic)
		hvk_netvsc_destroy(self->nic);
	if (self->netif_added)
		(void)netif_hvk_free(&self->netif); /* what the stack never let go of stays withheld */
	self->nic = NULL;
	self->netif_added = false;
}
