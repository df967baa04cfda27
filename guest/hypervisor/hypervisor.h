/* SPDX-License-Identifier: MIT */
/* What guest/vmbus and guest/instance use of the hypervisor layer. */
#ifndef HVK_HYPERVISOR_HYPERVISOR_H
#define HVK_HYPERVISOR_HYPERVISOR_H

#include "guest/core/state.h"

/* registers.c: of the calling CPU; a fault is logged and HVK_EPRIVILEGE. Task context. What may
 * fault without harm, as on the way back, goes to the port at once. */
hvk_status hvk_register_read(struct hvk *hvk, enum hvk_register reg, uint64_t *value);
hvk_status hvk_register_write(struct hvk *hvk, enum hvk_register reg, uint64_t value);

/* features.c: what the leaves say. HVK_ENOHYPERVISOR. */
hvk_status hvk_hypervisor_detect(const struct hvk_port *port, struct hvk_hypervisor_info *info);

/* How registers are left. */
enum hvk_leave {
	HVK_LEAVE_AS_FOUND,
	HVK_LEAVE_OFF,     /* for a loaded system: all off, but SCONTROL as found */
	HVK_LEAVE_QUIESCED /* all off, SCONTROL on */
};

/* hypervisor.c: registers of the machine; nothing is freed. */
void hvk_hypervisor_leave(struct hvk *hvk, enum hvk_leave how);
/* ... on again after HVK_LEAVE_QUIESCED, on the pages that were kept. */
hvk_status hvk_hypervisor_return(struct hvk *hvk);
/* synic.c: registers of the calling CPU; frees nothing, takes no lock but with HVK_LEAVE_AS_FOUND. */
void hvk_synic_leave(struct hvk *hvk, struct hvk_cpu *cpu, enum hvk_leave how);
hvk_status hvk_synic_return(struct hvk *hvk, struct hvk_cpu *cpu);
/* The CPU has been left: its memory goes back. */
void hvk_synic_forget(struct hvk *hvk, struct hvk_cpu *cpu);
/* timer.c: registers of the calling CPU's event timer, as they were found. */
void hvk_event_timer_leave(struct hvk *hvk, const struct hvk_event_timer *timer);
void hvk_event_timer_forget(struct hvk *hvk, struct hvk_cpu *cpu);

/* synic.c: takes in events and messages of this CPU. True if it
 * stopped with something left in the slot. */
bool hvk_synic_take(struct hvk *hvk, struct hvk_cpu *cpu);
/* timer.c: a timer's message is in the slot. Under the CPU's lock. */
void hvk_event_timer_message(struct hvk *hvk, struct hvk_cpu *cpu, const struct hvk_shared *slot);
/* crash.c: a page for the text. Task context. */
void hvk_crash_prepare(struct hvk *hvk);
/* Empties a message slot of the calling CPU by the rule: type, barrier, flag, EOM. */
void hvk_synic_release_slot(struct hvk *hvk, const struct hvk_shared *slot);

/* hypercall.c */
enum hvk_post_result {
	HVK_POST_TAKEN,
	HVK_POST_AGAIN,         /* throttled or no buffers: later */
	HVK_POST_NO_CONNECTION, /* 0x12: in the first contact "not this version" */
	HVK_POST_FAILED
};
/* Posts a copy of message, 1 to 240 bytes. Under bus.lock, or from abandon. */
enum hvk_post_result hvk_post(struct hvk *hvk, uint32_t connection, const void *message, uint32_t length);
hvk_status hvk_signal(struct hvk *hvk, uint32_t connection, uint16_t flag);

#endif
