/* SPDX-License-Identifier: MIT */
#include "host/core/dump.h"
#include "netvsp.h"

static uint32_t bits_set(const uint8_t *bits, uint32_t count)
{
	uint32_t set = 0;

	for (uint32_t n = 0; n < count; n++)
		set += (uint32_t)bits[n / 8] >> n % 8 & 1u;
	return set;
}

static void dump_buffer(struct hvh_dump *dump, const char *name, const struct netvsp_buffer *buffer,
			uint32_t piece, uint32_t pieces, uint32_t used)
{
	hvh_dump_begin(dump, name);
	hvh_dump_text(dump, "state", "%s",
		      buffer->present ? "present"
		      : buffer->taken ? "revoked-or-refused"
				      : "none");
	if (buffer->present) {
		hvh_dump_hex(dump, "gpadl", buffer->gpadl);
		hvh_dump_number(dump, "piece-bytes", piece);
		hvh_dump_number(dump, "pieces", pieces);
		hvh_dump_number(dump, "pieces-used", used);
	}
	hvh_dump_end(dump);
}

static uint32_t suballocations_free(const struct hvh_nic *nic)
{
	uint32_t count = nic->session.free_control_count;

	for (uint32_t n = 0; n < NETVSP_QUEUES_MAX; n++)
		count += nic->queues[n] != NULL ? nic->queues[n]->free_count : 0;
	return count;
}

static void dump_queue(const struct netvsp_queue *queue, struct hvh_dump *dump)
{
	const struct hvh_nic_queue_counters *counters = &queue->counters;

	hvh_dump_begin_number(dump, "queue", queue->index);
	hvh_dump_flag(dump, "open", queue->open);
	if (queue->open) {
		hvh_dump_number(dump, "channel", hvh_channel_id(queue->channel));
		hvh_dump_flag(dump, "stopped", queue->stopped);
		hvh_dump_flag(dump, "blocked", queue->blocked);
		hvh_dump_number(dump, "completions-waiting", queue->completion_count);
		hvh_dump_number(dump, "frames-waiting", queue->frame_count);
		hvh_dump_number(dump, "pieces-free", queue->free_count);
	}
	hvh_dump_number(dump, "packets", counters->packets);
	hvh_dump_number(dump, "to-guest-frames", counters->to_guest_frames);
	hvh_dump_number(dump, "from-guest-frames", counters->from_guest_frames);
	hvh_dump_number(dump, "transfer-packets", counters->transfer_packets);
	hvh_dump_number(dump, "dropped", counters->dropped);
	hvh_dump_end(dump);
}

static void dump_subchannels(const struct hvh_nic *nic, struct hvh_dump *dump)
{
	const struct netvsp_subchannels *subchannels = &nic->session.subchannels;

	hvh_dump_begin(dump, "sub-channel-request");
	hvh_dump_number(dump, "at-most", netvsp_queues_max(nic) - 1);
	hvh_dump_number(dump, "granted", subchannels->granted);
	hvh_dump_flag(dump, "answer-held", subchannels->held);
	if (subchannels->table_due != HVH_NEVER)
		hvh_dump_time(dump, "send-table-due", subchannels->table_due);
	hvh_dump_end(dump);
}

static void dump_vf(const struct hvh_nic *nic, struct hvh_dump *dump)
{
	const struct netvsp_vf_session *vf = &nic->session.vf;

	hvh_dump_begin(dump, "virtual-function");
	hvh_dump_flag(dump, "guest-can", vf->capability);
	hvh_dump_flag(dump, "told-allocated", vf->told.allocated);
	hvh_dump_hex(dump, "told-serial", vf->told.serial);
	hvh_dump_number(dump, "messages-waiting", vf->note_count);
	hvh_dump_flag(dump, "has-data-path", vf->on);
	hvh_dump_number(dump, "switches-waiting", vf->switch_count);
	nic->vf.dump(nic->vf.context, dump);
	hvh_dump_end(dump);
}

static void dump_session(const struct hvh_nic *nic, struct hvh_dump *dump)
{
	const struct netvsp_session *session = &nic->session;

	hvh_dump_begin(dump, "nvs");
	if (session->version == 0)
		hvh_dump_text(dump, "version", "none");
	else
		hvh_dump_hex(dump, "version", session->version);
	hvh_dump_flag(dump, "ndis-config", session->ndis_config);
	hvh_dump_flag(dump, "ndis-version", session->ndis_version);
	dump_buffer(dump, "receive-buffer", &session->receive, session->suballocation_size,
		    session->suballocation_count, session->suballocation_count - suballocations_free(nic));
	dump_buffer(dump, "send-buffer", &session->send, session->section_size, session->section_count,
		    bits_set(session->section_busy, session->section_count));
	hvh_dump_end(dump);
	hvh_dump_begin(dump, "rndis");
	hvh_dump_flag(dump, "initialized", session->initialized);
	hvh_dump_hex(dump, "filter", session->filter);
	hvh_dump_number(dump, "frame-max", session->frame_max);
	hvh_dump_flag(dump, "link-reported", session->link_reported);
	hvh_dump_number(dump, "control-messages-waiting", session->control_count);
	hvh_dump_end(dump);
	dump_subchannels(nic, dump);
}

static void dump_counters(const struct hvh_nic_counters *c, struct hvh_dump *dump)
{
	hvh_dump_begin(dump, "counters");
	hvh_dump_number(dump, "to-guest-frames", c->to_guest_frames);
	hvh_dump_number(dump, "to-guest-bytes", c->to_guest_bytes);
	hvh_dump_number(dump, "from-guest-frames", c->from_guest_frames);
	hvh_dump_number(dump, "from-guest-bytes", c->from_guest_bytes);
	hvh_dump_number(dump, "dropped-filter", c->dropped_filter);
	hvh_dump_number(dump, "dropped-link", c->dropped_link);
	hvh_dump_number(dump, "dropped-queue", c->dropped_queue);
	hvh_dump_number(dump, "transfer-packets", c->transfer_packets);
	hvh_dump_number(dump, "sections-used", c->sections_used);
	hvh_dump_number(dump, "page-lists-used", c->page_lists_used);
	hvh_dump_number(dump, "rndis-messages", c->rndis_messages);
	hvh_dump_number(dump, "checksums-made", c->checksums_made);
	hvh_dump_number(dump, "checksums-checked", c->checksums_checked);
	hvh_dump_number(dump, "segments-made", c->segments_made);
	hvh_dump_number(dump, "joined", c->joined);
	hvh_dump_number(dump, "tags-in", c->tags_in);
	hvh_dump_number(dump, "tags-out", c->tags_out);
	hvh_dump_number(dump, "hashed", c->hashed);
	hvh_dump_number(dump, "checksums-wrong", c->checksums_wrong);
	hvh_dump_end(dump);
}

void netvsp_dump(const void *device, struct hvh_dump *dump)
{
	const struct hvh_nic *nic = device;
	const uint8_t *mac = nic->mac;

	hvh_dump_text(dump, "mac", "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
		      mac[5]);
	hvh_dump_text(dump, "link", "%s", nic->link_up ? "up" : "down");
	hvh_dump_number(dump, "link-speed", nic->link_speed);
	hvh_dump_number(dump, "frames-waiting", nic->frame_count);
	if (nic->session.open)
		dump_session(nic, dump);
	if (nic->vf.context != NULL)
		dump_vf(nic, dump);
	for (uint32_t n = 0; n < NETVSP_QUEUES_MAX; n++)
		if (nic->queues[n] != NULL)
			dump_queue(nic->queues[n], dump);
	dump_counters(&nic->counters, dump);
}
