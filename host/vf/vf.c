/* SPDX-License-Identifier: MIT */
/* A virtual function that comes and goes. Sources: OpenVMM netvsp, Linux and FreeBSD on Azure. */
#include <stdlib.h>
#include <string.h>

#include "host/core/dump.h"
#include "host/vf/vf.h"
#include "hvkit/wire/virtio.h"

#define QUEUES_DEFAULT 8u
#define OFFER_DELAY_DEFAULT HVH_TIME_PER_SECOND /* OpenVMM */
#define PER_THOUSAND 1000u
/* How often it is looked whether the guest has let go, when the VF should be back. */
#define RETURN_LOOK (10u * HVH_TIME_PER_MS)

static const char *const state_names[] = {"away", "coming", "there", "leaving"};

static uint64_t after(uint64_t now, uint64_t time)
{
	return time < HVH_NEVER - now ? now + time : HVH_NEVER;
}

static uint64_t offer_delay(const struct hvh_vf *vf)
{
	if (vf->config.offer_delay == UINT64_MAX)
		return 0;
	return vf->config.offer_delay != 0 ? vf->config.offer_delay : OFFER_DELAY_DEFAULT;
}

static bool chance(struct hvh_vf *vf, uint32_t per_thousand)
{
	return per_thousand != 0 && hvh_choose(vf->partition, PER_THOUSAND) < per_thousand;
}

static void plan_nothing(struct hvh_vf *vf)
{
	vf->tell_at = vf->tell_again_at = vf->offer_at = HVH_NEVER;
}

/* --- Coming --------------------------------------------------------------------------------------- */

/* The guest can be told: when that is done, and when the bus is offered. */
static void plan_coming(struct hvh_vf *vf, uint64_t now)
{
	uint64_t delay = offer_delay(vf);
	bool offer_first = chance(vf, vf->config.offer_first);

	vf->tell_at = offer_first ? after(now, delay) : now;
	vf->offer_at = offer_first ? now : after(now, delay);
	if (chance(vf, vf->config.association_twice))
		vf->tell_again_at = after(vf->tell_at, delay / 2 + 1);
	netvsp_vf_kick(vf->nic);
}

static void tell(struct hvh_vf *vf, uint64_t now, bool allocated)
{
	netvsp_vf_tell(vf->nic, now, allocated, vf->serial);
}

static bool has_come(const struct hvh_vf *vf)
{
	return hvh_vpci_is_offered(vf->bus);
}

/* A serial number that it has not now. */
static uint32_t new_serial(const struct hvh_vf *vf)
{
	uint32_t serial;

	do
		serial = (uint32_t)(hvh_random(vf->partition) >> 32);
	while (serial == 0 || serial == vf->serial);
	return serial;
}

/* The bus may come and go by itself (a fault of the host's, a console): what has become of it? */
static void settle(struct hvh_vf *vf, uint64_t now)
{
	if (vf->state == HVH_VF_LEAVING && !has_come(vf)) {
		vf->state = HVH_VF_AWAY;
	} else if (vf->state == HVH_VF_THERE && !has_come(vf)) {
		netvsp_vf_fall_back(vf->nic);
		tell(vf, now, false);
		plan_nothing(vf);
		vf->state = HVH_VF_AWAY;
	} else if (vf->state == HVH_VF_AWAY && has_come(vf)) {
		vf->state = HVH_VF_THERE;
		vf->tell_at = now;
	}
}

static void come(struct hvh_vf *vf, uint64_t now)
{
	vf->serial = vf->serial == 0 && vf->config.serial != 0 ? vf->config.serial : new_serial(vf);
	vf->state = HVH_VF_COMING;
	vf->return_at = HVH_NEVER;
	vf->counters.attaches++;
	hvh_note(vf->partition, now, 0, "vf: comes with serial %08x", vf->serial);
	if (netvsp_vf_is_ready(vf->nic))
		plan_coming(vf, now);
}

/* The guest closed the bus, or began anew on it, before it let go. */
static bool has_forgotten(const struct hvh_vf *vf)
{
	return vf->state == HVH_VF_LEAVING && has_come(vf) && !hvh_vpci_is_leaving(vf->bus);
}

static void run(void *context, uint64_t now)
{
	struct hvh_vf *vf = context;

	settle(vf, now);
	if (has_forgotten(vf))
		hvh_vpci_eject(vf->bus, now);
	if (vf->return_at <= now) {
		if (vf->state == HVH_VF_AWAY)
			come(vf, now);
		else
			vf->return_at = after(now, RETURN_LOOK);
	}
	if (vf->tell_at <= now) {
		vf->tell_at = HVH_NEVER;
		tell(vf, now, true);
	}
	if (vf->tell_again_at <= now) {
		vf->tell_again_at = HVH_NEVER;
		tell(vf, now, true);
	}
	if (vf->offer_at <= now) {
		vf->offer_at = HVH_NEVER;
		if (hvh_vpci_offer(vf->bus, now, vf->serial))
			vf->state = HVH_VF_THERE;
	}
}

