/* SPDX-License-Identifier: MIT */
/* The monitor as a whole: making it, running it, ending it. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "vmm/acpi/acpi.h"
#include "vmm/loaders/loader.h"
#include "vmm/private.h"

static void init_synchronisation(struct vmm *vmm)
{
	pthread_condattr_t monotonic;

	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_mutex_init(&vmm->lock, NULL);
	(void)pthread_mutex_init(&vmm->devices_lock, NULL);
	(void)pthread_mutex_init(&vmm->end_lock, NULL);
	(void)pthread_cond_init(&vmm->end_condition, &monotonic);
	(void)pthread_cond_init(&vmm->begin_condition, NULL);
	(void)pthread_condattr_destroy(&monotonic);
}

static bool create_memory(struct vmm *vmm, char *error)
{
	if (!vmm_memory_create(&vmm->memory, vmm->config.memory)) {
		snprintf(error, VMM_ERROR_MAX, "the guest's %llu MiB of memory could not be had: %s",
			 (unsigned long long)(vmm->config.memory >> 20), strerror(errno));
		return false;
	}
	vmm_boot_write_tables(&vmm->memory);
	if (vmm->config.bios_stub)
		vmm_bios_write(&vmm->memory);
	vmm_acpi_write(&vmm->memory, vmm->config.cpus, vmm->config.generation);
	return vmm_kvm_add_memory(&vmm->kvm, &vmm->memory, error);
}

/* A boot program without interrupts of its own polls: HLT is then an exit that ends at once. */
static bool add_interrupts(struct vmm *vmm, char *error)
{
	return vmm->config.bios_stub ? vmm_kvm_place_pages(&vmm->kvm, error)
				     : vmm_kvm_add_interrupts(&vmm->kvm, error);
}

static bool create_cpus(struct vmm *vmm, char *error)
{
	for (uint32_t n = 0; n < vmm->config.cpus; n++) {
		if (!vmm_vcpu_create(vmm, n, error))
			return false;
	}
	return true;
}

static bool set_cpuid(struct vmm *vmm, bool cmpxchg16b, char *error)
{
	const struct vmm_cpuid_config config = {vmm->config.cpus, cmpxchg16b, vmm->partition};

	for (uint32_t n = 0; n < vmm->config.cpus; n++) {
		if (!vmm_cpuid_set(&vmm->kvm, vmm->vcpus[n].file, n, &config, error))
			return false;
	}
	return true;
}

struct vmm *vmm_create(const struct vmm_config *config, char *error)
{
	struct vmm *vmm = calloc(1, sizeof(*vmm));
	bool cmpxchg16b = false;

	if (!vmm) {
		snprintf(error, VMM_ERROR_MAX, "out of memory");
		return NULL;
	}
	vmm->config = *config;
	vmm->kvm = (struct vmm_kvm){-1, -1, 0};
	vmm->device_event = vmm->device_timer = -1;
	(void)vmm_usage_open(vmm);
	for (uint32_t n = 0; n < HVH_VPS_MAX; n++)
		vmm->vcpus[n].file = -1;
	init_synchronisation(vmm);
	vmm_serial_init(&vmm->serial);
	if (vmm_device_create(vmm, error) && vmm_probe_cmpxchg16b(&cmpxchg16b, error) &&
	    vmm_kvm_open(&vmm->kvm, error) && add_interrupts(vmm, error) &&
	    vmm_kvm_filter_registers(&vmm->kvm, error) && create_memory(vmm, error) &&
	    create_cpus(vmm, error) && vmm_clock_create(vmm, error) && vmm_hyperv_create(vmm, error) &&
	    set_cpuid(vmm, cmpxchg16b, error))
		return vmm;
	vmm_destroy(vmm);
	return NULL;
}

void vmm_destroy(struct vmm *vmm)
{
	if (vmm->partition)
		hvh_destroy(vmm->partition);
	for (uint32_t n = 0; n < vmm->config.cpus; n++)
		vmm_vcpu_destroy(&vmm->vcpus[n]);
	vmm_kvm_close(&vmm->kvm);
	vmm_device_destroy(vmm);
	vmm_memory_destroy(&vmm->memory);
	(void)pthread_cond_destroy(&vmm->end_condition);
	(void)pthread_cond_destroy(&vmm->begin_condition);
	(void)pthread_mutex_destroy(&vmm->lock);
	(void)pthread_mutex_destroy(&vmm->devices_lock);
	(void)pthread_mutex_destroy(&vmm->end_lock);
	if (vmm->maps >= 0)
		(void)close(vmm->maps);
	free(vmm);
}

bool vmm_load(struct vmm *vmm, const struct vmm_program *program, char *error)
{
	if (!vmm_loader_load(&vmm->memory, program, &vmm->start, error))
		return false;
	return vmm_boot_set_registers(vmm->vcpus[0].file, &vmm->start) ||
	       vmm_kvm_failed(error, "the registers of CPU 0");
}

/* --- Running ------------------------------------------------------------------------------- */

