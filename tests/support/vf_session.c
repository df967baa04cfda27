/* SPDX-License-Identifier: MIT */
#include "tests/support/vf_session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ETHERTYPE 0x88b5u
#define MAGIC 0x56464631u
#define HEADER 14u
#define PAUSE_MS 25u
#define SETTLE_MS 20000u
#define DOWN_MS 120000u

enum step {
	IDLE,
	BUS_ATTACHING,
	BUS_UP,
	DEVICE_ATTACHING,
	PAIRED,
	UNPAIRING,
	DEVICE_DETACHING,
	BUS_DETACHING
};

struct numbered {
	struct hvk_tx_frame frame;
	struct hvk_buffer piece;
	struct hvk_pages pages;
	struct session *session;
	_Atomic bool busy;
};

/* What must be as before once a VF has left. */
struct shape {
	uint32_t capabilities, enabled, mtu, flags, tso_bytes, tso_pieces, tso_segments;
	bool link_up;
};

struct session {
	const struct vf_session_plan *plan;
	struct vf_session_counts counts;
	struct rig *rig;
	uint64_t random;
	char wrong[240];

	struct hvh_nic *host_nic;
	struct hvh_vf *host_vf;
	struct hvh_simwire *wire;

	struct hvk_channel *card_channel, *bus_channel;
	struct hvk_netvsc *nic;
	struct hvk_vf *vf;
	struct hvk_netdev *netdev;
	_Atomic bool nic_gone;
	struct hvk_request request; /* the stack's own operations */

	enum step step;
	struct hvk_request device_request;
	struct hvk_vpci *bus;
	struct hvk_pci_function *function;
	struct hvk_virtio_net *device;
	bool leaving, bus_gone, down;
	struct shape before; /* of the card, as the stack left it, without a VF */

	struct numbered frames[VF_FRAMES];
	uint32_t next;
	uint8_t seen[VF_NUMBERS_MAX];
	_Atomic uint32_t corrupt, duplicated;
	bool silent;
};

