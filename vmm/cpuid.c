/* SPDX-License-Identifier: MIT */
/* What CPUID says: the processor as KVM can show it, the model's hypervisor leaves in place of
 * KVM's, and the topology of one socket with a core for each vCPU. */
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "hvkit/wire/hypervisor.h"
#include "vmm/private.h"

#define ENTRIES_MAX 256u
#define LEAF_CLASS_MASK 0xf0000000u
#define HYPERVISOR_CLASS 0x40000000u
#define HYPERVISOR_LAST 0x4000000cu
/* Leaves of the virtualization stack, which Linux 6.1 reads whatever the highest leaf is. */
#define STACK_FIRST 0x40000080u
#define STACK_LAST 0x40000082u

#define LEAF1_ECX_VMX (1u << 5)
#define LEAF1_ECX_CX16 (1u << 13)
#define LEAF1_EDX_HTT (1u << 28)
#define LEAF80000001_ECX_CMP_LEGACY (1u << 1)
#define LEAF80000001_ECX_SVM (1u << 2)
#define LEAF80000001_ECX_TOPOLOGY (1u << 22)

struct leaves {
	struct kvm_cpuid2 header;
	struct kvm_cpuid_entry2 entries[ENTRIES_MAX];
};

static uint32_t bits_for(uint32_t count)
{
	uint32_t bits = 0;

	while (1u << bits < count)
		bits++;
	return bits;
}

static void leaf1(struct kvm_cpuid_entry2 *entry, uint32_t index, const struct vmm_cpuid_config *config)
{
	uint32_t model[4];

	hvh_cpuid(config->partition, HV_CPUID_PROCESSOR_INFO, model);
	entry->ebx = (entry->ebx & 0x0000ffffu) | config->cpus << 16 | index << 24;
	entry->ecx = (entry->ecx | model[2]) & ~LEAF1_ECX_VMX;
	if (!config->cmpxchg16b)
		entry->ecx &= ~LEAF1_ECX_CX16;
	entry->edx = config->cpus > 1 ? entry->edx | LEAF1_EDX_HTT : entry->edx & ~LEAF1_EDX_HTT;
}

/* Leaf 4: caches; the first level is the core's own, others are shared by all. */
static void caches(struct kvm_cpuid_entry2 *entry, uint32_t cpus)
{
	uint32_t level = entry->eax >> 5 & 7u, sharing = level >= 3 ? cpus : 1;

	if ((entry->eax & 0x1fu) == 0)
		return;
	entry->eax = (entry->eax & 0x3fffu) | (sharing - 1) << 14 | ((1u << bits_for(cpus)) - 1) << 26;
}

/* Leaves 0xB and 0x1F: level 0 threads, level 1 cores. */
static void topology(struct kvm_cpuid_entry2 *entry, uint32_t index, uint32_t cpus)
{
	uint32_t level = entry->index;

	entry->eax = level == 1 ? bits_for(cpus) : 0;
	entry->ebx = level == 0 ? 1 : level == 1 ? cpus : 0;
	entry->ecx = level | (level == 0 ? 1u << 8 : level == 1 ? 2u << 8 : 0);
	entry->edx = index;
}

static void amend(struct kvm_cpuid_entry2 *entry, uint32_t index, const struct vmm_cpuid_config *config)
{
	switch (entry->function) {
	case 0x1:
		leaf1(entry, index, config);
		break;
	case 0x4:
		caches(entry, config->cpus);
		break;
	case 0x6: /* no power management: guests of Hyper-V are not told that the APIC timer never stops, and
		   * Linux that is keeps this timer for broadcasts, and so from taking over another's work */
	case 0xa: /* no performance counters */
		entry->eax = entry->ebx = entry->ecx = entry->edx = 0;
		break;
	case 0xb:
	case 0x1f:
		topology(entry, index, config->cpus);
		break;
	case 0x80000001u:
		entry->ecx &= ~(LEAF80000001_ECX_SVM | LEAF80000001_ECX_TOPOLOGY);
		if (config->cpus > 1)
			entry->ecx |= LEAF80000001_ECX_CMP_LEGACY;
		break;
	case 0x80000008u:
		entry->ecx = bits_for(config->cpus) << 12 | (config->cpus - 1);
		break;
	case 0x8000001eu:
		entry->eax = index;
		entry->ebx = index;
		entry->ecx = 0;
		break;
	default:
		break;
	}
}

static bool add(struct leaves *leaves, const struct kvm_cpuid_entry2 *entry)
{
	if (leaves->header.nent == ENTRIES_MAX)
		return false;
	leaves->entries[leaves->header.nent++] = *entry;
	return true;
}

static bool add_topology(struct leaves *leaves, uint32_t index, uint32_t cpus)
{
	bool room = true;

	for (uint32_t level = 0; level < 3; level++) {
		struct kvm_cpuid_entry2 entry = {
			.function = 0xb, .index = level, .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX};

		topology(&entry, index, cpus);
		room = add(leaves, &entry) && room;
	}
	return room;
}

static bool add_hypervisor(struct leaves *leaves, struct hvh_partition *partition)
{
	bool room = true;

	for (uint32_t leaf = HYPERVISOR_CLASS; leaf <= STACK_LAST; leaf++) {
		struct kvm_cpuid_entry2 entry = {.function = leaf};
		uint32_t out[4];

		if (leaf == HYPERVISOR_LAST + 1)
			leaf = entry.function = STACK_FIRST;
		hvh_cpuid(partition, leaf, out);
		entry.eax = out[0];
		entry.ebx = out[1];
		entry.ecx = out[2];
		entry.edx = out[3];
		room = add(leaves, &entry) && room;
	}
	return room;
}

static bool build(const struct leaves *supported, struct leaves *leaves, uint32_t index,
		  const struct vmm_cpuid_config *config)
{
	uint32_t highest = 0;

	for (uint32_t n = 0; n < supported->header.nent; n++) {
		struct kvm_cpuid_entry2 entry = supported->entries[n];

		if ((entry.function & LEAF_CLASS_MASK) == HYPERVISOR_CLASS || entry.function == 0xb)
			continue;
		if (entry.function == 0)
			highest = entry.eax;
		amend(&entry, index, config);
		if (!add(leaves, &entry))
			return false;
	}
	/* KVM shows level 0 of it alone on some processors: all of it comes from us. */
	if (highest >= 0xb && !add_topology(leaves, index, config->cpus))
		return false;
	return add_hypervisor(leaves, config->partition);
}

bool vmm_cpuid_set(const struct vmm_kvm *kvm, int vcpu, uint32_t index, const struct vmm_cpuid_config *config,
		   char *error)
{
	struct leaves *supported = calloc(2, sizeof(*supported)), *leaves = supported + 1;
	bool right = supported != NULL;

	errno = ENOMEM;
	if (right) {
		supported->header.nent = ENTRIES_MAX;
		right = ioctl(kvm->device, KVM_GET_SUPPORTED_CPUID, supported) == 0 &&
			build(supported, leaves, index, config) && ioctl(vcpu, KVM_SET_CPUID2, leaves) == 0;
	}
	free(supported);
	return right || vmm_kvm_failed(error, "CPUID");
}
