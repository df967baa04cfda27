/* SPDX-License-Identifier: MIT */
#include "bench/accelerated.h"

#define TURNS_MAX 100000u
#define TURN 10u /* of 100 ns */

static void added(void *context, struct hvk_vpci *bus, struct hvk_pci_function *function)
{
	(void)bus;
	((struct bench_machine *)context)->function = function;
}

static void removed(void *context, struct hvk_vpci *bus, struct hvk_pci_function *function)
{
	(void)bus;
	(void)function;
	((struct bench_machine *)context)->function = NULL;
}

/* Of guest and host. A pause of the port's would go on to the host's next doing, which may be to lose its
 * patience. */
void bench_vf_turn(struct bench_machine *machine)
{
	bench_guest(machine);
	machine->now += TURN;
	bench_host(machine);
}

void bench_vf_await(struct bench_machine *machine, enum hvk_vf_state state)
{
	struct hvk_vf_info info;

	for (uint32_t i = 0; i < TURNS_MAX; i++) {
		hvk_vf_get_info(machine->vf, &info);
		if (info.state == state)
			return;
		bench_vf_turn(machine);
	}
	bench_fail(hvk_vf_state_name(state), "the VF does not come to that state");
}

static void attach_bus(struct bench_machine *machine)
{
	const struct hvk_vpci_config config = {.added = added, .removed = removed, .context = machine};

	for (uint32_t i = 0; i < TURNS_MAX && !machine->bus_channel; i++)
		bench_vf_turn(machine);
	if (!machine->bus_channel)
		bench_fail("bus", "not offered");
	bench_check(hvk_vpci_create(machine->bus_channel, &config, &machine->bus), "hvk_vpci_create");
	hvk_vpci_attach(machine->bus, bench_request(machine));
	bench_wait(machine, "attach the bus");
	if (!machine->function)
		bench_fail("bus", "no function on it");
}

void bench_vf_pair(struct bench_machine *machine, const struct hvk_virtio_net_config *driver)
{
	if (!hvh_vf_attach(machine->host_vf, machine->now))
		bench_fail("host", "has no VF to attach");
	attach_bus(machine);
	bench_check(hvk_virtio_net_create(machine->function, driver, &machine->device),
		    "hvk_virtio_net_create");
	hvk_virtio_net_attach(machine->device, bench_request(machine));
	bench_wait(machine, "attach the driver");
	bench_check(hvk_vf_pair(machine->vf, hvk_virtio_net_netdev(machine->device),
				hvk_pci_get_info(machine->function)->serial),
		    "hvk_vf_pair");
}

void bench_vf_attach(struct bench_machine *machine, const struct hvk_virtio_net_config *driver)
{
	bench_vf_pair(machine, driver);
	hvk_vf_attach_complete(machine->vf);
	bench_vf_await(machine, HVK_VF_ACTIVE);
}

/* What is under way on another CPU may hold an object for a turn. */
static void destroy(struct bench_machine *machine)
{
	for (uint32_t i = 0; i < TURNS_MAX && machine->device; i++) {
		if (hvk_virtio_net_destroy(machine->device) == HVK_OK)
			machine->device = NULL;
		else
			bench_vf_turn(machine);
	}
	hvk_vpci_detach(machine->bus, bench_request(machine));
	bench_wait(machine, "detach the bus");
	for (uint32_t i = 0; i < TURNS_MAX && machine->bus; i++) {
		if (hvk_vpci_destroy(machine->bus) == HVK_OK)
			machine->bus = NULL;
		else
			bench_vf_turn(machine);
	}
	if (machine->device || machine->bus)
		bench_fail("VF", "cannot be destroyed");
}

void bench_vf_ask_back(struct bench_machine *machine)
{
	if (!hvh_vf_detach(machine->host_vf, machine->now, true))
		bench_fail("host", "has no VF to detach");
}

void bench_vf_remove(struct bench_machine *machine)
{
	hvk_vf_unpair(machine->vf, bench_request(machine));
	bench_wait(machine, "unpair");
	hvk_virtio_net_detach(machine->device, bench_request(machine));
	bench_wait(machine, "detach the driver");
	destroy(machine);
	machine->bus_channel = NULL;
	for (uint32_t i = 0; i < TURNS_MAX && hvh_vf_get_state(machine->host_vf) != HVH_VF_AWAY; i++)
		bench_vf_turn(machine);
}

void bench_vf_detach(struct bench_machine *machine)
{
	bench_vf_ask_back(machine);
	bench_vf_remove(machine);
}
