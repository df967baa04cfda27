/* SPDX-License-Identifier: MIT */
/* What happens to a card and its VF: by the host, and by the stack. */
#include <stdlib.h>

#include "tests/support/vf_session_internal.h"

const char *vf_session_event_name(enum vf_session_event event)
{
	static const char *const names[] = {"quiet",       "attach", "eject",   "surprise", "migrate",
					    "down",        "up",     "MTU",     "offloads", "groups",
					    "promiscuous", "link",   "silence", "rescind"};

	return names[event];
}

/* What the stack has asked for, and got, is what it finds when the VF has left. */
static void expect(struct vf_session *session, enum vf_session_event event, uint32_t value, uint32_t known)
{
	struct vf_shape *before = &session->before;

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

/* In separate mode either interface. */
static struct hvk_netdev *target(struct vf_session *session)
{
	return session->own && !session->own_gone && vf_session_pick(session, 2) ? session->own
										 : session->netdev;
}

static void operate(struct vf_session *session, enum vf_session_event event)
{
	static const uint8_t groups[2][6] = {{1, 0, 0x5e, 0, 0, 1}, {0x33, 0x33, 0, 0, 0, 1}};
	struct hvk_netdev *netdev = target(session);
	uint32_t value = event == VF_SESSION_UP ? HVK_NETDEV_UP : 0, known = netdev->info.capabilities;
	hvk_status status;

	switch (event) {
	case VF_SESSION_PROMISCUOUS:
		value = netdev->info.flags ^ HVK_NETDEV_PROMISCUOUS;
		hvk_netdev_set_flags(netdev, value, vf_session_request(session));
		break;
	case VF_SESSION_DOWN:
	case VF_SESSION_UP:
		hvk_netdev_set_flags(netdev, value, vf_session_request(session));
		break;
	case VF_SESSION_MTU:
		value = vf_session_pick(session, 2) ? 1500 : 1400 + vf_session_pick(session, 100);
		hvk_netdev_set_mtu(netdev, value, vf_session_request(session));
		break;
	case VF_SESSION_OFFLOADS:
		value = (uint32_t)vf_session_random(session) & netdev->info.capabilities;
		hvk_netdev_set_enabled(netdev, value, vf_session_request(session));
		break;
	default:
		hvk_netdev_set_multicast(netdev, groups, vf_session_pick(session, 3),
					 vf_session_request(session));
		break;
	}
	status = vf_session_wait(session);
	if (status == HVK_OK && netdev == session->netdev)
		expect(session, event, value, known);
	else if (!vf_session_explains(session, status) && status != HVK_EINVAL)
		WRONG(session, "%s: %s", vf_session_event_name(event), hvk_status_name(status));
	session->operating = false;
}

static void host_event(struct vf_session *session, enum vf_session_event event)
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
		(void)hvh_vf_migrate(session->host_vf, now, vf_session_pick(session, 2) != 0,
				     vf_session_pick(session, 100) * HVH_TIME_PER_MS);
		break;
	case VF_SESSION_SILENCE:
		session->silent = true;
		hvh_vf_set_switch_trouble(session->host_vf,
					  vf_session_pick(session, 3) * 20 * HVH_TIME_PER_MS,
					  vf_session_pick(session, 3) == 0);
		break;
	default:
		hvh_nic_rescind(session->host_nic, now);
		break;
	}
	hosted_unlock(machine);
}

static void flap_link(struct vf_session *session)
{
	struct hosted *machine = session->rig->machine;

	session->flapping = true;
	for (int i = 0; i < 2; i++) {
		hosted_lock(machine);
		hvh_nic_set_link(session->host_nic, hosted_now(machine), i != 0);
		hosted_unlock(machine);
		vf_session_traffic(session, 30);
	}
	session->flapping = false;
}

static void rescind(struct vf_session *session)
{
	struct hosted *machine = session->rig->machine;

	host_event(session, VF_SESSION_RESCIND);
	vf_session_traffic(session, 40);
	hosted_lock(machine);
	hvh_nic_offer_again(session->host_nic, hosted_now(machine));
	hosted_unlock(machine);
	vf_session_traffic(session, 100);
}

void vf_happen(struct vf_session *session, enum vf_session_event event)
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
