/* SPDX-License-Identifier: MIT */
/* Not yours: the hypervisor, the host with a network card, and a wire that ends in 10.7.0.1. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hvkit_host/network.h"
#include "minimal.h"

uint64_t hyperv_now(const struct machine *m)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 10000000u + (uint64_t)now.tv_nsec / 100u - m->started;
}

/* How the host reaches guest memory: the pool is all the RAM there is. */
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

bool hyperv_power_on(struct machine *m, const char *profile)
{
	struct hvh_config config = {.profile = hvh_profile_find(profile), .vps = 1, .seed = 1};
	struct hvh_ops ops = {m, translate, interrupt, violation, NULL, NULL};
	struct hvh_nic_config card = {.mac = {0x00, 0x15, 0x5d, 0x00, 0x07, 0x01}, .link_up = true};
	struct hvh_backend backend;

	*m = (struct machine){0};
	m->started = hyperv_now(m);
	m->pool = aligned_alloc(HVK_PAGE_SIZE, (size_t)POOL_PAGES * HVK_PAGE_SIZE);
	m->hyperv = config.profile ? hvh_create(&config, &ops) : NULL;
	m->wire = hvh_simwire_create(1);
	if (!m->pool || !m->hyperv || !m->wire)
		return false;
	memset(m->pool, 0, (size_t)POOL_PAGES * HVK_PAGE_SIZE);
	hvh_simwire_backend(m->wire, &backend);
	hvh_simwire_attach(m->wire, hvh_nic_create(m->hyperv, &card, &backend));
	return true;
}

void hyperv_run(struct machine *m)
{
	while (hvh_run(m->hyperv, hyperv_now(m)) || hvh_simwire_run(m->wire, hyperv_now(m))) {
	}
}

bool hyperv_power_off(struct machine *m)
{
	bool clean = !hvh_violation_get(m->hyperv, 0);

	hvh_destroy(m->hyperv);
	hvh_simwire_destroy(m->wire);
	free(m->pool);
	return clean;
}
