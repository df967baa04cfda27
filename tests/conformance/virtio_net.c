/* SPDX-License-Identifier: MIT */
/*
 * The guest's virtio driver and the host's virtio device on a vPCI bus, with one CPU and several, polled and
 * by interrupts, with whatever features the function has: each frame that is sent comes back from the wire,
 * once, whole and with right checksums; the device has nothing to complain of.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guest/netdev/checksum.h"
#include "host/virtio/net.h"
#include "hvkit/virtio_net.h"
#include "hvkit/vpci.h"
#include "hvkit_host/network.h"
#include "ports/hosted/hosted.h"

#define REQUEST_MS 60000u
#define LIMIT_MS 900000u
#define VECTOR 0x98u
#define DEVICE_VECTOR 0x60u
#define DEVICE_VECTORS 32u
#define SLOTS 64u
#define FRAME_MAX 66000u
#define ROUNDS 400u
#define TCP_AT 34u
#define PAYLOAD_AT 54u

static const uint8_t mac[6] = {0x00, 0x15, 0x5d, 7, 8, 9};

struct slot {
	struct hvk_tx_frame frame;
	struct hvk_buffer pieces[20];
	uint8_t *bytes; /* a page's start */
	struct hvk_pages pages;
	bool taken;
};

struct guest {
	struct hosted *machine;
	struct hvk *hvk;
	struct virtio_net_device *host;
	struct hvk_channel *channel;
	struct hvk_vpci *bus;
	struct hvk_pci_function *function;
	struct hvk_virtio_net *net;
	struct hvk_netdev *netdev;
	struct hvk_virtio_net_config config;
	struct hvk_request request;
	struct slot slots[SLOTS];
	uint64_t random;
	uint32_t cpus, without, mtu;
	uint64_t sent_bytes, back_bytes; /* of payload */
	uint64_t sent_sum, back_sum;
	uint32_t lost; /* the wire's */
	uint32_t done, canceled, joined, links, leaving, gone;
	uint32_t lock; /* atomic: several CPUs receive */
	uint32_t violations;
	char violation[200];
	const char *wrong;
	void (*session)(struct guest *guest);
};

static void expect(struct guest *guest, bool right, const char *wrong)
{
	if (!right && !guest->wrong)
		guest->wrong = wrong;
}

static void poll_for(struct guest *guest, uint32_t ms)
{
	uint64_t end = hosted_now(guest->machine) + ms * 10000ull;

	while (hosted_now(guest->machine) < end) {
		(void)hvk_poll(guest->hvk, 0);
		hosted_wait(guest->machine, 1000000);
	}
}

static bool finish(struct guest *guest, const char *what)
{
	hvk_status status = hvk_wait(guest->hvk, &guest->request, REQUEST_MS);

	expect(guest, status == HVK_OK, what);
	return status == HVK_OK;
}

static uint32_t some(struct guest *guest, uint32_t below)
{
	guest->random = guest->random * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(guest->random >> 33) % below;
}

/* The payload's sum does not depend on how it is cut: each byte counts by itself. */
static uint64_t sum_of(const uint8_t *bytes, uint32_t length)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < length; i++)
		sum += (uint64_t)(bytes[i] + 1u) * (bytes[i] + 1u);
	return sum;
}

/* --- The wire: all comes back, from the other side ------------------------------------------- */

static void wire(void *context, uint32_t pair, const uint8_t *frame, uint32_t length)
{
	struct guest *guest = context;
	uint8_t back[FRAME_MAX];

	(void)pair;
	expect(guest, length >= 14 && length <= guest->mtu + 14, "a frame on the wire longer than the MTU");
	memcpy(back, frame, length);
	memcpy(back, frame + 6, 6);
	memcpy(back + 6, frame, 6);
	if (virtio_net_accepts(guest->host, back) &&
	    virtio_net_receive(guest->host, hosted_now(guest->machine), back, length))
		return;
	/* Lost: no room, which a wire may say. */
	guest->lost++;
	(void)__atomic_fetch_add(&guest->back_bytes, length - PAYLOAD_AT, __ATOMIC_RELAXED);
	(void)__atomic_fetch_add(&guest->back_sum, sum_of(frame + PAYLOAD_AT, length - PAYLOAD_AT),
				 __ATOMIC_RELAXED);
}

