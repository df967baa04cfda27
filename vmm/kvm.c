/* SPDX-License-Identifier: MIT */
/* /dev/kvm: what is needed of it, and the machine without its CPUs. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vmm/private.h"

#define WITHOUT_KVM "--accel hosted needs no KVM"

/* Pages that Intel's KVM wants for itself, in the hole. */
#define IDENTITY_MAP_GPA 0xfffbc000ull
#define TASK_STATE_GPA 0xfffbd000ul

#define SYNTHETIC_MSR_FIRST 0x40000000u
#define SYNTHETIC_MSRS 0x200u
/* KVM's clock and its like (Linux, Documentation/virt/kvm/x86/msr.rst), which it serves whatever CPUID
 * says; the first two are their numbers of old. */
#define KVM_MSR_OLD_FIRST 0x11u
#define KVM_MSRS_OLD 2u
#define KVM_MSR_FIRST 0x4b564d00u
#define KVM_MSRS 0x100u

static const struct {
	int capability;
	const char *name, *purpose;
} needed[] = {
	{KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY", "guest memory"},
	{KVM_CAP_IRQCHIP, "KVM_CAP_IRQCHIP", "local APICs"},
	{KVM_CAP_EXT_CPUID, "KVM_CAP_EXT_CPUID", "CPUID leaves of our own"},
	{KVM_CAP_SIGNAL_MSI, "KVM_CAP_SIGNAL_MSI", "interrupts of the SynIC"},
	{KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT", "stopping in order"},
	{KVM_CAP_GET_TSC_KHZ, "KVM_CAP_GET_TSC_KHZ", "the reference TSC page"},
	{KVM_CAP_VCPU_EVENTS, "KVM_CAP_VCPU_EVENTS", "exceptions of hypercalls"},
	{KVM_CAP_X86_USER_SPACE_MSR, "KVM_CAP_X86_USER_SPACE_MSR (Linux 5.10)", "synthetic registers"},
	{KVM_CAP_X86_MSR_FILTER, "KVM_CAP_X86_MSR_FILTER (Linux 5.10)", "synthetic registers"},
};

bool vmm_kvm_failed(char *error, const char *what)
{
	snprintf(error, VMM_ERROR_MAX, "KVM: %s: %s", what, strerror(errno));
	return false;
}

static bool open_device(struct vmm_kvm *kvm, char *error)
{
	kvm->device = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm->device >= 0)
		return true;
	if (errno == ENOENT)
		snprintf(error, VMM_ERROR_MAX,
			 "there is no /dev/kvm: switch virtualization on and load kvm_intel or kvm_amd; %s",
			 WITHOUT_KVM);
	else if (errno == EACCES || errno == EPERM)
		snprintf(error, VMM_ERROR_MAX,
			 "/dev/kvm may not be opened: join the group that owns it (adduser USER kvm); %s",
			 WITHOUT_KVM);
	else
		snprintf(error, VMM_ERROR_MAX, "/dev/kvm: %s; %s", strerror(errno), WITHOUT_KVM);
	return false;
}

static bool look_for_what_is_needed(const struct vmm_kvm *kvm, char *error)
{
	int version = ioctl(kvm->device, KVM_GET_API_VERSION, 0);

	if (version != KVM_API_VERSION) {
		snprintf(error, VMM_ERROR_MAX, "/dev/kvm speaks version %d, not %d; %s", version,
			 KVM_API_VERSION, WITHOUT_KVM);
		return false;
	}
	for (size_t n = 0; n < sizeof(needed) / sizeof(needed[0]); n++) {
		if (ioctl(kvm->device, KVM_CHECK_EXTENSION, needed[n].capability) <= 0) {
			snprintf(error, VMM_ERROR_MAX, "this KVM lacks %s, for %s; %s", needed[n].name,
				 needed[n].purpose, WITHOUT_KVM);
			return false;
		}
	}
	return true;
}

bool vmm_kvm_open(struct vmm_kvm *kvm, char *error)
{
	int size;

	*kvm = (struct vmm_kvm){-1, -1, 0};
	if (!open_device(kvm, error) || !look_for_what_is_needed(kvm, error))
		return false;
	size = ioctl(kvm->device, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (size < (int)sizeof(struct kvm_run))
		return vmm_kvm_failed(error, "KVM_GET_VCPU_MMAP_SIZE");
	kvm->run_size = (size_t)size;
	kvm->vm = ioctl(kvm->device, KVM_CREATE_VM, 0);
	return kvm->vm >= 0 || vmm_kvm_failed(error, "no virtual machine can be made");
}

void vmm_kvm_close(struct vmm_kvm *kvm)
{
	if (kvm->vm >= 0)
		(void)close(kvm->vm);
	if (kvm->device >= 0)
		(void)close(kvm->device);
	*kvm = (struct vmm_kvm){-1, -1, 0};
}

bool vmm_kvm_place_pages(const struct vmm_kvm *kvm, char *error)
{
	uint64_t identity_map = IDENTITY_MAP_GPA;

	if (ioctl(kvm->vm, KVM_SET_IDENTITY_MAP_ADDR, &identity_map) < 0)
		return vmm_kvm_failed(error, "KVM_SET_IDENTITY_MAP_ADDR");
	if (ioctl(kvm->vm, KVM_SET_TSS_ADDR, TASK_STATE_GPA) < 0)
		return vmm_kvm_failed(error, "KVM_SET_TSS_ADDR");
	return true;
}

bool vmm_kvm_add_interrupts(const struct vmm_kvm *kvm, char *error)
{
	if (!vmm_kvm_place_pages(kvm, error))
		return false;
	return ioctl(kvm->vm, KVM_CREATE_IRQCHIP, 0) == 0 || vmm_kvm_failed(error, "KVM_CREATE_IRQCHIP");
}

static struct kvm_msr_filter_range denied_range(uint32_t first, uint32_t count, uint8_t *bitmap)
{
	return (struct kvm_msr_filter_range){
		.flags = KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE,
		.nmsrs = count,
		.base = first,
		.bitmap = bitmap,
	};
}

/* All synthetic registers come to us, also where KVM knows Hyper-V itself; and so do KVM's own, which no
 * Hyper-V has. */
bool vmm_kvm_filter_registers(const struct vmm_kvm *kvm, char *error)
{
	uint8_t denied[SYNTHETIC_MSRS / 8] = {0}; /* a bit each: none is allowed */
	struct kvm_enable_cap exits = {
		.cap = KVM_CAP_X86_USER_SPACE_MSR,
		.args = {KVM_MSR_EXIT_REASON_FILTER | KVM_MSR_EXIT_REASON_UNKNOWN |
			 KVM_MSR_EXIT_REASON_INVAL},
	};
	struct kvm_msr_filter filter = {
		.flags = KVM_MSR_FILTER_DEFAULT_ALLOW,
		.ranges = {denied_range(SYNTHETIC_MSR_FIRST, SYNTHETIC_MSRS, denied),
			   denied_range(KVM_MSR_FIRST, KVM_MSRS, denied),
			   denied_range(KVM_MSR_OLD_FIRST, KVM_MSRS_OLD, denied)},
	};

	if (ioctl(kvm->vm, KVM_ENABLE_CAP, &exits) < 0)
		return vmm_kvm_failed(error, "KVM_CAP_X86_USER_SPACE_MSR");
	if (ioctl(kvm->vm, KVM_X86_SET_MSR_FILTER, &filter) < 0)
		return vmm_kvm_failed(error, "KVM_X86_SET_MSR_FILTER");
	return true;
}

static bool add_slot(const struct vmm_kvm *kvm, uint32_t slot, uint64_t gpa, uint8_t *base, uint64_t size)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uint64_t)(uintptr_t)base,
	};

	return size == 0 || ioctl(kvm->vm, KVM_SET_USER_MEMORY_REGION, &region) == 0;
}

bool vmm_kvm_add_memory(const struct vmm_kvm *kvm, const struct vmm_memory *memory, char *error)
{
	if (add_slot(kvm, 0, 0, memory->base, memory->low) &&
	    add_slot(kvm, 1, VMM_HOLE_END, memory->base + memory->low, memory->high))
		return true;
	return vmm_kvm_failed(error, "the guest's memory");
}
