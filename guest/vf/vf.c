/* SPDX-License-Identifier: MIT */
/* The object: creating it, pairing, looking inside. */
#include "guest/core/dump.h"
#include "guest/vf/vf_internal.h"

static void association_changed(void *context, struct hvk_netvsc *nic)
{
	struct hvk_vf *vf = context;

	(void)nic;
	__atomic_store_n(&vf->association_news, true, __ATOMIC_SEQ_CST);
	hvk_vf_news(vf);
}

hvk_status hvk_vf_create(struct hvk_netvsc *nic, const struct hvk_vf_config *config, struct hvk_vf **out)
{
	struct hvk_netdev *card = hvk_netvsc_netdev(nic);
	struct hvk_channel *channel = hvk_netvsc_channel(nic);
	struct hvk *hvk = hvk_channel_instance(channel);
	struct hvk_pages pages;
	struct hvk_vf *vf;
	hvk_status status;

	*out = NULL;
	if (card->info.flags & HVK_NETDEV_UP)
		return HVK_ESTATE;
	status = hvk_pages_get(hvk, (uint32_t)((sizeof(*vf) + HVK_PAGE_SIZE - 1) / HVK_PAGE_SIZE),
			       HVK_PAGE_PRIVATE, &pages);
	if (status != HVK_OK)
		return status;
	vf = pages.address; /* zeros */
	vf->pages = pages;
	vf->hvk = hvk;
	vf->nic = nic;
	vf->config = *config;
	vf->cpu = hvk_netvsc_cpu(nic);
	vf->agreed_types = UINT32_MAX;
	vf->netdev.ops = &hvk_vf_card_face;
	vf->separate.ops = &hvk_vf_separate_face;
	hvk_vf_life_init(vf);
	status = hvk_lock_init(hvk, &vf->lock);
	if (status == HVK_OK)
		status = hvk_netvsc_set_association_hook(nic, association_changed, vf);
	if (status != HVK_OK) {
		hvk_pages_put(hvk, &pages);
		return status;
	}
	vf->netdev.hooks = card->hooks; /* whoever had set some goes on with them */
	hvk_vf_claim(vf, &vf->card, card);
	hvk_vf_look_at_attaches(vf);
	vf->netdev.info = card->info;
	vf->shown_queues[0] = card->info.queues;
	vf->card_wish = card->info.flags;
	*out = vf;
	return HVK_OK;
}

hvk_status hvk_vf_destroy(struct hvk_vf *vf)
{
	struct hvk_pages pages = vf->pages;

	if (vf->card.netdev->info.flags & HVK_NETDEV_UP)
		return HVK_ESTATE;
	if (vf->state != HVK_VF_ABSENT || vf->steps.sequence || vf->phase != VF_PHASE_NONE ||
	    __atomic_load_n(&vf->kicked, __ATOMIC_SEQ_CST))
		return HVK_ESTATE;
	(void)hvk_netvsc_set_association_hook(vf->nic, NULL, NULL);
	hvk_vf_operations_cancel(vf, false, HVK_ECANCELED);
	hvk_timer_stop(vf->hvk, &vf->retry);
	hvk_vf_unclaim_operations(&vf->card);
	hvk_vf_unclaim_hooks(&vf->card);
	hvk_pages_put(vf->hvk, &pages);
	return HVK_OK;
}

/* --- Pairing ---------------------------------------------------------------------------- */

/* The hardware address decides; a serial number, where both are known, must agree too. */
static hvk_status is_ours(const struct hvk_vf *vf, const struct hvk_netdev *netdev, uint32_t serial)
{
	struct hvk_netvsc_association association;

	if (netdev == &vf->netdev || netdev == vf->card.netdev || netdev == &vf->separate)
		return HVK_EINVAL;
	if (netdev->info.traits & HVK_NETDEV_STACKED)
		return HVK_ESTACKED;
	if (memcmp(netdev->info.mac, vf->card.netdev->info.mac, sizeof(netdev->info.mac)) != 0)
		return HVK_EOTHER;
	hvk_netvsc_get_association(vf->nic, &association);
	if (serial != 0 && association.allocated && association.serial != 0 && association.serial != serial)
		return HVK_EOTHER;
	return netdev->info.traits & HVK_NETDEV_OWN_QUEUE ? HVK_EOWNQUEUE : HVK_OK;
}

hvk_status hvk_vf_pair(struct hvk_vf *vf, struct hvk_netdev *netdev, uint32_t serial)
{
	uint32_t grace_ms = vf->config.grace_ms ? vf->config.grace_ms : HVK_VF_GRACE_DEFAULT_MS;
	hvk_status status = is_ours(vf, netdev, serial);

	if (status != HVK_OK)
		return status;
	if (vf->vf.netdev || vf->state != HVK_VF_ABSENT)
		return HVK_EBUSY;
	if (netdev->info.flags & HVK_NETDEV_UP)
		return HVK_ESTATE;
	vf->pairings++;
	vf->saved = (struct vf_saved){0};
	vf->undo_status = HVK_OK;
	vf->unfit = false;
	hvk_lock(vf->hvk, &vf->lock);
	vf->serial = serial;
	vf->grace_over = false; /* whoever called hvk_vf_attach_complete meant another one */
	netdev->ops->get_counters(netdev, &vf->base);
	vf->counts_vf = vf->config.transparent;
	if (!vf->counts_vf) /* its interface's counters begin with it */
		vf->unseen[1] = (struct vf_unseen){0};
	hvk_vf_claim(vf, &vf->vf, netdev);
	hvk_unlock(vf->hvk, &vf->lock);
	hvk_log(vf->hvk, HVK_LOG_INFO, "vf: paired, serial 0x%x", serial);
	hvk_vf_event(vf, VF_EVENT_PAIRED);
	if (grace_ms != HVK_VF_GRACE_EVENT)
		hvk_timer_start(vf->hvk, &vf->grace, vf->cpu, grace_ms);
	return HVK_OK;
}

