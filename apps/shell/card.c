/* SPDX-License-Identifier: MIT */
/*
 * The network card coming and going: attached once the host offers one, given up when it
 * is taken away, attached again when it comes back. The interface above (lwIP's, with its
 * address) outlives the card; without one it has no link.
 */
#include <stdio.h>
#include <string.h>

#include "apps/shell/private.h"

/* The first card that the host offers, or NULL. */
static struct hvk_channel *find_card(struct shell *shell)
{
	static const struct vmbus_guid network = VMBUS_GUID_NETVSC;
	struct hvk *hvk = atomic_load(&shell->hvk);
	struct hvk_channel *channel = NULL;

	for (uint32_t n = 0; n < VMBUS_MAX_CHANNELS; n++) {
		const struct hvk_offer *offer;

		channel = hvk_vmbus_next_channel(hvk, channel);
		if (!channel)
			return NULL;
		offer = hvk_channel_offer(channel);
		if (offer->subchannel_index == 0 && !hvk_channel_rescinded(channel) &&
		    memcmp(&offer->type, &network, sizeof(network)) == 0)
			return channel;
	}
	return NULL;
}

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

bool shell_card_offered(struct shell *shell)
{
	return find_card(shell) != NULL;
}

hvk_status shell_card_attach(struct shell *shell, const char **step)
{
	struct hvk_channel *channel = find_card(shell);
	struct hvk_netvsc *nic;
	hvk_status status;

	*step = "find a network card";
	if (!channel)
		return HVK_ENOTSUP;
	*step = "create the network driver";
	status = hvk_netvsc_create(channel, &shell->config.driver, &nic);
	if (status != HVK_OK)
		return status;
	*step = "attach the network card";
	hvk_netvsc_attach(nic, shell_request(shell));
	status = shell_wait(shell);
	if (status != HVK_OK) {
		shell->nic_refused = hvk_channel_offer(channel)->channel_id;
		if (!shell->abandoned) /* attach has given everything back */
			hvk_netvsc_destroy(nic);
		return status;
	}
	shell->nic = nic;
	shell->nic_suspended = false;
	shell->group_count = 0;
	shell->nic_channel = channel;
	tell_card(shell);
	*step = "prepare for a VF";
	return shell_vf_create(shell);
}

void shell_card_detach(struct shell *shell)
{
	struct hvk_netvsc *nic = shell->nic;
	hvk_status status;

	hvk_netdev_get_counters(shell_netdev(shell), &shell->results.netdev_counters);
	shell_vf_down(shell);
	hvk_netvsc_detach(nic, shell_request(shell));
	status = shell_wait(shell);
	if (status != HVK_OK)
		shell_fail(shell, "detach the network card", status);
	shell->nic = NULL;
	shell->nic_channel = NULL;
	if (shell->abandoned) {
		shell->vf = NULL;
		return;
	}
	shell_vf_destroy(shell);
	status = hvk_netvsc_destroy(nic);
	if (status != HVK_OK)
		shell_fail(shell, "give the network driver's memory back", status);
}

/* --- Going and coming back ------------------------------------------------------------ */

static bool is_gone(const struct shell *shell)
{
	return shell->nic && (!shell->netif.netdev || hvk_channel_rescinded(shell->nic_channel));
}

static hvk_status plug_in(struct shell *shell)
{
	struct hvk_netdev *netdev = shell_netdev(shell);
	hvk_status status;

	netif_set_link_callback(&shell->netif.netif, NULL); /* it has been told already */
	netif_hvk_plug_in(&shell->netif, netdev);
	hvk_netdev_set_flags(netdev, HVK_NETDEV_UP, shell_request(shell));
	status = shell_wait(shell);
	/* Only now: what lwIP sends upon it (DHCP, to keep its address) is to go out. */
	if (status == HVK_OK && shell->netif.netdev && netdev->info.link_up)
		netif_set_link_up(&shell->netif.netif);
	if (status == HVK_OK)
		netif_set_link_callback(&shell->netif.netif, shell_link_changed);
	return status;
}

static void attach_again(struct shell *shell)
{
	const char *step;
	hvk_status status = shell_card_attach(shell, &step);

	if (status == HVK_OK) {
		step = "bring the network card up";
		status = plug_in(shell);
	}
	if (status == HVK_OK || status == HVK_EGONE) /* taken away once more: all begins again */
		return;
	shell_error(shell, "network: %s: %s\n", step, hvk_status_text(status));
	if (shell->results.exit_status == SHELL_OK)
		shell->results.exit_status = SHELL_FAILED;
}

void shell_card_check(struct shell *shell)
{
	struct hvk_channel *channel;

	if (!shell->netif_added || shell->abandoned)
		return;
	if (is_gone(shell)) {
		shell_print(shell, SHELL_STORY, "network: the host has taken the card away\n");
		shell->lease_stale = true;
		netif_hvk_unplug(&shell->netif);
		shell_card_detach(shell);
	}
	if (shell->nic || shell->abandoned)
		return;
	channel = find_card(shell);
	/* One that could not be attached is left alone until it is offered anew. */
	if (!channel)
		shell->nic_refused = 0;
	else if (hvk_channel_offer(channel)->channel_id != shell->nic_refused)
		attach_again(shell);
}
