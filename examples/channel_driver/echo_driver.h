/* SPDX-License-Identifier: MIT */
/* A driver for a class of channels that hvkit does not know: it sends, and gets back. */
#ifndef ECHO_DRIVER_H
#define ECHO_DRIVER_H

#include "hvkit/vmbus.h"

#define ECHO_CLASS                                                                                        \
	{                                                                                                 \
		0xf0, 0xa1, 0xd1, 0xb8, 0x0e, 0x6d, 0x55, 0x4c, 0x9a, 0x3e, 0x2f, 0x5f, 0x0a, 0x7e, 0x4d, \
			0x10                                                                              \
	}
#define ECHO_MESSAGE_MAX 1024u

struct echo_driver {
	/* Yours to set. answered: the host has completed the message of this cookie, or, with
	 * bytes NULL, never will. closed: nothing comes any more, open it again if you like. */
	void (*answered)(void *context, void *cookie, const void *bytes, uint32_t length);
	void (*closed)(void *context);
	void *context;
	/* The driver's. */
	struct hvk_channel *channel;
	struct hvk_request closing;
	uint64_t buffer[(ECHO_MESSAGE_MAX + 64u) / sizeof(uint64_t)];
};

bool echo_is_mine(const struct hvk_offer *offer);
hvk_status echo_open(struct echo_driver *driver, struct hvk_channel *channel, struct hvk_request *request);
hvk_status echo_send(struct echo_driver *driver, const void *message, uint32_t length, void *cookie);
/* Also after an open that failed. closed runs in a later poll. */
void echo_close(struct echo_driver *driver);

#endif
