/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "tests/support/vf_session_internal.h"

#define PAUSE_MS 25u

uint64_t vf_session_random(struct vf_session *session)
{
	uint64_t z = session->random += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

uint32_t vf_session_pick(struct vf_session *session, uint32_t below)
{
	return (uint32_t)(vf_session_random(session) % below);
}

bool vf_session_explains(const struct vf_session *session, hvk_status status)
{
	return status == HVK_OK || status == HVK_EGONE || status == HVK_ECANCELED || status == HVK_ESTATE ||
	       (session->silent && status == HVK_ETIMEDOUT_DATA_PATH) ||
	       session->rig->config.fault_chance != 0;
}

void vf_session_turn(struct vf_session *session)
{
	vf_drivers_go_on(session);
	vf_drivers_mind_own(session);
	rig_turn(session->rig);
}

/* --- The stack's own doings ---------------------------------------------------------------------- */

hvk_status vf_session_wait(struct vf_session *session)
{
	uint64_t end = hvk_time(session->rig->hvk) + VF_DOWN_MS * HVK_TIME_PER_MS;

	while (__atomic_load_n(&session->request.status, __ATOMIC_SEQ_CST) == HVK_EINPROGRESS) {
		if (hvk_time(session->rig->hvk) > end) {
			WRONG(session, "an operation did not end");
			return HVK_ETIMEDOUT;
		}
		vf_session_turn(session);
	}
	return session->request.status;
}

struct hvk_request *vf_session_request(struct vf_session *session)
{
	memset(&session->request, 0, sizeof(session->request));
	session->operating = true;
	return &session->request;
}

/* --- The card ------------------------------------------------------------------------------------------ */

static void nic_gone(void *context, struct hvk_netdev *netdev)
{
	struct vf_session *session = context;

	(void)netdev;
	session->nic_gone = true;
}

static void vf_changed(void *context, struct hvk_vf *vf, enum hvk_vf_state state)
{
	struct vf_session *session = context;

	(void)vf;
	session->counts.active += state == HVK_VF_ACTIVE;
	session->counts.absent += state == HVK_VF_ABSENT;
}

static bool card_up(struct vf_session *session)
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
	hvk_netvsc_attach(session->nic, vf_session_request(session));
	status = vf_session_wait(session);
	if (status == HVK_OK)
		status = hvk_vf_create(session->nic, &vf, &session->vf);
	if (status != HVK_OK) {
		if (!vf_session_explains(session, status))
			WRONG(session, "attach the card: %s", hvk_status_name(status));
		(void)hvk_netvsc_destroy(session->nic);
		session->nic = NULL;
		return false;
	}
	session->netdev = hvk_vf_netdev(session->vf);
	session->netdev->hooks = (struct hvk_netdev_hooks){
		.input = vf_frames_input, .gone = nic_gone, .context = session};
	hvk_netdev_set_flags(session->netdev, HVK_NETDEV_UP, vf_session_request(session));
	status = vf_session_wait(session);
	if (!vf_session_explains(session, status))
		WRONG(session, "bring the card up: %s", hvk_status_name(status));
	vf_look(session->netdev, &session->before);
	session->operating = false;
	return true;
}

static void take_counts(struct vf_session *session)
{
	static const struct hvk_netdev_counters none;
	struct hvk_netdev_counters counters;
	struct hvk_vf_info info;

	hvk_netdev_get_counters(session->netdev, &counters);
	vf_frames_add(session, &counters, &none);
	hvk_vf_get_info(session->vf, &info);
	session->counts.by_vf += info.vf_rx;
	session->counts.by_card += info.synthetic_rx;
	session->counts.switch_failures += info.switch_failures;
	session->counts.frames_lost_in_vf += info.lost;
}

static void vf_down(struct vf_session *session)
{
	uint64_t end = hvk_time(session->rig->hvk) + VF_DOWN_MS * HVK_TIME_PER_MS;

	session->down = true;
	while (session->step != VF_IDLE) {
		if (hvk_time(session->rig->hvk) > end) {
			WRONG(session, "the VF does not leave: step %d, %d", (int)session->step,
			      (int)session->device_request.status);
			return;
		}
		vf_session_turn(session);
	}
}

/* What the last of the card's news have begun ends in a few turns. */
static void destroy(struct vf_session *session)
{
	uint64_t end = hvk_time(session->rig->hvk) + VF_SETTLE_MS * HVK_TIME_PER_MS;

	take_counts(session);
	while (hvk_vf_destroy(session->vf) != HVK_OK) {
		if (hvk_time(session->rig->hvk) > end) {
			WRONG(session, "the pairing cannot be destroyed");
			return;
		}
		vf_session_turn(session);
	}
	session->vf = NULL;
	session->netdev = NULL;
	session->down = false;
	if (hvk_netvsc_destroy(session->nic) != HVK_OK)
		WRONG(session, "the card cannot be destroyed");
	session->nic = NULL;
}