static void wire_flush(void *context)
{
	(void)context;
}

/* --- Frames ---------------------------------------------------------------------------------- */

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static bool checksums_are_right(const uint8_t *frame, uint32_t length)
{
	uint32_t sum = hvk_checksum_pseudo(frame + 26, 8, 6, length - TCP_AT);

	sum += hvk_checksum_sum(frame + TCP_AT, length - TCP_AT);
	return hvk_checksum_sum(frame + 14, 20) == 0xffff && hvk_checksum_fold(sum) == 0xffff;
}

static void input(void *context, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame)
{
	struct guest *guest = context;

	expect(guest, netdev == guest->netdev && frame->length > PAYLOAD_AT, "a frame that nobody sent");
	if (frame->length <= PAYLOAD_AT)
		return;
	expect(guest, memcmp(frame->data, mac, 6) == 0, "somebody else's frame");
	if (!(frame->flags & HVK_RX_TCP_GOOD) && !(frame->flags & HVK_RX_JOINED))
		expect(guest, checksums_are_right(frame->data, frame->length), "a wrong checksum");
	(void)__atomic_fetch_add(&guest->joined, (frame->flags & HVK_RX_JOINED) != 0, __ATOMIC_RELAXED);
	(void)__atomic_fetch_add(&guest->back_bytes, frame->length - PAYLOAD_AT, __ATOMIC_RELAXED);
	(void)__atomic_fetch_add(&guest->back_sum,
				 sum_of(frame->data + PAYLOAD_AT, frame->length - PAYLOAD_AT),
				 __ATOMIC_RELAXED);
}

static void link_changed(void *context, struct hvk_netdev *netdev, bool up)
{
	struct guest *guest = context;

	expect(guest, netdev->info.link_up == up, "the link");
	guest->links++;
}

static void gone(void *context, struct hvk_netdev *netdev)
{
	(void)netdev;
	((struct guest *)context)->gone++;
}

static void done(struct hvk_tx_frame *frame, hvk_status status, void *context)
{
	struct guest *guest = context;
	struct slot *slot = (struct slot *)(void *)frame;

	expect(guest, slot->taken, "done twice");
	expect(guest, status == HVK_OK || status == HVK_ECANCELED, "done, and how?");
	(void)__atomic_fetch_add(status == HVK_OK ? &guest->done : &guest->canceled, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&slot->taken, false, __ATOMIC_SEQ_CST);
}

static uint32_t fill(struct guest *guest, struct slot *slot, uint32_t payload)
{
	uint8_t *frame = slot->bytes;

	memset(frame, 0, PAYLOAD_AT);
	frame[0] = 2;
	memcpy(frame + 6, mac, 6);
	put16(frame + 12, 0x0800);
	frame[14] = 0x45;
	put16(frame + 16, 40 + payload);
	frame[22] = 64;
	frame[23] = 6;
	frame[26] = 10, frame[29] = 1, frame[30] = 10, frame[33] = 2;
	put16(frame + TCP_AT, 1000 + some(guest, 50));
	put16(frame + TCP_AT + 2, 80);
	frame[TCP_AT + 12] = 0x50;
	frame[TCP_AT + 13] = 0x10;
	for (uint32_t i = 0; i < payload; i++)
		frame[PAYLOAD_AT + i] = (uint8_t)(guest->random >> (i % 57));
	return PAYLOAD_AT + payload;
}

/* Pages lie anywhere: no piece is longer than what is left of its page. */
static void cut(struct guest *guest, struct slot *slot, uint32_t length)
{
	const struct hvk_port *port = hosted_port(guest->machine);
	uint32_t count = 0, first = 14 + some(guest, 3000);
	bool by_page = length > 2000 || some(guest, 4) != 0;

	for (uint32_t at = 0; at < length;) {
		uint64_t gpa = port->page_gpa(port->context, slot->bytes + at / 4096u * 4096u) + at % 4096u;
		uint32_t part = 4096u - at % 4096u;

		part = count == 0 && first < part ? first : part;
		part = part < length - at ? part : length - at;
		slot->pieces[count++] = (struct hvk_buffer){slot->bytes + at, by_page ? gpa : 0, part};
		at += part;
	}
	slot->frame.piece_count = count;
}

