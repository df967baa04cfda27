/* SPDX-License-Identifier: MIT */
/*
 * HTTP by lwIP's client. It speaks HTTP/1.1 with "Connection: Close", hands us the
 * headers and then the body as it comes; the window opens as fast as the bytes are taken. Silence
 * of 15 s ends it.
 */
#include "apps/net/fetch.h"
#include "apps/net/http_headers.h"
#include "lwip/apps/http_client.h"
#include "lwip/priv/tcp_priv.h"

#define STALL_S 15u
#define CLOSE_MS 200u /* for the server's end of the connection, once the body is complete */

struct http {
	struct net_transfer *transfer;
	bool headers_done, finished;
};

static bool complete(const struct net_transfer *transfer)
{
	return transfer->size_known && transfer->bytes == transfer->size;
}

static err_t take_headers(httpc_state_t *connection, void *context, struct pbuf *p, u16_t length,
			  u32_t content_length)
{
	struct http *http = context;
	struct net_transfer *transfer = http->transfer;
	struct http_headers headers;

	(void)connection;
	(void)content_length; /* 32 bits, and found in one spelling only: ours is read below */
	http->headers_done = true;
	http_headers_begin(&headers);
	for (u16_t i = 0; i < length; i++)
		http_headers_add(&headers, (char)pbuf_get_at(p, i));
	if (headers.status == 0)
		net_transfer_fail(transfer, "the server does not speak HTTP/1");
	else if (headers.status != 200)
		net_transfer_fail(transfer, "the server answered %u%s%s, not 200", headers.status,
				  headers.reason[0] ? " " : "", headers.reason);
	else if (headers.encoded)
		net_transfer_fail(transfer,
				  "the server sends in a transfer encoding, which is not supported");
	else if (headers.malformed)
		net_transfer_fail(transfer, "the server's Content-Length is not a number");
	transfer->size_known = headers.length_known;
	transfer->size = headers.length;
	return transfer->failed ? ERR_VAL : ERR_OK;
}

static err_t take_body(void *context, struct altcp_pcb *pcb, struct pbuf *p, err_t error)
{
	struct http *http = context;
	struct net_transfer *transfer = http->transfer;

	(void)error;
	if (!p)
		return ERR_OK;
	if (!transfer->failed) {
		for (const struct pbuf *part = p; part; part = part->next)
			net_transfer_add(transfer, part->payload, part->len);
		if (transfer->size_known && transfer->bytes > transfer->size)
			net_transfer_fail(transfer,
					  "the server sent more than the %llu bytes of its Content-Length",
					  (unsigned long long)transfer->size);
	}
	altcp_recved(pcb, p->tot_len);
	pbuf_free(p);
	return ERR_OK;
}

static void explain(struct http *http, httpc_result_t result, err_t error)
{
	struct net_transfer *transfer = http->transfer;

	switch (result) {
	case HTTPC_RESULT_ERR_CONNECT:
		net_transfer_fail(transfer, "no connection to port %u (lwIP error %d)", transfer->url->port,
				  error);
		break;
	case HTTPC_RESULT_ERR_TIMEOUT:
		if (http->headers_done)
			net_transfer_fail(transfer, "timed out: the transfer stalled, nothing came for %u s",
					  STALL_S);
		else
			net_transfer_fail(transfer, "timed out: no answer from port %u for %u s",
					  transfer->url->port, STALL_S);
		break;
	case HTTPC_RESULT_ERR_CLOSED:
		if (error == ERR_RST && !http->headers_done)
			net_transfer_fail(transfer, "port %u refused the connection, or reset it",
					  transfer->url->port);
		else
			net_transfer_fail(transfer, "the connection was lost (lwIP error %d)", error);
		break;
	case HTTPC_RESULT_ERR_SVR_RESP:
		net_transfer_fail(transfer, "the server's headers are longer than lwIP takes");
		break;
	case HTTPC_RESULT_ERR_MEM:
		net_transfer_fail(transfer, "lwIP is out of memory");
		break;
	default:
		net_transfer_fail(transfer, "lwIP's HTTP client ended with result %d, error %d", (int)result,
				  error);
		break;
	}
}

static void take_result(void *context, httpc_result_t result, u32_t length, u32_t server_response,
			err_t error)
{
	struct http *http = context;
	struct net_transfer *transfer = http->transfer;

	(void)length;
	(void)server_response;
	http->finished = true;
	if (transfer->failed || (http->headers_done && complete(transfer)))
		return;
	if (transfer->size_known && (result == HTTPC_RESULT_OK || result == HTTPC_RESULT_ERR_CONTENT_LEN))
		net_transfer_fail(transfer,
				  "the server sent %llu bytes of the %llu of its Content-Length, and closed",
				  (unsigned long long)transfer->bytes, (unsigned long long)transfer->size);
	else if (result != HTTPC_RESULT_OK)
		explain(http, result, error);
}

/* lwIP's client cannot be told to end; its connection can, which leads to the result. It is
 * the only one to that address and port. */
static void abort_connection(const struct http *http)
{
	const struct net_transfer *transfer = http->transfer;

	for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb; pcb = pcb->next) {
		if (ip4_addr_cmp(ip_2_ip4(&pcb->remote_ip), &transfer->address) &&
		    pcb->remote_port == transfer->url->port) {
			tcp_abort(pcb);
			return;
		}
	}
}

/* Runs until lwIP has given its result, which it does in bounded time; sooner if
 * there is nothing more to come, or nothing to be had. */
static void run(struct http *http)
{
	struct net_transfer *transfer = http->transfer;
	struct net_user *user = transfer->user;
	uint64_t abort_at = HVK_NEVER;

	while (!http->finished) {
		const char *missing = user->missing(user->context);

		if (missing)
			net_transfer_fail(transfer, "%s", missing);
		if (abort_at == HVK_NEVER && (transfer->failed || complete(transfer)))
			abort_at = user->time(user->context) +
				   (transfer->failed ? 0 : CLOSE_MS * HVK_TIME_PER_MS);
		if (user->time(user->context) >= abort_at) {
			abort_connection(http);
			if (http->finished)
				break;
			abort_at = user->time(user->context) +
				   CLOSE_MS * HVK_TIME_PER_MS; /* closing by itself */
		}
		user->turn(user->context, abort_at);
		if (transfer->turned)
			transfer->turned(transfer);
	}
}

void net_fetch_http(struct net_transfer *transfer)
{
	struct http http = {.transfer = transfer};
	const httpc_connection_t settings = {.headers_done_fn = take_headers, .result_fn = take_result};
	httpc_state_t *connection;
	err_t error;

	/* The name has been looked up: lwIP finds it in its cache, and sends it as Host. */
	error = httpc_get_file_dns(transfer->url->host, transfer->url->port, transfer->url->path, &settings,
				   take_body, &http, &connection);
	if (error != ERR_OK) {
		net_transfer_fail(transfer, "the request could not be started (lwIP error %d)", error);
		return;
	}
	run(&http);
}
