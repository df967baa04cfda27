/* SPDX-License-Identifier: MIT */
/* The thread that does the host's own work: it sleeps until something is due or told. */
#include <errno.h>
#include <time.h>

#include "vmm/private.h"

#define NS_PER_SECOND 1000000000ull
#define NS_PER_TIME 100u

/* Under the lock. True if there is more to do at once. */
static bool run_host(struct vmm *vmm)
{
	uint64_t now = vmm_now(vmm);
	bool more = hvh_run(vmm->partition, now);

	for (uint32_t i = 0; i < vmm->world_count; i++)
		more |= vmm->worlds[i].run(vmm->worlds[i].context, now);
	return more;
}

static uint64_t next_event(const struct vmm *vmm)
{
	uint64_t next = hvh_next_event(vmm->partition);

	for (uint32_t i = 0; i < vmm->world_count; i++) {
		uint64_t other = vmm->worlds[i].next_event(vmm->worlds[i].context);

		next = other < next ? other : next;
	}
	return next;
}

static struct timespec after(uint64_t time)
{
	struct timespec at;
	uint64_t ns;

	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	ns = (uint64_t)at.tv_nsec + time % HVH_TIME_PER_SECOND * NS_PER_TIME;
	at.tv_sec += (time_t)(time / HVH_TIME_PER_SECOND + ns / NS_PER_SECOND);
	at.tv_nsec = (long)(ns % NS_PER_SECOND);
	return at;
}

static void rest(struct vmm *vmm)
{
	uint64_t next = next_event(vmm), now = vmm_now(vmm);

	if (next <= now || vmm->kicked)
		return;
	vmm->resting = true;
	vmm->rests_until = next;
	if (next == HVH_NEVER) {
		(void)pthread_cond_wait(&vmm->kicked_condition, &vmm->lock);
	} else {
		struct timespec until = after(next - now);

		(void)pthread_cond_timedwait(&vmm->kicked_condition, &vmm->lock, &until);
	}
	vmm->resting = false;
	vmm_count(vmm->kicked ? &vmm->counters.device_kicks : &vmm->counters.device_times);
}

static void *device_thread(void *context)
{
	struct vmm *vmm = context;

	vmm_lock(vmm);
	while (!vmm->device_stop) {
		vmm->kicked = false;
		if (!run_host(vmm)) {
			rest(vmm);
			continue;
		}
		vmm_unlock(vmm); /* let vCPUs in between two helpings */
		vmm_lock(vmm);
	}
	vmm_unlock(vmm);
	return NULL;
}

void vmm_kick(struct vmm *vmm)
{
	if (!vmm->kicked && vmm->resting)
		(void)pthread_cond_signal(&vmm->kicked_condition);
	vmm->kicked = true;
}

void vmm_device_look(struct vmm *vmm)
{
	if (vmm->resting && !vmm->kicked && hvh_next_event(vmm->partition) < vmm->rests_until)
		vmm_kick(vmm);
}

bool vmm_device_start(struct vmm *vmm)
{
	vmm->device_stop = false;
	errno = pthread_create(&vmm->device_thread, NULL, device_thread, vmm);
	return errno == 0;
}

void vmm_device_stop(struct vmm *vmm)
{
	vmm_lock(vmm);
	vmm->device_stop = true;
	vmm_kick(vmm);
	vmm_unlock(vmm);
	(void)pthread_join(vmm->device_thread, NULL);
}
