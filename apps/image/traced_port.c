/* SPDX-License-Identifier: MIT */
#include "apps/image/traced_port.h"

#include <string.h>

#include "hvkit/msr.h"
#include "hvkit/wire/hypervisor.h"
#include "ports/bare-x86_64/bare.h"

#define CALL_CODE_MASK 0xffffull
#define CALL_FAST (1ull << 16)
#define PAGE_BYTES 4096

static struct hvk_port port;
static const struct hvk_port *through;
static struct dialogue *told;
static uint64_t guests_page; /* as hvkit wrote it into SIMP; not enabled: there is none */
static bool busy;
static uint8_t page[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));

/* --- Messages ---------------------------------------------------------------------------------------- */

/* From a slot of ours to the same of hvkit's, if that is empty. Ours is empty before the flag is looked
 * at that says whether more wait; hvkit's gets its type last. */
static bool pass_on(struct hv_message *from, struct hv_message *to)
{
	uint32_t type = __atomic_load_n(&from->type, __ATOMIC_ACQUIRE);

	if (type == HV_MESSAGE_NONE || __atomic_load_n(&to->type, __ATOMIC_ACQUIRE) != HV_MESSAGE_NONE)
		return false;
	dialogue_message(told, bare_clock_ns(), (const uint8_t *)from, sizeof(*from));
	memcpy((uint8_t *)to + sizeof(type), (const uint8_t *)from + sizeof(type),
	       sizeof(*to) - sizeof(type));
	__atomic_store_n(&from->type, HV_MESSAGE_NONE, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	to->flags |= __atomic_load_n(&from->flags, __ATOMIC_SEQ_CST);
	__atomic_store_n(&to->type, type, __ATOMIC_RELEASE);
	return true;
}

/* An interrupt in the middle of it finds that the work is being done. */
bool traced_port_turn(void)
{
	struct hv_message *ours = (struct hv_message *)(uintptr_t)page;
	struct hv_message *theirs = (struct hv_message *)(uintptr_t)(guests_page & HV_PAGE_ADDRESS_MASK);
	bool moved = false;

	if (busy || !(guests_page & HV_PAGE_ENABLE))
		return false;
	busy = true;
	for (uint32_t sint = 0; sint < HV_SINT_COUNT; sint++)
		moved |= pass_on(&ours[sint], &theirs[sint]);
	busy = false;
	return moved;
}

static void lock(void *context, struct hvk_lock *which)
{
	through->lock(context, which);
	(void)traced_port_turn();
}

static void pause(void *context)
{
	through->pause(context);
	(void)traced_port_turn();
}

static void wait(void *context, uint64_t timeout_ns)
{
	if (!traced_port_turn())
		through->wait(context, timeout_ns);
}

/* --- Registers and hypercalls ------------------------------------------------------------------------ */

static hvk_status reg_read(void *context, enum hvk_register reg, uint64_t *value)
{
	hvk_status status = through->reg_read(context, reg, value);

	if (hvk_register_msr(reg) == HV_MSR_SIMP && status == HVK_OK && (guests_page & HV_PAGE_ENABLE))
		*value = guests_page;
	return status;
}

static hvk_status reg_write(void *context, enum hvk_register reg, uint64_t value)
{
	uint32_t msr = hvk_register_msr(reg);
	hvk_status status;

	dialogue_register(told, bare_clock_ns(), msr, value);
	if (msr == HV_MSR_SIMP) {
		guests_page = value;
		if (value & HV_PAGE_ENABLE) {
			memset(page, 0, sizeof(page));
			value = (uintptr_t)page | (value & ~HV_PAGE_ADDRESS_MASK);
		}
	}
	status = through->reg_write(context, reg, value);
	if (msr == HV_MSR_EOM)
		(void)traced_port_turn();
	return status;
}

static uint64_t hypercall(void *context, const void *code, uint64_t control, uint64_t input, uint64_t output)
{
	bool post = (control & CALL_CODE_MASK) == HV_CALL_POST_MESSAGE && !(control & CALL_FAST);
	uint64_t result;

	if (post)
		dialogue_post(told, bare_clock_ns(), (const uint8_t *)(uintptr_t)input,
			      sizeof(struct hv_post_message_input));
	result = through->hypercall(context, code, control, input, output);
	if (post)
		dialogue_status(told, bare_clock_ns(), result);
	return result;
}

const struct hvk_port *traced_port(const struct hvk_port *below, struct dialogue *dialogue)
{
	through = below;
	told = dialogue;
	guests_page = 0;
	port = *below;
	port.reg_read = reg_read;
	port.reg_write = reg_write;
	port.hypercall = hypercall;
	port.lock = lock;
	port.pause = pause;
	port.wait = wait;
	return &port;
}
