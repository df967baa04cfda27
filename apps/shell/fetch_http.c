/* SPDX-License-Identifier: MIT */
/*
 * HTTP by lwIP's client. It speaks HTTP/1.1 with "Connection: Close", hands us the
 * headers and then the body as it comes; the window opens as fast as we hash. Silence
 * of 15 s ends it.
 */
#include <string.h>

#include "apps/net/http_headers.h"
#include "apps/shell/fetch.h"
#include "lwip/apps/http_client.h"
#include "lwip/priv/tcp_priv.h"

#define STALL_S 15u
#define CLOSE_MS 200u /* for the server's end of the connection, once the body is complete */

struct http {
	struct transfer *transfer;
	bool headers_done, finished;
};

static bool complete(const struct transfer *transfer)
{
	return transfer->size_known && transfer->bytes == transfer->size;
}

static err_t take_headers(httpc_state_t *connection, void *context, struct pbuf *p, u16_t length,
			  u32_t content_length)
{
	struct http *http = context;
	struct transfer *transfer = http->transfer;
	struct http_headers headers;

	(void)connection;
	(void)content_length; /* 32 bits, and found in one spelling only: ours is read below */
	http->headers_done = true;
	http_headers_begin(&headers);
	for (u16_t i = 0; i < length; i++)
		http_headers_add(&headers, (char)pbuf_get_at(p, i));
	if (headers.status == 0)
		transfer_fail(transfer, "the server does not speak HTTP/1");
	else if (headers.status != 200)
		transfer_fail(transfer, "the server answered %u%s%s, not 200", headers.status,
			      headers.reason[0] ? " " : "", headers.reason);
	else if (headers.encoded)
		transfer_fail(transfer, "the server sends in a transfer encoding, which is not supported");
	else if (headers.malformed)
		transfer_fail(transfer, "the server's Content-Length is not a number");
	transfer->size_known = headers.length_known;
	transfer->size = headers.length;
	return transfer->failed ? ERR_VAL : ERR_OK;
}

static err_t take_body(void *context, struct altcp_pcb *pcb, struct pbuf *p, err_t error)
{
	struct http *http = context;
	struct transfer *transfer = http->transfer;

	(void)error;
	if (!p)
		return ERR_OK;
	if (!transfer->failed) {
		for (const struct pbuf *part = p; part; part = part->next)
			transfer_add(transfer, part->payload, part->len);
		if (transfer->size_known && transfer->bytes > transfer->size)
			transfer_fail(transfer,
				      "the server sent more than the %llu bytes of its Content-Length",
				      (unsigned long long)transfer->size);
	}
	altcp_recved(pcb, p->tot_len);
	pbuf_free(p);
	return ERR_OK;
}

static void explain(struct http *http, httpc_result_t result, err_t error)
{
	struct transfer *transfer = http->transfer;

	switch (result) {
	case HTTPC_RESULT_ERR_CONNECT:
		transfer_fail(transfer, "no connection to port %u (lwIP error %d)", transfer->url->port,
			      error);
		break;
	case HTTPC_RESULT_ERR_TIMEOUT:
		if (http->headers_done)
			transfer_fail(transfer, "timed out: the transfer stalled, nothing came for %u s",
				      STALL_S);
		else
			transfer_fail(transfer, "timed out: no answer from port %u for %u s",
				      transfer->url->port, STALL_S);
		break;
	case HTTPC_RESULT_ERR_CLOSED:
		if (error == ERR_RST && !http->headers_done)
			transfer_fail(transfer, "port %u refused the connection, or reset it",
				      transfer->url->port);
		else
			transfer_fail(transfer, "the connection was lost (lwIP error %d)", error);
		break;
	case HTTPC_RESULT_ERR_SVR_RESP:
		transfer_fail(transfer, "the server's headers are longer than lwIP takes");
		break;
	case HTTPC_RESULT_ERR_MEM:
		transfer_fail(transfer, "lwIP is out of memory");
		break;
	default:
		transfer_fail(transfer, "lwIP's HTTP client ended with result %d, error %d", (int)result,
			      error);
		break;
	}
}

static void take_result(void *context, httpc_result_t result, u32_t length, u32_t server_response,
			err_t error)
{
	struct http *http = context;
	struct transfer *transfer = http->transfer;

	(void)length;
	(void)server_response;
	http->finished = true;
	if (transfer->failed || (http->headers_done && complete(transfer)))
		return;
	if (transfer->size_known && (result == HTTPC_RESULT_OK || result == HTTPC_RESULT_ERR_CONTENT_LEN))
		transfer_fail(transfer,
			      "the server sent %llu bytes of the %llu of its Content-Length, and closed",
			      (unsigned long long)transfer->bytes, (unsigned long long)transfer->size);
	else if (result != HTTPC_RESULT_OK)
		explain(http, result, error);
}

/* lwIP's client cannot be told to end; its connection can, which leads to the result. It is
 * the only one to that address and port. */
static void abort_connection(const struct http *http)
{
	const struct transfer *transfer = http->transfer;

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
	struct transfer *transfer = http->transfer;
	struct shell *shell = transfer->shell;
	struct hvk *hvk = atomic_load(&shell->hvk);
	uint64_t abort_at = HVK_NEVER;

	while (!http->finished) {
		const char *missing = shell_cannot_go_on(shell);

		if (missing)
			transfer_fail(transfer, "%s", missing);
		if (abort_at == HVK_NEVER && (transfer->failed || complete(transfer)))
			abort_at = hvk_time(hvk) + (transfer->failed ? 0 : CLOSE_MS * HVK_TIME_PER_MS);
		if (hvk_time(hvk) >= abort_at) {
			abort_connection(http);
			if (http->finished)
				break;
			abort_at = hvk_time(hvk) + CLOSE_MS * HVK_TIME_PER_MS; /* closing by itself */
		}
		shell_turn(shell, abort_at);
		transfer_progress(transfer);
	}
}

void fetch_http(struct transfer *transfer)
{
	struct http http = {.transfer = transfer};
	const httpc_connection_t settings = {.headers_done_fn = take_headers, .result_fn = take_result};
	httpc_state_t *connection;
	err_t error;

	/* The name has been looked up: lwIP finds it in its cache, and sends it as Host. */
	error = httpc_get_file_dns(transfer->url->host, transfer->url->port, transfer->url->path, &settings,
				   take_body, &http, &connection);
	if (error != ERR_OK) {
		transfer_fail(transfer, "the request could not be started (lwIP error %d)", error);
		return;
	}
	run(&http);
}