static uint64_t next_event(void *context)
{
	const struct hvh_vf *vf = context;
	const uint64_t times[] = {vf->tell_at, vf->tell_again_at, vf->offer_at, vf->return_at};
	uint64_t next = HVH_NEVER;

	if ((vf->state == HVH_VF_THERE && !has_come(vf)) || (vf->state == HVH_VF_AWAY && has_come(vf)) ||
	    has_forgotten(vf))
		return 0;
	for (size_t n = 0; n < sizeof times / sizeof times[0]; n++)
		if (times[n] < next)
			next = times[n];
	return next;
}

/* --- What the card has to do with it -------------------------------------------------------------- */

static void session(void *context, uint64_t now, bool ready)
{
	struct hvh_vf *vf = context;

	if (vf->state == HVH_VF_COMING)
		plan_nothing(vf);
	if (!ready)
		return;
	if (vf->state == HVH_VF_COMING)
		plan_coming(vf, now);
	else if (vf->state == HVH_VF_THERE)
		vf->tell_at = now;
}

static bool is_there(void *context)
{
	const struct hvh_vf *vf = context;

	return vf->state == HVH_VF_THERE && has_come(vf);
}

static uint64_t switch_due(void *context, uint64_t now, bool to_vf)
{
	struct hvh_vf *vf = context;
	uint64_t most = vf->switch_delay_max < UINT32_MAX ? vf->switch_delay_max : UINT32_MAX - 1;

	if (to_vf)
		vf->counters.switches_to_vf++;
	else
		vf->counters.switches_to_card++;
	if (vf->switch_silent)
		return HVH_NEVER;
	return most != 0 ? now + hvh_choose(vf->partition, (uint32_t)most + 1) : now;
}

static void switched(void *context, uint64_t now, bool to_vf)
{
	struct hvh_vf *vf = context;

	vf_flows_forget(vf);
	hvh_note(vf->partition, now, 0, "vf: the data path is %s", to_vf ? "the VF's" : "the card's");
}

static uint32_t room(void *context, uint64_t now)
{
	return virtio_net_room(((const struct hvh_vf *)context)->net, now);
}

static void link_changed(void *context, uint64_t now)
{
	struct hvh_vf *vf = context;
	struct netvsp_vf_card card;

	netvsp_vf_card(vf->nic, &card);
	virtio_net_set_link(vf->net, now, card.link_up && vf->link_up, card.link_speed);
}

static void announce(void *context, uint64_t now)
{
	virtio_net_announce(((struct hvh_vf *)context)->net, now);
}

static void transmit(void *context, uint32_t pair, const uint8_t *frame, uint32_t length)
{
	netvsp_vf_transmit(((struct hvh_vf *)context)->nic, pair, frame, length);
}

static void flush(void *context)
{
	netvsp_vf_flush(((struct hvh_vf *)context)->nic);
}

static void dump(const void *context, struct hvh_dump *dump)
{
	const struct hvh_vf *vf = context;

	hvh_dump_text(dump, "state", "%s", state_names[hvh_vf_get_state(vf)]);
	hvh_dump_hex(dump, "serial", vf->serial);
	hvh_dump_number(dump, "attaches", vf->counters.attaches);
	hvh_dump_number(dump, "detaches", vf->counters.detaches);
	hvh_dump_number(dump, "steered-to-card", vf->counters.steered_to_card);
	hvh_dump_begin(dump, "virtio-net");
	virtio_net_dump(vf->net, dump);
	hvh_dump_end(dump);
}

/* --- Life ------------------------------------------------------------------------------------------- */

static struct virtio_net_device *create_function(struct hvh_vf *vf, const struct hvh_vf_config *config)
{
	struct netvsp_vf_card card;
	struct virtio_net_setup setup = {
		.pairs_max = config->queues_max != 0 ? config->queues_max : QUEUES_DEFAULT,
		.without = config->without,
		.bus = {.serial = config->serial, .away = true, .eject_wait = config->eject_wait},
		.context = vf,
		.transmit = transmit,
		.flush = flush,
	};

	netvsp_vf_card(vf->nic, &card);
	if (setup.pairs_max > VIRTIO_NET_QUEUE_PAIRS_MAX)
		setup.pairs_max = VIRTIO_NET_QUEUE_PAIRS_MAX;
	setup.mtu = config->mtu_max != 0 && config->mtu_max < card.mtu_max ? config->mtu_max : card.mtu_max;
	setup.speed = card.link_speed;
	setup.link_up = card.link_up;
	memcpy(setup.mac, card.mac, sizeof setup.mac);
	memcpy(vf->mac, card.mac, sizeof vf->mac);
	return virtio_net_create(vf->partition, &setup);
}

