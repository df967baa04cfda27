/* SPDX-License-Identifier: MIT */
/* What the files of vmm/ share. */
#ifndef VMM_PRIVATE_H
#define VMM_PRIVATE_H

#include <linux/kvm.h>
#include <pthread.h>
#include <stdatomic.h>

#include "vmm/memory.h"
#include "vmm/serial.h"
#include "vmm/vmm.h"

#define VMM_WORLDS_MAX 8u
#define VMM_HISTORY 16u /* hypercalls that the report shows */

#define VMM_SERIAL_IRQ 4u
#define VMM_SCI_IRQ 9u

/* --- KVM ---------------------------------------------------------------------------------- */

struct vmm_kvm {
	int device, vm;
	size_t run_size; /* of what a vCPU shares with us */
};
/* Opens /dev/kvm, looks for all that is needed and makes a machine. */
bool vmm_kvm_open(struct vmm_kvm *kvm, char *error);
void vmm_kvm_close(struct vmm_kvm *kvm);
/* Local APICs, I/O APIC and the exits for registers. */
bool vmm_kvm_add_interrupts(const struct vmm_kvm *kvm, char *error);
/* Pages that KVM wants for itself; with interrupts it has them. */
bool vmm_kvm_place_pages(const struct vmm_kvm *kvm, char *error);
bool vmm_kvm_filter_registers(const struct vmm_kvm *kvm, char *error);
bool vmm_kvm_add_memory(const struct vmm_kvm *kvm, const struct vmm_memory *memory, char *error);
/* Writes "what: reason" and returns false. */
bool vmm_kvm_failed(char *error, const char *what);

/* --- Virtual CPUs -------------------------------------------------------------------------- */

/* How CPU 0 begins. */
enum vmm_mode { VMM_PROTECTED_MODE, VMM_LONG_MODE, VMM_REAL_MODE };
struct vmm_start {
	enum vmm_mode mode;
	uint64_t entry;
	uint64_t argument; /* EBX in protected mode, RSI in long mode, DS and its like in real mode */
};

struct vmm_vcpu {
	struct vmm *vmm;
	uint32_t index;
	int file;
	struct kvm_run *run;
	pthread_t thread;
	bool started;
	struct vmm_counters counters; /* its own; summed up by vmm_get_counters */
	uint32_t auto_eoi;            /* SINTs that ask for it, a bit each; under vmm's lock */
};

bool vmm_vcpu_create(struct vmm *vmm, uint32_t index, char *error);
void vmm_vcpu_destroy(struct vmm_vcpu *vcpu);
/* boot.c: descriptor table, page tables and registers. */
void vmm_boot_write_tables(struct vmm_memory *memory);
bool vmm_boot_set_registers(int vcpu, const struct vmm_start *start);
bool vmm_vcpu_start(struct vmm_vcpu *vcpu);
void vmm_vcpu_interrupt(struct vmm_vcpu *vcpu); /* makes KVM_RUN return */
/* Waits until vCPUs may run. */
void vmm_await_begin(struct vmm *vmm);
/* exits.c: false if this vCPU runs no more. */
bool vmm_exit_handle(struct vmm_vcpu *vcpu);

struct vmm_cpuid_config {
	uint32_t cpus;
	bool cmpxchg16b;
	struct hvh_partition *partition;
};
bool vmm_cpuid_set(const struct vmm_kvm *kvm, int vcpu, uint32_t index, const struct vmm_cpuid_config *config,
		   char *error);

/* --- The machine ------------------------------------------------------------------------------ */

struct vmm_hypercall {
	uint64_t time, control, input, output, result;
	uint32_t vcpu;
	bool valid;
};

struct vmm_world {
	bool (*run)(void *context, uint64_t now);
	uint64_t (*next_event)(void *context);
	void *context;
};

/* Guest time is its TSC, counted as its reference TSC page has it. */
struct vmm_clock {
	uint64_t tsc_hz, scale;
	uint64_t delta; /* host's TSC less the guest's */
	int64_t offset; /* 100 ns */
};

struct vmm {
	struct vmm_config config;
	struct vmm_kvm kvm;
	struct vmm_memory memory;
	struct vmm_clock clock;
	struct vmm_start start;
	struct vmm_vcpu vcpus[HVH_VPS_MAX];
	struct hvh_partition *partition;

