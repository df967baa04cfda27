/* SPDX-License-Identifier: MIT */
/* The seeded source (xoshiro256**, seeded by splitmix64), faults and silence. */
#include <string.h>

#include "host/core/state.h"

#define CERTAIN 65536u
#define RESCIND_CHANCE (CERTAIN / 256u) /* of a host that rescinds at any time */

static uint64_t splitmix64(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static uint64_t rotate(uint64_t value, unsigned bits)
{
	return value << bits | value >> (64u - bits);
}

void hvh_random_seed(struct hvh_partition *partition, uint64_t seed)
{
	partition->seed = seed;
	for (unsigned n = 0; n < 4; n++)
		partition->random[n] = splitmix64(&seed);
}

uint64_t hvh_random(struct hvh_partition *partition)
{
	uint64_t *s = partition->random;
	uint64_t result = rotate(s[1] * 5u, 7) * 9u;
	uint64_t t = s[1] << 17;
	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

uint32_t hvh_choose(struct hvh_partition *partition, uint32_t below)
{
	return (uint32_t)(((hvh_random(partition) >> 32) * below) >> 32);
}

void hvh_fault_set(struct hvh_partition *partition, enum hvh_fault fault, uint32_t chance)
{
	if ((unsigned)fault < HVH_FAULT_COUNT)
		partition->fault_chance[fault] = chance;
}

/* The profile may tell what else is left to the seed (quirk.h). */
static uint32_t tendency(enum hvh_tendency tendency, uint32_t chance)
{
	return tendency == HVH_BY_SEED ? chance : tendency == HVH_NOT_EVER ? 0 : CERTAIN;
}

uint32_t hvh_fault_chance(const struct hvh_partition *partition, enum hvh_fault fault)
{
	const struct hvh_profile *profile = &partition->profile;
	uint32_t chance = partition->fault_chance[fault];

	switch (fault) {
	case HVH_FAULT_LATE_PENDING:
		return tendency(profile->late_pending, chance);
	case HVH_FAULT_LOST_FIRST_SIGNAL:
		return tendency(profile->first_signal_lost, chance);
	case HVH_FAULT_RESCIND:
		if (profile->rescind == HVH_EVERY_TIME)
			return chance > RESCIND_CHANCE ? chance : RESCIND_CHANCE;
		return tendency(profile->rescind, chance);
	case HVH_FAULT_POST_BUFFERS:
	case HVH_FAULT_POST_THROTTLED:
		return profile->post_status == HVH_POST_ACCEPTED ? 0 : chance;
	case HVH_FAULT_SLOW_TEARDOWN:
		if (profile->teardown_reply == HVH_TEARDOWN_SLOW)
			return CERTAIN;
		return profile->teardown_reply == HVH_TEARDOWN_PROMPT ? 0 : chance;
	case HVH_FAULT_FEWER_SUBCHANNELS:
		return tendency(profile->subchannels_fewer, chance);
	case HVH_FAULT_LATE_SUBCHANNELS:
		return tendency(profile->subchannels_late, chance);
	case HVH_FAULT_MISSING_SUBCHANNELS:
		return tendency(profile->subchannels_missing, chance);
	case HVH_FAULT_RESCIND_SUBCHANNEL:
		return tendency(profile->subchannel_rescind, chance);
	case HVH_FAULT_LATE_SEND_TABLE:
		return tendency(profile->send_table_late, chance);
	case HVH_FAULT_MISSING_SEND_TABLE:
		return tendency(profile->send_table_missing, chance);
	default:
		return chance;
	}
}

/* A fault that is off draws nothing, so that switching one on moves no other. */
bool hvh_fault_strikes(struct hvh_partition *partition, enum hvh_fault fault)
{
	uint32_t chance = (unsigned)fault < HVH_FAULT_COUNT ? hvh_fault_chance(partition, fault) : 0;

	if (chance == 0 || hvh_choose(partition, CERTAIN) >= chance)
		return false;
	partition->fault_count[fault]++;
	return true;
}

uint64_t hvh_fault_count(const struct hvh_partition *partition, enum hvh_fault fault)
{
	return (unsigned)fault < HVH_FAULT_COUNT ? partition->fault_count[fault] : 0;
}

static const char *const fault_names[HVH_FAULT_COUNT] = {
	[HVH_FAULT_DELAY_MESSAGE] = "delay-message",
	[HVH_FAULT_DELAY_SIGNAL] = "delay-signal",
	[HVH_FAULT_LATE_PENDING] = "late-pending",
	[HVH_FAULT_POST_BUFFERS] = "post-buffers",
	[HVH_FAULT_POST_THROTTLED] = "post-throttled",
	[HVH_FAULT_SPURIOUS_INTERRUPT] = "spurious-interrupt",
	[HVH_FAULT_SPURIOUS_EVENT] = "spurious-event",
	[HVH_FAULT_LOST_FIRST_SIGNAL] = "lost-first-signal",
	[HVH_FAULT_DELAY_COMPLETION] = "delay-completion",
	[HVH_FAULT_SLOW_TEARDOWN] = "slow-teardown",
	[HVH_FAULT_RESCIND] = "rescind",
	[HVH_FAULT_FRAME_LOST] = "frame-lost",
	[HVH_FAULT_FEWER_SUBCHANNELS] = "fewer-subchannels",
	[HVH_FAULT_LATE_SUBCHANNELS] = "late-subchannels",
	[HVH_FAULT_MISSING_SUBCHANNELS] = "missing-subchannels",
	[HVH_FAULT_RESCIND_SUBCHANNEL] = "rescind-subchannel",
	[HVH_FAULT_LATE_SEND_TABLE] = "late-send-table",
	[HVH_FAULT_MISSING_SEND_TABLE] = "missing-send-table",
};

void hvh_repeat_set(struct hvh_partition *partition, uint32_t chance)
{
	partition->repeat_chance = chance;
}

uint64_t hvh_repeat_count(const struct hvh_partition *partition)
{
	return partition->repeat_count;
}

const char *hvh_fault_name(enum hvh_fault fault)
{
	return (unsigned)fault < HVH_FAULT_COUNT ? fault_names[fault] : "unknown";
}

static const char *const silence_names[HVH_SILENCE_COUNT] = {
	[HVH_SILENCE_NONE] = "none",
	[HVH_SILENCE_CONTACT] = "contact",
	[HVH_SILENCE_UNLOAD] = "unload",
	[HVH_SILENCE_OFFERS] = "offers",
	[HVH_SILENCE_GPADL] = "gpadl",
	[HVH_SILENCE_OPEN] = "open",
	[HVH_SILENCE_TEARDOWN] = "teardown",
	[HVH_SILENCE_NVS_INIT] = "nvs-init",
	[HVH_SILENCE_NVS_RECEIVE_BUFFER] = "nvs-receive-buffer",
	[HVH_SILENCE_NVS_SEND_BUFFER] = "nvs-send-buffer",
	[HVH_SILENCE_RNDIS_INITIALIZE] = "rndis-initialize",
	[HVH_SILENCE_RNDIS_QUERY] = "rndis-query",
	[HVH_SILENCE_RNDIS_SET] = "rndis-set",
	[HVH_SILENCE_POST] = "post",
	[HVH_SILENCE_MODIFY] = "modify",
	[HVH_SILENCE_NVS_SUBCHANNEL] = "nvs-subchannel",
	[HVH_SILENCE_VSTOR_BEGIN] = "vstor-begin",
	[HVH_SILENCE_VSTOR_VERSION] = "vstor-version",
	[HVH_SILENCE_VSTOR_PROPERTIES] = "vstor-properties",
	[HVH_SILENCE_VSTOR_END] = "vstor-end",
	[HVH_SILENCE_VSTOR_SUBCHANNELS] = "vstor-subchannels",
	[HVH_SILENCE_VSTOR_REQUEST] = "vstor-request",
	[HVH_SILENCE_VSTOR_RESET] = "vstor-reset",
	[HVH_SILENCE_VPCI_VERSION] = "vpci-version",
	[HVH_SILENCE_VPCI_RELATIONS] = "vpci-relations",
	[HVH_SILENCE_VPCI_REQUIREMENTS] = "vpci-requirements",
	[HVH_SILENCE_VPCI_D0_ENTRY] = "vpci-d0-entry",
	[HVH_SILENCE_VPCI_RESOURCES] = "vpci-resources",
	[HVH_SILENCE_VPCI_INTERRUPT] = "vpci-interrupt",
	[HVH_SILENCE_VPCI_POWER] = "vpci-power",
	[HVH_SILENCE_VPCI_D0_EXIT] = "vpci-d0-exit",
	[HVH_SILENCE_KEYBOARD_PROTOCOL] = "keyboard-protocol",
	[HVH_SILENCE_MOUSE_PROTOCOL] = "mouse-protocol",
	[HVH_SILENCE_MOUSE_INFO] = "mouse-info",
	[HVH_SILENCE_IC_NEGOTIATE] = "ic-negotiate",
};

void hvh_silence_set(struct hvh_partition *partition, enum hvh_silence step)
{
	if ((unsigned)step < HVH_SILENCE_COUNT)
		partition->silence = step;
}

enum hvh_silence hvh_silence_get(const struct hvh_partition *partition)
{
	return partition->silence;
}

const char *hvh_silence_name(enum hvh_silence step)
{
	return (unsigned)step < HVH_SILENCE_COUNT ? silence_names[step] : "unknown";
}

bool hvh_silence_find(const char *name, enum hvh_silence *step)
{
	for (unsigned n = 0; n < HVH_SILENCE_COUNT; n++) {
		if (strcmp(name, silence_names[n]) == 0) {
			*step = (enum hvh_silence)n;
			return true;
		}
	}
	return false;
}
