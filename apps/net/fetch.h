/* SPDX-License-Identifier: MIT */
/*
 * Downloads by HTTP and TFTP over lwIP, for a task that waits: bytes come by a callback as they arrive.
 * Each ends by itself, whatever the server does: silence has a bound.
 */
#ifndef NET_FETCH_H
#define NET_FETCH_H

#include <stddef.h>

#include "apps/net/url.h"
#include "hvkit/hvkit.h"
#include "lwip/netif.h"

#define NET_ERROR_MAX 240u

/* Who runs the stack. Lives as long as lwIP runs. */
struct net_user {
	void *context;
	uint64_t (*time)(void *context); /* hvk_time */
	/* One turn of the main loop; sleeps if there was nothing to do, until something comes or until until
	 * (hvk_time units). */
	void (*turn)(void *context, uint64_t until);
	/* NULL, or why a transfer is to end: no network, no patience. */
	const char *(*missing)(void *context);
	struct netif *netif;
	struct { /* what a name server said: it may say so after whoever asked has left */
		bool done, found;
		ip4_addr_t address;
	} resolver;
};

struct net_transfer {
	struct net_user *user;
	const struct url *url;
	/* The next bytes. May call net_transfer_fail. */
	void (*data)(struct net_transfer *transfer, const void *bytes, size_t length);
	void (*turned)(struct net_transfer *transfer); /* after each turn; may be NULL */
	void *context;
	/* What has come of it; zeroed by the caller. */
	ip4_addr_t address;
	uint64_t bytes;
	bool size_known; /* before the first byte if at all, and then not changed any more */
	uint64_t size;   /* as the server announced */
	bool failed;
	char error[NET_ERROR_MAX]; /* failed: why, as one phrase */
};

/* Looks the host up and loads. When it returns the transfer is over, and nothing of lwIP points to it. */
void net_fetch(struct net_transfer *transfer);
/* The first reason is the one that counts. */
void net_transfer_fail(struct net_transfer *transfer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The address of a host, by name server if need be. Returns NULL, or what went wrong. */
const char *net_resolve(struct net_user *user, const char *host, ip4_addr_t *address);

/* Between the files of this. */
void net_transfer_add(struct net_transfer *transfer, const void *bytes, size_t length);
void net_fetch_http(struct net_transfer *transfer);
void net_fetch_tftp(struct net_transfer *transfer);

#endif