static void card_down(struct vf_session *session)
{
	hvk_status status;

	if (!session->nic)
		return;
	vf_down(session);
	if (session->wrong[0])
		return;
	hvk_netvsc_detach(session->nic, vf_session_request(session));
	status = vf_session_wait(session);
	if (!vf_session_explains(session, status) && status != HVK_ETIMEDOUT_TEARDOWN)
		WRONG(session, "detach the card: %s", hvk_status_name(status));
	destroy(session);
}

/* Traffic for a while; a card that the host took away is given up, one that it offers is taken. */
void vf_session_traffic(struct vf_session *session, uint32_t ms)
{
	uint64_t end = hvk_time(session->rig->hvk) + ms * HVK_TIME_PER_MS;

	while (hvk_time(session->rig->hvk) < end && !session->wrong[0]) {
		if (session->nic && session->nic_gone)
			card_down(session);
		if (!session->nic && session->card_channel && !hvk_channel_rescinded(session->card_channel))
			(void)card_up(session);
		vf_frames_send(session);
		vf_session_turn(session);
	}
}

/* The VF goes for good, nothing is silent: what is left is what there was at first. */
static void settle(struct vf_session *session)
{
	struct hosted *machine = session->rig->machine;
	uint64_t end = hvk_time(session->rig->hvk) + VF_SETTLE_MS * HVK_TIME_PER_MS;
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
		    session->step == VF_IDLE)
			break;
		if (hvk_time(session->rig->hvk) > end) {
			WRONG(session, "does not come to rest: %s, step %d, host %d",
			      hvk_vf_state_name(info.state), (int)session->step,
			      (int)hvh_vf_get_state(session->host_vf));
			return;
		}
		vf_session_traffic(session, 5);
	}
}

static void build(struct vf_session *session)
{
	struct hosted *machine = session->rig->machine;
	const struct hvh_nic_config nic = {.mac = {0x00, 0x15, 0x5d, 1, 2, 3}, .link_up = true};
	struct hvh_backend backend;

	session->wire = hvh_simwire_create(session->plan->seed);
	vf_frames_backend(session, &backend);
	hosted_lock(machine);
	session->host_nic = hvh_nic_create(hosted_partition(machine), &nic, &backend);
	session->host_vf = hvh_vf_create(hosted_partition(machine), session->host_nic, &session->plan->host);
	hosted_unlock(machine);
	hvh_simwire_attach(session->wire, session->host_nic);
}

static bool wire_run(void *context, uint64_t now)
{
	struct vf_session *session = context;

	return session->wire && hvh_simwire_run(session->wire, now);
}

static uint64_t wire_next(void *context)
{
	struct vf_session *session = context;

	return session->wire ? hvh_simwire_next_event(session->wire) : HVH_NEVER;
}

static void offered(void *context, struct hvk_channel *channel, bool again)
{
	static const struct vmbus_guid network = VMBUS_GUID_NETVSC, pci = VMBUS_GUID_VPCI;
	struct vf_session *session = context;

	(void)again;
	if (memcmp(&hvk_channel_offer(channel)->type, &network, sizeof(network)) == 0)
		session->card_channel = channel;
	if (memcmp(&hvk_channel_offer(channel)->type, &pci, sizeof(pci)) == 0)
		session->bus_channel = channel;
}

static void gone(void *context, struct hvk_channel *channel)
{
	struct vf_session *session = context;

	if (session->card_channel == channel)
		session->card_channel = NULL;
	if (session->bus_channel == channel)
		session->bus_channel = NULL;
}

static void run(void *context, struct rig *rig)
{
	struct vf_session *session = context;
	uint64_t end;

	session->rig = rig;
	build(session);
	hosted_add_world(rig->machine, wire_run, wire_next, session);
	vf_frames_allocate(session);
	end = hvk_time(rig->hvk) + VF_SETTLE_MS * HVK_TIME_PER_MS;
	while (!session->card_channel && hvk_time(rig->hvk) < end)
		rig_turn(rig);
	if (!session->card_channel || !card_up(session))
		WRONG(session, "no card");
	for (uint32_t i = 0; i < session->plan->events && !session->wrong[0]; i++) {
		vf_happen(session,
			  (enum vf_session_event)(i == 0 ? VF_SESSION_ATTACH
							 : vf_session_pick(session, VF_SESSION_EVENTS)));
		vf_session_traffic(session, session->plan->pause_ms ? session->plan->pause_ms : PAUSE_MS);
	}
	if (!session->wrong[0])
		settle(session);
	if (session->netdev && !session->wrong[0])
		vf_check_card(session);
	card_down(session);
	if (!session->wrong[0])
		vf_frames_end(session);
	vf_frames_give_back(session);
}

const char *vf_session_run(const struct vf_session_plan *plan, const struct rig_config *machine,
			   struct vf_session_counts *counts)
{
	static _Thread_local char text[700];
	struct vf_session *session = calloc(1, sizeof(*session));
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
	if (session->corrupt || session->duplicated || session->astray)
		WRONG(session, "%u frames corrupt, %u twice, %u at another interface", session->corrupt,
		      session->duplicated, session->astray);
	if (!session->wrong[0])
		vf_frames_check(session, result.faults[HVH_FAULT_FRAME_LOST]);
	*counts = session->counts;
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
