/* SPDX-License-Identifier: MIT */
/* The VF's drivers, one step a turn: bus, function, pairing; in separate mode its interface, too. */
#include <string.h>

#include "tests/support/vf_session_internal.h"

/* --- What they tell ------------------------------------------------------------------------------- */

static void added(void *context, struct hvk_vpci *bus, struct hvk_pci_function *function)
{
	struct vf_session *session = context;

	(void)bus;
	if (!session->function)
		session->function = function;
}

static void removed(void *context, struct hvk_vpci *bus, struct hvk_pci_function *function)
{
	struct vf_session *session = context;

	(void)bus;
	if (session->function == function)
		session->function = NULL;
}

static void bus_gone(void *context, struct hvk_vpci *bus)
{
	struct vf_session *session = context;

	(void)bus;
	session->bus_gone = true;
}

static void leaving(void *context, struct hvk_virtio_net *device, bool eject)
{
	struct vf_session *session = context;

	(void)device;
	(void)eject;
	session->leaving = true;
}

/* Told to whoever had the hooks before the pairing. */
static void device_gone(void *context, struct hvk_netdev *netdev)
{
	struct vf_session *session = context;

	(void)netdev;
	session->device_gone = true;
}

static struct hvk_request *device_request(struct vf_session *session)
{
	memset(&session->device_request, 0, sizeof(session->device_request));
	return &session->device_request;
}

/* --- What must be as before ------------------------------------------------------------------------- */

void vf_look(struct hvk_netdev *netdev, struct vf_shape *shape)
{
	const struct hvk_netdev_info *info = &netdev->info;

	memset(shape, 0, sizeof(*shape));
	*shape = (struct vf_shape){.capabilities = info->capabilities,
				   .enabled = info->enabled,
				   .mtu = info->mtu,
				   .flags = info->flags,
				   .tso_bytes = info->tso_bytes_max,
				   .tso_pieces = info->tso_pieces_max,
				   .tso_segments = info->tso_segments_min,
				   .rss_types = info->rss_types,
				   .link_up = info->link_up,
				   .hooks = netdev->hooks};
	if (netdev->ops->get_rss)
		netdev->ops->get_rss(netdev, &shape->rss);
}

static bool same_hooks(const struct hvk_netdev_hooks *a, const struct hvk_netdev_hooks *b)
{
	return a->input == b->input && a->tx_ready == b->tx_ready && a->link_changed == b->link_changed &&
	       a->gone == b->gone && a->context == b->context && a->burst_end == b->burst_end &&
	       a->info_changed == b->info_changed;
}

static bool same_rss(const struct hvk_netdev_rss *a, const struct hvk_netdev_rss *b)
{
	return a->types == b->types && memcmp(a->key, b->key, sizeof(a->key)) == 0 &&
	       memcmp(a->table, b->table, sizeof(a->table)) == 0;
}

void vf_compare(struct vf_session *session, const char *whose, const struct vf_shape *before,
		const struct vf_shape *now)
{
	if (now->capabilities != before->capabilities || now->enabled != before->enabled ||
	    now->rss_types != before->rss_types)
		WRONG(session,
		      "%s: not as before the VF: capabilities %x (%x), enabled %x (%x), hashes %x (%x)",
		      whose, now->capabilities, before->capabilities, now->enabled, before->enabled,
		      now->rss_types, before->rss_types);
	if (now->mtu != before->mtu || now->flags != before->flags || now->link_up != before->link_up)
		WRONG(session, "%s: not as before the VF: MTU %u (%u), flags %x (%x), link %d (%d)", whose,
		      now->mtu, before->mtu, now->flags, before->flags, now->link_up, before->link_up);
	if (now->tso_bytes != before->tso_bytes || now->tso_pieces != before->tso_pieces ||
	    now->tso_segments != before->tso_segments)
		WRONG(session, "%s: not as before the VF: TSO %u/%u/%u (%u/%u/%u)", whose, now->tso_bytes,
		      now->tso_pieces, now->tso_segments, before->tso_bytes, before->tso_pieces,
		      before->tso_segments);
	if (!same_hooks(&now->hooks, &before->hooks))
		WRONG(session, "%s: not as before the VF: its hooks", whose);
	if (!same_rss(&now->rss, &before->rss))
		WRONG(session, "%s: not as before the VF: RSS, types %x (%x)", whose, now->rss.types,
		      before->rss.types);
}

void vf_check_card(struct vf_session *session)
{
	struct vf_shape now;

	if (!session->netdev || session->nic_gone || session->operating || session->flapping ||
	    session->rig->config.fault_chance != 0)
		return;
	vf_look(session->netdev, &now);
	vf_compare(session, "the card", &session->before, &now);
	session->counts.checked++;
}

/* --- Steps ------------------------------------------------------------------------------------------ */

static struct hvk_netdev *netdev_of(const struct vf_session *session)
{
	return hvk_virtio_net_netdev(session->device);
}

static void begin_bus(struct vf_session *session)
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
	session->step = VF_BUS_ATTACHING;
}

static void bus_attached(struct vf_session *session, hvk_status status)
{
	session->step = VF_BUS_UP;
	if (status == HVK_OK)
		return;
	if (!vf_session_explains(session, status))
		WRONG(session, "attach the bus: %s", hvk_status_name(status));
	session->bus_gone = true;
}

