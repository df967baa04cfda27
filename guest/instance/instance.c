/* SPDX-License-Identifier: MIT */
/* Creating and destroying an instance. */
#include "guest/instance/check.h"
#include "guest/vmbus/bus.h"

static const struct hvk_timeouts default_timeouts = {
	.post_ms = 5000,
	.contact_ms = 5000,
	.offers_ms = 10000,
	.unload_ms = 10000,
	.gpadl_ms = 5000,
	.teardown_ms = 5000,
	.open_ms = 5000,
	.modify_ms = 5000,
	.device_ms = 5000,
};

#define QUARANTINE_PAGES_DEFAULT 16384u

static void fill_timeouts(struct hvk_timeouts *timeouts)
{
	const uint32_t *defaults = (const uint32_t *)&default_timeouts;
	uint32_t *values = (uint32_t *)timeouts;

	for (size_t i = 0; i < sizeof(*timeouts) / sizeof(uint32_t); i++) {
		if (values[i] == 0)
			values[i] = defaults[i];
	}
}

static void fill_config(struct hvk_config *config)
{
	if (config->cpus == 0)
		config->cpus = 1;
	if (config->guest_os_id == 0)
		config->guest_os_id = HVK_OS_ID_DEFAULT;
	if (config->quarantine_pages_max == 0)
		config->quarantine_pages_max = QUARANTINE_PAGES_DEFAULT;
	if (config->log_level == 0)
		config->log_level = HVK_LOG_INFO;
	fill_timeouts(&config->timeouts);
}

static hvk_status init_locks(struct hvk *hvk)
{
	hvk_status status = hvk_lock_init(hvk, &hvk->quarantine.lock);

	if (status == HVK_OK)
		status = hvk_lock_init(hvk, &hvk->devices.lock);
	if (status == HVK_OK)
		status = hvk_lock_init(hvk, &hvk->devices.retarget_lock);
	if (status == HVK_OK)
		status = hvk_bus_create(hvk);
	for (uint32_t i = 0; status == HVK_OK && i < hvk->config.cpus; i++)
		status = hvk_lock_init(hvk, &hvk->cpus[i].lock);
	return status;
}

hvk_status hvk_create(const struct hvk_port *port, const struct hvk_config *config, struct hvk **out)
{
	uint32_t cpus, count;
	struct hvk_pages pages;
	hvk_status status = hvk_check(port, config);
	struct hvk *hvk;

	*out = NULL;
	if (status != HVK_OK)
		return status;
	cpus = config->cpus ? config->cpus : 1;
	count = (uint32_t)((sizeof(*hvk) + sizeof(*hvk->bus) + cpus * sizeof(*hvk->cpus) + HVK_PAGE_SIZE -
			    1) /
			   HVK_PAGE_SIZE);
	status = hvk_pages_allocate(port, count, HVK_PAGE_PRIVATE, &pages);
	if (status == HVK_ENOMEM)
		hvk_log_refusal(port, "pages_alloc gave no memory for the instance: %u pages", count);
	if (status != HVK_OK)
		return status;
	hvk = (struct hvk *)pages.address;
	memcpy(&hvk->port, port, sizeof(*port));
	hvk->config = *config;
	fill_config(&hvk->config);
	hvk->pages = pages;
	hvk->bus = (struct hvk_bus *)(void *)(hvk + 1);
	hvk->cpus = (struct hvk_cpu *)(void *)(hvk->bus + 1);
	status = init_locks(hvk);
	if (status != HVK_OK) {
		port->pages_free(port->context, &pages);
		return status;
	}
	*out = hvk;
	return HVK_OK;
}

hvk_status hvk_destroy(struct hvk *hvk)
{
	struct hvk_pages pages;

	if (hvk->hypervisor.started)
		return HVK_ESTATE;
	hvk_bus_destroy(hvk); /* abandoned: nobody else will */
	pages = hvk->pages;
	hvk->port.pages_free(hvk->port.context, &pages);
	return HVK_OK;
}

const struct hvk_timeouts *hvk_timeouts(const struct hvk *hvk)
{
	return &hvk->config.timeouts;
}

uint32_t hvk_cpu_count(const struct hvk *hvk)
{
	return hvk->config.cpus;
}

bool hvk_cpu_runs(const struct hvk *hvk, uint32_t cpu)
{
	return cpu < hvk->config.cpus && __atomic_load_n(&hvk->cpus[cpu].started, __ATOMIC_ACQUIRE);
}

void hvk_get_counters(const struct hvk *hvk, struct hvk_counters *out)
{
	const uint64_t *from = (const uint64_t *)&hvk->counters;
	uint64_t *to = (uint64_t *)out;

	for (size_t i = 0; i < sizeof(*out) / sizeof(uint64_t); i++)
		to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

bool hvk_quarantine_pages(const struct hvk *hvk, uint32_t n, struct hvk_pages *out)
{
	if (n >= hvk->quarantine.count)
		return hvk_bus_withheld(hvk, n - hvk->quarantine.count, out);
	*out = hvk->quarantine.entries[n];
	return true;
}
