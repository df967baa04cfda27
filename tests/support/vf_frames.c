/* SPDX-License-Identifier: MIT */
/*
 * Numbered frames that the wire echoes. What has become of each is known at every place that it passes: a
 * driver took it, said it was sent or gave it back; it came to the wire; the host took it for the guest; it
 * came in. A frame that is missing has been lost at one of them, and somebody there has counted it.
 */
#include <string.h>

#include "tests/support/vf_session_internal.h"

#define ETHERTYPE 0x88b5u
#define MAGIC 0x56464631u
#define HEADER 14u
#define PAYLOAD (HEADER + 12u)
#define DRAIN_MS 1000u

enum mark {
	TAKEN = 1,    /* by a driver */
	SENT = 2,     /* says the driver */
	BACK = 4,     /* it was not sent, says the driver */
	ON_WIRE = 8,  /* it came to the host's backend */
	FOR_US = 16,  /* the host has taken its echo for the guest */
	RECEIVED = 32 /* by the stack */
};

static uint8_t mark(struct vf_session *session, uint32_t number, enum mark what)
{
	return __atomic_fetch_or(&session->marks[number], (uint8_t)what, __ATOMIC_RELAXED);
}

static void put32(uint8_t *at, uint32_t value)
{
	memcpy(at, &value, sizeof(value));
}

static uint32_t get32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

/* VF_NUMBERS_MAX: not one of ours. */
static uint32_t number_of(const uint8_t *data, uint32_t length)
{
	uint32_t number;

	if (length < PAYLOAD || data[12] != ETHERTYPE >> 8 || data[13] != (ETHERTYPE & 0xff) ||
	    get32(data + HEADER) != MAGIC)
		return VF_NUMBERS_MAX;
	number = get32(data + HEADER + 4);
	return number < VF_NUMBERS_MAX ? number : VF_NUMBERS_MAX;
}

/* --- Out ------------------------------------------------------------------------------------------ */

static void frame_done(struct hvk_tx_frame *frame, hvk_status status, void *context)
{
	struct vf_numbered *own = context;

	(void)frame;
	(void)mark(own->session, own->number, status == HVK_OK ? SENT : BACK);
	atomic_store(&own->busy, false);
}

static void fill(struct vf_session *session, struct vf_numbered *own, uint32_t number, uint32_t length)
{
	const struct hvk_port *port = hosted_port(session->rig->machine);
	uint8_t *data = own->pages.address;

	memset(data, 0x02, 6); /* the wire's peer, whoever it is */
	memcpy(data + 6, session->netdev->info.mac, 6);
	data[12] = ETHERTYPE >> 8;
	data[13] = ETHERTYPE & 0xff;
	put32(data + HEADER, MAGIC);
	put32(data + HEADER + 4, number);
	put32(data + HEADER + 8, length);
	for (uint32_t i = PAYLOAD; i < length; i++)
		data[i] = (uint8_t)(number * 7 + i);
	own->number = number;
	own->piece = (struct hvk_buffer){data, port->page_gpa(port->context, own->pages.address), length};
	own->frame = (struct hvk_tx_frame){.pieces = &own->piece,
					   .piece_count = 1,
					   .length = length,
					   .done = frame_done,
					   .context = own};
}

/* The interface to send by: in separate mode the VF's, while it has a link. */
static struct hvk_netdev *way_out(const struct vf_session *session)
{
	const struct hvk_netdev *own = session->own;

	if (own && !session->own_gone && (own->info.flags & HVK_NETDEV_UP) && own->info.link_up)
		return session->own;
	return session->netdev;
}

void vf_frames_send(struct vf_session *session)
{
	struct vf_numbered *own = &session->frames[session->next % VF_FRAMES];
	struct hvk_netdev *netdev = way_out(session);

	if (!netdev || session->next >= VF_NUMBERS_MAX || atomic_load(&own->busy) ||
	    !(netdev->info.flags & HVK_NETDEV_UP))
		return;
	fill(session, own, session->next, 60 + vf_session_pick(session, 1400));
	atomic_store(&own->busy, true);
	switch (hvk_netdev_transmit(netdev, &own->frame)) {
	case HVK_TX_TAKEN:
		(void)mark(session, own->number, TAKEN);
		session->counts.sent++;
		session->next++;
		return;
	case HVK_TX_BUSY:
		session->counts.busy++;
		break;
	case HVK_TX_GONE:
		session->counts.gone++;
		break;
	}
	atomic_store(&own->busy, false);
}

/* --- The wire ------------------------------------------------------------------------------------ */

static void to_wire(void *context, const void *frame, uint32_t length)
{
	struct vf_session *session = context;
	uint32_t number = number_of(frame, length);

	if (number < VF_NUMBERS_MAX && (mark(session, number, ON_WIRE) & ON_WIRE))
		session->duplicated++;
	session->wire_backend.transmit(session->wire_backend.context, frame, length);
}

static void taken_from_wire(void *context, const void *frame, uint32_t length)
{
	uint32_t number = number_of(frame, length);

	if (number < VF_NUMBERS_MAX)
		(void)mark(context, number, FOR_US);
}

void vf_frames_backend(struct vf_session *session, struct hvh_backend *out)
{
	hvh_simwire_backend(session->wire, &session->wire_backend);
	*out = (struct hvh_backend){.context = session, .transmit = to_wire, .taken = taken_from_wire};
}

