/* SPDX-License-Identifier: MIT */
#include "apps/net/fetch.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lwip/dns.h"

#define RESOLVE_TIMEOUT_MS 60000u /* lwIP gives up by itself before that */

void net_transfer_add(struct net_transfer *transfer, const void *bytes, size_t length)
{
	if (transfer->failed)
		return;
	transfer->data(transfer, bytes, length);
	transfer->bytes += length;
}

void net_transfer_fail(struct net_transfer *transfer, const char *format, ...)
{
	va_list arguments;

	if (transfer->failed)
		return;
	transfer->failed = true;
	va_start(arguments, format);
	vsnprintf(transfer->error, sizeof(transfer->error), format, arguments);
	va_end(arguments);
}

/* --- Names ---------------------------------------------------------------------------------- */

static void resolved(const char *name, const ip_addr_t *address, void *context)
{
	struct net_user *user = context;

	(void)name;
	user->resolver.done = true;
	user->resolver.found = address != NULL;
	if (address)
		ip4_addr_copy(user->resolver.address, *ip_2_ip4(address));
}

const char *net_resolve(struct net_user *user, const char *host, ip4_addr_t *address)
{
	uint64_t limit = user->time(user->context) + RESOLVE_TIMEOUT_MS * HVK_TIME_PER_MS;
	ip_addr_t now;
	err_t error;

	user->resolver.done = false;
	error = dns_gethostbyname(host, &now, resolved, user);
	if (error == ERR_OK) {
		ip4_addr_copy(*address, *ip_2_ip4(&now));
		return NULL;
	}
	if (error != ERR_INPROGRESS)
		return "the name cannot be looked up";
	while (!user->resolver.done && user->time(user->context) < limit) {
		const char *wrong = user->missing(user->context);

		if (wrong)
			return wrong;
		user->turn(user->context, limit);
	}
	if (!user->resolver.done || !user->resolver.found)
		return "the name server does not know the name, or does not answer";
	ip4_addr_copy(*address, user->resolver.address);
	return NULL;
}

/* --- All ------------------------------------------------------------------------------------ */

void net_fetch(struct net_transfer *transfer)
{
	const char *wrong = transfer->user->missing(transfer->user->context);

	if (!wrong)
		wrong = net_resolve(transfer->user, transfer->url->host, &transfer->address);
	if (wrong)
		net_transfer_fail(transfer, "%s", wrong);
	else if (transfer->url->scheme == URL_HTTP)
		net_fetch_http(transfer);
	else
		net_fetch_tftp(transfer);
}
