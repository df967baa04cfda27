/* SPDX-License-Identifier: MIT */
/* The card's frames, both ways, as a pcapng file; everything is called with the partition's lock held. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/core/pcapng.h"
#include "hvkit_host/network.h"

struct hvh_capture {
	FILE *file;
	bool failed; /* nothing is written after that */
	uint64_t (*now)(void *context);
	void *now_context;
	struct hvh_backend inner;
};

static void write_frame(struct hvh_capture *capture, uint32_t direction, const void *frame, uint32_t length)
{
	const struct hvh_pcapng_part parts[HVH_PCAPNG_PARTS] = {{frame, length}};

	capture->failed = capture->failed ||
			  !hvh_pcapng_packet(capture->file, capture->now(capture->now_context), direction,
					     parts);
}

static void transmit_from(void *context, uint32_t queue, const void *frame, uint32_t length)
{
	struct hvh_capture *capture = context;
	const struct hvh_backend *inner = &capture->inner;

	write_frame(capture, HVH_PCAPNG_OUTBOUND, frame, length);
	if (inner->transmit_from != NULL)
		inner->transmit_from(inner->context, queue, frame, length);
	else
		inner->transmit(inner->context, frame, length);
}

static void transmit(void *context, const void *frame, uint32_t length)
{
	struct hvh_capture *capture = context;

	write_frame(capture, HVH_PCAPNG_OUTBOUND, frame, length);
	capture->inner.transmit(capture->inner.context, frame, length);
}

static void flush(void *context)
{
	struct hvh_capture *capture = context;

	if (capture->inner.flush != NULL)
		capture->inner.flush(capture->inner.context);
}

static void taken(void *context, const void *frame, uint32_t length)
{
	struct hvh_capture *capture = context;

	write_frame(capture, HVH_PCAPNG_INBOUND, frame, length);
	if (capture->inner.taken != NULL)
		capture->inner.taken(capture->inner.context, frame, length);
}

static void tell_link(void *context, bool up)
{
	const struct hvh_backend *inner = &((struct hvh_capture *)context)->inner;

	if (inner->link != NULL)
		inner->link(inner->context, up);
}

struct hvh_capture *hvh_capture_create(const char *path, uint64_t (*now)(void *context), void *context,
				       char *error, size_t error_size)
{
	struct hvh_capture *capture = calloc(1, sizeof *capture);

	if (capture == NULL) {
		snprintf(error, error_size, "capture: out of memory");
		return NULL;
	}
	capture->now = now;
	capture->now_context = context;
	capture->file = fopen(path, "wbe");
	if (capture->file != NULL && hvh_pcapng_open(capture->file, HVH_PCAPNG_ETHERNET, "net0"))
		return capture;
	snprintf(error, error_size, "capture: '%s' cannot be written: %s", path, strerror(errno));
	hvh_capture_destroy(capture);
	return NULL;
}

void hvh_capture_backend(struct hvh_capture *capture, const struct hvh_backend *inner,
			 struct hvh_backend *out)
{
	capture->inner = *inner;
	*out = (struct hvh_backend){.context = capture,
				    .transmit = transmit,
				    .flush = flush,
				    .transmit_from = transmit_from,
				    .taken = taken,
				    .link = tell_link};
}

bool hvh_capture_flush(struct hvh_capture *capture)
{
	capture->failed = fflush(capture->file) != 0 || capture->failed;
	return !capture->failed;
}

void hvh_capture_destroy(struct hvh_capture *capture)
{
	if (capture == NULL)
		return;
	if (capture->file != NULL)
		(void)fclose(capture->file); /* hvh_capture_flush has told what there is to tell */
	free(capture);
}