/* --- In ------------------------------------------------------------------------------------------- */

void vf_frames_input(void *context, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame)
{
	struct vf_session *session = context;
	const uint8_t *data = frame->data;
	uint32_t number = number_of(data, frame->length);

	if (netdev != session->netdev && netdev != session->own)
		session->astray++;
	if (number < VF_NUMBERS_MAX) {
		if (get32(data + HEADER + 8) != frame->length)
			session->corrupt++;
		for (uint32_t i = PAYLOAD; i < frame->length; i++)
			session->corrupt += data[i] != (uint8_t)(number * 7 + i);
		if (mark(session, number, RECEIVED) & RECEIVED)
			session->duplicated++;
		else
			(void)__atomic_fetch_add(&session->counts.echoed, 1, __ATOMIC_RELAXED);
	}
	if (frame->owner)
		hvk_netdev_release(netdev, frame->owner);
}

/* --- What is missing ------------------------------------------------------------------------------- */

struct losses {
	uint64_t back;     /* given back by a driver, and it never was on the wire */
	uint64_t to_wire;  /* sent, says the driver, and it never was there */
	uint64_t on_wire;  /* there, and the host did not take the echo */
	uint64_t to_stack; /* the host took it, and it did not come in */
	uint64_t untold;   /* taken by a driver, which never said what became of it */
};

static struct losses count_losses(const struct vf_session *session)
{
	struct losses losses = {0};

	for (uint32_t number = 0; number < session->next; number++) {
		uint8_t marks = session->marks[number];

		losses.untold += (marks & (SENT | BACK)) == 0;
		if (marks & RECEIVED)
			continue;
		if (marks & FOR_US)
			losses.to_stack++;
		else if (marks & ON_WIRE)
			losses.on_wire++;
		else if (marks & SENT)
			losses.to_wire++;
		else
			losses.back++;
	}
	return losses;
}

void vf_frames_add(struct vf_session *session, const struct hvk_netdev_counters *now,
		   const struct hvk_netdev_counters *base)
{
	uint64_t dropped = now->rx_dropped - base->rx_dropped;

	session->guest_taken += now->rx_frames - base->rx_frames + dropped;
	session->guest_dropped += dropped;
}

static void drain(struct vf_session *session)
{
	uint64_t end = hvk_time(session->rig->hvk) + DRAIN_MS * HVK_TIME_PER_MS;

	while (hvh_simwire_next_event(session->wire) != HVH_NEVER && hvk_time(session->rig->hvk) < end)
		rig_turn(session->rig);
}

void vf_frames_end(struct vf_session *session)
{
	struct hvh_nic_counters nic;
	struct hvh_vf_counters vf;

	drain(session);
	hvh_nic_get_counters(session->host_nic, &nic);
	hvh_vf_get_counters(session->host_vf, &vf);
	session->host_dropped = nic.dropped_filter + nic.dropped_link + nic.dropped_queue + vf.dropped;
	/* In a ring that nobody looked into any more. */
	session->left = nic.to_guest_frames + vf.to_guest_frames - session->guest_taken;
}

/* A ring is left with frames in it only if somebody took it away. */
static bool was_taken_away(const struct vf_session *session)
{
	const uint64_t *events = session->counts.events;

	return events[VF_SESSION_RESCIND] || events[VF_SESSION_SURPRISE] || events[VF_SESSION_MIGRATE] ||
	       session->rig->config.fault_chance != 0;
}

void vf_frames_check(struct vf_session *session, uint64_t faults)
{
	struct losses losses = count_losses(session);
	uint64_t missing = losses.to_wire + losses.on_wire + losses.to_stack;
	uint64_t counted = session->host_dropped + session->guest_dropped + session->left + faults;

	session->counts.lost_back = losses.back;
	session->counts.lost_host = session->host_dropped;
	session->counts.lost_guest = session->guest_dropped;
	session->counts.lost_left = session->left;
	session->counts.lost_faults = faults;
	if (losses.untold)
		WRONG(session, "of %llu frames nobody said what became of them",
		      (unsigned long long)losses.untold);
	if (missing != counted || (session->left && !was_taken_away(session)))
		WRONG(session,
		      "frames missing: %llu before the wire, %llu behind it, %llu before the stack; counted: "
		      "%llu by "
		      "the host, %llu by the drivers, %lld left in rings, %llu by faults",
		      (unsigned long long)losses.to_wire, (unsigned long long)losses.on_wire,
		      (unsigned long long)losses.to_stack, (unsigned long long)session->host_dropped,
		      (unsigned long long)session->guest_dropped, (long long)session->left,
		      (unsigned long long)faults);
}

/* --- Memory ---------------------------------------------------------------------------------------- */

void vf_frames_allocate(struct vf_session *session)
{
	const struct hvk_port *port = hosted_port(session->rig->machine);

	for (uint32_t i = 0; i < VF_FRAMES; i++) {
		session->frames[i].session = session;
		(void)port->pages_alloc(port->context, 1, HVK_PAGE_HOST_READS, &session->frames[i].pages);
	}
}

void vf_frames_give_back(struct vf_session *session)
{
	const struct hvk_port *port = hosted_port(session->rig->machine);

	for (uint32_t i = 0; i < VF_FRAMES; i++) {
		if (atomic_load(&session->frames[i].busy))
			WRONG(session, "a frame was taken and never done");
		port->pages_free(port->context, &session->frames[i].pages);
	}
}
