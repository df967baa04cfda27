/* SPDX-License-Identifier: MIT */
/* Pages from the port, and the quarantine for those that the host may still write. */
#include "guest/core/state.h"

static bool is_shared(enum hvk_page_use use)
{
	return use == HVK_PAGE_HOST_READS || use == HVK_PAGE_HOST_WRITES;
}

hvk_status hvk_pages_allocate(const struct hvk_port *port, uint32_t count, enum hvk_page_use use,
			      struct hvk_pages *out)
{
	struct hvk_pages pages = {0};
	hvk_status status = port->pages_alloc(port->context, count, use, &pages);

	*out = (struct hvk_pages){0};
	if (status != HVK_OK)
		return status;
	pages.count = count;
	pages.use = use;
	if ((uintptr_t)pages.address % HVK_PAGE_SIZE != 0) {
		hvk_log_refusal(port, "pages_alloc gave pages not aligned to 4 KiB");
		port->pages_free(port->context, &pages);
		return HVK_EINVAL;
	}
	/* The host fills the hypercall page, and the port may have mapped it read-only. */
	if (use != HVK_PAGE_EXECUTE)
		memset(pages.address, 0, (size_t)count * HVK_PAGE_SIZE);
	*out = pages;
	return HVK_OK;
}

hvk_status hvk_pages_get(struct hvk *hvk, uint32_t count, enum hvk_page_use use, struct hvk_pages *out)
{
	hvk_status status = hvk_pages_allocate(&hvk->port, count, use, out);
	struct hvk_shared shared;

	if (status != HVK_OK || !is_shared(use) || !hvk->port.share)
		return status;
	status = hvk->port.share(hvk->port.context, out);
	if (status != HVK_OK) {
		hvk->port.pages_free(hvk->port.context, out);
		*out = (struct hvk_pages){0};
		return status;
	}
	/* Where memory is encrypted, other bytes come out than went in. */
	shared = hvk_pages_shared(out);
	hvk_shared_zero(&shared, 0, shared.size);
	return HVK_OK;
}

void hvk_pages_put(struct hvk *hvk, struct hvk_pages *pages)
{
	if (pages->count == 0)
		return;
	if (is_shared(pages->use) && hvk->port.unshare &&
	    hvk->port.unshare(hvk->port.context, pages) != HVK_OK) {
		(void)hvk_pages_quarantine(hvk, pages); /* still visible to the host */
		return;
	}
	hvk->port.pages_free(hvk->port.context, pages);
	*pages = (struct hvk_pages){0};
}

hvk_status hvk_pages_quarantine(struct hvk *hvk, struct hvk_pages *pages)
{
	struct hvk_quarantine *quarantine = &hvk->quarantine;
	hvk_status status = HVK_OK;

	if (pages->count == 0)
		return HVK_OK;
	hvk_lock(hvk, &hvk->quarantine.lock);
	if (quarantine->count < HVK_QUARANTINE_ENTRIES)
		quarantine->entries[quarantine->count++] = *pages;
	else
		status = HVK_EQUARANTINE; /* withheld all the same, only not listed */
	quarantine->pages += pages->count;
	hvk->counters.quarantined_pages = quarantine->pages;
	hvk_unlock(hvk, &hvk->quarantine.lock);
	hvk_log(hvk, HVK_LOG_WARN, "%u pages withheld: the host may still use them", pages->count);
	*pages = (struct hvk_pages){0};
	return status;
}

hvk_status hvk_quarantine_check(struct hvk *hvk)
{
	const struct hvk_quarantine *quarantine = &hvk->quarantine;
	bool full;

	hvk_lock(hvk, &hvk->quarantine.lock);
	full = quarantine->count == HVK_QUARANTINE_ENTRIES ||
	       quarantine->pages >= hvk->config.quarantine_pages_max;
	hvk_unlock(hvk, &hvk->quarantine.lock);
	return full ? HVK_EQUARANTINE : HVK_OK;
}

uint64_t hvk_page_gpa(struct hvk *hvk, const struct hvk_pages *pages, uint32_t index)
{
	HVK_ASSERT(index < pages->count);
	return hvk->port.page_gpa(hvk->port.context,
				  (const uint8_t *)pages->address + (size_t)index * HVK_PAGE_SIZE);
}

hvk_status hvk_random(struct hvk *hvk, void *out, size_t bytes)
{
	if (!hvk->port.random)
		return HVK_ELEVEL;
	return hvk->port.random(hvk->port.context, out, bytes);
}