void hvk_vf_unpair(struct hvk_vf *vf, struct hvk_request *request)
{
	hvk_status status = HVK_OK;

	hvk_request_begin(request);
	hvk_lock(vf->hvk, &vf->lock);
	if (!vf->vf.netdev)
		status = HVK_ESTATE;
	else if (vf->unpair_wanted)
		status = HVK_EBUSY;
	if (status == HVK_OK) {
		vf->unpair_wanted = true;
		vf->unpair_request = request;
	}
	hvk_unlock(vf->hvk, &vf->lock);
	if (status == HVK_OK)
		hvk_vf_kick(vf);
	else
		hvk_request_finish(vf->hvk, request, status, vf->cpu);
}

/* --- Looking inside --------------------------------------------------------------------- */

struct hvk_netdev *hvk_vf_netdev(struct hvk_vf *vf)
{
	return &vf->netdev;
}

struct hvk_netvsc *hvk_vf_card(struct hvk_vf *vf)
{
	return vf->nic;
}

static uint64_t sum(const uint64_t counters[HVK_VF_QUEUES_COUNTED])
{
	uint64_t all = 0;

	for (uint32_t i = 0; i < HVK_VF_QUEUES_COUNTED; i++)
		all += __atomic_load_n(&counters[i], __ATOMIC_RELAXED);
	return all;
}

void hvk_vf_get_info(const struct hvk_vf *vf, struct hvk_vf_info *out)
{
	struct hvk_vf *own = (struct hvk_vf *)(uintptr_t)vf;
	struct hvk_netvsc_association association;

	hvk_netvsc_get_association(vf->nic, &association);
	hvk_lock(own->hvk, &own->lock);
	*out = (struct hvk_vf_info){
		.state = __atomic_load_n(&vf->state, __ATOMIC_RELAXED),
		.transparent = vf->config.transparent,
		.netdev = vf->vf.netdev,
		.serial = vf->serial,
		.allocated = association.allocated,
		.allocated_serial = association.serial,
		.synthetic_rx = sum(vf->card_rx),
		.vf_rx = sum(vf->vf_rx),
		.synthetic_tx = __atomic_load_n(&vf->card_tx, __ATOMIC_RELAXED),
		.vf_tx = __atomic_load_n(&vf->vf_tx, __ATOMIC_RELAXED),
		.switches = vf->switches,
		.switch_failures = vf->switch_failures,
		.pairings = vf->pairings,
		.departures = vf->departures,
		.lost = vf->lost,
		.switch_time_last = vf->switch_time,
		.last_failure = vf->last_failure,
	};
	hvk_unlock(own->hvk, &own->lock);
}

void hvk_vf_dump(struct hvk_vf *vf, hvk_dump_line line, void *context)
{
	static const char *const paths[] = {"card", "vf", "waits"};
	struct hvk_dump dump = {line, context, 0};
	struct hvk_vf_info info;

	hvk_vf_get_info(vf, &info);
	hvk_dump_begin(&dump, "vf");
	hvk_dump_value(&dump, "mode", "%s", info.transparent ? "transparent" : "separate");
	hvk_dump_value(&dump, "state", "%s", hvk_vf_state_name(info.state));
	hvk_dump_value(&dump, "doing", "%s", hvk_steps_name(&vf->steps));
	hvk_dump_value(&dump, "path", "%s", hvk_dump_name(paths, 3, vf->path));
	hvk_dump_flag(&dump, "allocated", info.allocated);
	hvk_dump_value(&dump, "allocated-serial", "0x%x", info.allocated_serial);
	hvk_dump_value(&dump, "serial", "0x%x", info.serial);
	hvk_dump_number(&dump, "synthetic-rx-frames", info.synthetic_rx);
	hvk_dump_number(&dump, "synthetic-tx-frames", info.synthetic_tx);
	hvk_dump_number(&dump, "vf-rx-frames", info.vf_rx);
	hvk_dump_number(&dump, "vf-tx-frames", info.vf_tx);
	hvk_dump_number(&dump, "switches", info.switches);
	hvk_dump_number(&dump, "switch-failures", info.switch_failures);
	hvk_dump_number(&dump, "pairings", info.pairings);
	hvk_dump_number(&dump, "departures", info.departures);
	hvk_dump_number(&dump, "frames-lost", info.lost);
	hvk_dump_number(&dump, "switch-time-100ns", info.switch_time_last);
	hvk_dump_value(&dump, "last-failure", "%s", hvk_status_name(info.last_failure));
	hvk_dump_end(&dump);
}
