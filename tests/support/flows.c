/* SPDX-License-Identifier: MIT */
#include "tests/support/flows.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TICKS_PER_MS 10000u
/* What was sent so long ago has no reason any more not to be there. */
#define OVERDUE (500u * TICKS_PER_MS)

void flows_init(struct flows *flows)
{
	memset(flows, 0, sizeof(*flows));
	(void)pthread_mutex_init(&flows->lock, NULL);
}

void flows_destroy(struct flows *flows)
{
	(void)pthread_mutex_destroy(&flows->lock);
}

static const char *name(enum flow_direction direction)
{
	return direction == FLOW_TO_GUEST ? "to the guest" : "to the wire";
}

/* Under lock. The first one is kept. */
static void fail_locked(struct flows *flows, const char *format, va_list arguments)
{
	if (flows->wrong[0] == '\0')
		(void)vsnprintf(flows->wrong, sizeof(flows->wrong), format, arguments);
}

static __attribute__((format(printf, 2, 3))) void wrong(struct flows *flows, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fail_locked(flows, format, arguments);
	va_end(arguments);
}

void flows_fail(struct flows *flows, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)pthread_mutex_lock(&flows->lock);
	fail_locked(flows, format, arguments);
	(void)pthread_mutex_unlock(&flows->lock);
	va_end(arguments);
}

bool flows_failed(struct flows *flows)
{
	bool failed;

	(void)pthread_mutex_lock(&flows->lock);
	failed = flows->wrong[0] != '\0';
	(void)pthread_mutex_unlock(&flows->lock);
	return failed;
}

/* --- Sent ------------------------------------------------------------------------------------ */

uint32_t flows_send(struct flows *flows, enum flow_direction direction, uint32_t flow, uint32_t payload,
		    bool bad, uint64_t now, uint32_t *offset)
{
	struct flow_side *side = &flows->sides[direction][flow];
	uint32_t number = FLOW_RECORDS;

	(void)pthread_mutex_lock(&flows->lock);
	if (side->count < FLOW_RECORDS) {
		struct flow_record *last = side->count ? &side->records[side->count - 1] : NULL;

		number = side->count++;
		*offset = last ? last->offset + last->length : 0;
		side->records[number] = (struct flow_record){.offset = *offset,
							     .length = payload,
							     .losses = flows->losses,
							     .links = flows->links,
							     .sent = now,
							     .bad = bad};
		flows->totals[direction].sent++;
	}
	(void)pthread_mutex_unlock(&flows->lock);
	return number;
}

void flows_take_back(struct flows *flows, enum flow_direction direction, uint32_t flow)
{
	struct flow_side *side = &flows->sides[direction][flow];

	(void)pthread_mutex_lock(&flows->lock);
	side->count--;
	flows->totals[direction].sent--;
	if (side->records[side->count].got != 0)
		wrong(flows, "flow %u %s: a frame that was not taken came", flow, name(direction));
	(void)pthread_mutex_unlock(&flows->lock);
}

void flows_done(struct flows *flows, uint32_t flow, uint32_t number, enum flow_end end)
{
	struct flow_record *record = &flows->sides[FLOW_TO_WIRE][flow].records[number];
	bool whole, excused;

	(void)pthread_mutex_lock(&flows->lock);
	whole = record->got == record->length;
	if (record->over)
		wrong(flows, "flow %u, frame %u: done twice", flow, number);
	record->over = true;
	switch (end) {
	case FLOW_END_SENT:
		excused = flows->linkless || record->links != flows->links;
		if (!whole && !excused)
			wrong(flows, "flow %u, frame %u: said to be sent, and %u of %u bytes were", flow,
			      number, record->got, record->length);
		break;
	case FLOW_END_CANCELED:
		excused = flows->losing || record->losses != flows->losses;
		if (!excused)
			wrong(flows, "flow %u, frame %u: canceled for no reason", flow, number);
		flows->totals[FLOW_TO_WIRE].canceled++;
		break;
	case FLOW_END_REFUSED:
		wrong(flows, "flow %u, frame %u: refused by the host", flow, number);
		break;
	}
	(void)pthread_mutex_unlock(&flows->lock);
}

/* --- Come -------------------------------------------------------------------------------------- */

/* Under lock: the record that has this byte next; they come in order, nearly always. */
static uint32_t find(const struct flow_side *side, uint32_t offset)
{
	for (uint32_t n = 0; n < side->count; n++) {
		uint32_t at = (side->latest + n) % side->count;

		if (offset - side->records[at].offset < side->records[at].length)
			return at;
	}
	return FLOW_RECORDS;
}

/* Under lock: of the bytes from offset on, those that are this record's. */
static uint32_t take(struct flows *flows, enum flow_direction direction, uint32_t flow, uint32_t number,
		     uint32_t offset, uint32_t length)
{
	struct flow_side *side = &flows->sides[direction][flow];
	struct flow_record *record = &side->records[number];
	uint32_t left = record->length - record->got;

	if (offset != record->offset + record->got) {
		wrong(flows, "flow %u %s, frame %u: bytes from %u on %s", flow, name(direction), number,
		      offset - record->offset,
		      offset - record->offset < record->got ? "came twice" : "before others of the frame");
		return length;
	}
	length = length < left ? length : left;
	record->got += length;
	return length;
}

