/* SPDX-License-Identifier: MIT */
/*
 * A virtual function beside the card: what is said of it on the card's channel. Sources: OpenVMM netvsp,
 * Linux netvsc, FreeBSD hn.
 */
#include <string.h>

#include "netvsp.h"

/* An answer to the association message is asked for (OpenVMM); Linux gives none. */
#define ASSOCIATION_TRANSACTION 0x8000000000000000ull
/* Within this time the guest may not yet have read that its VF is gone. */
#define NEWS_TIME HVH_TIME_PER_SECOND

void netvsp_vf_set(struct hvh_nic *nic, const struct netvsp_vf *vf)
{
	nic->vf = *vf;
}

const struct netvsp_vf *netvsp_vf_get(const struct hvh_nic *nic)
{
	return &nic->vf;
}

bool netvsp_vf_is_ready(const struct hvh_nic *nic)
{
	const struct netvsp_session *session = &nic->session;

	return session->initialized && session->version >= NVS_VERSION_4 && session->vf.capability;
}

bool netvsp_vf_has_data_path(const struct hvh_nic *nic)
{
	return nic->session.vf.on;
}

static void set_data_path(struct hvh_nic *nic, bool to_vf)
{
	bool was = nic->session.vf.on;

	nic->session.vf.on = to_vf && nic->vf.context != NULL && nic->vf.there(nic->vf.context);
	if (nic->vf.context != NULL && was != nic->session.vf.on)
		nic->vf.switched(nic->vf.context, nic->now, nic->session.vf.on);
}

bool netvsp_vf_give(struct hvh_nic *nic, uint64_t now)
{
	if (!netvsp_vf_is_ready(nic))
		return false;
	nic->now = now;
	set_data_path(nic, true);
	return nic->session.vf.on;
}

void netvsp_vf_fall_back(struct hvh_nic *nic)
{
	nic->session.vf.on = false;
}

void netvsp_vf_kick(struct hvh_nic *nic)
{
	hvh_channel_kick(nic->channel);
}

void netvsp_vf_session(struct hvh_nic *nic)
{
	nic->session.vf.on = false;
	if (nic->vf.context != NULL)
		nic->vf.session(nic->vf.context, nic->now, netvsp_vf_is_ready(nic));
}

/* --- The association message ------------------------------------------------------------------ */

void netvsp_vf_tell(struct hvh_nic *nic, uint64_t now, bool allocated, uint32_t serial)
{
	struct netvsp_vf_session *vf = &nic->session.vf;

	if (!netvsp_vf_is_ready(nic))
		return;
	nic->now = now;
	if (vf->note_count == NETVSP_VF_NOTES) /* the newest counts */
		vf->note_count--;
	vf->notes[vf->note_count++] = (struct netvsp_vf_note){allocated, serial};
	hvh_channel_kick(nic->channel);
}

static bool send_note(struct netvsp_queue *primary, const struct netvsp_vf_note *note)
{
	struct hvh_nic *nic = primary->nic;
	struct nvs_vf_association association = {
		.type = NVS_TYPE_VF_ASSOCIATION, .allocated = note->allocated, .serial = note->serial};
	uint8_t payload[NETVSP_RESPONSE_SIZE_6_1] = {0};

	memcpy(payload, &association, sizeof association);
	if (!hvh_channel_write(primary->channel, nic->now, VMBUS_PACKET_IN_BAND, true,
			       ASSOCIATION_TRANSACTION, NULL, 0, payload, netvsp_response_size(nic), NULL,
			       0)) {
		primary->blocked = true;
		return false;
	}
	nic->session.vf.answers_owed++;
	nic->session.vf.told = *note;
	nic->session.vf.told_at = nic->now;
	return true;
}

bool netvsp_vf_answered(struct netvsp_queue *queue, uint64_t transaction_id)
{
	struct netvsp_vf_session *vf = &queue->nic->session.vf;

	if (transaction_id != ASSOCIATION_TRANSACTION || queue->index != 0 || vf->answers_owed == 0)
		return false;
	vf->answers_owed--;
	return true;
}

/* --- The data path ---------------------------------------------------------------------------- */

/* Does the guest know for sure that there is no VF for it? */
static bool knows_of_none(const struct hvh_nic *nic)
{
	const struct netvsp_vf_session *vf = &nic->session.vf;

	if (nic->vf.context == NULL)
		return true;
	if (vf->told.allocated || vf->note_count > 0 || nic->vf.there(nic->vf.context))
		return false;
	return vf->answers_owed == 0 || nic->now > vf->told_at + NEWS_TIME;
}

