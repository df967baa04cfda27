/* SPDX-License-Identifier: MIT */
/*
 * The whole stack: lwIP in a guest, netvsc, VMBus, the host model, libslirp; in threads, as
 * `hvkit run` has them, with the drivers as embedders build them.
 *
 *   guest PORT [BORROW [caller]]     frames lent by the driver; the host has no thread of its
 *                                    own to wake, so there are two threads as in bare.c
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/net/lwip_port.h"
#include "examples/lwip/netif_hvk.h"
#include "bench/report.h"
#include "bench/tcp/download.h"
#include "hvkit/netvsc.h"
#include "lwip/timeouts.h"
#include "ports/hosted/hosted.h"

#define VECTOR 0x50
#define WAIT_MS 20000u
#define LIMIT_MS 60000u
#define TICK (50 * HVK_TIME_PER_MS)

struct guest {
	struct hosted *machine;
	struct hvh_nic *host_nic;
	struct hvk *_Atomic hvk;
	struct hvk_channel *channel;
	struct hvk_netvsc *nic;
	struct hvk_netvsc_config card;
	struct netif_hvk netif;
	struct hvk_request request;
	struct download download;
	uint16_t port;
	bool failed;
};

static void fail(struct guest *guest, const char *what, hvk_status status)
{
	if (status == HVK_OK)
		return;
	(void)fprintf(stderr, "bench: %s: %s\n", what, hvk_status_text(status));
	guest->failed = true;
}

static void wait_for(struct guest *guest, const char *what)
{
	fail(guest, what, hvk_wait(guest->hvk, &guest->request, WAIT_MS));
	memset(&guest->request, 0, sizeof(guest->request));
}

static void offered(void *context, struct hvk_channel *channel, bool again)
{
	(void)again;
	((struct guest *)context)->channel = channel;
}

static void turn(struct guest *guest)
{
	struct hvk *hvk = guest->hvk;
	uint64_t now, wake;

	bool worked;

	sys_check_timeouts();
	worked = hvk_poll(hvk, 0);
	if (netif_hvk_poll(&guest->netif) || worked)
		return;
	now = hvk_time(hvk);
	wake = hvk_next_deadline(hvk, 0);
	if (wake > now + TICK)
		wake = now + TICK;
	if (wake > now)
		hosted_wait(guest->machine, (wake - now) * 100);
}

static void with_card(struct guest *guest)
{
	const struct net_lwip_port port = {.hvk = guest->hvk, .port = hosted_port(guest->machine)};
	struct hvk_netdev *netdev = hvk_netvsc_netdev(guest->nic);
	uint64_t limit = hvk_time(guest->hvk) + LIMIT_MS * HVK_TIME_PER_MS;

	fail(guest, "lwIP", net_lwip_start(&port));
	fail(guest, "interface", netif_hvk_add(&guest->netif, hosted_port(guest->machine), netdev));
	hvk_netdev_set_flags(netdev, HVK_NETDEV_UP, &guest->request);
	wait_for(guest, "up");
	if (!guest->failed && download_start(&guest->download, &guest->netif.netif, guest->port)) {
		while (!guest->download.over && hvk_time(guest->hvk) < limit)
			turn(guest);
	}
	netif_hvk_remove(&guest->netif);
	hvk_netvsc_detach(guest->nic, &guest->request);
	wait_for(guest, "detach");
	fail(guest, "slots", netif_hvk_free(&guest->netif));
	net_lwip_stop();
}

static void with_bus(struct guest *guest)
{
	const struct hvk_vmbus_config bus = {.offered = offered, .context = guest};

	hvk_vmbus_connect(guest->hvk, &bus, &guest->request);
	wait_for(guest, "connect");
	if (guest->failed || !guest->channel)
		return;
	fail(guest, "card", hvk_netvsc_create(guest->channel, &guest->card, &guest->nic));
	if (!guest->failed) {
		hvk_netvsc_attach(guest->nic, &guest->request);
		wait_for(guest, "attach");
		if (!guest->failed)
			with_card(guest);
		fail(guest, "card", hvk_netvsc_destroy(guest->nic));
	}
	hvk_vmbus_disconnect(guest->hvk, &guest->request);
	wait_for(guest, "disconnect");
}

static void program(void *context)
{
	const struct hvk_config config = {.cpus = 1, .vector = VECTOR, .interrupts = true};
	struct guest *guest = context;
	struct hvk *hvk;

	fail(guest, "create", hvk_create(hosted_port(guest->machine), &config, &hvk));
	if (guest->failed)
		return;
	atomic_store(&guest->hvk, hvk);
	fail(guest, "start", hvk_start(hvk));
	fail(guest, "CPU", hvk_cpu_start(hvk));
	if (!guest->failed) {
		with_bus(guest);
		fail(guest, "CPU", hvk_cpu_stop(hvk));
		fail(guest, "stop", hvk_stop(hvk));
	}
	atomic_store(&guest->hvk, NULL);
	fail(guest, "destroy", hvk_destroy(hvk));
}

static void interrupt(void *context, uint32_t cpu)
{
	struct hvk *hvk = atomic_load(&((struct guest *)context)->hvk);

	if (hvk)
		hvk_interrupt(hvk, cpu);
}

/* --- The machine ---------------------------------------------------------------------------- */

