/* SPDX-License-Identifier: MIT */
/*
 * A kernel with lwIP: an address by DHCP, then a file by HTTP from 10.0.2.2.
 *
 *   lwip PORT PATH FILE [BORROW]     BORROW: frames that the driver may lend
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hvkit/netvsc.h"
#include "hyperv.h"
#include "lwip/dhcp.h"
#include "lwip/init.h"
#include "lwip/sys.h"
#include "lwip/tcp.h"
#include "lwip/timeouts.h"
#include "netif_hvk.h"

#define LEASE_SECONDS 10u
#define DOWNLOAD_SECONDS 60u
#define DRAIN_SECONDS 2u

struct kernel {
	struct hvk *hvk;
	struct hvk_request request; /* one at a time, waited for */
	struct hvk_channel *card;   /* the first network card that was offered */
	struct netif_hvk netif;
	uint16_t port;
	uint32_t borrow;
	const char *path;
	FILE *file;
	uint32_t newlines; /* of the empty line that ends the head: CR LF CR LF */
	uint64_t bytes;
	bool over, failed;
};

static struct hvk *the_clock; /* lwIP asks for the time without saying for whom */

u32_t sys_now(void)
{
	return the_clock ? (u32_t)(hvk_time(the_clock) / HVK_TIME_PER_MS) : 0;
}

uint32_t example_random(void)
{
	return (uint32_t)rand(); /* yours: port.random */
}

static bool step(const char *what, hvk_status status)
{
	printf("%-10s %s: %s\n", what, hvk_status_name(status), hvk_status_text(status));
	return status == HVK_OK;
}

static bool finished(struct kernel *k, const char *what)
{
	return step(what, hvk_wait(k->hvk, &k->request, 60000));
}

static void offered(void *context, struct hvk_channel *channel, bool again)
{
	static const struct vmbus_guid network = VMBUS_GUID_NETVSC;
	struct kernel *k = context;

	if (!k->card && !again && memcmp(&hvk_channel_offer(channel)->type, &network, sizeof(network)) == 0)
		k->card = channel;
}

/* --- The main loop ---------------------------------------------------------------------- */

/* One turn; sleeps a little if there was nothing to do. */
static void turn(struct kernel *k)
{
	struct hvk_request nothing = {.status = HVK_EINPROGRESS};

	sys_check_timeouts();
	if (!netif_hvk_poll(&k->netif) && !hvk_poll(k->hvk, 0))
		(void)hvk_wait(k->hvk, &nothing, 1);
	(void)netif_hvk_poll(&k->netif);
}

/* Turns until done says so, or for so long. */
static bool turn_until(struct kernel *k, bool (*done)(struct kernel *k), uint32_t seconds)
{
	uint64_t limit = hvk_time(k->hvk) + seconds * (uint64_t)HVK_TIME_PER_SECOND;

	while (!done(k) && hvk_time(k->hvk) < limit)
		turn(k);
	return done(k);
}

/* --- The download ------------------------------------------------------------------------ */

/* Writes what is behind the head. */
static void take(struct kernel *k, const char *data, uint16_t length)
{
	uint16_t i = 0;

	while (i < length && k->newlines < 2) {
		k->newlines = data[i] == '\n' ? k->newlines + 1 : data[i] == '\r' ? k->newlines : 0;
		i++;
	}
	k->bytes += fwrite(data + i, 1, (size_t)(length - i), k->file);
}

static err_t received(void *context, struct tcp_pcb *pcb, struct pbuf *p, err_t error)
{
	struct kernel *k = context;

	if (!p || error != ERR_OK) {
		k->over = true;
		k->failed = error != ERR_OK;
		tcp_arg(pcb, NULL);
		tcp_recv(pcb, NULL);
		tcp_err(pcb, NULL);
		if (p)
			pbuf_free(p);
		return tcp_close(pcb);
	}
	for (struct pbuf *q = p; q; q = q->next)
		take(k, q->payload, q->len);
	tcp_recved(pcb, p->tot_len);
	pbuf_free(p); /* a lent frame goes back here */
	return ERR_OK;
}

static void lost(void *context, err_t error)
{
	struct kernel *k = context;

	(void)error;
	k->over = k->failed = true;
}

static err_t connected(void *context, struct tcp_pcb *pcb, err_t error)
{
	struct kernel *k = context;
	char request[300];
	int length = snprintf(request, sizeof(request), "GET %.200s HTTP/1.0\r\nHost: 10.0.2.2\r\n\r\n",
			      k->path);

	(void)error;
	return tcp_write(pcb, request, (u16_t)length, TCP_WRITE_FLAG_COPY) == ERR_OK ? tcp_output(pcb)
										     : ERR_MEM;
}

static bool is_over(struct kernel *k)
{
	return k->over;
}

static bool download(struct kernel *k)
{
	struct tcp_pcb *pcb = tcp_new();
	ip_addr_t server;

	IP_ADDR4(&server, 10, 0, 2, 2);
	if (!pcb)
		return false;
	tcp_arg(pcb, k);
	tcp_recv(pcb, received);
	tcp_err(pcb, lost);
	if (tcp_connect(pcb, &server, k->port, connected) != ERR_OK)
		return false;
	return turn_until(k, is_over, DOWNLOAD_SECONDS) && !k->failed;
}

