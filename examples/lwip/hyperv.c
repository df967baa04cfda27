/* SPDX-License-Identifier: MIT */
/* Not yours: the hypervisor and the host. Its network is libslirp's, which has a thread of its own. */
#include "hyperv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define OTHERS_NS 10000

uint64_t hyperv_now(const struct machine *m)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 10000000u + (uint64_t)now.tv_nsec / 100u - m->started;
}

static void *translate(void *context, uint64_t gpa, uint32_t length, bool write)
{
	struct machine *m = context;
	uint64_t at = gpa - POOL_GPA, size = (uint64_t)POOL_PAGES * HVK_PAGE_SIZE;

	(void)write;
	return gpa < POOL_GPA || at > size || length > size - at ? NULL : &m->pool[0][0] + at;
}

static void violation(void *context, const struct hvh_violation *violation)
{
	(void)context;
	printf("  host: %s: %s\n", hvh_violation_name(violation->kind), violation->text);
}

static void interrupt(void *context, uint32_t vp, uint8_t vector)
{
	(void)context, (void)vp, (void)vector; /* polled: nobody waits for one */
}

/* --- The network's thread takes the lock when it has a frame for us ------------------------ */

static void lock(void *context)
{
	pthread_mutex_lock(&((struct world *)context)->lock);
}

static void unlock(void *context)
{
	pthread_mutex_unlock(&((struct world *)context)->lock);
}

static uint64_t now(void *context)
{
	return hyperv_now(context);
}

void hyperv_run(struct machine *m)
{
	struct world *world = (struct world *)m;

	unlock(world);
	nanosleep(&(struct timespec){.tv_nsec = OTHERS_NS}, NULL);
	lock(world);
	while (hvh_run(m->hyperv, hyperv_now(m))) {
	}
}

static bool plug_in(struct world *world, uint16_t tcp_port)
{
	const struct hvh_slirp_lock guard = {world, lock, unlock, now};
	const struct hvh_slirp_config config = {.loopback_tcp = {tcp_port}};
	const struct hvh_nic_config card = {.mac = {0x00, 0x15, 0x5d, 0x00, 0x02, 0x0f}, .link_up = true};
	struct hvh_backend backend;
	struct hvh_nic *nic;
	char error[256];

	world->network = hvh_slirp_create(&config, &guard, error, sizeof(error));
	if (!world->network) {
		fprintf(stderr, "%s\n", error);
		return false;
	}
	hvh_slirp_backend(world->network, &backend);
	nic = hvh_nic_create(world->machine.hyperv, &card, &backend);
	if (nic)
		hvh_slirp_attach(world->network, nic);
	lock(world);
	return nic != NULL;
}

bool world_power_on(struct world *world, const char *profile, uint16_t tcp_port)
{
	struct machine *m = &world->machine;
	struct hvh_config config = {.profile = hvh_profile_find(profile), .vps = 1, .seed = 1};
	struct hvh_ops ops = {m, translate, interrupt, violation, NULL, NULL};

	*world = (struct world){.network = NULL};
	pthread_mutex_init(&world->lock, NULL);
	m->started = hyperv_now(m);
	m->pool = aligned_alloc(HVK_PAGE_SIZE, (size_t)POOL_PAGES * HVK_PAGE_SIZE);
	m->hyperv = config.profile ? hvh_create(&config, &ops) : NULL;
	if (!m->pool || !m->hyperv)
		return false;
	memset(m->pool, 0, (size_t)POOL_PAGES * HVK_PAGE_SIZE);
	return plug_in(world, tcp_port);
}

bool world_power_off(struct world *world)
{
	struct machine *m = &world->machine;
	bool clean = !hvh_violation_get(m->hyperv, 0);

	unlock(world);
	hvh_slirp_destroy(world->network);
	hvh_destroy(m->hyperv);
	free(m->pool);
	return clean;
}
