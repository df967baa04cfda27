/* SPDX-License-Identifier: MIT */
/*
 * The smallest port there is: level 0, one CPU, no interrupts, no heap. A boot loader or a
 * unikernel that wants a network card needs no more than this file.
 *
 * It is compiled with every build of hvkit, freestanding, for x86-64, but not run: it wants
 * a real Hyper-V. What it asks of its surroundings is two things: a line on the console and
 * identity-mapped memory (virtual = guest-physical address).
 */
#include "hvkit/hvkit.h"
#include "hvkit/netvsc.h"
#include "hvkit/vmbus.h"

#define POOL_PAGES 4096u /* 16 MiB: rings, receive and send buffer, hvkit's own state */
#define WAIT_MS 30000u   /* every request has a shorter bound of its own */

void console_line(const char *text); /* yours */
void frame_arrived(const void *data, uint32_t length);
bool frame_wanted(const void **data, uint32_t *length);
void example_main(void);

/* --- The port, level 0 ------------------------------------------------------------------ */

struct machine {
	uint8_t *pool;
	uint32_t used; /* pages; a bump allocator will do for a program that ends */
	struct hvk_channel *nic;
	enum sending { SENDING_NOTHING, SENDING_WAITS, SENDING_TAKEN } sending;
	struct hvk_buffer piece;
	struct hvk_tx_frame frame;
};

static uint8_t pool[POOL_PAGES][HVK_PAGE_SIZE] __attribute__((aligned(4096)));

static void port_log(void *context, enum hvk_log_level level, const char *text)
{
	(void)context;
	if (level <= HVK_LOG_INFO)
		console_line(text);
}

static hvk_status port_pages_alloc(void *context, uint32_t count, enum hvk_page_use use,
				   struct hvk_pages *out)
{
	struct machine *machine = context;

	if (count > POOL_PAGES - machine->used)
		return HVK_ENOMEM;
	/* The pool is zero from the start and no page is given out twice. */
	*out = (struct hvk_pages){machine->pool + (size_t)machine->used * HVK_PAGE_SIZE, count, use, NULL};
	machine->used += count;
	return HVK_OK;
}

static void port_pages_free(void *context, const struct hvk_pages *pages)
{
	(void)context;
	(void)pages;
}

static uint64_t port_page_gpa(void *context, const void *address)
{
	(void)context;
	return (uint64_t)(uintptr_t)address; /* identity-mapped */
}

static void port_features(void *context, uint32_t leaf, uint32_t out[4])
{
	(void)context;
	__asm__ volatile("cpuid"
			 : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
			 : "a"(leaf), "c"(0));
}

/* hvkit's own register names are MSRs here. */
static const uint32_t msr_of[] = {
	[HVK_REG_GUEST_OS_ID] = 0x40000000u,   [HVK_REG_HYPERCALL] = 0x40000001u,
	[HVK_REG_VP_INDEX] = 0x40000002u,      [HVK_REG_REFERENCE_COUNTER] = 0x40000020u,
	[HVK_REG_REFERENCE_TSC] = 0x40000021u, [HVK_REG_SCONTROL] = 0x40000080u,
	[HVK_REG_SIEFP] = 0x40000082u,         [HVK_REG_SIMP] = 0x40000083u,
	[HVK_REG_EOM] = 0x40000084u,
};

static uint32_t msr_number(enum hvk_register reg)
{
	return reg >= HVK_REG_SINT0 ? 0x40000090u + (uint32_t)(reg - HVK_REG_SINT0) : msr_of[reg];
}

static hvk_status port_reg_read(void *context, enum hvk_register reg, uint64_t *value)
{
	uint32_t low, high;

	(void)context;
	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr_number(reg)));
	*value = (uint64_t)high << 32 | low;
	return HVK_OK; /* with a handler for #GP: anything else when it faulted */
}

static hvk_status port_reg_write(void *context, enum hvk_register reg, uint64_t value)
{
	(void)context;
	__asm__ volatile("wrmsr"
			 :
			 : "c"(msr_number(reg)), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
			 : "memory");
	return HVK_OK;
}

static uint64_t port_hypercall(void *context, const void *page, uint64_t control, uint64_t input,
			       uint64_t output)
{
	register uint64_t r8 __asm__("r8") = output;
	uint64_t result;

	(void)context;
	__asm__ volatile("call *%[page]"
			 : "=a"(result), "+c"(control), "+d"(input), "+r"(r8)
			 : [page] "r"(page)
			 : "r9", "r10", "r11", "cc", "memory");
	return result;
}

static void port_pause(void *context)
{
	(void)context;
	for (int i = 0; i < 1000; i++) /* PAUSE takes a nanosecond at the very least */
		__asm__ volatile("pause");
}

