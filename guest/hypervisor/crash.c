/* SPDX-License-Identifier: MIT */
/* The crash report: registers, and a page for the text that was prepared long before. */
#include "guest/hypervisor/hypervisor.h"

#define TEXT_ADDRESS 3u /* parameters that hold the text */
#define TEXT_LENGTH 4u

HVK_STATIC_ASSERT(HVK_CRASH_TEXT_MAX == HVK_PAGE_SIZE, "the text has a page");

/* Without a page there is no text, and a report all the same. The host says by CONTROL whether it takes one
 * (Linux); KVM and QEMU take numbers alone. */
void hvk_crash_prepare(struct hvk *hvk)
{
	struct hvk_hypervisor *hv = &hvk->hypervisor;
	uint64_t control = 0;

	if (!hvk->config.crash_text || (hv->info.features & HV_FEATURE_CRASH) == 0 ||
	    hvk->port.reg_read(hvk->port.context, HVK_REG_CRASH_CONTROL, &control) != HVK_OK ||
	    (control & HV_CRASH_MESSAGE) == 0)
		return;
	if (hvk_pages_get(hvk, 1, HVK_PAGE_HOST_READS, &hv->crash_page) != HVK_OK)
		return;
	/* The port is asked now: it need not answer in a crash. */
	hv->crash_gpa = hvk_page_gpa(hvk, &hv->crash_page, 0);
}

hvk_status hvk_crash_report(struct hvk *hvk, const uint64_t p[5], const char *text, uint32_t length)
{
	struct hvk_hypervisor *hv = &hvk->hypervisor;
	uint64_t values[HV_CRASH_PARAMETERS], control = HV_CRASH_NOTIFY;
	bool failed = false;

	if (!hv->started)
		return HVK_ESTATE;
	if ((hv->info.features & HV_FEATURE_CRASH) == 0)
		return HVK_ENOTSUP;
	memcpy(values, p, sizeof(values));
	if (text && length > 0 && hv->crash_page.count != 0) {
		struct hvk_shared page = hvk_pages_shared(&hv->crash_page);
		uint32_t told = hvk_min32(length, HVK_CRASH_TEXT_MAX);

		hvk_shared_write(&page, 0, text + (length - told), told);
		values[TEXT_ADDRESS] = hv->crash_gpa;
		values[TEXT_LENGTH] = told;
		control |= HV_CRASH_MESSAGE;
	}
	for (uint32_t i = 0; i < HV_CRASH_PARAMETERS; i++)
		failed |= hvk->port.reg_write(hvk->port.context, (enum hvk_register)(HVK_REG_CRASH_P0 + i),
					      values[i]) != HVK_OK;
	failed |= hvk->port.reg_write(hvk->port.context, HVK_REG_CRASH_CONTROL, control) != HVK_OK;
	return failed ? HVK_EPRIVILEGE : HVK_OK;
}
