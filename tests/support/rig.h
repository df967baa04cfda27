/* SPDX-License-Identifier: MIT */
/*
 * A whole machine for tests: a guest with a network card on the host model, a simulated
 * wire behind it, and everything that must hold afterwards counted.
 */
#ifndef TESTS_SUPPORT_RIG_H
#define TESTS_SUPPORT_RIG_H

#include <stdatomic.h>

#include "hvkit/netvsc.h"
#include "hvkit_host/echo.h"
#include "ports/hosted/hosted.h"

#define RIG_FRAMES_MAX 4096u
#define RIG_FAULT_TEXT 160u

#define RIG_REGISTERS_MAX (3u + 6u * HVK_CPUS_MAX)

struct rig;

struct rig_config {
	enum hosted_mode mode;
	uint32_t cpus;                    /* 0 = 1 */
	const char *profile;              /* NULL = "ws2022" */
	const struct hvh_profile *custom; /* instead of profile */
	uint32_t accept_newest;           /* cap on the host's side, 0 = none */
	uint64_t seed;
	uint32_t fault_chance; /* in 65536, of every kind but rescind */
	uint32_t rescind_chance;
	uint32_t faults_off; /* a bit per enum hvh_fault that is not to strike */
	enum hvh_silence silence;
	bool level0;
	uint32_t switch_chance; /* hosted_config */
	bool host_by_caller;    /* hosted_config */

	enum hvk_vmbus_mode vmbus_mode;
	uint32_t newest, oldest;
	uint32_t nvs_newest;
	uint32_t nic_cpu;
	uint32_t bus_cpu; /* contact CPU: all that waits runs there; from 3.0 */
	bool no_nic;
	bool by_page;           /* transmit without a send buffer, by page list */
	uint32_t receive_pages; /* of the receive buffer; 0 = 64 */
	uint32_t queues;        /* asked for; frames sent are spread over them. 0 = 1 */
	uint32_t offloads;      /* HVK_NETDEV_* */
	bool batches;           /* now and then a frame is said to be followed by more */
	uint32_t rx_borrow;     /* frames lent; some are kept for a while, and given back in any order */
	uint32_t frames;        /* numbered frames to be echoed by the wire, at most RIG_FRAMES_MAX */
	uint32_t stream;        /* numbered frames that the wire sends by itself */
	uint32_t early_frames;  /* that the wire sends from the first RNDIS message to the guest on */
	uint32_t frame_length;  /* 0 = random 60 to 1514 */
	uint64_t delay_max;     /* of the wire, 100 ns */
	bool abrupt;            /* leave by hvk_vmbus_abandon */
	/* ... called on CPU 1, while CPU 0 does nothing any more: 1 it takes interrupts, 2 not even that */
	uint32_t abrupt_elsewhere;
	bool suspend;      /* suspend and resume the bus before the card is attached */
	uint32_t reattach; /* detach and attach again so many times */
	uint32_t limit_ms; /* 0 = 600,000 */
	uint32_t stall_ms; /* frames that do not come back are lost after that; 0 = 5000 */
	FILE *trace;
	bool no_reference_tsc, no_reference_counter;
	uint32_t fail_allocation; /* its number + 1; 0 = none fails */
	uint32_t timeout_ms;      /* time-outs of the guest, all of them; 0 = the defaults */
	/* Sees all that is said, on the host's side. */
	void (*tap)(void *context, const struct hvh_trace_record *record);
	/* Called on the contact CPU when the card is up, before traffic; on the machine's host side. */
	void (*ready)(void *context, struct rig *rig);
	void *context;
	/* An echo device is there too; session is called on the contact CPU when the bus is connected,
	 * before there is a card. */
	const struct hvh_echo_config *echo;
	void (*session)(void *context, struct rig *rig);
	/* Channels of any kind that are offered and go, for the session; or NULL. Same context. */
	void (*offered)(void *context, struct hvk_channel *channel, bool again);
	void (*gone)(void *context, struct hvk_channel *channel);
	void *session_context;
};

struct rig_result {
	bool finished;     /* no hang */
	const char *step;  /* where the guest's status comes from */
	hvk_status status; /* the first that was not HVK_OK */
	uint32_t version, nvs_version;
	uint32_t attempts;
	uint32_t echoed, lost, duplicated, corrupt, strays;
	uint32_t streamed, stream_duplicated, stream_corrupt;
	uint32_t rescinds;
	uint64_t violations;
	char first_violation[RIG_FAULT_TEXT];
	uint32_t leaked_pages; /* not given back, quarantine aside */
	uint64_t quarantined_pages;
	uint64_t bad_writes; /* the host wrote into memory that it had no right to */
	bool quiet;
	/* The first register that hvk_stop left otherwise than it was found, or NULL. */
	const char *changed_register;
	struct hvk_counters counters;
	struct hvk_netdev_counters nic;
	struct hvh_counters host;
	uint64_t faults[HVH_FAULT_COUNT];
	uint32_t queues;       /* of the card when it was detached last, as the driver has it */
	uint32_t queues_open;  /* ... and the host */
	uint32_t queues_sent;  /* queues that any frame of ours came over */
	uint32_t queues_taken; /* ... and any for us */
};

/* A frame that the card has lent us. */
struct rig_lent {
	_Atomic int state;
	struct hvk_netdev *netdev;
	struct hvk_rx_frame frame;
	uint32_t sum; /* of its bytes: nobody may write there while it is lent */
};
#define RIG_LENT_MAX 24u

struct rig {
	struct rig_config config;
	struct rig_result result;
	struct hosted *machine;
	struct hvh_profile profile;
	struct hvh_nic *host_nic;
	struct hvh_simwire *wire;
	struct hvk *hvk;
	struct hvk_request request;
	struct hvk_channel *channel;      /* of the card, when offered */
	struct hvk_channel *echo_channel; /* of the echo device, when offered */
	struct hvh_echo *host_echo;
	struct hvk_netvsc *nic;
	bool nic_up;
	_Atomic bool nic_gone;
	_Atomic uint32_t cpus_up, cpus_down;
	_Atomic bool cpus_stop;
	_Atomic uint32_t bus_turn, abandon_turn; /* work handed to another CPU */
	_Atomic bool park;                       /* other CPUs are to stay out of hvkit */
	_Atomic uint32_t parked;
	_Atomic bool deaf; /* CPU 0 takes no interrupts */
	hvk_status abandon_status;
	uint64_t registers[RIG_REGISTERS_MAX]; /* as the machine was found */
	struct rig_frame *frames_state;
	bool early_sent;
	/* Written on the card's CPU, read on CPU 0. */
	_Atomic uint32_t next_frame, echoed, streamed;
	_Atomic uint64_t last_progress;
	uint64_t random;
	uint8_t *seen, *stream_seen;
	struct rig_lent lent[RIG_LENT_MAX];
	_Atomic bool returning; /* nothing is kept any more */
};

/* One poll of the contact CPU, and a rest if there is nothing to do. */
void rig_turn(struct rig *rig);

/* Runs it all on a machine of its own. result is always filled in. */
void rig_run(const struct rig_config *config, struct rig_result *result);

/* NULL if everything that must hold does; else a line that says what does not. lossless:
 * no frame may be lost. */
const char *rig_check(const struct rig_result *result, bool lossless);

#endif
