/* SPDX-License-Identifier: MIT */
/* Synthetic registers as the TLFS has them; where KVM, OpenVMM or QEMU are more
 * lenient the TLFS wins (docs/hosts.md). */
#include <stdlib.h>

#include "host/core/state.h"
#include "host/hypervisor/hypervisor.h"

#define SVERSION 1ull

static void reset_vp(struct hvh_partition *partition, struct hvh_vp *vp)
{
	if (partition->deterministic) {
		vp->simp.value = hvh_random(partition) & HV_PAGE_RESERVED_MASK;
		vp->siefp.value = hvh_random(partition) & HV_PAGE_RESERVED_MASK;
		vp->scontrol = hvh_random(partition) & ~HV_SCONTROL_ENABLE;
	}
	for (uint32_t n = 0; n < HV_SINT_COUNT; n++) {
		vp->sints[n].value = HV_SINT_RESET;
		if (partition->deterministic)
			vp->sints[n].value |= hvh_random(partition) & ~HV_SINT_DEFINED_MASK;
		vp->sints[n].flag_due = HVH_NEVER;
		vp->sints[n].redeliver_at = HVH_NEVER;
		vp->sints[n].look_at = HVH_NEVER;
		vp->sints[n].empty_since = HVH_NEVER;
	}
	for (uint32_t n = 0; n < HV_STIMER_COUNT; n++)
		vp->timers[n].due = HVH_NEVER;
}

/* In deterministic mode reserved bits are not zero at reset: only so does a guest that
 * clears them show. */
bool hvh_hypervisor_init(struct hvh_partition *partition)
{
	struct hvh_hypervisor *hypervisor = partition->hypervisor;

	hypervisor->vps = calloc(partition->vps, sizeof(*hypervisor->vps));
	if (hypervisor->vps == NULL)
		return false;
	for (uint32_t n = 0; n < partition->vps; n++)
		reset_vp(partition, &hypervisor->vps[n]);
	if (partition->deterministic) {
		hypervisor->hypercall.value = hvh_random(partition) & HV_HYPERCALL_RESERVED_MASK;
		hypervisor->reference_tsc.value = hvh_random(partition) & HV_PAGE_RESERVED_MASK;
	}
	hvh_overlay_hypercall(&hypervisor->hypercall.overlay, NULL, 0);
	return true;
}

void hvh_hypervisor_free(struct hvh_partition *partition)
{
	for (uint32_t n = 0; partition->hypervisor->vps != NULL && n < partition->vps; n++) {
		for (uint32_t sint = 0; sint < HV_SINT_COUNT; sint++)
			free(partition->hypervisor->vps[n].sints[sint].queue);
	}
	free(partition->hypervisor->vps);
}

bool hvh_register_fault(struct hvh_partition *partition, uint32_t vp, uint32_t msr, uint64_t value,
			const char *what)
{
	hvh_violate(partition, HVH_V_MSR, partition->now, vp, 0, &value, sizeof(value), "register %#x: %s",
		    msr, what);
	return false;
}

static void trace_msr(struct hvh_partition *partition, enum hvh_trace_kind kind, uint32_t vp, uint32_t msr,
		      uint64_t value)
{
	struct {
		uint32_t msr, zero;
		uint64_t value;
	} body = {msr, 0, value};

	hvh_trace_emit(partition, &(struct hvh_trace_record){
					  .time = partition->now,
					  .kind = kind,
					  .vp = vp,
					  .bytes = &body,
					  .byte_count = sizeof(body),
				  });
}

static bool read_vp(const struct hvh_vp *vp, uint32_t msr, uint64_t *value)
{
	if (msr >= HV_MSR_SINT0 && msr < HV_MSR_SINT0 + HV_SINT_COUNT) {
		*value = vp->sints[msr - HV_MSR_SINT0].value;
		return true;
	}
	switch (msr) {
	case HV_MSR_VP_ASSIST_PAGE:
		*value = vp->assist_page;
		return true;
	case HV_MSR_SCONTROL:
		*value = vp->scontrol;
		return true;
	case HV_MSR_SVERSION:
		*value = SVERSION;
		return true;
	case HV_MSR_SIEFP:
		*value = vp->siefp.value;
		return true;
	case HV_MSR_SIMP:
		*value = vp->simp.value;
		return true;
	case HV_MSR_EOM:
		*value = 0;
		return true;
	default:
		return false;
	}
}

