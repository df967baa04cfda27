/* SPDX-License-Identifier: MIT */
/* The thread that does the host's own work: it sleeps until something is due or told. */
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "vmm/private.h"

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

/* When to go on by itself. A vCPU that sets a timer changes that without waking the thread. */
static void plan(struct vmm *vmm, uint64_t next, uint64_t now)
{
	uint64_t time = next - now;
	struct itimerspec at = {.it_interval = {0, 0}};

	if (next != HVH_NEVER) {
		at.it_value.tv_sec = (time_t)(time / HVH_TIME_PER_SECOND);
		at.it_value.tv_nsec = (long)(time % HVH_TIME_PER_SECOND * NS_PER_TIME);
	}
	(void)timerfd_settime(vmm->device_timer, 0, &at, NULL); /* none, if all is 0 */
	vmm->rests_until = next;
}

static void rest(struct vmm *vmm)
{
	struct pollfd files[] = {{.fd = vmm->device_event, .events = POLLIN},
				 {.fd = vmm->device_timer, .events = POLLIN}};
	uint64_t next = next_event(vmm), now = vmm_now(vmm), count;

	if (next <= now || vmm->kicked)
		return;
	plan(vmm, next, now);
	vmm->resting = true;
	vmm_unlock(vmm);
	(void)poll(files, 2, -1);
	vmm_lock(vmm);
	vmm->resting = false;
	(void)!read(vmm->device_event, &count, sizeof(count)); /* it does not block */
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
		vmm->wakes_device = true; /* when the lock is free: it would only wait for that */
	vmm->kicked = true;
}

void vmm_device_wake(struct vmm *vmm)
{
	const uint64_t one = 1;

	(void)!write(vmm->device_event, &one, sizeof(one));
}

void vmm_device_look(struct vmm *vmm)
{
	uint64_t next, now;

	if (!vmm->resting || vmm->kicked)
		return;
	next = hvh_next_event(vmm->partition);
	if (next >= vmm->rests_until)
		return;
	now = vmm_now(vmm);
	if (next <= now)
		vmm_kick(vmm);
	else
		plan(vmm, next, now);
}

bool vmm_device_create(struct vmm *vmm, char *error)
{
	vmm->device_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	vmm->device_timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	return (vmm->device_event >= 0 && vmm->device_timer >= 0) ||
	       vmm_kvm_failed(error, "an event of the devices' thread");
}

void vmm_device_destroy(struct vmm *vmm)
{
	if (vmm->device_event >= 0)
		(void)close(vmm->device_event);
	if (vmm->device_timer >= 0)
		(void)close(vmm->device_timer);
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
