/* SPDX-License-Identifier: MIT */
#include "bench/tcp/download.h"

#include <stdio.h>
#include <sys/resource.h>

#include "bench/report.h"

static void over(struct download *download, bool failed)
{
	download->ended = bench_seconds();
	download->over = true;
	download->failed |= failed;
}

static err_t received(void *context, struct tcp_pcb *pcb, struct pbuf *p, err_t error)
{
	struct download *download = context;

	if (!download) {
		if (p)
			pbuf_free(p);
		return ERR_OK;
	}
	if (!p || error != ERR_OK) {
		over(download, error != ERR_OK);
		tcp_arg(pcb, NULL);
		tcp_err(pcb, NULL);
		(void)tcp_close(pcb);
		return ERR_OK;
	}
	if (download->bytes == 0)
		download->begun = bench_seconds();
	download->bytes += p->tot_len;
	tcp_recved(pcb, p->tot_len);
	pbuf_free(p);
	return ERR_OK;
}

static void failed(void *context, err_t error)
{
	(void)error;
	over(context, true);
}

static err_t connected(void *context, struct tcp_pcb *pcb, err_t error)
{
	(void)context;
	(void)pcb;
	return error;
}

bool download_start(struct download *download, struct netif *netif, uint16_t port)
{
	ip4_addr_t own, mask, gateway;

	IP4_ADDR(&own, 10, 0, 2, 15);
	IP4_ADDR(&mask, 255, 255, 255, 0);
	IP4_ADDR(&gateway, 10, 0, 2, 2);
	netif_set_addr(netif, &own, &mask, &gateway);
	netif_set_up(netif);
	netif_set_link_up(netif);
	download->pcb = tcp_new();
	if (!download->pcb)
		return false;
	tcp_arg(download->pcb, download);
	tcp_recv(download->pcb, received);
	tcp_err(download->pcb, failed);
	return tcp_connect(download->pcb, &gateway, port, connected) == ERR_OK;
}

static double seconds_of(const struct timeval *time)
{
	return (double)time->tv_sec + (double)time->tv_usec * 1e-6;
}

int download_report(const struct download *download)
{
	struct rusage usage;

	if (!download->over || download->failed || download->bytes == 0) {
		(void)fprintf(stderr, "bench: the download failed after %llu bytes\n",
			      (unsigned long long)download->bytes);
		return 1;
	}
	(void)getrusage(RUSAGE_SELF, &usage);
	printf("result %.9f %llu %.6f\n", download->ended - download->begun,
	       (unsigned long long)download->bytes,
	       seconds_of(&usage.ru_utime) + seconds_of(&usage.ru_stime));
	return 0;
}
