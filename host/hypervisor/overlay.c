/* SPDX-License-Identifier: MIT */
/* Overlay pages (TLFS, "GPA Overlay Pages"), by copying: the model has no second-level
 * page tables. */
#include <string.h>

#include "host/core/state.h"
#include "host/hypervisor/hypervisor.h"

/* What the guest calls: endbr64 (Linux gives up IBT without it); vmcall; ret. */
static const uint8_t hypercall_code[] = {0xf3, 0x0f, 0x1e, 0xfa, 0x0f, 0x01, 0xc1, 0xc3};
#define HYPERCALL_FILL 0xcc /* int3 */

void hvh_overlay_hypercall(struct hvh_overlay *overlay, const void *code, uint32_t count)
{
	memset(overlay->content, HYPERCALL_FILL, sizeof(overlay->content));
	if (code != NULL)
		memcpy(overlay->content, code, count);
	else
		memcpy(overlay->content, hypercall_code, sizeof(hypercall_code));
}

void hvh_overlay_reference_tsc(struct hvh_partition *partition)
{
	struct hvh_overlay *overlay = &partition->hypervisor->reference_tsc.overlay;
	struct hv_reference_tsc_page page = {.sequence = 0};
	uint64_t tsc_hz = partition->tsc_hz;

	if (overlay->active)
		return;
	memset(overlay->content, 0, sizeof(overlay->content));
	if (tsc_hz > HVH_TIME_PER_SECOND && partition->profile.reference_tsc == HVH_REFERENCE_TSC_PRESENT) {
		__extension__ typedef unsigned __int128 wide;
		page.sequence = 1;
		page.scale = (uint64_t)(((wide)HVH_TIME_PER_SECOND << 64) / tsc_hz);
		page.offset = partition->tsc_offset;
	}
	memcpy(overlay->content, &page, sizeof(page));
}

bool hvh_reference_tsc_present(const struct hvh_partition *partition)
{
	return partition->tsc_hz != 0 && partition->profile.reference_tsc != HVH_REFERENCE_TSC_ABSENT;
}

static void cover(struct hvh_partition *partition, struct hvh_overlay *overlay, uint64_t gpa)
{
	overlay->gpa = gpa;
	overlay->moving = true;
	overlay->active = hvh_memory_read(partition, gpa, overlay->below, HVK_PAGE_SIZE) &&
			  hvh_memory_write(partition, gpa, overlay->content, HVK_PAGE_SIZE);
	overlay->moving = false;
}

static void uncover(struct hvh_partition *partition, struct hvh_overlay *overlay)
{
	overlay->active = false;
	overlay->moving = true;
	if (hvh_memory_read(partition, overlay->gpa, overlay->content, HVK_PAGE_SIZE))
		hvh_memory_write(partition, overlay->gpa, overlay->below, HVK_PAGE_SIZE);
	overlay->moving = false;
}

static bool keep_reserved(struct hvh_partition *partition, uint64_t before, uint64_t value, uint64_t mask)
{
	if (((before ^ value) & mask) == 0)
		return true;
	hvh_violate(partition, HVH_V_RESERVED_BITS, partition->now, UINT32_MAX, 0, &value, sizeof(value),
		    "page register: reserved bits %#llx written, %#llx had been read and are to be kept",
		    (unsigned long long)(value & mask), (unsigned long long)(before & mask));
	return false;
}

bool hvh_page_register_write(struct hvh_partition *partition, struct hvh_page_register *page, uint64_t value)
{
	bool hypercall = page == &partition->hypervisor->hypercall;
	uint64_t mask = hypercall ? HV_HYPERCALL_RESERVED_MASK : HV_PAGE_RESERVED_MASK;
	bool enable = (value & HV_PAGE_ENABLE) != 0;
	uint64_t gpa = value & HV_PAGE_ADDRESS_MASK;

	if (!keep_reserved(partition, page->value, value, mask))
		value = (value & ~mask) | (page->value & mask);
	page->value = value;
	if (page->overlay.active && (!enable || page->overlay.gpa != gpa))
		uncover(partition, &page->overlay);
	if (enable && !page->overlay.active)
		cover(partition, &page->overlay, gpa);
	return !enable || page->overlay.active;
}
