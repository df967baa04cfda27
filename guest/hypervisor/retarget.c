/* SPDX-License-Identifier: MIT */
/* HvCallRetargetDeviceInterrupt: where an interrupt of a vPCI device goes. */
#include "guest/hypervisor/hypervisor.h"

#define INPUT_OFFSET 2048u /* in the input page, behind what messages are posted from */
#define BANK 64u           /* processors of one */
#define SPARSE_WORDS 2u    /* mask of banks, one bank */

uint32_t hvk_cpu_vp_index(const struct hvk *hvk, uint32_t cpu)
{
	return hvk->cpus[cpu].vp_index;
}

/* Processors above 63 go by a sparse set, whose bank masks are the call's variable header. */
hvk_status hvk_interrupt_retarget(struct hvk *hvk, uint64_t device, uint32_t address, uint32_t data,
				  uint8_t vector, uint32_t cpu)
{
	struct hvk_shared page = hvk_pages_shared(&hvk->hypervisor.input_page);
	uint32_t vp = hvk_cpu_vp_index(hvk, cpu);
	struct hv_retarget_input input = {
		.partition = HV_PARTITION_SELF,
		.device_id = device,
		.source = HV_INTERRUPT_SOURCE_MSI,
		.address = address,
		.data = data,
		.vector = vector,
	};
	uint64_t control = HV_CALL_RETARGET_DEVICE_INTERRUPT, result;
	const uint64_t banks[SPARSE_WORDS] = {1ull << (vp / BANK % BANK), 1ull << (vp % BANK)};

	if (vp >= BANK * BANK) /* more than a set can say */
		return HVK_ENOTSUP;
	if (vp < BANK) {
		input.processors = 1ull << vp;
	} else {
		input.flags = HV_INTERRUPT_PROCESSOR_SET;
		input.processors = HV_PROCESSOR_SET_SPARSE;
		control |= HV_CALL_VARIABLE_HEADER(SPARSE_WORDS);
	}
	hvk_lock(hvk, &hvk->devices.retarget_lock);
	hvk_shared_write(&page, INPUT_OFFSET, &input, sizeof(input));
	hvk_shared_write(&page, INPUT_OFFSET + (uint32_t)sizeof(input), banks, sizeof(banks));
	result = hvk->port.hypercall(hvk->port.context, hvk->hypervisor.hypercall_page.address, control,
				     hvk_page_gpa(hvk, &hvk->hypervisor.input_page, 0) + INPUT_OFFSET, 0);
	hvk_unlock(hvk, &hvk->devices.retarget_lock);
	if ((result & HV_CALL_STATUS_MASK) == HV_STATUS_SUCCESS)
		return HVK_OK;
	return hvk_fault(hvk, HVK_EHYPERCALL, "retarget interrupt: vector %u, processor %u, status 0x%x",
			 (unsigned)vector, vp, (unsigned)(result & HV_CALL_STATUS_MASK));
}