static struct slot *free_slot(struct guest *guest)
{
	for (uint32_t i = 0; i < SLOTS; i++) {
		if (!__atomic_load_n(&guest->slots[i].taken, __ATOMIC_SEQ_CST))
			return &guest->slots[i];
	}
	return NULL;
}

/* One frame with what the device can do for it. */
static bool send_one(struct guest *guest)
{
	const struct hvk_netdev_info *info = &guest->netdev->info;
	struct slot *slot = free_slot(guest);
	bool tso = (info->enabled & HVK_NETDEV_TSO4) && some(guest, 6) == 0;
	uint32_t payload = 1 + some(guest, tso ? 60000 : info->mtu - 40), length;

	if (!slot)
		return false;
	length = fill(guest, slot, payload);
	slot->frame = (struct hvk_tx_frame){.pieces = slot->pieces,
					    .length = length,
					    .done = done,
					    .context = guest,
					    .flags = HVK_TX_CHECKSUM_IPV4 | HVK_TX_CHECKSUM_TCP};
	if (tso) {
		slot->frame.flags = HVK_TX_TSO;
		slot->frame.segment_size = (uint16_t)(200 + some(guest, info->mtu - 240));
	}
	slot->frame.flags |= some(guest, 3) == 0 ? HVK_TX_MORE : 0;
	slot->frame.flags |= HVK_TX_HASH;
	slot->frame.hash = (uint32_t)guest->random;
	cut(guest, slot, length);
	slot->taken = true;
	if (hvk_netdev_transmit(guest->netdev, &slot->frame) != HVK_TX_TAKEN) {
		slot->taken = false;
		return false;
	}
	guest->sent_bytes += payload;
	guest->sent_sum += sum_of(slot->bytes + PAYLOAD_AT, payload);
	return true;
}

static bool all_is_back(const struct guest *guest)
{
	return __atomic_load_n(&guest->back_bytes, __ATOMIC_RELAXED) == guest->sent_bytes;
}

static void traffic(struct guest *guest, uint32_t frames)
{
	uint32_t sent = 0;

	for (uint32_t i = 0; sent < frames && i < frames * 50; i++) {
		if (send_one(guest))
			sent++;
		else
			poll_for(guest, 1);
		if (sent % 8 == 0)
			poll_for(guest, 1);
	}
	expect(guest, sent == frames, "there is never room");
	for (uint32_t i = 0; i < 500 && !all_is_back(guest); i++)
		poll_for(guest, 1);
	expect(guest, all_is_back(guest), "not all came back, or too much");
	expect(guest, guest->sent_sum == guest->back_sum, "something else came back");
	expect(guest, guest->lost < frames, "most is lost");
	expect(guest, guest->netdev->ops->outstanding(guest->netdev) == 0, "frames that are not done");
}

/* --- Sessions -------------------------------------------------------------------------------- */

static bool up(struct guest *guest)
{
	hvk_virtio_net_attach(guest->net, &guest->request);
	if (!finish(guest, "attach"))
		return false;
	hvk_netdev_set_flags(guest->netdev, HVK_NETDEV_UP, &guest->request);
	return finish(guest, "up");
}

static void down(struct guest *guest)
{
	hvk_virtio_net_detach(guest->net, &guest->request);
	(void)finish(guest, "detach");
}

static void back_and_forth(struct guest *guest)
{
	for (uint32_t n = 0; n < 2 && up(guest); n++) {
		expect(guest,
		       guest->netdev->info.queues == (guest->config.queues < 4 ? guest->config.queues : 4),
		       "pairs");
		traffic(guest, ROUNDS);
		down(guest);
	}
}