static void finish_switch(struct netvsp_queue *queue, const struct netvsp_vf_switch *wanted)
{
	set_data_path(queue->nic, wanted->to_vf);
	if (wanted->answered)
		netvsp_complete(queue, wanted->transaction_id, NVS_SECTION_NONE, NULL, 0);
}

void netvsp_switch_data_path(struct netvsp_queue *queue, const struct hvh_packet *packet,
			     const uint8_t *message)
{
	struct hvh_nic *nic = queue->nic;
	struct netvsp_vf_session *vf = &nic->session.vf;
	struct nvs_switch_data_path path;
	struct netvsp_vf_switch wanted = {
		.due = nic->now,
		.transaction_id = packet->descriptor.transaction_id,
		.answered = (packet->descriptor.flags & VMBUS_PACKET_FLAG_COMPLETION_REQUESTED) != 0};

	memcpy(&path, message, sizeof path);
	wanted.to_vf = path.active == 1;
	if (path.active > 1 || (wanted.to_vf && knows_of_none(nic)))
		NETVSP_VIOLATE(nic, HVH_V_NVS_VALUE, message, sizeof path,
			       "data path switched to %u: 0 is right, or 1 while a virtual function is "
			       "allocated",
			       path.active);
	if (nic->vf.context != NULL)
		wanted.due = nic->vf.switch_due(nic->vf.context, nic->now, wanted.to_vf);
	if (wanted.due == HVH_NEVER)
		return;
	if (wanted.due <= nic->now && vf->switch_count == 0) {
		finish_switch(queue, &wanted);
		return;
	}
	if (vf->switch_count == NETVSP_VF_SWITCHES) {
		NETVSP_VIOLATE(nic, HVH_V_NVS_ORDER, message, sizeof path,
			       "data path switched again while %u switches are not answered",
			       NETVSP_VF_SWITCHES);
		return;
	}
	vf->switches[vf->switch_count++] = wanted;
}

/* --- In the primary's turn ------------------------------------------------------------------------ */

void netvsp_vf_run(struct hvh_nic *nic)
{
	struct netvsp_vf_session *vf = &nic->session.vf;
	struct netvsp_queue *primary = netvsp_primary(nic);

	if (nic->vf.context == NULL)
		return;
	nic->vf.run(nic->vf.context, nic->now);
	while (vf->note_count > 0 && !primary->blocked && send_note(primary, &vf->notes[0])) {
		vf->note_count--;
		memmove(vf->notes, vf->notes + 1, vf->note_count * sizeof vf->notes[0]);
	}
	while (vf->switch_count > 0 && vf->switches[0].due <= nic->now &&
	       primary->completion_count < NETVSP_COMPLETIONS_MAX) {
		finish_switch(primary, &vf->switches[0]);
		vf->switch_count--;
		memmove(vf->switches, vf->switches + 1, vf->switch_count * sizeof vf->switches[0]);
	}
}

uint64_t netvsp_vf_next(const struct hvh_nic *nic)
{
	const struct netvsp_vf_session *vf = &nic->session.vf;
	uint64_t next;

	if (nic->vf.context == NULL)
		return HVH_NEVER;
	next = nic->vf.next_event(nic->vf.context);
	if (vf->note_count > 0)
		next = 0;
	if (vf->switch_count > 0 && vf->switches[0].due < next &&
	    netvsp_primary(nic)->completion_count < NETVSP_COMPLETIONS_MAX)
		next = vf->switches[0].due;
	return next;
}

/* --- Frames --------------------------------------------------------------------------------------- */

bool netvsp_vf_transmit(struct hvh_nic *nic, uint32_t queue, const uint8_t *frame, uint32_t length)
{
	if (!nic->link_up) {
		nic->counters.dropped_link++;
		return false;
	}
	nic->transmitted = true;
	if (nic->backend.transmit_from != NULL)
		nic->backend.transmit_from(nic->backend.context, queue, frame, length);
	else
		nic->backend.transmit(nic->backend.context, frame, length);
	return true;
}

void netvsp_vf_flush(struct hvh_nic *nic)
{
	netvsp_flush(nic);
}

void netvsp_vf_card(const struct hvh_nic *nic, struct netvsp_vf_card *out)
{
	*out = (struct netvsp_vf_card){
		.partition = nic->partition,
		.mtu_max = nic->frame_limit - NETVSP_ETHERNET_HEADER,
		.without = nic->without_configured,
		.link_speed = nic->link_speed,
		.link_up = nic->link_up,
	};
	memcpy(out->mac, nic->mac, sizeof out->mac);
}