/* These exist only where their feature bit says so. */
static bool read_clock(struct hvh_partition *partition, uint32_t msr, uint64_t *value)
{
	struct hvh_hypervisor *hypervisor = partition->hypervisor;

	if (msr == HV_MSR_REFERENCE_COUNTER) {
		if (partition->now > hypervisor->counter_read)
			hypervisor->counter_read = partition->now;
		*value = hypervisor->counter_read;
		return true;
	}
	if (msr == HV_MSR_REFERENCE_TSC) {
		*value = hypervisor->reference_tsc.value;
		return hvh_reference_tsc_present(partition);
	}
	if (partition->tsc_hz == 0)
		return false;
	switch (msr) {
	case HV_MSR_TSC_FREQUENCY:
		*value = partition->tsc_hz;
		return true;
	case HV_MSR_APIC_FREQUENCY:
		*value = partition->apic_hz;
		return true;
	default:
		return false;
	}
}

static bool read_register(struct hvh_partition *partition, uint32_t vp, uint32_t msr, uint64_t *value)
{
	if (hvh_timer_register(msr))
		return hvh_timer_read(partition, vp, msr, value);
	if (hvh_crash_register(msr)) {
		*value = hvh_crash_read(partition, msr);
		return true;
	}
	switch (msr) {
	case HV_MSR_GUEST_OS_ID:
		*value = partition->hypervisor->os_id;
		return true;
	case HV_MSR_HYPERCALL:
		*value = partition->hypervisor->hypercall.value;
		return true;
	case HV_MSR_VP_INDEX:
		*value = vp;
		return true;
	default:
		return read_vp(&partition->hypervisor->vps[vp], msr, value) ||
		       read_clock(partition, msr, value);
	}
}

bool hvh_msr_read(struct hvh_partition *partition, uint64_t now, uint32_t vp, uint32_t msr, uint64_t *value)
{
	hvh_clock(partition, now);
	*value = 0;
	if (vp >= partition->vps || partition->ended)
		return false;
	partition->counters.msr_reads++;
	if (!read_register(partition, vp, msr, value))
		return hvh_register_fault(partition, vp, msr, 0, "read of a register that does not exist");
	/* A guest that polls the clock would drown everything else. */
	if (msr != HV_MSR_REFERENCE_COUNTER)
		trace_msr(partition, HVH_TRACE_MSR_READ, vp, msr, *value);
	return true;
}

static bool write_os_id(struct hvh_partition *partition, uint32_t vp, uint64_t value)
{
	struct hvh_hypervisor *hypervisor = partition->hypervisor;
	uint64_t page = hypervisor->hypercall.value, before = hypervisor->os_id;

	if (hypervisor->os_id == HV_OS_ID_FIRMWARE && value != HV_OS_ID_FIRMWARE && value != 0)
		hvh_violate(partition, HVH_V_OS_ID, partition->now, vp, 0, &value, sizeof(value),
			    "the hypervisor belongs to the firmware (identity 1<<40) and was taken from it");
	hypervisor->os_id = value;
	if (value == 0 && (page & HV_HYPERCALL_LOCKED) == 0)
		hvh_page_register_write(partition, &hypervisor->hypercall, page & ~HV_PAGE_ENABLE);
	hvh_owner_changed(partition, before, value);
	return true;
}

static bool write_hypercall(struct hvh_partition *partition, uint32_t vp, uint64_t value)
{
	struct hvh_hypervisor *hypervisor = partition->hypervisor;

	if ((hypervisor->hypercall.value & HV_HYPERCALL_LOCKED) != 0) {
		hvh_register_fault(partition, vp, HV_MSR_HYPERCALL, value,
				   "written while locked: nothing changes until reset");
		return true;
	}
	if ((value & HV_PAGE_ENABLE) != 0 && hypervisor->os_id == 0) {
		hvh_violate(partition, HVH_V_OS_ID, partition->now, vp, 0, &value, sizeof(value),
			    "hypercall page enabled without an identity: it stays disabled, write "
			    "GUEST_OS_ID first");
		value &= ~HV_PAGE_ENABLE;
	}
	uint64_t before = hypervisor->hypercall.value;
	if (hvh_page_register_write(partition, &hypervisor->hypercall, value))
		return true;
	hypervisor->hypercall.value = before;
	return hvh_register_fault(partition, vp, HV_MSR_HYPERCALL, value,
				  "hypercall page beyond guest memory");
}

static bool write_page(struct hvh_partition *partition, uint32_t vp, uint32_t msr,
		       struct hvh_page_register *page, uint64_t value)
{
	if (!hvh_page_register_write(partition, page, value))
		hvh_violate(partition, HVH_V_MEMORY, partition->now, vp, 0, &value, sizeof(value),
			    "register %#x: the page is not RAM, nothing is visible there", msr);
	return true;
}