static void operations(struct guest *guest)
{
	static const uint8_t groups[3][6] = {
		{1, 0, 0x5e, 0, 0, 1}, {1, 0, 0x5e, 0, 0, 2}, {0x33, 0x33, 0, 0, 0, 1}};

	if (!up(guest))
		return;
	guest->mtu = guest->netdev->info.mtu_max;
	for (uint32_t n = 0; n < 12; n++) {
		switch (n % 6) {
		case 0:
			hvk_netdev_set_mtu(guest->netdev, n < 6 ? guest->mtu : 1000, &guest->request);
			break;
		case 1:
			hvk_netdev_set_multicast(guest->netdev, groups, n % 4, &guest->request);
			break;
		case 2:
			hvk_netdev_set_enabled(guest->netdev, n < 6 ? 0 : guest->netdev->info.capabilities,
					       &guest->request);
			break;
		case 3:
			hvk_netdev_set_flags(guest->netdev, HVK_NETDEV_UP | HVK_NETDEV_PROMISCUOUS,
					     &guest->request);
			break;
		case 4:
			hvk_netdev_set_flags(guest->netdev, 0, &guest->request);
			break;
		default:
			hvk_netdev_set_flags(guest->netdev, HVK_NETDEV_UP | HVK_NETDEV_ALL_MULTICAST,
					     &guest->request);
		}
		if (finish(guest, "an operation") && (guest->netdev->info.flags & HVK_NETDEV_UP))
			traffic(guest, 60);
	}
	down(guest);
}

static void link_news(struct guest *guest)
{
	if (!up(guest))
		return;
	for (uint32_t n = 0; n < 4; n++) {
		hosted_lock(guest->machine);
		virtio_net_set_link(guest->host, hosted_now(guest->machine), n % 2 == 1, 0);
		hosted_kick(guest->machine);
		hosted_unlock(guest->machine);
		poll_for(guest, 1100);
		expect(guest, guest->links == n + 1 && guest->netdev->info.link_up == (n % 2 == 1), "link");
	}
	traffic(guest, 50);
	down(guest);
}

/* In the middle of everything: each frame is done all the same. */
static void taken_away(struct guest *guest)
{
	if (!up(guest))
		return;
	for (uint32_t i = 0; i < 20; i++)
		(void)send_one(guest);
	hosted_lock(guest->machine);
	(void)hvh_vpci_rescind(virtio_net_bus(guest->host), hosted_now(guest->machine));
	hosted_kick(guest->machine);
	hosted_unlock(guest->machine);
	for (uint32_t i = 0; i < 20; i++)
		(void)send_one(guest);
	poll_for(guest, 20);
	expect(guest, guest->gone == 1 && guest->leaving == 1, "nobody was told");
	expect(guest, !send_one(guest), "it goes on sending");
	down(guest);
	for (uint32_t i = 0; i < SLOTS; i++)
		expect(guest, !guest->slots[i].taken, "a frame is not done");
}

/* --- The machine ----------------------------------------------------------------------------- */

static void leaving(void *context, struct hvk_virtio_net *net, bool eject)
{
	struct guest *guest = context;

	expect(guest, net == guest->net && !eject, "leaving");
	guest->leaving++;
}

static void with_function(struct guest *guest)
{
	const struct hvk_port *port = hosted_port(guest->machine);
	hvk_status status;

	guest->config.leaving = leaving;
	guest->config.context = guest;
	for (uint32_t i = 0; i < SLOTS; i++) {
		if (port->pages_alloc(port->context, 17, HVK_PAGE_HOST_READS, &guest->slots[i].pages) !=
		    HVK_OK)
			expect(guest, false, "memory");
		guest->slots[i].bytes = guest->slots[i].pages.address;
	}
	status = hvk_virtio_net_create(guest->function, &guest->config, &guest->net);
	expect(guest, status == HVK_OK, "create");
	if (status == HVK_OK) {
		guest->netdev = hvk_virtio_net_netdev(guest->net);
		guest->netdev->hooks = (struct hvk_netdev_hooks){
			.input = input, .link_changed = link_changed, .gone = gone, .context = guest};
		guest->session(guest);
		expect(guest, hvk_virtio_net_destroy(guest->net) == HVK_OK, "destroy");
	}
	for (uint32_t i = 0; i < SLOTS; i++)
		port->pages_free(port->context, &guest->slots[i].pages);
}

static void added(void *context, struct hvk_vpci *bus, struct hvk_pci_function *function)
{
	(void)bus;
	((struct guest *)context)->function = function;
}

static void offered(void *context, struct hvk_channel *channel, bool again)
{
	static const struct vmbus_guid type = VMBUS_GUID_VPCI;

	(void)again;
	if (memcmp(&hvk_channel_offer(channel)->type, &type, sizeof(type)) == 0)
		((struct guest *)context)->channel = channel;
}