struct hvh_vf *hvh_vf_create(struct hvh_partition *partition, struct hvh_nic *nic,
			     const struct hvh_vf_config *config)
{
	struct hvh_vf *vf = netvsp_vf_get(nic)->context == NULL ? calloc(1, sizeof *vf) : NULL;
	const struct netvsp_vf beside = {
		.context = vf,
		.session = session,
		.run = run,
		.next_event = next_event,
		.there = is_there,
		.switch_due = switch_due,
		.switched = switched,
		.receive = vf_receive,
		.room = room,
		.link = link_changed,
		.announce = announce,
		.dump = dump,
		.destroy = free,
	};

	if (vf == NULL)
		return NULL;
	vf->partition = partition;
	vf->nic = nic;
	vf->config = *config;
	if (vf->config.first_frames == 0)
		vf->config.first_frames = 1;
	vf->link_up = true;
	plan_nothing(vf);
	vf->return_at = HVH_NEVER;
	vf->net = create_function(vf, config);
	if (vf->net == NULL) {
		free(vf);
		return NULL;
	}
	vf->bus = virtio_net_bus(vf->net);
	netvsp_vf_set(nic, &beside);
	return vf;
}

struct hvh_vf *hvh_vf_of(const struct hvh_nic *nic)
{
	return netvsp_vf_get(nic)->context;
}

enum hvh_vf_state hvh_vf_get_state(const struct hvh_vf *vf)
{
	if (vf->state == HVH_VF_COMING)
		return HVH_VF_COMING;
	if (!has_come(vf))
		return HVH_VF_AWAY;
	return vf->state == HVH_VF_LEAVING ? HVH_VF_LEAVING : HVH_VF_THERE;
}

bool hvh_vf_attach(struct hvh_vf *vf, uint64_t now)
{
	settle(vf, now);
	if (vf->state != HVH_VF_AWAY)
		return false;
	come(vf, now);
	return true;
}

bool hvh_vf_detach(struct hvh_vf *vf, uint64_t now, bool eject)
{
	bool told = vf->tell_at == HVH_NEVER;

	settle(vf, now);
	if (vf->state != HVH_VF_COMING && vf->state != HVH_VF_THERE)
		return false;
	vf->counters.detaches++;
	vf->return_at = HVH_NEVER;
	plan_nothing(vf);
	netvsp_vf_fall_back(vf->nic);
	vf_flows_forget(vf);
	hvh_note(vf->partition, now, 0, "vf: goes, serial %08x", vf->serial);
	if (told)
		tell(vf, now, false);
	if (vf->state == HVH_VF_COMING) {
		vf->state = HVH_VF_AWAY;
		return true;
	}
	vf->state = HVH_VF_LEAVING;
	if (eject)
		hvh_vpci_eject(vf->bus, now);
	else
		hvh_vpci_rescind(vf->bus, now);
	return true;
}

bool hvh_vf_switch(struct hvh_vf *vf, uint64_t now, bool to_vf)
{
	if (to_vf)
		return netvsp_vf_give(vf->nic, now);
	netvsp_vf_fall_back(vf->nic);
	vf_flows_forget(vf);
	return true;
}

bool hvh_vf_migrate(struct hvh_vf *vf, uint64_t now, bool eject, uint64_t away)
{
	if (!hvh_vf_detach(vf, now, eject))
		return false;
	vf->counters.migrations++;
	vf->return_at = after(now, away);
	netvsp_vf_kick(vf->nic);
	return true;
}

bool hvh_vf_set_link(struct hvh_vf *vf, uint64_t now, bool up)
{
	if (!is_there(vf))
		return false;
	vf->link_up = up;
	link_changed(vf, now);
	return true;
}

void hvh_vf_set_switch_trouble(struct hvh_vf *vf, uint64_t delay_max, bool silent)
{
	vf->switch_delay_max = delay_max;
	vf->switch_silent = silent;
}

void hvh_vf_get_counters(const struct hvh_vf *vf, struct hvh_vf_counters *out)
{
	const struct virtio_net_counters *net = virtio_net_get_counters(vf->net);

	*out = vf->counters;
	out->to_guest_frames = net->to_guest_frames;
	out->to_guest_bytes = net->to_guest_bytes;
	out->from_guest_frames = net->from_guest_frames;
	out->from_guest_bytes = net->from_guest_bytes;
	out->dropped += net->dropped;
}

bool hvh_vf_has_data_path(const struct hvh_vf *vf)
{
	return netvsp_vf_has_data_path(vf->nic);
}

struct hvh_vpci *hvh_vf_bus(struct hvh_vf *vf)
{
	return vf->bus;
}
