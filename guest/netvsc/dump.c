/* SPDX-License-Identifier: MIT */
/* Looking inside a card: a tree of lines (hvkit.h). On the channel's CPU, or while it rests. */
#include "guest/core/dump.h"
#include "guest/netvsc/netvsc_internal.h"

static const char *const states[] = {"detached",  "attaching", "attached",
				     "detaching", "suspended", "restarting"};

static void dump_buffers(struct hvk_dump *dump, const struct hvk_netvsc *nic)
{
	const struct netvsc_receive *rx = &nic->queues[0].rx;
	const struct netvsc_transmit *tx = &nic->queues[0].tx;

	hvk_dump_begin(dump, "receive-buffer");
	hvk_dump_number(dump, "pages", nic->receive_gpadl.pages.count);
	hvk_dump_number(dump, "sub-allocations", nic->geometry.suballocation_count);
	hvk_dump_number(dump, "sub-allocation-bytes", nic->geometry.suballocation_size);
	hvk_dump_number(dump, "completions-waiting", rx->completion_count);
	hvk_dump_number(dump, "frames-lent-most", nic->config.rx_borrow);
	hvk_dump_number(dump, "frames-lent", rx->lend.outstanding < 0 ? 0 : (uint32_t)rx->lend.outstanding);
	hvk_dump_number(dump, "sub-allocations-held", rx->lend.held);
	hvk_dump_end(dump);
	hvk_dump_begin(dump, "send-buffer");
	hvk_dump_number(dump, "pages", nic->send_gpadl.pages.count);
	hvk_dump_number(dump, "sections-free", tx->section_slots.count);
	hvk_dump_number(dump, "section-bytes", nic->section_size);
	hvk_dump_number(dump, "packets-with-host", tx->outstanding);
	hvk_dump_end(dump);
}

static void dump_rndis(struct hvk_dump *dump, const struct hvk_netvsc *nic)
{
	hvk_dump_begin(dump, "rndis");
	hvk_dump_number(dump, "alignment-factor", nic->device.alignment_factor);
	hvk_dump_number(dump, "packets-per-message", nic->device.max_packets);
	hvk_dump_number(dump, "message-bytes", nic->device.max_transfer_size);
	hvk_dump_number(dump, "late-answers", nic->control.late);
	hvk_dump_number(dump, "keepalives", nic->control.keepalives);
	hvk_dump_end(dump);
}

static void dump_counters(struct hvk_dump *dump, struct hvk_netvsc *nic)
{
	struct hvk_netdev_counters counters;

	hvk_netdev_get_counters(&nic->netdev, &counters);
	hvk_dump_begin(dump, "counters");
	hvk_dump_number(dump, "rx-frames", counters.rx_frames);
	hvk_dump_number(dump, "rx-bytes", counters.rx_bytes);
	hvk_dump_number(dump, "rx-dropped", counters.rx_dropped);
	hvk_dump_number(dump, "rx-faults", counters.rx_faults);
	hvk_dump_number(dump, "rx-copied-bytes", counters.rx_copied);
	hvk_dump_number(dump, "rx-lent", counters.rx_lent);
	hvk_dump_number(dump, "tx-frames", counters.tx_frames);
	hvk_dump_number(dump, "tx-bytes", counters.tx_bytes);
	hvk_dump_number(dump, "tx-copied", counters.tx_copied);
	hvk_dump_number(dump, "tx-by-page", counters.tx_by_page);
	hvk_dump_number(dump, "tx-busy", counters.tx_busy);
	hvk_dump_number(dump, "tx-errors", counters.tx_errors);
	hvk_dump_number(dump, "status-ignored", counters.status_ignored);
	hvk_dump_number(dump, "host-faults", nic->faults);
	hvk_dump_end(dump);
}

void hvk_netvsc_dump(struct hvk_netvsc *nic, hvk_dump_line line, void *context)
{
	struct hvk_dump dump = {line, context, 0};
	const struct hvk_netdev_info *info = &nic->netdev.info;
	const uint8_t *mac = info->mac;
	hvk_status lost = netvsc_lost(nic);
	enum netvsc_state state = netvsc_state(nic);

	hvk_dump_begin(&dump, "netvsc");
	hvk_dump_value(&dump, "state", "%s", hvk_dump_name(states, 6, (uint32_t)state));
	hvk_dump_value(&dump, "step", "%s", hvk_steps_name(&nic->steps));
	hvk_dump_value(&dump, "lost", "%s", lost == HVK_OK ? "no" : hvk_status_name(lost));
	hvk_dump_value(&dump, "nvs-version", "0x%x", nic->nvs_version);
	hvk_dump_value(&dump, "mac", "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
		       mac[5]);
	hvk_dump_number(&dump, "mtu", info->mtu);
	hvk_dump_value(&dump, "flags", "0x%x", info->flags);
	hvk_dump_value(&dump, "link", "%s", info->link_up ? "up" : "down");
	hvk_dump_number(&dump, "link-bits-per-second", info->link_speed);
	dump_buffers(&dump, nic);
	dump_rndis(&dump, nic);
	dump_counters(&dump, nic);
	hvk_dump_end(&dump);
}
