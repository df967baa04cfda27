/* SPDX-License-Identifier: MIT */
/* What hvk_create refuses, each with a line that says what is wrong and what would be right. */
#include "guest/instance/check.h"

#include "guest/core/state.h"

#define PAUSE_NS_MAX 100000000u
#define PORT_SIZE_MAX 4096u /* more than any version will have */

#define REFUSE(port, status, ...) (hvk_log_refusal((port), __VA_ARGS__), (status))

/* log has had its place since version 1, so a port of another version can still be told; a size of 0 was
 * forgotten in a structure of zeros. One that makes no sense may be no port at all. */
static bool can_log(const struct hvk_port *port)
{
	size_t end = offsetof(struct hvk_port, log) + sizeof(port->log);

	return port->log && (port->size == 0 || (port->size >= end && port->size <= PORT_SIZE_MAX));
}

static hvk_status check_version(const struct hvk_port *port)
{
	const struct hvk_port *told = can_log(port) ? port : NULL;

	if (port->size < sizeof(*port))
		return REFUSE(told, HVK_EINVAL,
			      "port.size is %u, not the %zu of this hvkit: sizeof(struct hvk_port)",
			      port->size, sizeof(*port));
	if (port->version != HVK_PORT_VERSION)
		return REFUSE(told, HVK_EINVAL, "port.version is %u, not HVK_PORT_VERSION, which is %u here",
			      port->version, HVK_PORT_VERSION);
	return HVK_OK;
}

static hvk_status check_polled(const struct hvk_port *port)
{
	const struct {
		const char *name;
		bool there;
	} needed[] = {
		{"pages_alloc", port->pages_alloc}, {"pages_free", port->pages_free},
		{"page_gpa", port->page_gpa},       {"features", port->features},
		{"reg_read", port->reg_read},       {"reg_write", port->reg_write},
		{"hypercall", port->hypercall},     {"pause", port->pause},
	};

	if (!port->log)
		return HVK_ELEVEL;
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (!needed[i].there)
			return REFUSE(port, HVK_ELEVEL, "port.%s is NULL: every port needs it (L0)",
				      needed[i].name);
	}
	if (port->pause_ns == 0 || port->pause_ns > PAUSE_NS_MAX)
		return REFUSE(port, HVK_EINVAL, "port.pause_ns is %u, not 1 to %u", port->pause_ns,
			      PAUSE_NS_MAX);
	if (!port->share != !port->unshare)
		return REFUSE(port, HVK_EINVAL, "port.%s is NULL: share and unshare, both or none (L3)",
			      port->share ? "unshare" : "share");
	return HVK_OK;
}

static hvk_status check_device_vectors(const struct hvk_port *port, const struct hvk_config *config)
{
	uint32_t first = config->device_vector_first, count = config->device_vector_count;

	if (count == 0)
		return HVK_OK;
	if (!config->interrupts)
		return REFUSE(port, HVK_EINVAL,
			      "config.device_vector_count is %u: config.interrupts is needed too", count);
	if (first < HV_SINT_VECTOR_MIN || first + count > 256 || count > HVK_DEVICE_VECTORS_MAX)
		return REFUSE(
			port, HVK_EINVAL,
			"config.device_vector_first and _count are %u and %u, not %u to 255, and 1 to %u",
			first, count, HV_SINT_VECTOR_MIN, HVK_DEVICE_VECTORS_MAX);
	if (config->vector >= first && config->vector < first + count)
		return REFUSE(port, HVK_EINVAL, "config.vector, %u, is one of the device vectors, %u to %u",
			      (uint32_t)config->vector, first, first + count - 1);
	return HVK_OK;
}

static hvk_status check_ranges(const struct hvk_port *port, const struct hvk_mmio_range *ranges,
			       const char *name)
{
	for (uint32_t i = 0; i < HVK_MMIO_RANGES; i++) {
		if (ranges[i].length > UINT64_MAX - ranges[i].base)
			return REFUSE(port, HVK_EINVAL, "config.%s[%u] is beyond the last address", name, i);
	}
	return HVK_OK;
}

static hvk_status check_config(const struct hvk_port *port, const struct hvk_config *config)
{
	if (config->cpus > HVK_CPUS_MAX)
		return REFUSE(port, HVK_EINVAL, "config.cpus is %u, not 1 to %u", config->cpus, HVK_CPUS_MAX);
	if (config->guest_os_id == HV_OS_ID_FIRMWARE)
		return REFUSE(port, HVK_EINVAL,
			      "config.guest_os_id is 0x%llx, which is firmware's: 0 for hvkit's, or your own",
			      (unsigned long long)config->guest_os_id);
	if ((uint32_t)config->log_level > HVK_LOG_DEBUG)
		return REFUSE(port, HVK_EINVAL, "config.log_level is %u, not 0 to %u (HVK_LOG_DEBUG)",
			      (uint32_t)config->log_level, (uint32_t)HVK_LOG_DEBUG);
	if (config->vector < HV_SINT_VECTOR_MIN && (config->vector != 0 || config->interrupts))
		return REFUSE(port, HVK_EINVAL, "config.vector is %u, not %u to 255%s",
			      (uint32_t)config->vector, HV_SINT_VECTOR_MIN,
			      config->interrupts ? ", as config.interrupts needs" : "");
	if (check_ranges(port, config->mmio_windows, "mmio_windows") != HVK_OK ||
	    check_ranges(port, config->mmio_reserved, "mmio_reserved") != HVK_OK)
		return HVK_EINVAL;
	return check_device_vectors(port, config);
}

/* One CPU needs locks too if its interrupts call hvk_interrupt. */
static hvk_status check_events(const struct hvk_port *port, const struct hvk_config *config)
{
	const char *missing = !port->lock_init ? "lock_init"
			      : !port->lock    ? "lock"
			      : !port->unlock  ? "unlock"
					       : NULL;
	bool several = config->cpus > 1;

	if (several && !port->cpu_index)
		return REFUSE(port, HVK_ELEVEL, "port.cpu_index is NULL: config.cpus above 1 needs it (L1)");
	if (missing && (several || config->interrupts))
		return REFUSE(port, HVK_ELEVEL, "port.%s is NULL: %s needs lock_init, lock and unlock (L1)",
			      missing, several ? "config.cpus above 1" : "config.interrupts");
	if (missing && (port->lock_init || port->lock || port->unlock))
		return REFUSE(port, HVK_EINVAL,
			      "port.%s is NULL: lock_init, lock and unlock, all or none (L1)", missing);
	return HVK_OK;
}

hvk_status hvk_check(const struct hvk_port *port, const struct hvk_config *config)
{
	hvk_status status = port ? check_version(port) : HVK_EINVAL;

	if (status == HVK_OK)
		status = check_polled(port);
	if (status == HVK_OK && !config)
		status = REFUSE(port, HVK_EINVAL, "no configuration: config is NULL");
	if (status == HVK_OK)
		status = check_config(port, config);
	return status == HVK_OK ? check_events(port, config) : status;
}