static void with_channel(struct guest *guest)
{
	const struct hvk_vpci_config config = {.added = added, .context = guest};

	if (hvk_vpci_create(guest->channel, &config, &guest->bus) != HVK_OK) {
		expect(guest, false, "bus");
		return;
	}
	hvk_vpci_attach(guest->bus, &guest->request);
	if (finish(guest, "attach of the bus") && guest->function)
		with_function(guest);
	expect(guest, guest->function != NULL, "no function");
	hvk_vpci_detach(guest->bus, &guest->request);
	(void)finish(guest, "detach of the bus");
	expect(guest, hvk_vpci_destroy(guest->bus) == HVK_OK, "destroy of the bus");
}

static void boot_cpu(void *context)
{
	struct guest *guest = context;
	const struct hvk_vmbus_config bus = {.offered = offered, .context = guest};

	if (hvk_start(guest->hvk) != HVK_OK || hvk_cpu_start(guest->hvk) != HVK_OK) {
		expect(guest, false, "start");
		return;
	}
	poll_for(guest, 10); /* the other CPUs start */
	hvk_vmbus_connect(guest->hvk, &bus, &guest->request);
	if (!finish(guest, "connect"))
		return;
	if (guest->channel)
		with_channel(guest);
	expect(guest, guest->channel != NULL, "no channel");
	hvk_vmbus_disconnect(guest->hvk, &guest->request);
	(void)finish(guest, "disconnect");
}

struct cpu {
	struct guest *guest;
	uint32_t index;
};

static void other_cpu(void *context)
{
	struct cpu *cpu = context;
	struct guest *guest = cpu->guest;

	hosted_wait(guest->machine, 1000000); /* hvk_start comes first */
	if (hvk_cpu_start(guest->hvk) != HVK_OK)
		expect(guest, false, "start of another CPU");
	while (!hosted_stopping(guest->machine)) {
		if (!hvk_poll(guest->hvk, cpu->index))
			hosted_wait(guest->machine, 1000000);
	}
	(void)hvk_cpu_stop(guest->hvk);
}

static void interrupt(void *context, uint32_t cpu)
{
	hvk_interrupt(((struct guest *)context)->hvk, cpu);
}

static void device_interrupt(void *context, uint32_t cpu, uint8_t vector)
{
	hvk_interrupt_device(((struct guest *)context)->hvk, cpu, vector);
}

static void violation(void *context, const struct hvh_violation *found)
{
	struct guest *guest = context;

	if (guest->violations++ == 0)
		snprintf(guest->violation, sizeof(guest->violation), "%s", found->text);
}

struct plan {
	uint32_t cpus, queues, queue_size;
	uint32_t without; /* HVH_NIC_NO_* */
	uint32_t offloads;
	bool polled, threads;
	uint64_t seed;
	void (*session)(struct guest *guest);
};

static void add_programs(struct guest *guest, struct cpu *others)
{
	hosted_set_interrupt(guest->machine, interrupt, guest);
	hosted_set_device_interrupts(guest->machine, DEVICE_VECTOR, DEVICE_VECTORS, device_interrupt);
	hosted_set_program(guest->machine, 0, boot_cpu, guest);
	for (uint32_t i = 1; i < guest->cpus; i++) {
		others[i] = (struct cpu){guest, i};
		hosted_set_program(guest->machine, i, other_cpu, &others[i]);
	}
}

static void add_device(struct guest *guest, const struct plan *plan)
{
	struct virtio_net_setup setup = {.pairs_max = 4,
					 .mtu = 9000,
					 .without = plan->without,
					 .speed = 10000000000ull,
					 .link_up = true,
					 .bus = {.serial = 0x77},
					 .context = guest,
					 .transmit = wire,
					 .flush = wire_flush};

	memcpy(setup.mac, mac, sizeof(mac));
	guest->host = virtio_net_create(hosted_partition(guest->machine), &setup);
	assert_non_null(guest->host);
}