static uint64_t next_random(struct session *session)
{
	uint64_t z = session->random += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static uint32_t pick(struct session *session, uint32_t below)
{
	return (uint32_t)(next_random(session) % below);
}

#define WRONG(session, ...)                                                                      \
	do {                                                                                     \
		if ((session)->wrong[0] == '\0')                                                 \
			(void)snprintf((session)->wrong, sizeof((session)->wrong), __VA_ARGS__); \
	} while (0)

const char *vf_session_event_name(enum vf_session_event event)
{
	static const char *const names[] = {"quiet",       "attach", "eject",   "surprise", "migrate",
					    "down",        "up",     "MTU",     "offloads", "groups",
					    "promiscuous", "link",   "silence", "rescind"};

	return names[event];
}

/* --- Frames ------------------------------------------------------------------------------------- */

static void frame_done(struct hvk_tx_frame *frame, hvk_status status, void *context)
{
	struct numbered *own = context;

	(void)frame;
	(void)status;
	atomic_store(&own->busy, false);
}

static void put32(uint8_t *at, uint32_t value)
{
	memcpy(at, &value, sizeof(value));
}

static uint32_t get32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static void fill(struct session *session, struct numbered *own, uint32_t number, uint32_t length)
{
	uint8_t *data = own->pages.address;

	memset(data, 0x02, 6); /* the wire's peer, whoever it is */
	memcpy(data + 6, session->netdev->info.mac, 6);
	data[12] = ETHERTYPE >> 8;
	data[13] = ETHERTYPE & 0xff;
	put32(data + HEADER, MAGIC);
	put32(data + HEADER + 4, number);
	put32(data + HEADER + 8, length);
	for (uint32_t i = HEADER + 12; i < length; i++)
		data[i] = (uint8_t)(number * 7 + i);
	own->piece = (struct hvk_buffer){data, 0, length};
	own->piece.gpa = hosted_port(session->rig->machine)
				 ->page_gpa(hosted_port(session->rig->machine)->context, own->pages.address);
	own->frame = (struct hvk_tx_frame){.pieces = &own->piece,
					   .piece_count = 1,
					   .length = length,
					   .done = frame_done,
					   .context = own};
}

static void send(struct session *session)
{
	struct numbered *own = &session->frames[session->next % VF_FRAMES];

	if (!session->netdev || session->next >= VF_NUMBERS_MAX || atomic_load(&own->busy) ||
	    !(session->netdev->info.flags & HVK_NETDEV_UP))
		return;
	fill(session, own, session->next, 60 + pick(session, 1400));
	atomic_store(&own->busy, true);
	switch (hvk_netdev_transmit(session->netdev, &own->frame)) {
	case HVK_TX_TAKEN:
		session->counts.sent++;
		session->next++;
		return;
	case HVK_TX_BUSY:
		session->counts.busy++;
		break;
	case HVK_TX_GONE:
		session->counts.gone++;
		break;
	}
	atomic_store(&own->busy, false);
}

static void input(void *context, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame)
{
	struct session *session = context;
	const uint8_t *data = frame->data;
	uint32_t number;

	if (netdev != session->netdev)
		session->corrupt++;
	if (frame->owner)
		hvk_netdev_release(netdev, frame->owner);
	if (frame->length < HEADER + 12 || data[12] != ETHERTYPE >> 8 || get32(data + HEADER) != MAGIC)
		return; /* the wire's own */
	number = get32(data + HEADER + 4);
	if (number >= VF_NUMBERS_MAX || get32(data + HEADER + 8) != frame->length) {
		session->corrupt++;
		return;
	}
	for (uint32_t i = HEADER + 12; i < frame->length; i++)
		session->corrupt += data[i] != (uint8_t)(number * 7 + i);
	if (__atomic_fetch_add(&session->seen[number], 1, __ATOMIC_RELAXED) != 0)
		session->duplicated++;
	else
		(void)__atomic_fetch_add(&session->counts.echoed, 1, __ATOMIC_RELAXED);
}

static void nic_gone(void *context, struct hvk_netdev *netdev)
{
	struct session *session = context;

	(void)netdev;
	session->nic_gone = true;
}

/* --- The VF's drivers: one step a turn ----------------------------------------------------------- */

static void added(void *context, struct hvk_vpci *bus, struct hvk_pci_function *function)
{
	struct session *session = context;

	(void)bus;
	if (!session->function)
		session->function = function;
}

static void removed(void *context, struct hvk_vpci *bus, struct hvk_pci_function *function)
{
	struct session *session = context;

	(void)bus;
	if (session->function == function)
		session->function = NULL;
}

static void bus_gone(void *context, struct hvk_vpci *bus)
{
	struct session *session = context;

	(void)bus;
	session->bus_gone = true;
}

static void leaving(void *context, struct hvk_virtio_net *device, bool eject)
{
	struct session *session = context;

	(void)device;
	(void)eject;
	session->leaving = true;
}

static void vf_changed(void *context, struct hvk_vf *vf, enum hvk_vf_state state)
{
	struct session *session = context;

	(void)vf;
	session->counts.active += state == HVK_VF_ACTIVE;
	session->counts.absent += state == HVK_VF_ABSENT;
}

static struct hvk_request *device_request(struct session *session)
{
	memset(&session->device_request, 0, sizeof(session->device_request));
	return &session->device_request;
}

/* An end that the host's own doings explain: silence, or that it took the thing away. */
static bool is_explained(const struct session *session, hvk_status status)
{
	return status == HVK_OK || status == HVK_EGONE || status == HVK_ECANCELED || status == HVK_ESTATE ||
	       (session->silent && status == HVK_ETIMEDOUT_DATA_PATH) ||
	       session->rig->config.fault_chance != 0;
}

static void begin_bus(struct session *session)
{
	const struct hvk_vpci_config config = {.cpu = session->plan->card.cpu,
					       .added = added,
					       .removed = removed,
					       .gone = bus_gone,
					       .context = session};

	if (session->down || !session->vf || !session->bus_channel ||
	    hvk_channel_rescinded(session->bus_channel))
		return;
	session->bus_gone = session->leaving = false;
	session->function = NULL;
	if (hvk_vpci_create(session->bus_channel, &config, &session->bus) != HVK_OK)
		return;
	hvk_vpci_attach(session->bus, device_request(session));
	session->step = BUS_ATTACHING;
}

static void bus_attached(struct session *session, hvk_status status)
{
	session->step = BUS_UP;
	if (status == HVK_OK)
		return;
	if (!is_explained(session, status))
		WRONG(session, "attach the bus: %s", hvk_status_name(status));
	session->bus_gone = true;
}

static void bus_up(struct session *session)
{
	struct hvk_virtio_net_config config = session->plan->device;

	if (session->bus_gone || session->down || hvk_channel_rescinded(hvk_vpci_channel(session->bus))) {
		hvk_vpci_detach(session->bus, device_request(session));
		session->step = BUS_DETACHING;
		return;
	}
	if (!session->function)
		return;
	config.leaving = leaving;
	config.context = session;
	session->leaving = false;
	if (hvk_virtio_net_create(session->function, &config, &session->device) != HVK_OK) {
		session->device = NULL;
		return;
	}
	hvk_virtio_net_attach(session->device, device_request(session));
	session->step = DEVICE_ATTACHING;
}

static void detach_device(struct session *session)
{
	hvk_virtio_net_detach(session->device, device_request(session));
	session->step = DEVICE_DETACHING;
}

static void device_attached(struct session *session, hvk_status status)
{
	uint32_t serial = hvk_pci_get_info(session->function)->serial;

	if (status == HVK_OK)
		status = session->vf
				 ? hvk_vf_pair(session->vf, hvk_virtio_net_netdev(session->device), serial)
				 : HVK_EGONE;
	if (status == HVK_OK) {
		session->step = PAIRED;
		return;
	}
	/* A serial number may be the last one's, or the next one's: the host has moved on meanwhile. */
	if (!is_explained(session, status) && status != HVK_EOTHER && status != HVK_EBUSY)
		WRONG(session, "attach the VF: %s", hvk_status_name(status));
	detach_device(session);
}

static void go_on(struct session *session)
{
	hvk_status status = __atomic_load_n(&session->device_request.status, __ATOMIC_SEQ_CST);

	if (status == HVK_EINPROGRESS)
		return;
	switch (session->step) {
	case IDLE:
		begin_bus(session);
		break;
	case BUS_ATTACHING:
		bus_attached(session, status);
		break;
	case BUS_UP:
		bus_up(session);
		break;
	case DEVICE_ATTACHING:
		device_attached(session, status);
		break;
	case PAIRED:
		if (!session->leaving && !session->down && !session->bus_gone)
			break;
		hvk_vf_unpair(session->vf, device_request(session));
		session->step = UNPAIRING;
		break;
	case UNPAIRING:
		detach_device(session);
		break;
	case DEVICE_DETACHING:
		if (hvk_virtio_net_destroy(session->device) != HVK_OK)
			break;
		session->device = NULL;
		session->step = BUS_UP;
		/* One that still belongs to a bus that stays is not taken again: it leaves. */
		if (session->leaving)
			session->function = NULL;
		break;
	case BUS_DETACHING:
		if (hvk_vpci_destroy(session->bus) != HVK_OK)
			break;
		session->bus = NULL;
		session->step = IDLE;
		break;
	}
}

static void turn(struct session *session)
{
	go_on(session);
	rig_turn(session->rig);
}

/* --- The stack's own doings ---------------------------------------------------------------------- */

static hvk_status wait_for(struct session *session)
{
	uint64_t end = hvk_time(session->rig->hvk) + DOWN_MS * HVK_TIME_PER_MS;

	while (__atomic_load_n(&session->request.status, __ATOMIC_SEQ_CST) == HVK_EINPROGRESS) {
		if (hvk_time(session->rig->hvk) > end) {
			WRONG(session, "an operation did not end");
			return HVK_ETIMEDOUT;
		}
		turn(session);
	}
	return session->request.status;
}

static struct hvk_request *request(struct session *session)
{
	memset(&session->request, 0, sizeof(session->request));
	return &session->request;
}

static void look(const struct session *session, struct shape *shape)
{
	const struct hvk_netdev_info *info = &session->netdev->info;

	*shape = (struct shape){
		info->capabilities,   info->enabled,          info->mtu,    info->flags, info->tso_bytes_max,
		info->tso_pieces_max, info->tso_segments_min, info->link_up};
}

static bool card_up(struct session *session)
{
	struct hvk_netvsc_config config = session->plan->card;
	struct hvk_vf_config vf = session->plan->vf;
	hvk_status status;

	config.vf = true;
	vf.changed = vf_changed;
	vf.context = session;
	status = hvk_netvsc_create(session->card_channel, &config, &session->nic);
	if (status != HVK_OK)
		return false;
	session->nic_gone = false;
	hvk_netvsc_attach(session->nic, request(session));
	status = wait_for(session);
	if (status == HVK_OK)
		status = hvk_vf_create(session->nic, &vf, &session->vf);
	if (status != HVK_OK) {
		if (!is_explained(session, status))
			WRONG(session, "attach the card: %s", hvk_status_name(status));
		(void)hvk_netvsc_destroy(session->nic);
		session->nic = NULL;
		return false;
	}
	session->netdev = hvk_vf_netdev(session->vf);
	session->netdev->hooks = (struct hvk_netdev_hooks){
		.input = input, .gone = nic_gone, .context = session};
	hvk_netdev_set_flags(session->netdev, HVK_NETDEV_UP, request(session));
	status = wait_for(session);
	if (!is_explained(session, status))
		WRONG(session, "bring the card up: %s", hvk_status_name(status));
	look(session, &session->before);
	return true;
}

static void take_counts(struct session *session)
{
	struct hvk_vf_info info;

	hvk_vf_get_info(session->vf, &info);
	session->counts.by_vf += info.vf_rx;
	session->counts.by_card += info.synthetic_rx;
	session->counts.switch_failures += info.switch_failures;
	session->counts.frames_lost_in_vf += info.lost;
}

/* Without a VF all is as the stack left it. */
static void check_shape(struct session *session)
{
	struct shape now;

	look(session, &now);
	if (session->nic_gone || session->rig->config.fault_chance != 0)
		return;
	if (memcmp(&now, &session->before, sizeof(now)) != 0)
		WRONG(session,
		      "not as before the VF: capabilities %x (%x), enabled %x (%x), MTU %u (%u), flags %x "
		      "(%x), TSO "
		      "%u/%u/%u (%u/%u/%u), link %d (%d)",
		      now.capabilities, session->before.capabilities, now.enabled, session->before.enabled,
		      now.mtu, session->before.mtu, now.flags, session->before.flags, now.tso_bytes,
		      now.tso_pieces, now.tso_segments, session->before.tso_bytes, session->before.tso_pieces,
		      session->before.tso_segments, now.link_up, session->before.link_up);
}

static void vf_down(struct session *session)
{
	uint64_t end = hvk_time(session->rig->hvk) + DOWN_MS * HVK_TIME_PER_MS;

	session->down = true;
	while (session->step != IDLE) {
		if (hvk_time(session->rig->hvk) > end) {
			WRONG(session, "the VF does not leave: step %d, %d", (int)session->step,
			      (int)session->device_request.status);
			return;
		}
		turn(session);
	}
}

/* What the last of the card's news have begun ends in a few turns. */
static void destroy(struct session *session)
{
	uint64_t end = hvk_time(session->rig->hvk) + SETTLE_MS * HVK_TIME_PER_MS;

	while (hvk_vf_destroy(session->vf) != HVK_OK) {
		if (hvk_time(session->rig->hvk) > end) {
			WRONG(session, "the pairing cannot be destroyed");
			return;
		}
		turn(session);
	}
	session->vf = NULL;
	session->netdev = NULL;
	session->down = false;
	if (hvk_netvsc_destroy(session->nic) != HVK_OK)
		WRONG(session, "the card cannot be destroyed");
	session->nic = NULL;
}

static void card_down(struct session *session)
{
	hvk_status status;

	if (!session->nic)
		return;
	take_counts(session);
	vf_down(session);
	if (session->wrong[0])
		return;
	hvk_netvsc_detach(session->nic, request(session));
	status = wait_for(session);
	if (!is_explained(session, status) && status != HVK_ETIMEDOUT_TEARDOWN)
		WRONG(session, "detach the card: %s", hvk_status_name(status));
	destroy(session);
}

/* Traffic for a while; a card that the host took away is given up, one that it offers is taken. */
static void traffic(struct session *session, uint32_t ms)
{
	uint64_t end = hvk_time(session->rig->hvk) + ms * HVK_TIME_PER_MS;

	while (hvk_time(session->rig->hvk) < end && !session->wrong[0]) {
		if (session->nic && session->nic_gone)
			card_down(session);
		if (!session->nic && session->card_channel && !hvk_channel_rescinded(session->card_channel))
			(void)card_up(session);
		send(session);
		turn(session);
	}
}

/* --- Events ------------------------------------------------------------------------------------------- */

/* What the stack has asked for, and got, is what it finds when the VF has left. */
static void expect(struct session *session, enum vf_session_event event, uint32_t value, uint32_t known)
{
	struct shape *before = &session->before;

	switch (event) {
	case VF_SESSION_DOWN:
	case VF_SESSION_UP:
	case VF_SESSION_PROMISCUOUS:
		before->flags = value;
		break;
	case VF_SESSION_MTU:
		before->mtu = value;
		break;
	case VF_SESSION_OFFLOADS:
		before->enabled = (before->enabled & ~known) | value;
		break;
	default:
		break;
	}
}

static void operate(struct session *session, enum vf_session_event event)
{
	static const uint8_t groups[2][6] = {{1, 0, 0x5e, 0, 0, 1}, {0x33, 0x33, 0, 0, 0, 1}};
	struct hvk_netdev *netdev = session->netdev;
	uint32_t value = event == VF_SESSION_UP ? HVK_NETDEV_UP : 0, known = netdev->info.capabilities;
	hvk_status status;

	switch (event) {
	case VF_SESSION_PROMISCUOUS:
		value = netdev->info.flags ^ HVK_NETDEV_PROMISCUOUS;
		hvk_netdev_set_flags(netdev, value, request(session));
		break;
	case VF_SESSION_DOWN:
	case VF_SESSION_UP:
		hvk_netdev_set_flags(netdev, value, request(session));
		break;
	case VF_SESSION_MTU:
		value = pick(session, 2) ? 1500 : 1400 + pick(session, 100);
		hvk_netdev_set_mtu(netdev, value, request(session));
		break;
	case VF_SESSION_OFFLOADS:
		value = (uint32_t)next_random(session) & netdev->info.capabilities;
		hvk_netdev_set_enabled(netdev, value, request(session));
		break;
	default:
		hvk_netdev_set_multicast(netdev, groups, pick(session, 3), request(session));
		break;
	}
	status = wait_for(session);
	if (status == HVK_OK)
		expect(session, event, value, known);
	else if (!is_explained(session, status) && status != HVK_EINVAL)
		WRONG(session, "%s: %s", vf_session_event_name(event), hvk_status_name(status));
}

static void host_event(struct session *session, enum vf_session_event event)
{
	struct hosted *machine = session->rig->machine;
	uint64_t now;

	hosted_lock(machine);
	now = hosted_now(machine);
	switch (event) {
	case VF_SESSION_ATTACH:
		(void)hvh_vf_attach(session->host_vf, now);
		break;
	case VF_SESSION_EJECT:
	case VF_SESSION_SURPRISE:
		(void)hvh_vf_detach(session->host_vf, now, event == VF_SESSION_EJECT);
		break;
	case VF_SESSION_MIGRATE:
		(void)hvh_vf_migrate(session->host_vf, now, pick(session, 2) != 0,
				     pick(session, 100) * HVH_TIME_PER_MS);
		break;
	case VF_SESSION_SILENCE:
		session->silent = true;
		hvh_vf_set_switch_trouble(session->host_vf, pick(session, 3) * 20 * HVH_TIME_PER_MS,
					  pick(session, 3) == 0);
		break;
	default:
		hvh_nic_rescind(session->host_nic, now);
		break;
	}
	hosted_unlock(machine);
}

static void flap_link(struct session *session)
{
	struct hosted *machine = session->rig->machine;

	for (int i = 0; i < 2; i++) {
		hosted_lock(machine);
		hvh_nic_set_link(session->host_nic, hosted_now(machine), i != 0);
		hosted_unlock(machine);
		traffic(session, 30);
	}
}

static void rescind(struct session *session)
{
	struct hosted *machine = session->rig->machine;

	host_event(session, VF_SESSION_RESCIND);
	traffic(session, 40);
	hosted_lock(machine);
	hvh_nic_offer_again(session->host_nic, hosted_now(machine));
	hosted_unlock(machine);
	traffic(session, 100);
}

static void happen(struct session *session, enum vf_session_event event)
{
	if (getenv("RIG_LOG"))
		(void)fprintf(stderr, "%10llu event: %s\n",
			      (unsigned long long)hosted_now(session->rig->machine),
			      vf_session_event_name(event));
	session->counts.events[event]++;
	switch (event) {
	case VF_SESSION_QUIET:
	case VF_SESSION_EVENTS:
		break;
	case VF_SESSION_LINK:
		flap_link(session);
		break;
	case VF_SESSION_RESCIND:
		rescind(session);
		break;
	case VF_SESSION_ATTACH:
	case VF_SESSION_EJECT:
	case VF_SESSION_SURPRISE:
	case VF_SESSION_MIGRATE:
	case VF_SESSION_SILENCE:
		host_event(session, event);
		break;
	default:
		if (session->netdev && !session->nic_gone)
			operate(session, event);
		break;
	}
}

/* The VF goes for good, nothing is silent: what is left is what there was at first. */
static void settle(struct session *session)
{
	struct hosted *machine = session->rig->machine;
	uint64_t end = hvk_time(session->rig->hvk) + SETTLE_MS * HVK_TIME_PER_MS;
	struct hvk_vf_info info;

	hosted_lock(machine);
	hvh_vf_set_switch_trouble(session->host_vf, 0, false);
	(void)hvh_vf_detach(session->host_vf, hosted_now(machine), true);
	hosted_unlock(machine);
	while (session->vf && !session->wrong[0]) {
		hosted_lock(machine); /* one that was on its way has come since */
		(void)hvh_vf_detach(session->host_vf, hosted_now(machine), true);
		hosted_unlock(machine);
		hvk_vf_get_info(session->vf, &info);
		if (info.state == HVK_VF_ABSENT && hvh_vf_get_state(session->host_vf) == HVH_VF_AWAY &&
		    session->step == IDLE)
			break;
		if (hvk_time(session->rig->hvk) > end) {
			WRONG(session, "does not come to rest: %s, step %d, host %d",
			      hvk_vf_state_name(info.state), (int)session->step,
			      (int)hvh_vf_get_state(session->host_vf));
			return;
		}
		traffic(session, 5);
	}
}

static void build(struct session *session)
{
	struct hosted *machine = session->rig->machine;
	const struct hvh_nic_config nic = {.mac = {0x00, 0x15, 0x5d, 1, 2, 3}, .link_up = true};
	struct hvh_backend backend;

	session->wire = hvh_simwire_create(session->plan->seed);
	hvh_simwire_backend(session->wire, &backend);
	hosted_lock(machine);
	session->host_nic = hvh_nic_create(hosted_partition(machine), &nic, &backend);
	session->host_vf = hvh_vf_create(hosted_partition(machine), session->host_nic, &session->plan->host);
	hosted_unlock(machine);
	hvh_simwire_attach(session->wire, session->host_nic);
}

static void allocate(struct session *session)
{
	const struct hvk_port *port = hosted_port(session->rig->machine);

	for (uint32_t i = 0; i < VF_FRAMES; i++) {
		session->frames[i].session = session;
		(void)port->pages_alloc(port->context, 1, HVK_PAGE_HOST_READS, &session->frames[i].pages);
	}
}

static void give_back(struct session *session)
{
	const struct hvk_port *port = hosted_port(session->rig->machine);

	for (uint32_t i = 0; i < VF_FRAMES; i++) {
		if (atomic_load(&session->frames[i].busy))
			WRONG(session, "a frame was taken and never done");
		port->pages_free(port->context, &session->frames[i].pages);
	}
}

static bool wire_run(void *context, uint64_t now)
{
	struct session *session = context;

	return session->wire && hvh_simwire_run(session->wire, now);
}

static uint64_t wire_next(void *context)
{
	struct session *session = context;

	return session->wire ? hvh_simwire_next_event(session->wire) : HVH_NEVER;
}

static void offered(void *context, struct hvk_channel *channel, bool again)
{
	static const struct vmbus_guid network = VMBUS_GUID_NETVSC, pci = VMBUS_GUID_VPCI;
	struct session *session = context;

	(void)again;
	if (memcmp(&hvk_channel_offer(channel)->type, &network, sizeof(network)) == 0)
		session->card_channel = channel;
	if (memcmp(&hvk_channel_offer(channel)->type, &pci, sizeof(pci)) == 0)
		session->bus_channel = channel;
}

static void gone(void *context, struct hvk_channel *channel)
{
	struct session *session = context;

	if (session->card_channel == channel)
		session->card_channel = NULL;
	if (session->bus_channel == channel)
		session->bus_channel = NULL;
}

static void run(void *context, struct rig *rig)
{
	struct session *session = context;
	uint64_t end;

	session->rig = rig;
	build(session);
	hosted_add_world(rig->machine, wire_run, wire_next, session);
	allocate(session);
	end = hvk_time(rig->hvk) + SETTLE_MS * HVK_TIME_PER_MS;
	while (!session->card_channel && hvk_time(rig->hvk) < end)
		rig_turn(rig);
	if (!session->card_channel || !card_up(session))
		WRONG(session, "no card");
	for (uint32_t i = 0; i < session->plan->events && !session->wrong[0]; i++) {
		happen(session, (enum vf_session_event)(i == 0 ? VF_SESSION_ATTACH
							       : pick(session, VF_SESSION_EVENTS)));
		traffic(session, session->plan->pause_ms ? session->plan->pause_ms : PAUSE_MS);
	}
	if (!session->wrong[0])
		settle(session);
	if (session->netdev && !session->wrong[0])
		check_shape(session);
	card_down(session);
	give_back(session);
}

const char *vf_session_run(const struct vf_session_plan *plan, const struct rig_config *machine,
			   struct vf_session_counts *counts)
{
	static _Thread_local char text[400];
	struct session *session = calloc(1, sizeof(*session));
	struct rig_config config = *machine;
	struct rig_result result;
	const char *wrong;

	session->plan = plan;
	session->random = plan->seed;
	config.no_nic = true;
	config.session = run;
	config.offered = offered;
	config.gone = gone;
	config.session_context = session;
	rig_run(&config, &result);
	session->counts.lost = session->counts.sent - session->counts.echoed;
	*counts = session->counts;
	if (session->corrupt || session->duplicated)
		WRONG(session, "%u frames corrupt, %u twice", session->corrupt, session->duplicated);
	wrong = rig_check(&result, false);
	text[0] = '\0';
	if (session->wrong[0] || wrong)
		(void)snprintf(text, sizeof(text), "%s%s%s", session->wrong,
			       session->wrong[0] && wrong ? "; " : "", wrong ? wrong : "");
	if (session->wire)
		hvh_simwire_destroy(session->wire);
	free(session);
	return text[0] ? text : NULL;
}
