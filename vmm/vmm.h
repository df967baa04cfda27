/* SPDX-License-Identifier: MIT */
/*
 * The monitor: the host model behind virtual CPUs of KVM. It asks of KVM vCPUs, a local
 * APIC, exits for model-specific registers and for ports, and nothing of KVM's own Hyper-V.
 * docs/vmm.md describes the machine.
 *
 * One thread for each vCPU and one for the host model's own work; one lock around the
 * partition. Functions may be called from any thread but vmm_create, _load, _run and _destroy,
 * which are the owner's, one after another.
 */
#ifndef VMM_VMM_H
#define VMM_VMM_H

#include <stdio.h>

#include "hvkit_host/host.h"
#include "vmm/counters.h"

#define VMM_ERROR_MAX 320u
#define VMM_MEMORY_DEFAULT (256ull << 20)
#define VMM_MEMORY_MIN (16ull << 20)
#define VMM_MEMORY_MAX (32ull << 30)

struct vmm;

/* What vmm_run takes from the process, for good, before the guest's first instruction: all that a
 * running monitor does not need (sandbox.c). No thread can be made afterwards. */
enum vmm_confinement {
	VMM_UNCONFINED,
	VMM_CONFINED,
	/* For user-mode networking: it may still open files to read them, and sockets of IPv4 and IPv6. */
	VMM_CONFINED_TO_READING
};

struct vmm_config {
	uint32_t cpus;                     /* 1 to HVH_VPS_MAX */
	uint64_t memory;                   /* bytes, whole MiB */
	bool bios_stub;                    /* 16-bit programs: a little of a BIOS, no interrupts, one CPU */
	uint32_t generation;               /* 1 or 2: where ACPI has the VMBus and its windows */
	const struct hvh_profile *profile; /* copied */
	uint64_t seed;
	FILE *trace; /* pcapng, or NULL; stays the caller's */
	/* What the guest writes to its serial port. A vCPU's thread. */
	void (*serial)(void *context, const char *text, size_t length);
	/* The guest wrote that byte to the port for marks: keep what was counted so far. The same
	 * thread. NULL: nobody cares. */
	void (*mark)(void *context, uint8_t value);
	void *context;
	enum vmm_confinement confinement;
};

/* NULL with a line in error (of VMM_ERROR_MAX bytes): what is missing, and what to do. */
struct vmm *vmm_create(const struct vmm_config *config, char *error);
void vmm_destroy(struct vmm *vmm);

/* --- What runs in it ------------------------------------------------------------------ */

enum vmm_entry {
	VMM_ENTRY_ANY,  /* as the file has it: PVH before the 64-bit entry */
	VMM_ENTRY_PVH,  /* by its note, 32-bit */
	VMM_ENTRY_ELF64 /* e_entry in long mode, Linux's zero page in RSI */
};

struct vmm_program {
	const char *kernel; /* an ELF file or a bzImage */
	const char *initrd; /* or NULL */
	const char *command_line;
	enum vmm_entry entry;
	bool bios_stub; /* a bzImage by its 16-bit entry, as vmm_config has it */
};

/* The files are read as untrusted, and locked while they are. */
bool vmm_load(struct vmm *vmm, const struct vmm_program *program, char *error);

/* --- Running ---------------------------------------------------------------------------- */

enum vmm_end {
	VMM_RUNNING,
	VMM_EXITED,       /* by the debug exit: status */
	VMM_POWERED_OFF,  /* ACPI S5 */
	VMM_RESET,        /* asked for a reset */
	VMM_STOPPED,      /* vmm_stop */
	VMM_TIME_IS_UP,   /* limit_ms passed */
	VMM_TRIPLE_FAULT, /* the guest crashed its processor */
	VMM_UNRUNNABLE    /* KVM cannot run what the guest does */
};

struct vmm_result {
	enum vmm_end end;
	uint8_t status;
	uint32_t vcpu;  /* that brought it about */
	char text[160]; /* for people: "vCPU 0: triple fault" */
};

/* Runs until the guest has ended or limit_ms passed (0: no limit). */
void vmm_run(struct vmm *vmm, uint64_t limit_ms, struct vmm_result *result);
void vmm_stop(struct vmm *vmm);
/* Confined, files that are open may be written anywhere, resized, and have holes. Before vmm_run. */
void vmm_use_images(struct vmm *vmm);
/* Registers of all vCPUs, the bytes at their instruction pointers, the last hypercalls. After
 * vmm_run. */
void vmm_report(struct vmm *vmm, FILE *file);

/* Bytes for the guest's serial port; returns how many it had room for. */
size_t vmm_serial_input(struct vmm *vmm, const char *bytes, size_t count);

/* --- Beside the guest ------------------------------------------------------------------- */

struct hvh_partition *vmm_partition(struct vmm *vmm);
void vmm_lock(struct vmm *vmm);
void vmm_unlock(struct vmm *vmm);
uint64_t vmm_now(struct vmm *vmm); /* the guest's reference time, 100 ns */
void vmm_kick(struct vmm *vmm);    /* something is due that was not before; under the lock */
void vmm_trace(struct vmm *vmm, bool on);
/* Work of the outside world, as hosted_add_world. Before vmm_run. */
void vmm_add_world(struct vmm *vmm, bool (*run)(void *context, uint64_t now),
		   uint64_t (*next_event)(void *context), void *context);

/* At any time; each number is whole, but they are not all of one moment. */
void vmm_get_counters(struct vmm *vmm, struct vmm_counters *out);
/* False: the kernel does not say. */
bool vmm_get_usage(struct vmm *vmm, struct vmm_usage *out);

/* --- What this machine's KVM is ------------------------------------------------------------ */

/* Below this many instructions a second KVM interprets, and Linux takes hours. */
#define VMM_SLOW 20000000ull

struct vmm_probe {
	uint64_t instructions_per_second;
	bool cmpxchg16b; /* works; some KVMs cannot emulate it */
};
/* Runs a guest of a few instructions. False with a line in error. */
bool vmm_probe(struct vmm_probe *probe, char *error);
/* False if this program was built without iasl: ACPI then has no devices, and no guest that
 * looks for VMBus there finds it. */
bool vmm_has_dsdt(void);

#endif