static void bus_up(struct vf_session *session)
{
	struct hvk_virtio_net_config config = session->plan->device;

	if (session->bus_gone || session->down || hvk_channel_rescinded(hvk_vpci_channel(session->bus))) {
		hvk_vpci_detach(session->bus, device_request(session));
		session->step = VF_BUS_DETACHING;
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
	session->device_base = (struct hvk_netdev_counters){0};
	hvk_virtio_net_attach(session->device, device_request(session));
	session->step = VF_DEVICE_ATTACHING;
}

static void detach_device(struct vf_session *session)
{
	hvk_virtio_net_detach(session->device, device_request(session));
	session->step = VF_DEVICE_DETACHING;
}

static void device_attached(struct vf_session *session, hvk_status status)
{
	uint32_t serial = hvk_pci_get_info(session->function)->serial;

	if (status == HVK_OK) {
		session->device_gone = false;
		netdev_of(session)->hooks = (struct hvk_netdev_hooks){.gone = device_gone,
								      .context = session};
		vf_look(netdev_of(session), &session->device_before);
		status = session->vf ? hvk_vf_pair(session->vf, netdev_of(session), serial) : HVK_EGONE;
	}
	if (status == HVK_OK) {
		session->step = VF_PAIRED;
		return;
	}
	/* A serial number may be the last one's, or the next one's: the host has moved on meanwhile. */
	if (!vf_session_explains(session, status) && status != HVK_EOTHER && status != HVK_EBUSY)
		WRONG(session, "attach the VF: %s", hvk_status_name(status));
	detach_device(session);
}

/* One that has vanished is not asked for anything any more. */
static void unpaired(struct vf_session *session)
{
	struct vf_shape now;

	session->own = NULL;
	session->own_gone = false;
	vf_look(netdev_of(session), &now);
	now.link_up = session->device_before.link_up; /* which nobody has set */
	if (!session->plan->vf.transparent) {         /* by its own interface the stack may have */
		now.enabled = session->device_before.enabled;
		now.mtu = session->device_before.mtu;
	}
	if (!session->device_gone && session->rig->config.fault_chance == 0 &&
	    __atomic_load_n(&session->device_request.status, __ATOMIC_SEQ_CST) == HVK_OK)
		vf_compare(session, "the VF", &session->device_before, &now);
	vf_check_card(session);
	if (session->plan->vf.transparent)
		hvk_netdev_get_counters(netdev_of(session), &session->device_base);
	detach_device(session);
}

static void device_detached(struct vf_session *session)
{
	struct hvk_netdev_counters counters;

	hvk_netdev_get_counters(netdev_of(session), &counters);
	if (hvk_virtio_net_destroy(session->device) != HVK_OK)
		return;
	vf_frames_add(session, &counters, &session->device_base);
	session->device = NULL;
	session->step = VF_BUS_UP;
	/* One that still belongs to a bus that stays is not taken again: it leaves. */
	if (session->leaving)
		session->function = NULL;
}

void vf_drivers_go_on(struct vf_session *session)
{
	hvk_status status = __atomic_load_n(&session->device_request.status, __ATOMIC_SEQ_CST);

	if (status == HVK_EINPROGRESS)
		return;
	switch (session->step) {
	case VF_IDLE:
		begin_bus(session);
		break;
	case VF_BUS_ATTACHING:
		bus_attached(session, status);
		break;
	case VF_BUS_UP:
		bus_up(session);
		break;
	case VF_DEVICE_ATTACHING:
		device_attached(session, status);
		break;
	case VF_PAIRED:
		if (!session->leaving && !session->down && !session->bus_gone)
			break;
		hvk_vf_unpair(session->vf, device_request(session));
		session->step = VF_UNPAIRING;
		break;
	case VF_UNPAIRING:
		unpaired(session);
		break;
	case VF_DEVICE_DETACHING:
		device_detached(session);
		break;
	case VF_BUS_DETACHING:
		if (hvk_vpci_destroy(session->bus) != HVK_OK)
			break;
		session->bus = NULL;
		session->step = VF_IDLE;
		break;
	}
}

/* --- Separate mode -------------------------------------------------------------------------------------- */

static void own_gone(void *context, struct hvk_netdev *netdev)
{
	struct vf_session *session = context;

	(void)netdev;
	session->own_gone = true;
}

void vf_drivers_mind_own(struct vf_session *session)
{
	struct hvk_netdev *netdev = session->vf ? hvk_vf_separate_netdev(session->vf) : NULL;

	if (session->own_request.status == HVK_EINPROGRESS)
		return;
	if (!vf_session_explains(session, session->own_request.status))
		WRONG(session, "the VF's interface: %s", hvk_status_name(session->own_request.status));
	if (session->own_gone)
		session->own = NULL;
	if (session->own || !netdev || session->step != VF_PAIRED || session->leaving || session->down)
		return;
	session->counts.separate++;
	session->own_gone = false;
	session->own = netdev;
	netdev->hooks = (struct hvk_netdev_hooks){
		.input = vf_frames_input, .gone = own_gone, .context = session};
	memset(&session->own_request, 0, sizeof(session->own_request));
	hvk_netdev_set_flags(netdev, HVK_NETDEV_UP, &session->own_request);
}