/* --- The interface ------------------------------------------------------------------------ */

static bool has_address(struct kernel *k)
{
	return dhcp_supplied_address(&k->netif.netif);
}

static bool is_idle(struct kernel *k)
{
	return netif_hvk_idle(&k->netif);
}

static bool use_network(struct kernel *k)
{
	struct netif *netif = &k->netif.netif;
	bool ok;

	netif_set_up(netif);
	ok = dhcp_start(netif) == ERR_OK && turn_until(k, has_address, LEASE_SECONDS);
	printf("%-10s %s\n", "address", ok ? ip4addr_ntoa(netif_ip4_addr(netif)) : "none");
	ok = ok && download(k);
	printf("%-10s %llu bytes%s\n", "file", (unsigned long long)k->bytes, ok ? "" : ", and no more");
	dhcp_release_and_stop(netif);
	(void)turn_until(k, is_idle, DRAIN_SECONDS);
	dhcp_cleanup(netif);
	return ok;
}

static void tell(const struct kernel *k, struct hvk_netdev *netdev)
{
	struct hvk_netdev_counters counters;

	hvk_netdev_get_counters(netdev, &counters);
	printf("%-10s %llu frames received, %llu of them lent, %llu with right checksums\n", "card",
	       (unsigned long long)counters.rx_frames, (unsigned long long)counters.rx_lent,
	       (unsigned long long)counters.rx_checksum_good);
	printf("%-10s %llu frames sent in %llu packets, %llu summed up by the card\n", "",
	       (unsigned long long)counters.tx_frames, (unsigned long long)counters.tx_packets,
	       (unsigned long long)counters.tx_checksummed);
	printf("%-10s %llu frames up, %llu of them lent, %llu dropped\n", "lwIP",
	       (unsigned long long)k->netif.counters.received,
	       (unsigned long long)k->netif.counters.received_lent,
	       (unsigned long long)k->netif.counters.received_dropped);
}

static bool use_card(struct kernel *k, const struct hvk_port *port, struct hvk_netvsc *nic)
{
	struct hvk_netdev *netdev = hvk_netvsc_netdev(nic);
	bool ok;

	hvk_netvsc_attach(nic, &k->request);
	if (!finished(k, "attach") || !step("interface", netif_hvk_add(&k->netif, port, netdev)))
		return false;
	hvk_netdev_set_flags(netdev, HVK_NETDEV_UP, &k->request);
	ok = finished(k, "up") && use_network(k);
	tell(k, netdev);
	netif_hvk_remove(&k->netif);
	hvk_netvsc_detach(nic, &k->request);
	return finished(k, "detach") && step("buffers", netif_hvk_free(&k->netif)) && ok;
}

static bool use_bus(struct kernel *k, const struct hvk_port *port)
{
	struct hvk_vmbus_config config = {.offered = offered, .context = k};
	struct hvk_netvsc_config driver = {.ring_pages = 16,
					   .receive_buffer_pages = 256,
					   .send_buffer_pages = 64,
					   .rx_borrow = k->borrow,
					   .offloads = NETIF_HVK_OFFLOADS};
	struct hvk_netvsc *nic;
	bool ok = false;

	if (k->borrow) /* what comes joined is put together by copying */
		driver.offloads &= ~HVK_NETDEV_LRO;
	hvk_vmbus_connect(k->hvk, &config, &k->request);
	if (!finished(k, "connect"))
		return false;
	if (k->card && step("create", hvk_netvsc_create(k->card, &driver, &nic))) {
		ok = use_card(k, port, nic);
		ok &= step("destroy", hvk_netvsc_destroy(nic));
	}
	hvk_vmbus_disconnect(k->hvk, &k->request);
	return finished(k, "disconnect") && ok;
}

static bool run(struct kernel *k, const struct hvk_port *port)
{
	struct hvk_config config = {0};
	bool ok = step("hvkit", hvk_create(port, &config, &k->hvk)) && step("start", hvk_start(k->hvk)) &&
		  step("cpu start", hvk_cpu_start(k->hvk));

	the_clock = k->hvk;
	lwip_init();
	ok = ok && use_bus(k, port);
	the_clock = NULL;
	return ok && step("cpu stop", hvk_cpu_stop(k->hvk)) && step("stop", hvk_stop(k->hvk)) &&
	       step("destroy", hvk_destroy(k->hvk));
}

int main(int count, char **arguments)
{
	static struct kernel k; /* the interface's tables are no stack's */
	struct world world;
	struct hvk_port port;
	bool ok;

	if (count < 4) {
		fprintf(stderr, "lwip PORT PATH FILE [BORROW]\n");
		return 2;
	}
	k.port = (uint16_t)atoi(arguments[1]);
	k.path = arguments[2];
	k.file = fopen(arguments[3], "wb");
	k.borrow = count > 4 ? (uint32_t)atoi(arguments[4]) : 0;
	if (!k.file || !world_power_on(&world, "ws2022", k.port)) {
		fprintf(stderr, "lwip: %s cannot be written, or no memory\n", arguments[3]);
		return 2;
	}
	machine_port(&world.machine, &port);
	ok = run(&k, &port);
	ok = fclose(k.file) == 0 && ok;
	return world_power_off(&world) && ok ? 0 : 1;
}
