/* SPDX-License-Identifier: MIT */
/* One download: what HTTP and TFTP have in common. */
#ifndef SHELL_FETCH_H
#define SHELL_FETCH_H

#include "apps/net/url.h"
#include "apps/shell/private.h"

struct transfer {
	struct shell *shell;
	const struct url *url;
	ip4_addr_t address;
	struct sha256 sha;
	uint64_t bytes;
	bool size_known;
	uint64_t size; /* as the server announced */
	uint64_t started, last_progress;
	bool failed;
	char error[SHELL_ERROR_MAX]; /* failed: why, as one phrase */
};

/* The next bytes have come. */
void transfer_add(struct transfer *transfer, const void *data, size_t length);
/* Once a second, if it takes that long. */
void transfer_progress(struct transfer *transfer);
/* The first reason is the one that counts. */
void transfer_fail(struct transfer *transfer, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Each returns when the transfer is over and nothing of lwIP points to it any more. */
void fetch_http(struct transfer *transfer);
void fetch_tftp(struct transfer *transfer);

#endif
