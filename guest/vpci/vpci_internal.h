/* SPDX-License-Identifier: MIT */
/*
 * vpci: its state, and what its files call of each other. Private to guest/vpci.
 *
 *   vpci.c        the object: creating it, looking inside
 *   life.c        from detached to attached and back, and the bus's turns
 *   attach.c      the tables of steps that bring it up, and functions that come
 *   detach.c      ... that take it down
 *   functions.c   what the host says there is, against what we know; functions that leave
 *   interrupts.c  interrupts: asking the host for them, one at a time
 *   receive.c     everything from the host
 *   window.c      configuration space through the window
 *   messages.c    the codec
 *
 * Contexts. Turns (a kick, a step's end, packets) happen one at a time, in hvk_poll of the channel's CPU
 * (hvk_vpci_enter); whoever comes while another is inside comes back. Public calls take what they need under
 * the lock and kick.
 */
#ifndef HVK_VPCI_INTERNAL_H
#define HVK_VPCI_INTERNAL_H

#include "guest/core/core.h"
#include "guest/device/steps.h"
#include "guest/pci/pci.h"
#include "guest/vpci/messages.h"
#include "hvkit/vpci.h"

#define VPCI_RING_PAGES 4u
#define VPCI_REQUESTS_MAX 4u
#define VPCI_PACKET_MAX 8192u /* 256 functions with their descriptions */
#define VPCI_FUNCTIONS_DEFAULT 8u
#define VPCI_FUNCTIONS_MAX 256u
#define VPCI_EJECT_DEFAULT_MS 30000u
#define VPCI_BUDGET 16u /* packets per callback */
#define VPCI_ANSWER_MAX 64u

enum vpci_life {
	VPCI_DETACHED,
	VPCI_ATTACHING,
	VPCI_ATTACHED,
	VPCI_DETACHING,
	VPCI_SUSPENDING,
	VPCI_SUSPENDED
};

#define VPCI_EVENT_ANSWER HVK_STEPS_OWN
#define VPCI_EVENT_RELATIONS (HVK_STEPS_OWN + 1u)
#define VPCI_EVENT_RELEASED (HVK_STEPS_OWN + 2u)
#define VPCI_EVENT_INTERRUPT (HVK_STEPS_OWN + 3u)

#define VPCI_WAIT_DEVICE 1u
#define VPCI_WAIT_RELEASE 2u

enum vpci_function_state {
	VPCI_FUNCTION_FREE,
	VPCI_FUNCTION_NEW,     /* the host has named it */
	VPCI_FUNCTION_SIZED,   /* what its BARs need is known */
	VPCI_FUNCTION_READY,   /* told to the user */
	VPCI_FUNCTION_LEAVING, /* its driver, if it has one, is to let go */
};

struct vpci_child {
	enum vpci_function_state state;
	bool ejected;      /* the host asked for it */
	bool eject_answer; /* ... and EJECTION_COMPLETE is owed */
	bool told;         /* added was called */
	bool overdue;      /* its driver had all its time */
	bool placed;       /* its BARs have their places */
	bool assigned;     /* the host knows its resources */
	struct hvk_timer eject_timer;
	struct vpci_function2 description;
	struct hvk_pci_function pci;
};

/* A request to the host with an answer: one of the steps, one of the interrupts. */
struct vpci_ask {
	bool pending;
	bool there; /* the answer is in bytes */
	uint32_t length;
	uint8_t bytes[VPCI_ANSWER_MAX];
};

struct hvk_vpci {
	struct hvk_pci_bus bus; /* first */
	struct hvk_pages pages;
	struct hvk_channel *channel;
	struct hvk_vpci_config config;
	uint64_t window; /* guest-physical; 0: none */
	struct hvk_lock window_lock;

	struct hvk_lock lock;
	enum vpci_life life;
	struct hvk_request *attach_request, *detach_request, *suspend_request;
	bool detach_wanted;
	struct hvk_pci_interrupt *interrupts_first, *interrupts_last; /* that wait to be asked for */

	bool busy, kicked; /* atomic */
	struct hvk_request kick;