static void lock(void *context)
{
	hosted_lock(context);
}

static void unlock(void *context)
{
	hosted_unlock(context);
}

static uint64_t now(void *context)
{
	return hosted_now(context);
}

static struct hvh_slirp *plug_in(struct guest *guest)
{
	const struct hvh_slirp_lock guard = {guest->machine, lock, unlock, now};
	const struct hvh_nic_config card = {.mac = {0, 0x15, 0x5d, 1, 2, 3}, .link_up = true};
	struct hvh_slirp_config config = {.loopback_tcp = {guest->port}};
	struct hvh_backend backend;
	struct hvh_slirp *slirp;
	char error[256];

	slirp = hvh_slirp_create(&config, &guard, error, sizeof(error));
	if (!slirp) {
		(void)fprintf(stderr, "bench: %s\n", error);
		exit(1);
	}
	hvh_slirp_backend(slirp, &backend);
	hosted_lock(guest->machine);
	guest->host_nic = hvh_nic_create(hosted_partition(guest->machine), &card, &backend);
	hosted_unlock(guest->machine);
	hvh_slirp_attach(slirp, guest->host_nic);
	return slirp;
}

static void report(struct guest *guest)
{
	struct hvh_nic_counters nic;
	struct hvh_counters host;
	double frames;

	hosted_lock(guest->machine);
	hvh_nic_get_counters(guest->host_nic, &nic);
	hvh_get_counters(hosted_partition(guest->machine), &host);
	hosted_unlock(guest->machine);
	if (host.violations)
		guest->failed = true;
	frames = (double)(nic.to_guest_frames + nic.from_guest_frames);
	printf("counts %.9f %.9f\n", (double)host.signals * 1000 / frames,
	       (double)host.interrupts * 1000 / frames);
}

int main(int count, char **arguments)
{
	static struct guest guest;
	struct hosted_config config = {
		.mode = HOSTED_THREADS, .cpus = 1, .profile = hvh_profile_find("ws2022"), .seed = 1};
	struct hvh_slirp *slirp;

	if (count < 2)
		return 2;
	guest.port = (uint16_t)atoi(arguments[1]);
	guest.card.rx_borrow = count > 2 ? (uint32_t)atoi(arguments[2]) : 0;
	config.host_by_caller = count > 3 && strcmp(arguments[3], "caller") == 0;
	guest.machine = hosted_create(&config);
	if (!guest.machine)
		return 1;
	slirp = plug_in(&guest);
	hosted_set_program(guest.machine, 0, program, &guest);
	hosted_set_interrupt(guest.machine, interrupt, &guest);
	if (!hosted_run(guest.machine, 2 * LIMIT_MS))
		guest.failed = true;
	report(&guest);
	hvh_slirp_destroy(slirp);
	hosted_destroy(guest.machine);
	return guest.failed ? 1 : download_report(&guest.download);
}