static void run(const struct plan *plan)
{
	struct guest *guest = calloc(1, sizeof(*guest));
	const struct hosted_config config = {.mode = plan->threads ? HOSTED_THREADS : HOSTED_DETERMINISTIC,
					     .cpus = plan->cpus,
					     .profile = hvh_profile_find("ws2022"),
					     .seed = plan->seed,
					     .violation = violation,
					     .context = guest};
	const struct hvk_config hvk_config = {
		.cpus = plan->cpus,
		.interrupts = true,
		.vector = VECTOR,
		.device_vector_first = DEVICE_VECTOR,
		.device_vector_count = DEVICE_VECTORS,
		.mmio_windows = {{HVH_MMIO_LOW_BASE, HVH_MMIO_LOW_LENGTH},
				 {HVH_MMIO_HIGH_BASE, HVH_MMIO_HIGH_LENGTH}},
	};
	struct cpu others[HVK_CPUS_MAX];

	assert_non_null(guest);
	guest->machine = hosted_create(&config);
	assert_non_null(guest->machine);
	guest->session = plan->session;
	guest->cpus = plan->cpus;
	guest->mtu = 1500;
	guest->random = plan->seed;
	guest->config = (struct hvk_virtio_net_config){.queues = plan->queues,
						       .queue_size = plan->queue_size,
						       .offloads = plan->offloads,
						       .polled = plan->polled};
	assert_int_equal(hvk_create(hosted_port(guest->machine), &hvk_config, &guest->hvk), HVK_OK);
	add_device(guest, plan);
	add_programs(guest, others);
	if (!hosted_run(guest->machine, LIMIT_MS))
		fail_msg("seed %u: never at its end", (unsigned)plan->seed);
	if (guest->wrong)
		fail_msg("%u CPUs, seed %u: %s", plan->cpus, (unsigned)plan->seed, guest->wrong);
	if (guest->violations != 0)
		fail_msg("%u CPUs, seed %u: %s", plan->cpus, (unsigned)plan->seed, guest->violation);
	assert_int_equal(hosted_writes_to_free_memory(guest->machine), 0);
	hosted_destroy(guest->machine);
	free(guest);
}

/* --- Tests ----------------------------------------------------------------------------------- */

#define ALL (HVK_NETDEV_TX_CHECKSUMS | HVK_NETDEV_RX_CHECKSUMS | HVK_NETDEV_TSO4 | HVK_NETDEV_TSO6)

static void frames(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 12; seed++) {
		const struct plan plan = {.cpus = 1 + (uint32_t)seed % 4,
					  .queues = 1 + (uint32_t)seed % 5,
					  .queue_size = seed % 3 == 0 ? 32 : 0,
					  .offloads = seed % 4 == 0   ? 0
						      : seed % 4 == 1 ? ALL | HVK_NETDEV_LRO
								      : ALL,
					  .polled = seed % 5 == 0,
					  .seed = seed,
					  .session = back_and_forth};

		run(&plan);
	}
}

static void without(void **state)
{
	static const uint32_t missing[] = {HVH_NIC_NO_TX_CHECKSUM | HVH_NIC_NO_LSO, HVH_NIC_NO_LSO,
					   HVH_NIC_NO_RX_CHECKSUM | HVH_NIC_NO_RSC, HVH_NIC_NO_OFFLOADS};

	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		const struct plan plan = {.cpus = 2,
					  .queues = 2,
					  .without = missing[i],
					  .offloads = ALL,
					  .seed = i,
					  .session = back_and_forth};

		run(&plan);
	}
}

static void asked_for(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 6; seed++) {
		const struct plan plan = {.cpus = 1 + (uint32_t)seed % 3,
					  .queues = 3,
					  .offloads = ALL,
					  .polled = seed % 4 == 0,
					  .seed = seed,
					  .session = seed % 2 ? operations : link_news};

		run(&plan);
	}
}

static void rescinded(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 8; seed++) {
		const struct plan plan = {.cpus = 1 + (uint32_t)seed % 3,
					  .queues = 3,
					  .offloads = ALL,
					  .polled = seed % 4 == 0,
					  .seed = seed,
					  .session = taken_away};

		run(&plan);
	}
}

static void threads(void **state)
{
	const struct plan plan = {.cpus = 4,
				  .queues = 4,
				  .offloads = ALL,
				  .threads = true,
				  .seed = 1,
				  .session = back_and_forth};

	(void)state;
	run(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames),    cmocka_unit_test(without), cmocka_unit_test(asked_for),
		cmocka_unit_test(rescinded), cmocka_unit_test(threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