static bool write_simp(struct hvh_partition *partition, uint32_t vp, uint64_t value)
{
	struct hvh_page_register *simp = &partition->hypervisor->vps[vp].simp;
	bool was_active = simp->overlay.active;

	write_page(partition, vp, HV_MSR_SIMP, simp, value);
	if (simp->overlay.active)
		hvh_synic_retry(partition, partition->now, vp);
	else if (was_active)
		hvh_synic_forget(partition, vp);
	return true;
}

static bool write_sint(struct hvh_partition *partition, uint32_t vp, uint32_t msr, uint64_t value)
{
	struct hvh_sint *sint = &partition->hypervisor->vps[vp].sints[msr - HV_MSR_SINT0];

	/* Masked, any vector will do: 0x10000 is the value at reset, and mu_msvm writes it. */
	if ((value & HV_SINT_VECTOR_MASK) < HV_SINT_VECTOR_MIN && !(value & HV_SINT_MASKED))
		return hvh_register_fault(partition, vp, msr, value, "vector below 16");
	if (((sint->value ^ value) & ~HV_SINT_DEFINED_MASK) != 0) {
		hvh_violate(partition, HVH_V_RESERVED_BITS, partition->now, vp, 0, &value, sizeof(value),
			    "register %#x: reserved bits changed, they are to be kept as read", msr);
		value = (value & HV_SINT_DEFINED_MASK) | (sint->value & ~HV_SINT_DEFINED_MASK);
	}
	sint->value = value;
	return true;
}

static bool write_scontrol(struct hvh_partition *partition, uint32_t vp, uint64_t value)
{
	struct hvh_vp *state = &partition->hypervisor->vps[vp];

	if (((state->scontrol ^ value) & ~HV_SCONTROL_ENABLE) != 0) {
		hvh_violate(partition, HVH_V_RESERVED_BITS, partition->now, vp, 0, &value, sizeof(value),
			    "SCONTROL: reserved bits changed, they are to be kept as read");
		value = (value & HV_SCONTROL_ENABLE) | (state->scontrol & ~HV_SCONTROL_ENABLE);
	}
	state->scontrol = value;
	if ((value & HV_SCONTROL_ENABLE) != 0)
		hvh_synic_retry(partition, partition->now, vp);
	return true;
}

static bool write_register(struct hvh_partition *partition, uint32_t vp, uint32_t msr, uint64_t value)
{
	struct hvh_hypervisor *hypervisor = partition->hypervisor;

	if (msr >= HV_MSR_SINT0 && msr < HV_MSR_SINT0 + HV_SINT_COUNT)
		return write_sint(partition, vp, msr, value);
	if (hvh_timer_register(msr))
		return hvh_timer_write(partition, vp, msr, value);
	if (hvh_crash_register(msr)) {
		hvh_crash_write(partition, vp, msr, value);
		return true;
	}
	switch (msr) {
	case HV_MSR_GUEST_OS_ID:
		return write_os_id(partition, vp, value);
	case HV_MSR_HYPERCALL:
		return write_hypercall(partition, vp, value);
	case HV_MSR_REFERENCE_TSC:
		if (!hvh_reference_tsc_present(partition))
			return hvh_register_fault(partition, vp, msr, value,
						  "there is no reference TSC page");
		hvh_overlay_reference_tsc(partition);
		return write_page(partition, vp, msr, &hypervisor->reference_tsc, value);
	case HV_MSR_VP_ASSIST_PAGE: /* Linux enables it unasked; nothing is ever said there */
		hypervisor->vps[vp].assist_page = value;
		return true;
	case HV_MSR_SCONTROL:
		return write_scontrol(partition, vp, value);
	case HV_MSR_SIEFP:
		return write_page(partition, vp, msr, &hypervisor->vps[vp].siefp, value);
	case HV_MSR_SIMP:
		return write_simp(partition, vp, value);
	case HV_MSR_EOM:
		hvh_synic_eom(partition, partition->now, vp);
		return true;
	default:
		return hvh_register_fault(partition, vp, msr, value, "written, but read-only or not there");
	}
}

bool hvh_msr_write(struct hvh_partition *partition, uint64_t now, uint32_t vp, uint32_t msr, uint64_t value)
{
	hvh_clock(partition, now);
	if (vp >= partition->vps)
		return false;
	partition->counters.msr_writes++;
	trace_msr(partition, HVH_TRACE_MSR_WRITE, vp, msr, value);
	if (!hvh_owner_permits(partition, vp, "a register is written", msr))
		return false;
	return write_register(partition, vp, msr, value);
}