/* The first that is told counts. */
static void end(struct vmm *vmm, const struct vmm_result *result)
{
	(void)pthread_mutex_lock(&vmm->end_lock);
	if (vmm->result.end == VMM_RUNNING) {
		vmm->result = *result;
		atomic_store(&vmm->stopping, true);
		(void)pthread_cond_signal(&vmm->end_condition);
	}
	(void)pthread_mutex_unlock(&vmm->end_lock);
}

void vmm_end(struct vmm *vmm, enum vmm_end how, uint32_t vcpu, const char *format, ...)
{
	struct vmm_result result = {.end = how, .vcpu = vcpu};
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(result.text, sizeof(result.text), format, arguments);
	va_end(arguments);
	end(vmm, &result);
}

void vmm_end_with_status(struct vmm_vcpu *vcpu, uint8_t status)
{
	struct vmm_result result = {.end = VMM_EXITED, .status = status, .vcpu = vcpu->index};

	snprintf(result.text, sizeof(result.text), "vCPU %u: the guest ended with status %u", vcpu->index,
		 status);
	end(vcpu->vmm, &result);
}

void vmm_stop(struct vmm *vmm)
{
	vmm_end(vmm, VMM_STOPPED, 0, "stopped from outside");
}

static void wait_for_the_end(struct vmm *vmm, uint64_t limit_ms)
{
	struct timespec until;
	bool late = false;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(limit_ms / 1000);
	until.tv_nsec += (long)(limit_ms % 1000) * 1000000l;
	if (until.tv_nsec >= 1000000000l) {
		until.tv_nsec -= 1000000000l;
		until.tv_sec++;
	}
	(void)pthread_mutex_lock(&vmm->end_lock);
	while (vmm->result.end == VMM_RUNNING && !late) {
		if (limit_ms == 0)
			(void)pthread_cond_wait(&vmm->end_condition, &vmm->end_lock);
		else
			late = pthread_cond_timedwait(&vmm->end_condition, &vmm->end_lock, &until) ==
			       ETIMEDOUT;
	}
	(void)pthread_mutex_unlock(&vmm->end_lock);
	if (late)
		vmm_end(vmm, VMM_TIME_IS_UP, 0, "the guest has not ended within %llu.%03llu s",
			(unsigned long long)(limit_ms / 1000), (unsigned long long)(limit_ms % 1000));
}

void vmm_await_begin(struct vmm *vmm)
{
	(void)pthread_mutex_lock(&vmm->end_lock);
	while (!vmm->begun)
		(void)pthread_cond_wait(&vmm->begin_condition, &vmm->end_lock);
	(void)pthread_mutex_unlock(&vmm->end_lock);
}

static void begin(struct vmm *vmm)
{
	(void)pthread_mutex_lock(&vmm->end_lock);
	vmm->begun = true;
	(void)pthread_cond_broadcast(&vmm->begin_condition);
	(void)pthread_mutex_unlock(&vmm->end_lock);
}

/* All threads first: a confined process makes none. */
static bool start_threads(struct vmm *vmm)
{
	for (uint32_t n = 0; n < vmm->config.cpus; n++) {
		if (!vmm_vcpu_start(&vmm->vcpus[n]))
			return false;
	}
	return true;
}

static void stop_threads(struct vmm *vmm)
{
	for (uint32_t n = 0; n < vmm->config.cpus; n++) {
		vmm_vcpu_interrupt(&vmm->vcpus[n]);
		if (vmm->vcpus[n].started)
			(void)pthread_join(vmm->vcpus[n].thread, NULL);
		vmm->vcpus[n].started = false;
	}
}

void vmm_use_images(struct vmm *vmm)
{
	vmm->images = true;
}

void vmm_run(struct vmm *vmm, uint64_t limit_ms, struct vmm_result *result)
{
	bool device = vmm_device_start(vmm);
	char error[VMM_ERROR_MAX];

	if (!device || !start_threads(vmm))
		vmm_end(vmm, VMM_UNRUNNABLE, 0, "its threads could not be made: %s", strerror(errno));
	else if (!vmm_confine(vmm->config.confinement, vmm->images, error))
		vmm_end(vmm, VMM_UNRUNNABLE, 0, "%s", error);
	begin(vmm);
	wait_for_the_end(vmm, limit_ms);
	stop_threads(vmm);
	if (device)
		vmm_device_stop(vmm);
	*result = vmm->result;
}

/* --- Beside the guest ------------------------------------------------------------------------ */

struct hvh_partition *vmm_partition(struct vmm *vmm)
{
	return vmm->partition;
}

void vmm_lock(struct vmm *vmm)
{
	(void)pthread_mutex_lock(&vmm->lock);
}

void vmm_unlock(struct vmm *vmm)
{
	bool wake = vmm->wakes_device;

	vmm->wakes_device = false;
	(void)pthread_mutex_unlock(&vmm->lock);
	if (wake)
		vmm_device_wake(vmm);
}

void vmm_trace(struct vmm *vmm, bool on)
{
	vmm->trace_off = !on;
}

void vmm_add_world(struct vmm *vmm, bool (*run)(void *context, uint64_t now),
		   uint64_t (*next_event)(void *context), void *context)
{
	if (vmm->world_count == VMM_WORLDS_MAX)
		abort(); /* the caller's bug */
	vmm->worlds[vmm->world_count++] = (struct vmm_world){run, next_event, context};
}
