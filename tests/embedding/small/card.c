/* SPDX-License-Identifier: MIT */
/*
 * What a card of drivers compiled with HVK_CONFIG_SMALL refuses, and that it moves frames all the same.
 * Built and run by small.sh, on the machine of the benchmarks.
 */
#include <string.h>

#include "bench/machine.h"

static void expect(hvk_status status, hvk_status wanted, const char *what)
{
	if (status != wanted)
		bench_fail(what, status == HVK_OK ? "was taken" : "was refused otherwise than with ENOTSUP");
}

static void create(struct bench_machine *machine, const struct hvk_netvsc_config *card, const char *what)
{
	struct hvk_netvsc *nic;

	expect(hvk_netvsc_create(machine->nic_channel, card, &nic), HVK_ENOTSUP, what);
}

static void refuse_configurations(struct bench_machine *machine)
{
	create(machine, &(struct hvk_netvsc_config){.queues = 2}, "two queues");
	create(machine, &(struct hvk_netvsc_config){.offloads = HVK_NETDEV_RX_TCP4}, "an offload");
	create(machine, &(struct hvk_netvsc_config){.rx_borrow = 1}, "lending");
}

static hvk_status finished(struct bench_machine *machine)
{
	bench_settle(machine);
	return machine->request.status;
}

static void refuse_operations(struct bench_machine *machine)
{
	const struct hvk_netdev_rss rss = {0};
	struct hvk_netdev_rss found;

	machine->request = (struct hvk_request){0};
	hvk_netdev_set_mtu(machine->netdev, 9000, &machine->request);
	expect(finished(machine), HVK_ENOTSUP, "another MTU");
	machine->request = (struct hvk_request){0};
	hvk_netdev_set_enabled(machine->netdev, 0, &machine->request);
	expect(finished(machine), HVK_ENOTSUP, "offloads");
	machine->request = (struct hvk_request){0};
	hvk_netdev_set_rss(machine->netdev, &rss, &machine->request);
	expect(finished(machine), HVK_ENOTSUP, "RSS");
	if (hvk_netdev_get_rss(machine->netdev, &found))
		bench_fail("RSS", "was told");
}

static enum hvk_tx_result send(struct bench_machine *machine, uint32_t flags)
{
	static uint8_t data[64];
	static struct hvk_buffer piece = {data, 0, sizeof(data)};
	static struct hvk_tx_frame frame;
	enum hvk_tx_result result;

	frame = (struct hvk_tx_frame){
		.pieces = &piece, .piece_count = 1, .length = sizeof(data), .flags = flags};
	memset(data, 0xff, 6);
	result = hvk_netdev_transmit(machine->netdev, &frame);
	bench_host(machine);
	bench_settle(machine);
	return result;
}

int main(void)
{
	const struct bench_config config = {.events = true, .nic = true};
	static struct bench_machine machine;

	bench_connect(&machine, &config);
	refuse_configurations(&machine);
	bench_attach(&machine, &config.card);
	refuse_operations(&machine);
	if (hvk_netvsc_nvs_version(machine.nic) >= NVS_VERSION_6_1)
		bench_fail("NVS 6.1", "was offered, though joined segments are left out");
	if (send(&machine, HVK_TX_CHECKSUM_IPV4) != HVK_TX_GONE)
		bench_fail("a frame that wants a checksum", "was taken");
	if (send(&machine, 0) != HVK_TX_TAKEN || machine.frames_out != 1)
		bench_fail("a plain frame", "did not reach the host");
	bench_stop(&machine);
	return 0;
}