/* Under lock. */
static void note_order(struct flows *flows, enum flow_direction direction, uint32_t flow, uint32_t number,
		       uint64_t now)
{
	struct flow_side *side = &flows->sides[direction][flow];

	if (number + 1 < side->latest) {
		flows->totals[direction].disordered++;
		if (now > flows->unsteady_until)
			wrong(flows, "flow %u %s: frame %u behind %u", flow, name(direction), number,
			      side->latest - 1);
		return;
	}
	side->latest = number + 1;
}

/* Under lock. */
static const struct flow_record *arrived(struct flows *flows, enum flow_direction direction,
					 const struct flow_frame *frame, bool whole, uint64_t now)
{
	struct flow_side *side = &flows->sides[direction][frame->flow];
	struct flow_totals *totals = &flows->totals[direction];
	uint32_t offset = frame->offset, left = frame->payload, records = 0;
	const struct flow_record *first = NULL;

	while (left != 0) {
		uint32_t number = find(side, offset), size;

		if (number == FLOW_RECORDS) {
			wrong(flows, "flow %u %s: a frame that nobody sent, from %u on, %u bytes",
			      frame->flow, name(direction), offset, left);
			return NULL;
		}
		size = take(flows, direction, frame->flow, number, offset, left);
		if (!first)
			first = &side->records[number];
		if (whole && side->records[number].got != side->records[number].length)
			wrong(flows, "flow %u %s, frame %u: a part of it", frame->flow, name(direction),
			      number);
		note_order(flows, direction, frame->flow, number, now);
		offset += size;
		left -= size;
		records++;
	}
	totals->arrived++;
	totals->joined += records > 1;
	totals->cut += first && frame->payload < first->length;
	return first;
}

const struct flow_record *flows_arrived(struct flows *flows, enum flow_direction direction,
					const struct flow_frame *frame, bool whole, uint64_t now)
{
	const struct flow_record *first;

	(void)pthread_mutex_lock(&flows->lock);
	first = arrived(flows, direction, frame, whole, now);
	(void)pthread_mutex_unlock(&flows->lock);
	return first;
}

/* --- Reasons -------------------------------------------------------------------------------------- */

/* Under lock: of a steady time that ends now, what should have come. */
static void check_overdue(struct flows *flows, uint64_t now)
{
	for (uint32_t flow = 0; flow < FLOWS_MAX; flow++) {
		const struct flow_side *side = &flows->sides[FLOW_TO_GUEST][flow];

		for (uint32_t n = 0; n < side->count; n++) {
			const struct flow_record *record = &side->records[n];

			if (record->got == 0 && record->losses == flows->losses &&
			    now > record->sent + OVERDUE)
				wrong(flows, "flow %u to the guest, frame %u: lost for no reason", flow, n);
		}
	}
}

void flows_losing(struct flows *flows, bool link, uint64_t now)
{
	(void)pthread_mutex_lock(&flows->lock);
	if (flows->losing == 0)
		check_overdue(flows, now);
	flows->losses++;
	flows->losing++;
	if (link) {
		flows->links++;
		flows->linkless++;
	}
	(void)pthread_mutex_unlock(&flows->lock);
}

void flows_losing_ends(struct flows *flows, bool link)
{
	(void)pthread_mutex_lock(&flows->lock);
	flows->losses++;
	flows->losing--;
	if (link) {
		flows->links++;
		flows->linkless--;
	}
	(void)pthread_mutex_unlock(&flows->lock);
}

void flows_unsteady(struct flows *flows, uint64_t until)
{
	(void)pthread_mutex_lock(&flows->lock);
	if (flows->unsteady_until < until)
		flows->unsteady_until = until;
	(void)pthread_mutex_unlock(&flows->lock);
}

bool flows_are_steady(struct flows *flows, uint64_t now)
{
	bool steady;

	(void)pthread_mutex_lock(&flows->lock);
	steady = now > flows->unsteady_until;
	(void)pthread_mutex_unlock(&flows->lock);
	return steady;
}

/* --- The end ---------------------------------------------------------------------------------------- */

/* Under lock: it has not come, and nothing has happened that explains it. */
static bool is_missing(const struct flows *flows, enum flow_direction direction,
		       const struct flow_record *record)
{
	if (direction == FLOW_TO_WIRE)
		return !record->over;
	return record->got == 0 && record->losses == flows->losses;
}

bool flows_at_rest(struct flows *flows)
{
	bool rest = true;

	(void)pthread_mutex_lock(&flows->lock);
	for (uint32_t at = 0; at < 2 * FLOWS_MAX && rest; at++) {
		const struct flow_side *side = &flows->sides[at % 2][at / 2];

		for (uint32_t n = 0; n < side->count && rest; n++)
			rest = !is_missing(flows, (enum flow_direction)(at % 2), &side->records[n]);
	}
	(void)pthread_mutex_unlock(&flows->lock);
	return rest;
}

void flows_finish(struct flows *flows)
{
	(void)pthread_mutex_lock(&flows->lock);
	for (uint32_t at = 0; at < 2 * FLOWS_MAX; at++) {
		enum flow_direction direction = (enum flow_direction)(at % 2);
		const struct flow_side *side = &flows->sides[direction][at / 2];

		for (uint32_t n = 0; n < side->count; n++) {
			const struct flow_record *record = &side->records[n];

			flows->totals[direction].lost += record->got < record->length;
			if (is_missing(flows, direction, record))
				wrong(flows, "flow %u %s: frame %u of %u %s", at / 2, name(direction), n,
				      side->count,
				      direction == FLOW_TO_WIRE ? "was taken and never done" : "never came");
		}
	}
	(void)pthread_mutex_unlock(&flows->lock);
}
