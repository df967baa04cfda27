/* SPDX-License-Identifier: MIT */
#include "tests/support/rig_traffic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW 24u
#define ETHERTYPE 0x88b5u
#define ECHO_MAGIC 0x45434830u
#define STREAM_MAGIC 0x48564b54u
#define HEADER 14u
#define LENGTH_MIN 60u
#define LENGTH_MAX 1514u
#define STALL_MS_DEFAULT 5000u

/* One frame of ours, in memory of the port's. */
struct rig_frame {
	struct hvk_tx_frame frame;
	struct hvk_buffer pieces[2];
	struct hvk_pages pages;
	struct rig *rig;
	_Atomic bool busy;
};

static uint64_t next_random(struct rig *rig)
{
	uint64_t z = (rig->random += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	return z ^ (z >> 31);
}

void rig_traffic_create(struct rig *rig)
{
	rig->frames_state = calloc(WINDOW, sizeof(*rig->frames_state));
	rig->seen = calloc(RIG_FRAMES_MAX, 1);
	rig->stream_seen = calloc(RIG_FRAMES_MAX, 1);
}

void rig_traffic_destroy(struct rig *rig)
{
	free(rig->frames_state);
	free(rig->seen);
	free(rig->stream_seen);
}

static void progress(struct rig *rig)
{
	const struct hvk_port *port = hosted_port(rig->machine);

	rig->last_progress = hvk_time(rig->hvk);
	if (port->wake && rig->config.nic_cpu != 0)
		port->wake(port->context, 0); /* who sends is there, and may rest */
}

/* --- In ---------------------------------------------------------------------------------- */

static uint32_t get32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static void take_echo(struct rig *rig, const uint8_t *data, uint32_t length)
{
	uint32_t number = get32(data + HEADER + 4);

	if (number >= rig->next_frame || get32(data + HEADER + 8) != length) {
		rig->result.corrupt++;
		return;
	}
	for (uint32_t i = HEADER + 12; i < length; i++) {
		if (data[i] != (uint8_t)(number * 7 + i)) {
			rig->result.corrupt++;
			return;
		}
	}
	if (rig->seen[number]++)
		rig->result.duplicated++;
	else
		rig->echoed++;
}

static void take_stream(struct rig *rig, const uint8_t *data, uint32_t length)
{
	uint32_t number = get32(data + HEADER + 8);

	for (uint32_t i = HEADER + 12; i < length; i++) {
		if (data[i] != (uint8_t)(number + i)) {
			rig->result.stream_corrupt++;
			return;
		}
	}
	if (number >= RIG_FRAMES_MAX || rig->stream_seen[number]++)
		rig->result.stream_duplicated++;
	else
		rig->streamed++;
}

/* --- Lent frames --------------------------------------------------------------------------- */

enum { LENT_FREE, LENT_FILLING, LENT_KEPT, LENT_LEAVING };

static uint32_t sum_of(const struct hvk_rx_frame *frame)
{
	uint32_t sum = frame->length;

	for (uint32_t i = 0; i < frame->length; i++)
		sum = sum * 31 + frame->data[i];
	return sum;
}

static void give_back(struct rig *rig, struct rig_lent *lent)
{
	struct hvk_netdev *netdev;
	int kept = LENT_KEPT;
	void *owner;

	if (!atomic_compare_exchange_strong(&lent->state, &kept, LENT_LEAVING))
		return;
	netdev = lent->netdev; /* not before: another frame's */
	owner = lent->frame.owner;
	if (sum_of(&lent->frame) != lent->sum)
		rig->result.corrupt++;
	atomic_store(&lent->state, LENT_FREE);
	hvk_netdev_release(netdev, owner);
}

void rig_traffic_return(struct rig *rig, bool keep)
{
	atomic_store(&rig->returning, !keep);
	for (uint32_t i = 0; i < RIG_LENT_MAX; i++)
		give_back(rig, &rig->lent[i]);
}

/* Some at once, most later, in no order. */
static void keep(struct rig *rig, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame)
{
	uint32_t sum = sum_of(frame); /* as good as a random number, and this CPU's own */
	struct rig_lent *lent = &rig->lent[sum % RIG_LENT_MAX];
	int free = LENT_FREE;

	give_back(rig, lent);
	if (!atomic_compare_exchange_strong(&lent->state, &free, LENT_FILLING)) {
		hvk_netdev_release(netdev, frame->owner);
		return;
	}
	lent->netdev = netdev;
	lent->frame = *frame;
	lent->sum = sum;
	atomic_store(&lent->state, LENT_KEPT);
	if (atomic_load(&rig->returning) || sum / RIG_LENT_MAX % 4 == 0)
		give_back(rig, lent);
}

void rig_traffic_input(void *context, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame)
{
	struct rig *rig = context;
	const uint8_t *data = frame->data;

	progress(rig);
	if (getenv("RIG_LOG"))
		(void)fprintf(stderr, "frame of %u bytes, type %02x%02x\n", frame->length, data[12],
			      data[13]);
	if (frame->length < HEADER + 12 || data[12] != ETHERTYPE >> 8 || data[13] != (ETHERTYPE & 0xff))
		rig->result.strays++;
	else if (get32(data + HEADER) == ECHO_MAGIC)
		take_echo(rig, data, frame->length);
	else if (get32(data + HEADER) == STREAM_MAGIC)
		take_stream(rig, data, frame->length);
	else
		rig->result.strays++;
	if (frame->owner)
		keep(rig, netdev, frame);
}

/* --- Out ------------------------------------------------------------------------------------ */

static void done(struct hvk_tx_frame *frame, hvk_status status, void *context)
{
	struct rig_frame *own = context;
	struct rig *rig = own->rig;
	const struct hvk_port *port = hosted_port(rig->machine);

	(void)frame;
	(void)status;
	port->pages_free(port->context, &own->pages);
	atomic_store(&own->busy, false); /* CPU 0 may take it from here on */
	progress(rig);
}

static void fill(struct rig *rig, uint8_t *data, uint32_t number, uint32_t length)
{
	uint32_t words[3] = {ECHO_MAGIC, number, length};

	memset(data, 0xff, 6);
	memcpy(data + 6, hvk_netvsc_netdev(rig->nic)->info.mac, 6);
	data[12] = ETHERTYPE >> 8;
	data[13] = ETHERTYPE & 0xff;
	memcpy(data + HEADER, words, sizeof(words));
	for (uint32_t i = HEADER + 12; i < length; i++)
		data[i] = (uint8_t)(number * 7 + i);
}

/* In one piece or, header and payload apart, in two; with an address or without. */
static void cut(struct rig *rig, struct rig_frame *own, uint32_t length)
{
	const struct hvk_port *port = hosted_port(rig->machine);
	uint64_t gpa = port->page_gpa(port->context, own->pages.address);
	uint32_t first = next_random(rig) % 2 ? length : HEADER;
	bool by_page = rig->config.by_page || next_random(rig) % 2;

	own->pieces[0] = (struct hvk_buffer){own->pages.address, by_page ? gpa : 0, first};
	own->pieces[1] = (struct hvk_buffer){(uint8_t *)own->pages.address + first, by_page ? gpa + first : 0,
					     length - first};
	own->frame = (struct hvk_tx_frame){
		.pieces = own->pieces,
		.piece_count = first == length ? 1 : 2,
		.length = length,
		.done = done,
		.context = own,
		.flags = (rig->config.queues > 1 ? HVK_TX_HASH : 0) |
			 (rig->config.batches && next_random(rig) % 4 != 0 ? HVK_TX_MORE : 0),
		.hash = rig->config.queues > 1 ? (uint32_t)next_random(rig) : 0,
	};
}

static struct rig_frame *free_frame(struct rig *rig)
{
	for (uint32_t i = 0; i < WINDOW; i++) {
		if (!rig->frames_state[i].busy)
			return &rig->frames_state[i];
	}
	return NULL;
}

static bool send_one(struct rig *rig)
{
	const struct hvk_port *port = hosted_port(rig->machine);
	struct rig_frame *own = free_frame(rig);
	uint32_t length = rig->config.frame_length
				  ? rig->config.frame_length
				  : LENGTH_MIN + (uint32_t)(next_random(rig) % (LENGTH_MAX - LENGTH_MIN + 1));

	if (!own || rig->next_frame == rig->config.frames ||
	    port->pages_alloc(port->context, 1, HVK_PAGE_HOST_READS, &own->pages) != HVK_OK)
		return false;
	own->rig = rig;
	fill(rig, own->pages.address, rig->next_frame, length);
	cut(rig, own, length);
	own->busy = true;
	rig->next_frame++; /* before: its echo may be here before transmit returns */
	if (hvk_netdev_transmit(hvk_netvsc_netdev(rig->nic), &own->frame) == HVK_TX_TAKEN)
		return true;
	rig->next_frame--;
	port->pages_free(port->context, &own->pages);
	own->busy = false;
	return false;
}

void rig_traffic_send(struct rig *rig)
{
	/* Frames come back on this CPU, too. */
	if (rig->config.rx_borrow)
		give_back(rig, &rig->lent[next_random(rig) % RIG_LENT_MAX]);
	for (uint32_t i = 0; i < WINDOW && send_one(rig); i++)
		progress(rig);
}

void rig_traffic_reset(struct rig *rig)
{
	for (uint32_t i = 0; i < WINDOW; i++) {
		if (rig->frames_state[i].busy)
			rig->result.corrupt++; /* a frame that was taken and never done */
		rig->frames_state[i].busy = false;
	}
}

/* --- Accounting ------------------------------------------------------------------------------- */

static bool any_busy(const struct rig *rig)
{
	for (uint32_t i = 0; i < WINDOW; i++) {
		if (rig->frames_state[i].busy)
			return true;
	}
	return false;
}

bool rig_traffic_done(const struct rig *rig)
{
	return rig->echoed == rig->config.frames && rig->streamed >= rig->config.stream && !any_busy(rig);
}

/* Nothing has moved for long: what is missing is lost. */
bool rig_traffic_stalled(struct rig *rig)
{
	uint64_t last = rig->last_progress; /* first: another CPU may move it past our now */
	uint64_t ms = rig->config.stall_ms ? rig->config.stall_ms : STALL_MS_DEFAULT;

	return hvk_time(rig->hvk) > last + ms * HVK_TIME_PER_MS;
}

void rig_traffic_collect(struct rig *rig)
{
	rig->result.echoed = rig->echoed;
	rig->result.streamed = rig->streamed;
	rig->result.lost = rig->next_frame - rig->echoed;
}