static struct hvk_port port_of(struct machine *machine)
{
	return (struct hvk_port){
		.size = sizeof(struct hvk_port),
		.version = HVK_PORT_VERSION,
		.context = machine,
		.log = port_log,
		.pages_alloc = port_pages_alloc,
		.pages_free = port_pages_free,
		.page_gpa = port_page_gpa,
		.features = port_features,
		.reg_read = port_reg_read,
		.reg_write = port_reg_write,
		.hypercall = port_hypercall,
		.pause = port_pause,
		.pause_ns = 1000,
	};
}

/* --- Callbacks ------------------------------------------------------------------------------ */

static bool is_network_card(const struct hvk_offer *offer)
{
	static const struct vmbus_guid type = VMBUS_GUID_NETVSC;

	for (size_t i = 0; i < sizeof(type.bytes); i++) {
		if (offer->type.bytes[i] != type.bytes[i])
			return false;
	}
	return true;
}

static void offered(void *context, struct hvk_channel *channel, bool again)
{
	struct machine *machine = context;

	(void)again;
	if (!machine->nic && is_network_card(hvk_channel_offer(channel)))
		machine->nic = channel;
}

static void input(void *context, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame)
{
	(void)context;
	(void)netdev;
	frame_arrived(frame->data, frame->length);
}

/* --- The main loop ------------------------------------------------------------------------------ */

/* One frame at a time. Its memory is the card's from the moment it is taken until sent(). */
static void sent(struct hvk_tx_frame *frame, hvk_status status, void *context)
{
	struct machine *machine = context;

	(void)frame;
	(void)status; /* a lost frame is the transport's to send again */
	machine->sending = SENDING_NOTHING;
}

static void send(struct machine *machine, struct hvk_netdev *netdev)
{
	const void *data;
	uint32_t length;

	if (machine->sending == SENDING_NOTHING && frame_wanted(&data, &length)) {
		machine->piece = (struct hvk_buffer){.address = data, .length = length};
		machine->frame = (struct hvk_tx_frame){
			.pieces = &machine->piece,
			.piece_count = 1,
			.length = length,
			.done = sent,
			.context = machine,
		};
		machine->sending = SENDING_WAITS;
	}
	if (machine->sending != SENDING_WAITS)
		return;
	switch (hvk_netdev_transmit(netdev, &machine->frame)) {
	case HVK_TX_TAKEN:
		machine->sending = SENDING_TAKEN;
		break;
	case HVK_TX_BUSY: /* again in the next turn */
		break;
	case HVK_TX_GONE:
		machine->sending = SENDING_NOTHING;
		break;
	}
}

static hvk_status run_network(struct hvk *hvk, struct machine *machine, struct hvk_netvsc *nic)
{
	struct hvk_netdev *netdev = hvk_netvsc_netdev(nic);
	struct hvk_request request = {0};
	hvk_status status;

	netdev->hooks = (struct hvk_netdev_hooks){.input = input};
	hvk_netvsc_attach(nic, &request);
	status = hvk_wait(hvk, &request, WAIT_MS);
	if (status != HVK_OK)
		return status;
	hvk_netdev_set_flags(netdev, HVK_NETDEV_UP, &request);
	status = hvk_wait(hvk, &request, WAIT_MS);
	while (status == HVK_OK && netdev->info.link_up) {
		(void)hvk_poll(hvk, 0); /* receives, completes, times out */
		send(machine, netdev);
	}
	hvk_netvsc_detach(nic, &request);
	(void)hvk_wait(hvk, &request, WAIT_MS);
	return status;
}

static hvk_status run_bus(struct hvk *hvk, struct machine *machine)
{
	struct hvk_vmbus_config config = {
		.mode = HVK_VMBUS_MODE_BOOT, .offered = offered, .context = machine};
	struct hvk_netvsc_config card = {0};
	struct hvk_request request = {0};
	struct hvk_netvsc *nic;
	hvk_status status;

	hvk_vmbus_connect(hvk, &config, &request);
	status = hvk_wait(hvk, &request, WAIT_MS);
	if (status != HVK_OK)
		return status;
	if (machine->nic && hvk_netvsc_create(machine->nic, &card, &nic) == HVK_OK) {
		status = run_network(hvk, machine, nic);
		(void)hvk_netvsc_destroy(nic);
	}
	/* The system that we load can only use the bus if we have left it. */
	hvk_vmbus_disconnect(hvk, &request);
	(void)hvk_wait(hvk, &request, WAIT_MS);
	return status;
}

void example_main(void)
{
	struct machine machine = {.pool = &pool[0][0]};
	struct hvk_port port = port_of(&machine);
	struct hvk_config config = {0};
	struct hvk *hvk;
	hvk_status status = hvk_create(&port, &config, &hvk);

	if (status != HVK_OK) {
		console_line(hvk_status_text(status));
		return;
	}
	status = hvk_start(hvk);
	if (status == HVK_OK) {
		status = hvk_cpu_start(hvk);
		if (status == HVK_OK) {
			status = run_bus(hvk, &machine);
			(void)hvk_cpu_stop(hvk);
		}
		(void)hvk_stop(hvk);
	}
	console_line(hvk_status_text(status));
	(void)hvk_destroy(hvk);
}