	/* Under lock: the partition, the worlds, and these. */
	pthread_mutex_t lock;
	bool kicked, resting, wakes_device, device_stop, trace_off, sets_timer;
	uint64_t rests_until;         /* 100 ns, while resting */
	struct vmm_counters counters; /* what is not a vCPU's; the devices' thread's, and under lock */
	struct vmm_world worlds[VMM_WORLDS_MAX];
	uint32_t world_count;
	struct vmm_hypercall history[VMM_HISTORY];
	uint64_t history_count;
	pthread_t device_thread;
	int device_event, device_timer; /* what its rest ends with: a kick, or the time that it planned */

	/* Under devices_lock: what is behind ports. */
	pthread_mutex_t devices_lock;
	struct vmm_serial serial;
	uint8_t cmos_index;
	uint16_t pm1_status, pm1_enable, pm1_control;

	/* How it ends. */
	pthread_mutex_t end_lock;
	pthread_cond_t end_condition, begin_condition;
	struct vmm_result result; /* under end_lock */
	bool begun;               /* vCPUs may run; under end_lock */
	_Atomic bool stopping;

	bool images; /* open files are images: may be written anywhere */
	int maps;    /* /proc/self/smaps, opened before the confinement */
};

/* The first that is told counts. */
void vmm_end(struct vmm *vmm, enum vmm_end end, uint32_t vcpu, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

void vmm_end_with_status(struct vmm_vcpu *vcpu, uint8_t status);

bool vmm_clock_create(struct vmm *vmm, char *error);

/* hyperv.c */
#define VMM_HYPERCALL_PORT 0xe6u
bool vmm_hyperv_create(struct vmm *vmm, char *error);
void vmm_hyperv_hypercall(struct vmm_vcpu *vcpu);
/* False: #GP. */
bool vmm_hyperv_read(struct vmm_vcpu *vcpu, uint32_t index, uint64_t *value);
bool vmm_hyperv_write(struct vmm_vcpu *vcpu, uint32_t index, uint64_t value);
/* Memory of devices behind vPCI. */
uint64_t vmm_hyperv_mmio_read(struct vmm_vcpu *vcpu, uint64_t gpa, uint32_t width);
void vmm_hyperv_mmio_write(struct vmm_vcpu *vcpu, uint64_t gpa, uint32_t width, uint64_t value);

/* device_thread.c */
bool vmm_device_create(struct vmm *vmm, char *error);
void vmm_device_destroy(struct vmm *vmm);
bool vmm_device_start(struct vmm *vmm);
void vmm_device_stop(struct vmm *vmm);
/* After a vCPU changed the partition, under the lock: is something due sooner than planned? */
void vmm_device_look(struct vmm *vmm);
/* After vmm_unlock, if vmm_kick was called under the lock. */
void vmm_device_wake(struct vmm *vmm);

/* ports.c: value has size bytes (1, 2 or 4). */
void vmm_port_write(struct vmm_vcpu *vcpu, uint16_t port, uint32_t size, uint32_t value);
uint32_t vmm_port_read(struct vmm_vcpu *vcpu, uint16_t port, uint32_t size);
#define VMM_PM1_EVENT_PORT 0x600u
#define VMM_PM1_CONTROL_PORT 0x604u
#define VMM_RESET_PORT 0xcf9u
#define VMM_RESET_VALUE 0x06u
#define VMM_SLEEP_TYPE_OFF 5u /* \_S5 in the DSDTs */

/* sandbox.c: false with a line in error. */
bool vmm_confine(enum vmm_confinement confinement, bool images, char *error);

/* probe.c: do guests with that instruction run? False with a line in error. */
bool vmm_probe_cmpxchg16b(bool *works, char *error);

/* bios.c */
#define VMM_BIOS_PORT 0xe7u
void vmm_bios_write(struct vmm_memory *memory);
void vmm_bios_call(struct vmm_vcpu *vcpu);

/* counters.c */
bool vmm_is_synthetic(uint32_t index);
enum vmm_register vmm_register_of(uint32_t index);
enum vmm_call vmm_call_of(uint64_t control);
bool vmm_usage_open(struct vmm *vmm);

/* cmos.c */
uint8_t vmm_cmos_read(uint8_t index);

#endif