	/* Of the turns. */
	struct hvk_steps steps;
	hvk_status result, lost;
	bool opened, in_d0, d0_again, gone_told, resumes;
	bool down; /* it is, and its requests are finished in the last turn */
	uint32_t version, attempt;
	uint16_t domain;
	bool has_domain;
	struct vpci_ask step_ask, interrupt_ask;
	struct hvk_pci_interrupt *interrupt; /* being asked for */
	struct hvk_timer interrupt_timer;
	bool interrupt_overdue;
	bool asks_again;          /* the host says that its list has changed */
	uint32_t relations;       /* lists that came */
	uint32_t listed;          /* functions of the newest */
	bool news;                /* it has not been looked at, or not everything had a place */
	struct vpci_child *asked; /* by a step */
	uint64_t faults, unknown;
	uint32_t function_max;
	struct vpci_function2 *list; /* function_max of them, behind the functions */
	_Alignas(8) uint8_t packet[VPCI_PACKET_MAX];
	struct vpci_child functions[];
};

static inline struct hvk *vpci_hvk(const struct hvk_vpci *vpci)
{
	return vpci->bus.hvk;
}

/* --- life.c -------------------------------------------------------------------------------- */

void hvk_vpci_life_init(struct hvk_vpci *vpci);
bool hvk_vpci_enter(struct hvk_vpci *vpci);
void hvk_vpci_leave(struct hvk_vpci *vpci);
void hvk_vpci_kick(struct hvk_vpci *vpci);
void hvk_vpci_work(struct hvk_vpci *vpci); /* all that is to do; inside */
void hvk_vpci_fault(struct hvk_vpci *vpci, hvk_status status, const char *what);
void hvk_vpci_set_lost(struct hvk_vpci *vpci, hvk_status status);
/* Ends of sequences. */
void hvk_vpci_is_up(void *device);
void hvk_vpci_is_down(void *device);
void hvk_vpci_is_suspended(void *device);
void hvk_vpci_functions_done(void *device);
/* A step's request: HVK_EINPROGRESS, HVK_EAGAIN or why not. */
hvk_status hvk_vpci_ask(struct hvk_vpci *vpci, const void *message, uint32_t length);

/* --- attach.c, detach.c ----------------------------------------------------------------------- */

extern const struct hvk_sequence hvk_vpci_attach_sequence, hvk_vpci_functions_sequence;
extern const struct hvk_sequence hvk_vpci_detach_sequence, hvk_vpci_suspend_sequence;

/* --- functions.c ----------------------------------------------------------------------------------- */

/* What the newest list says: new ones are noted, those that are missing leave. True: there are new ones. */
bool hvk_vpci_functions_compare(struct hvk_vpci *vpci);
void hvk_vpci_function_eject(struct hvk_vpci *vpci, uint32_t slot);
/* All leave; eject: their drivers are asked, and have their time. */
void hvk_vpci_functions_leave(struct hvk_vpci *vpci, bool eject);
/* Those that stay fall asleep; those that are leaving have gone. False: not all yet. */
bool hvk_vpci_functions_sleep(struct hvk_vpci *vpci);
/* Those whose drivers have let go are given back. */
void hvk_vpci_functions_reap(struct hvk_vpci *vpci);
bool hvk_vpci_has_functions(const struct hvk_vpci *vpci);
struct vpci_child *hvk_vpci_function_in(struct hvk_vpci *vpci, enum vpci_function_state state);
void hvk_vpci_function_drop(struct hvk_vpci *vpci, struct vpci_child *function);

/* --- interrupts.c, window.c, receive.c ---------------------------------------------------------------- */

void hvk_vpci_interrupt(struct hvk_pci_bus *bus, struct hvk_pci_interrupt *interrupt);
void hvk_vpci_changed(struct hvk_pci_bus *bus);
void hvk_vpci_interrupts_go_on(struct hvk_vpci *vpci);
void hvk_vpci_interrupts_init(struct hvk_vpci *vpci);
/* After a sleep: the host has none of them. HVK_EINPROGRESS: one is asked for; HVK_EAGAIN: later; HVK_OK: all
 * are there. */
hvk_status hvk_vpci_interrupts_again(struct hvk_vpci *vpci);
uint64_t hvk_vpci_device_id(const struct hvk_pci_bus *bus, uint32_t slot);

uint32_t hvk_vpci_window_read(struct hvk_pci_bus *bus, uint32_t slot, uint32_t offset, unsigned width);
void hvk_vpci_window_write(struct hvk_pci_bus *bus, uint32_t slot, uint32_t offset, unsigned width,
			   uint32_t value);

bool hvk_vpci_ready(void *context, struct hvk_channel *channel);

#endif
