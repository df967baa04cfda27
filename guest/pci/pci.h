/* SPDX-License-Identifier: MIT */
/*
 * What a PCI function is made of, and what a bus gives it. Private to guest/pci and the buses.
 *
 *   function.c    claims, identity, BARs' memory
 *   config.c      configuration space: what is the host's, what is answered here
 *   bars.c        sizes probed, places found, written
 *   interrupts.c  MSI-X: entries, vectors, handlers
 *
 * A bus (guest/vpci) makes functions, and calls what is declared here in its own turns, one at a time; the
 * public calls come from anywhere.
 */
#ifndef HVK_PCI_PCI_H
#define HVK_PCI_PCI_H

#include "guest/core/core.h"
#include "hvkit/pci.h"

#define HVK_PCI_INTERRUPTS_MAX 128u /* of one function; the device may have more, they stay masked */
#define HVK_PCI_CAPABILITIES_MAX 48u

enum hvk_pci_interrupt_state {
	HVK_PCI_INTERRUPT_FREE,
	HVK_PCI_INTERRUPT_CREATING,
	HVK_PCI_INTERRUPT_READY,
	HVK_PCI_INTERRUPT_MOVING,
	HVK_PCI_INTERRUPT_RENEWING, /* asked for anew after a sleep */
	HVK_PCI_INTERRUPT_DELETING
};

/* A vector on a CPU and who is kicked by it. Two of an interrupt, for the time of a move. */
struct hvk_pci_target {
	struct hvk_poller poller;
	uint8_t vector;
	bool taken;
};

struct hvk_pci_interrupt {
	struct hvk_pci_function *function;
	uint32_t index;
	enum hvk_pci_interrupt_state state; /* under the function's lock */
	void (*handler)(void *context, struct hvk_pci_function *function, uint32_t index);
	void *context;
	struct hvk_pci_target targets[2];
	uint32_t target;  /* the one in force */
	uint64_t address; /* as the host said it */
	uint32_t data;
	bool created;  /* the host has it */
	bool unwanted; /* to be deleted as soon as it may: its driver has let go. Under the lock */
	bool masked;   /* under the lock, with the table's entry */
	struct hvk_request *request; /* of the user's */
	struct hvk_request removed;  /* of a poller */
	hvk_status result;
	struct hvk_pci_interrupt *next; /* in the bus's list of work */
};

struct hvk_pci_bus;

struct hvk_pci_bus_ops {
	/* The window into configuration space; any context but interrupt. */
	uint32_t (*read)(struct hvk_pci_bus *bus, uint32_t slot, uint32_t offset, unsigned width);
	void (*write)(struct hvk_pci_bus *bus, uint32_t slot, uint32_t offset, unsigned width,
		      uint32_t value);
	/* The interrupt wants to be created or deleted (its state): the bus asks its host, then calls
	 * hvk_pci_interrupt_asked in a turn of its own. Any context but interrupt. */
	void (*interrupt)(struct hvk_pci_bus *bus, struct hvk_pci_interrupt *interrupt);
	/* A driver has let go, or an interrupt rests: who waits for that looks again. Likewise. */
	void (*changed)(struct hvk_pci_bus *bus);
	/* Of the device, for the hypercall that moves an interrupt. */
	uint64_t (*device_id)(const struct hvk_pci_bus *bus, uint32_t slot);
};

struct hvk_pci_bus {
	struct hvk *hvk;
	const struct hvk_pci_bus_ops *ops;
	uint32_t cpu; /* where its turns are */
	/* Calls that end with the function and still have a use for the bus; atomic. */
	uint32_t visitors;
};

struct hvk_pci_function {
	struct hvk_pci_bus *bus;
	uint32_t slot; /* the bus's own number */
	struct hvk_pci_info info;
	uint32_t subsystem; /* as one word */
	uint32_t bar_flags[PCI_BARS];
	uint32_t msix_at; /* of the capability; 0: none */
	uint8_t msix_bar;
	uint32_t msix_table;
	struct hvk_lock lock;
	bool claimed;     /* under lock */
	bool gone;        /* atomic: reads are all ones */
	bool asleep;      /* likewise: the bus is suspended */
	bool leaving;     /* under lock: its driver was told, or there is none */
	bool released;    /* under lock: ... and has let go */
	uint32_t teller;  /* the CPU that is inside leaving, and one; 0: none. Atomic */
	uint16_t command; /* under lock: as last written, for the end of a sleep */
	struct hvk_pci_hooks hooks;
	struct hvk_pci_counters counters; /* atomic */
	struct hvk_pages interrupt_pages;
	struct hvk_pci_interrupt *interrupts; /* info.interrupts of them, at most HVK_PCI_INTERRUPTS_MAX */
	uint32_t interrupt_count;
};

/* Prepares one whose bus, slot, lock and identity are set, and whose BARs have sizes: capabilities,
 * interrupts. */
hvk_status hvk_pci_function_init(struct hvk_pci_function *function);
/* Its interrupts are gone; gives all memory back. */
void hvk_pci_function_end(struct hvk_pci_function *function);
/* Sizes from what was read back after all ones were written; HVK_EHOST_VPCI: sizes that cannot be. */
hvk_status hvk_pci_bars_size(struct hvk_pci_function *function, const uint32_t probed[PCI_BARS]);
/* Room for them: the widest first. HVK_ELIMIT. */
hvk_status hvk_pci_bars_place(struct hvk_pci_function *function);
void hvk_pci_bars_write(struct hvk_pci_function *function);
void hvk_pci_bars_give_back(struct hvk_pci_function *function);
/* Leaves: nobody can claim it any more, and it is released if nobody has. */
void hvk_pci_function_leave(struct hvk_pci_function *function, bool eject);
/* ... and its driver is told, if it has one. */
void hvk_pci_function_tell(struct hvk_pci_function *function, bool eject);
static inline bool hvk_pci_is_gone(const struct hvk_pci_function *function)
{
	return __atomic_load_n(&function->gone, __ATOMIC_SEQ_CST);
}
/* Nothing of it can be reached: it is gone, or without power. */
static inline bool hvk_pci_is_off(const struct hvk_pci_function *function)
{
	return hvk_pci_is_gone(function) || __atomic_load_n(&function->asleep, __ATOMIC_SEQ_CST);
}

/* The host has answered: to a creation with the address and data to write, to a deletion, or a bus that is
 * gone. In the bus's turn. */
void hvk_pci_interrupt_asked(struct hvk_pci_interrupt *interrupt, hvk_status status, uint64_t address,
			     uint32_t data);
/* It leaves, its driver has let go of it, and no interrupt is left. */
bool hvk_pci_function_is_left(struct hvk_pci_function *function);
/* True: none is there or being made. Under the function's lock. */
bool hvk_pci_interrupts_idle(const struct hvk_pci_function *function);
/* Deletes all that are there, each without a request; those that are being made as soon as they are. */
void hvk_pci_interrupts_delete(struct hvk_pci_function *function);
/* Falls asleep if none is being made, moved or deleted: the host forgets them all. False: later. */
bool hvk_pci_function_sleep(struct hvk_pci_function *function);
/* Has power again, its BARs and its command word. */
void hvk_pci_function_wake(struct hvk_pci_function *function);
/* One that the host has forgotten is RENEWING, and to be asked for. NULL: there is none (any more); *later:
 * not yet, as one is being moved. */
struct hvk_pci_interrupt *hvk_pci_interrupt_renew(struct hvk_pci_function *function, bool *later);

#endif
