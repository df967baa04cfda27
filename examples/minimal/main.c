/* SPDX-License-Identifier: MIT */
/* Brings up a network card, asks who has 10.7.0.1, shows the answer, and leaves. */
#include <stdio.h>
#include <string.h>

#include "hvkit/netvsc.h"
#include "minimal.h"

struct kernel {
	struct hvk *hvk;
	struct hvk_request request; /* one at a time, waited for */
	struct hvk_channel *card;   /* the first network card that was offered */
	bool answered;
	uint8_t arp[42]; /* the frame's memory is the driver's until done(): not on a stack */
	struct hvk_buffer piece;
	struct hvk_tx_frame frame;
};

static bool step(const char *what, hvk_status status)
{
	printf("%-10s %s: %s\n", what, hvk_status_name(status), hvk_status_text(status));
	return status == HVK_OK;
}

/* Polls until the request has ended; each has a time-out of its own, so a silent host hangs nobody. */
static bool finished(struct kernel *k, const char *what)
{
	return step(what, hvk_wait(k->hvk, &k->request, 60000));
}

/* Callbacks come from inside hvk_poll, which hvk_wait calls too. */
static void offered(void *context, struct hvk_channel *channel, bool again)
{
	static const struct vmbus_guid network = VMBUS_GUID_NETVSC;
	struct kernel *k = context;

	if (!k->card && !again && memcmp(&hvk_channel_offer(channel)->type, &network, sizeof(network)) == 0)
		k->card = channel;
}

static void input(void *context, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame)
{
	static const uint8_t reply[] = {8, 6, 0, 1, 8, 0, 6, 4, 0, 2};
	struct kernel *k = context;
	const uint8_t *arp = frame->data + 14;

	(void)netdev;
	if (frame->length < 42 || memcmp(frame->data + 12, reply, sizeof(reply)) != 0)
		return;
	printf("%-10s %u.%u.%u.%u is at %02x:%02x:%02x:%02x:%02x:%02x\n", "arp", arp[14], arp[15], arp[16],
	       arp[17], arp[8], arp[9], arp[10], arp[11], arp[12], arp[13]);
	k->answered = true;
}

static void sent(struct hvk_tx_frame *frame, hvk_status status, void *context)
{
	(void)frame, (void)context; /* the frame is ours again */
	(void)step("sent", status);
}

static bool ask(struct kernel *k, struct hvk_netdev *netdev)
{
	static const uint8_t request[42] = {
		255, 255, 255, 255, 255,       255, [12] = 8, 6,  0,         1, 8, 0,
		6,   4,   0,   1,   [28] = 10, 7,   0,        15, [38] = 10, 7, 0, 1};
	uint64_t deadline = hvk_time(k->hvk) + 2 * HVK_TIME_PER_SECOND;

	memcpy(k->arp, request, sizeof(request));
	memcpy(k->arp + 6, netdev->info.mac, 6);
	memcpy(k->arp + 22, netdev->info.mac, 6);
	k->piece = (struct hvk_buffer){.address = k->arp, .length = sizeof(k->arp)};
	k->frame = (struct hvk_tx_frame){
		.pieces = &k->piece, .piece_count = 1, .length = sizeof(k->arp), .done = sent, .context = k};
	if (hvk_netdev_transmit(netdev, &k->frame) != HVK_TX_TAKEN)
		return false;
	while (!k->answered && hvk_time(k->hvk) < deadline) { /* a polled kernel's main loop */
		struct hvk_request nothing = {.status = HVK_EINPROGRESS};

		(void)hvk_wait(k->hvk, &nothing, 1);
	}
	return k->answered;
}

static bool use_card(struct kernel *k, struct hvk_netvsc *nic)
{
	struct hvk_netdev *netdev = hvk_netvsc_netdev(nic);
	const uint8_t *mac = netdev->info.mac;
	bool ok;

	netdev->hooks = (struct hvk_netdev_hooks){.input = input, .context = k};
	hvk_netvsc_attach(nic, &k->request);
	if (!finished(k, "attach"))
		return false;
	printf("%-10s %02x:%02x:%02x:%02x:%02x:%02x, MTU %u\n", "card", mac[0], mac[1], mac[2], mac[3],
	       mac[4], mac[5], (unsigned)netdev->info.mtu);
	hvk_netdev_set_flags(netdev, HVK_NETDEV_UP, &k->request);
	ok = finished(k, "up") && ask(k, netdev);
	hvk_netvsc_detach(nic, &k->request);
	return finished(k, "detach") && ok;
}

static bool use_bus(struct kernel *k)
{
	struct hvk_vmbus_config config = {.offered = offered, .context = k};
	struct hvk_netvsc_config small = {
		.ring_pages = 16, .receive_buffer_pages = 256, .send_buffer_pages = 64};
	struct hvk_netvsc *nic;
	bool ok = false;

	hvk_vmbus_connect(k->hvk, &config, &k->request);
	if (!finished(k, "connect"))
		return false;
	if (k->card && step("create", hvk_netvsc_create(k->card, &small, &nic))) {
		ok = use_card(k, nic);
		ok &= step("destroy", hvk_netvsc_destroy(nic));
	}
	hvk_vmbus_disconnect(k->hvk, &k->request); /* always: the next system needs the bus */
	return finished(k, "disconnect") && ok;
}

int main(int argc, char **argv)
{
	struct hvk_config config = {0};
	struct kernel k = {0};
	struct machine m;
	struct hvk_port port;
	bool ok;

	if (!hyperv_power_on(&m, argc > 1 ? argv[1] : "ws2022")) {
		fprintf(stderr, "minimal [HOST]: no such host (hvkit hosts), or no memory\n");
		return 2;
	}
	machine_port(&m, &port);
	ok = step("hvkit", hvk_create(&port, &config, &k.hvk)) && step("start", hvk_start(k.hvk)) &&
	     step("cpu start", hvk_cpu_start(k.hvk)) && use_bus(&k);
	if (k.hvk && ok) /* in the order of life, backwards */
		ok = step("cpu stop", hvk_cpu_stop(k.hvk)) && step("stop", hvk_stop(k.hvk)) &&
		     step("destroy", hvk_destroy(k.hvk));
	return hyperv_power_off(&m) && ok ? 0 : 1;
}
