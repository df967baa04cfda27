/* SPDX-License-Identifier: MIT */
/* What --nic plugs the guest's card into. */
#include <stdio.h>
#include <string.h>

#include "apps/hvkit/run.h"

/* Hyper-V's own prefix, then a number of ours. */
static const uint8_t hardware_address[6] = {0x00, 0x15, 0x5d, 0x00, 0x07, 0x01};

static void lock(void *context)
{
	machine_lock(context);
}

static void unlock(void *context)
{
	machine_unlock(context);
}

static uint64_t now(void *context)
{
	return machine_now(context);
}

static bool wire_run(void *context, uint64_t time)
{
	return hvh_simwire_run(context, time);
}

static uint64_t wire_next_event(void *context)
{
	return hvh_simwire_next_event(context);
}

bool run_network_open(struct run *run, char *error)
{
	if (!run->options->pcap)
		return true;
	run->capture = hvh_capture_create(run->options->pcap, now, &run->machine, error, CLI_ERROR_MAX);
	return run->capture != NULL;
}

/* Away until the monitor attaches it. */
static struct hvh_vf *create_vf(struct run *run)
{
	const struct hvh_vf_config config = {.queues_max = run->options->card.queues_max,
					     .without = run->options->card.without,
					     .offer_delay = run->options->vf_offer_delay};

	return hvh_vf_create(machine_partition(&run->machine), run->nic, &config);
}

static void lose(void *context, const void *frame, uint32_t length)
{
	(void)context;
	(void)frame;
	(void)length;
}

/* One whose cable is in no switch: for what has to tell cards apart. */
static struct hvh_nic *create_second(struct run *run, const struct hvh_nic_config *first)
{
	const struct hvh_backend nowhere = {.transmit = lose};
	struct hvh_nic_config config = {.link_up = false};

	memcpy(config.mac, first->mac, sizeof(config.mac));
	config.mac[5]++;
	return hvh_nic_create(machine_partition(&run->machine), &config, &nowhere);
}

static bool create_card(struct run *run, const struct hvh_backend *backend)
{
	static const uint8_t none[sizeof(hardware_address)];
	struct hvh_nic_config config = run->options->card;
	struct hvh_backend outer = *backend;

	config.link_up = true;
	if (memcmp(config.mac, none, sizeof(none)) == 0)
		memcpy(config.mac, hardware_address, sizeof(hardware_address));
	if (run->capture)
		hvh_capture_backend(run->capture, backend, &outer);
	machine_lock(&run->machine);
	run->nic = hvh_nic_create(machine_partition(&run->machine), &config, &outer);
	if (run->nic && run->options->vf)
		run->vf = create_vf(run);
	if (run->nic && run->options->second_card)
		run->second = create_second(run, &config);
	machine_unlock(&run->machine);
	return run->nic != NULL && (run->vf != NULL || !run->options->vf) &&
	       (run->second != NULL || !run->options->second_card);
}

static bool create_user(struct run *run, char *error)
{
	const struct hvh_slirp_lock guard = {
		.context = &run->machine, .lock = lock, .unlock = unlock, .now = now};
	struct hvh_backend backend;

	run->slirp = hvh_slirp_create(&run->options->user, &guard, error, CLI_ERROR_MAX);
	if (!run->slirp)
		return false;
	hvh_slirp_backend(run->slirp, &backend);
	if (!create_card(run, &backend))
		return snprintf(error, CLI_ERROR_MAX, "out of memory") < 0;
	hvh_slirp_attach(run->slirp, run->nic);
	return true;
}

static bool create_tap(struct run *run, char *error)
{
	const struct hvh_slirp_lock guard = {
		.context = &run->machine, .lock = lock, .unlock = unlock, .now = now};
	struct hvh_backend backend;

	run->tap = hvh_tap_create(&run->options->tap, &guard, error, CLI_ERROR_MAX);
	if (!run->tap)
		return false;
	snprintf(run->tap_name, sizeof(run->tap_name), "%s", hvh_tap_name(run->tap));
	hvh_tap_backend(run->tap, &backend);
	if (!create_card(run, &backend))
		return snprintf(error, CLI_ERROR_MAX, "out of memory") < 0;
	hvh_tap_attach(run->tap, run->nic);
	return true;
}

static bool create_sim(struct run *run, char *error)
{
	struct hvh_backend backend;

	run->wire = hvh_simwire_create(run->options->seed);
	if (!run->wire)
		return snprintf(error, CLI_ERROR_MAX, "out of memory") < 0;
	hvh_simwire_backend(run->wire, &backend);
	if (!create_card(run, &backend))
		return snprintf(error, CLI_ERROR_MAX, "out of memory") < 0;
	hvh_simwire_attach(run->wire, run->nic);
	machine_add_world(&run->machine, wire_run, wire_next_event, run->wire);
	return true;
}

bool run_network_create(struct run *run, char *error)
{
	switch (run->options->nic) {
	case CLI_NIC_USER:
		return create_user(run, error);
	case CLI_NIC_TAP:
		return create_tap(run, error);
	case CLI_NIC_SIM:
		return create_sim(run, error);
	case CLI_NIC_NONE:
		break;
	}
	return true;
}

void run_network_stop(struct run *run)
{
	if (run->slirp)
		run->backend_dropped = hvh_slirp_dropped(run->slirp);
	if (run->tap)
		run->backend_dropped = hvh_tap_dropped(run->tap);
	if (run->capture && run->machine.ops) {
		machine_lock(&run->machine);
		run->capture_failed = !hvh_capture_flush(run->capture);
		machine_unlock(&run->machine);
	}
	if (run->hung) /* the guest's threads may still send */
		return;
	hvh_slirp_destroy(run->slirp);
	hvh_tap_destroy(run->tap);
	run->slirp = NULL;
	run->tap = NULL;
}

void run_network_destroy(struct run *run)
{
	if (run->wire)
		hvh_simwire_destroy(run->wire);
	hvh_capture_destroy(run->capture);
}
