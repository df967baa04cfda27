/* SPDX-License-Identifier: MIT */
/*
 * A virtio network device's whole life with a hostile device: registers that read as anything, used rings
 * and buffers written at any moment, frames of any header, commands answered wrongly, late or never, resets
 * that do not happen, a function that leaves. Header: {flags, missing features u32}; flags: 1 polled, 2 two
 * CPUs, 4 queues of four entries, 8 no event index, 16 three pairs.
 */
#include "tests/fuzz/input.h"
#include "tests/support/virtio_machine.h"

#define SLOTS 24u
#define BYTES 8192u
#define WAIT_TURNS 40000u
#define ARMED 4u
#define FORGED 4u

struct slot {
	struct hvk_tx_frame frame;
	struct hvk_buffer pieces[8];
	uint8_t *memory; /* NULL: free */
};

struct armed {
	uint32_t after;
	uint64_t gpa;
	uint32_t value;
};

struct user {
	vd *device;
	struct hvk_virtio_net *net;
	struct hvk_netdev *netdev;
	struct hvk_virtio_net_config config;
	struct hvk_request attach, detach, requests[12];
	struct slot slots[SLOTS];
	struct armed armed[ARMED];
	struct {
		uint16_t offset;
		uint8_t times;
		uint64_t value;
	} forged[FORGED];
	bool rings_forged, told_gone;
	uint8_t bytes[BYTES];
};

static struct user *current;

/* --- The user ------------------------------------------------------------------------------------- */

static void input(void *context, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame)
{
	struct user *user = context;
	volatile uint8_t sum = 0;

	FUZZ_CHECK(netdev == user->netdev && frame->length >= 14 && frame->length <= 65535 + 18);
	FUZZ_CHECK((netdev->info.flags & HVK_NETDEV_UP) && frame->owner == NULL && frame->segments >= 1);
	FUZZ_CHECK(user->device->port.locks == 0 && frame->queue < netdev->info.queues);
	for (uint32_t i = 0; i < frame->length; i++)
		sum = (uint8_t)(sum + frame->data[i]);
}

static void gone(void *context, struct hvk_netdev *netdev)
{
	struct user *user = context;

	FUZZ_CHECK(netdev == user->netdev && !user->told_gone);
	user->told_gone = true;
}

static void done(struct hvk_tx_frame *frame, hvk_status status, void *context)
{
	struct slot *slot = (struct slot *)(void *)frame;

	FUZZ_CHECK(context == current && slot->memory != NULL); /* once */
	FUZZ_CHECK(status == HVK_OK || status == HVK_ECANCELED);
	free(slot->memory);
	slot->memory = NULL;
}

static void await(struct user *user, struct hvk_request *request)
{
	for (uint32_t i = 0; i < WAIT_TURNS && request->status == HVK_EINPROGRESS; i++) {
		user->device->port.now += HVK_TIME_PER_MS;
		vd_poll(user->device);
	}
	FUZZ_CHECK(request->status != HVK_EINPROGRESS);
}

/* --- The device ------------------------------------------------------------------------------------ */

static bool forged(vd *device, uint64_t offset, uint64_t *value)
{
	(void)device;
	for (uint32_t i = 0; i < FORGED; i++) {
		if (current->forged[i].times != 0 && current->forged[i].offset == offset) {
			current->forged[i].times--;
			*value = current->forged[i].value;
			return true;
		}
	}
	return false;
}

static void strike(void *owner)
{
	(void)owner;
	for (uint32_t i = 0; i < ARMED; i++) {
		struct armed *armed = &current->armed[i];
		uint8_t *at;

		if (armed->after == 0 || --armed->after != 0)
			continue;
		at = polled_port_at(&current->device->port, armed->gpa, 4);
		if (at)
			memcpy(at, &armed->value, 4);
	}
}

/* --- Operations -------------------------------------------------------------------------------------- */

static void op_transmit(struct user *user, struct fuzz_input *arguments)
{
	uint32_t length = fuzz_u16(arguments) % BYTES, count = fuzz_u8(arguments) % 8u + 1u, at = 0;
	struct slot *slot = user->slots;

	while (slot < user->slots + SLOTS && slot->memory)
		slot++;
	if (slot == user->slots + SLOTS)
		return;
	slot->frame = (struct hvk_tx_frame){.pieces = slot->pieces,
					    .piece_count = count,
					    .length = length,
					    .done = done,
					    .context = user,
					    .flags = fuzz_u8(arguments) & 0x7fu,
					    .hash = fuzz_u8(arguments),
					    .segment_size = fuzz_u16(arguments),
					    .network_offset = fuzz_u8(arguments),
					    .transport_offset = fuzz_u8(arguments)};
	slot->memory = malloc(length + 1);
	FUZZ_CHECK(slot->memory != NULL);
	memset(slot->memory, 0x45, length + 1);
	for (uint32_t i = 0; i < length && i < 80 && arguments->left; i++)
		slot->memory[i] = fuzz_u8(arguments);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t part = i + 1 == count ? length - at : length / count;
		uint64_t gpa = (uint64_t)(uintptr_t)(user->bytes + at);

		slot->pieces[i] = (struct hvk_buffer){slot->memory + at, slot->frame.hash & 1 ? gpa : 0,
						      part};
		at += part;
	}
	if (hvk_netdev_transmit(user->netdev, &slot->frame) != HVK_TX_TAKEN) {
		free(slot->memory);
		slot->memory = NULL;
	}
}

static void op_frame(struct user *user, struct fuzz_input *arguments)
{
	struct virtio_net_header header;
	uint8_t frame[9000] = {0x00, 0x15, 0x5d, 1, 2, 3}, pair = fuzz_u8(arguments) % 3u;
	uint32_t length = fuzz_u16(arguments) % sizeof(frame), said = fuzz_u16(arguments);
	uint8_t *bytes = (uint8_t *)&header;

	for (uint32_t i = 0; i < sizeof(header); i++)
		bytes[i] = fuzz_u8(arguments);
	for (uint32_t i = 6; i < length && arguments->left; i++)
		frame[i] = fuzz_u8(arguments);
	(void)vd_inject(user->device, pair, &header, frame, length, said);
}

static void op_used(struct user *user, struct fuzz_input *arguments)
{
	struct vd_queue *queue = &user->device->queues[fuzz_u8(arguments) % VD_QUEUES];
	uint16_t ahead = fuzz_u16(arguments);
	uint32_t id = fuzz_u32(arguments), length = fuzz_u32(arguments);

	if (!queue->enabled)
		return;
	user->rings_forged = true;
	queue->given = (uint16_t)(queue->given + ahead);
	vd_push(user->device, queue, id, length);
	vd_raise(user->device, queue->vector);
}

/* A word of a queue's memory, now or when the guest has looked so often. */
static void op_word(struct user *user, struct fuzz_input *arguments)
{
	const struct vd_queue *queue = &user->device->queues[fuzz_u8(arguments) % VD_QUEUES];
	uint8_t area = fuzz_u8(arguments), n = fuzz_u8(arguments);
	uint64_t gpa = area % 3u == 0 ? queue->descriptors : area % 3u == 1 ? queue->available : queue->used;

	if (!queue->enabled)
		return;
	user->rings_forged = true;
	user->armed[n % ARMED] = (struct armed){.gpa = gpa + fuzz_u16(arguments) / 4u * 4u};
	user->armed[n % ARMED].value = fuzz_u32(arguments);
	user->armed[n % ARMED].after = fuzz_u8(arguments) + 1u;
}

static void op_register(struct user *user, struct fuzz_input *arguments)
{
	uint8_t n = fuzz_u8(arguments) % FORGED, where = fuzz_u8(arguments);

	user->rings_forged = true; /* what comes of it is not the driver's fault */
	user->forged[n].offset = where & 0x80u ? (uint16_t)(VD_CONFIG_AT + where % 32u) : where;
	user->forged[n].times = fuzz_u8(arguments);
	user->forged[n].value = fuzz_u32(arguments);
}

static void op_habit(struct user *user, struct fuzz_input *arguments)
{
	uint8_t what = fuzz_u8(arguments);
	vd *device = user->device;

	device->holds_frames = what & 1u;
	device->mute_control = what & 2u;
	device->refuse_control = what & 4u;
	device->lazy = what & 8u;
	device->no_notifications = what & 16u;
	device->resets_late = what & 32u ? 5 : 0;
	device->never_resets = what & 64u;
	device->withholds_interrupts = what & 128u;
	if (device->interrupt_withheld && !device->withholds_interrupts)
		vd_interrupt_answer(device);
	if (fuzz_u8(arguments) & 1u)
		device->status |= VIRTIO_STATUS_NEEDS_RESET;
	device->net.status = fuzz_u8(arguments);
	vd_config_changed(device);
}

static void op_request(struct user *user, struct fuzz_input *arguments)
{
	struct hvk_request *request = user->requests;
	uint8_t kind = fuzz_u8(arguments), groups[4][6] = {{1}, {3}, {0x33, 0x33}, {0xff}};
	uint32_t value = fuzz_u32(arguments);

	while (request < user->requests + 12 && request->status == HVK_EINPROGRESS)
		request++;
	if (request == user->requests + 12)
		return;
	if (kind % 4u == 0)
		hvk_netdev_set_flags(user->netdev, value, request);
	else if (kind % 4u == 1)
		hvk_netdev_set_mtu(user->netdev, value % 10000u, request);
	else if (kind % 4u == 2)
		hvk_netdev_set_enabled(user->netdev, value, request);
	else
		hvk_netdev_set_multicast(user->netdev, (const uint8_t(*)[6])groups, value % 5u, request);
}

static void ignore_line(void *context, const char *text)
{
	(void)context;
	FUZZ_CHECK(strlen(text) < 200);
}

static void op_life(struct user *user, struct fuzz_input *arguments)
{
	vd *device = user->device;

	switch (fuzz_u8(arguments) % 6u) {
	case 0:
		if (user->attach.status != HVK_EINPROGRESS) {
			user->told_gone = false;
			hvk_virtio_net_attach(user->net, &user->attach);
		}
		break;
	case 1:
		if (user->detach.status != HVK_EINPROGRESS)
			hvk_virtio_net_detach(user->net, &user->detach);
		break;
	case 2:
		hvk_virtio_net_dump(user->net, ignore_line, NULL);
		break;
	case 3:
		if (device->claimed && !device->gone) {
			device->gone = true;
			device->hooks.leaving(device->hooks.context, device, false);
		}
		break;
	case 4:
		device->port.fail_allocation = fuzz_u8(arguments) % 32u;
		break;
	default:
		vd_pass_ms(device, 20u * fuzz_u8(arguments));
	}
}

static void op_turn(struct user *user, struct fuzz_input *arguments)
{
	for (uint32_t n = fuzz_u8(arguments) % 16u + 1u; n != 0; n--)
		vd_poll(user->device);
}

/* --- A run ---------------------------------------------------------------------------------------------- */

static void begin(struct user *user, struct fuzz_input *input_bytes)
{
	uint8_t flags = fuzz_u8(input_bytes);
	uint32_t missing = fuzz_u32(input_bytes);

	user->device = vd_create(flags & 2u ? 2 : 1);
	user->device->features &= ~((uint64_t)missing & 0x00ffffffu);
	if (flags & 8u)
		user->device->features &= ~VIRTIO_F_EVENT_IDX;
	user->device->forged = forged;
	user->device->port.switched = strike;
	vd_user(user->device, user->bytes, sizeof(user->bytes));
	user->config = (struct hvk_virtio_net_config){.queues = flags & 16u ? 3 : 1,
						      .queue_size = flags & 4u ? 4 : 16,
						      .offloads = HVK_NETDEV_ALL_OFFLOADS,
						      .polled = flags & 1u};
	FUZZ_CHECK(hvk_virtio_net_create(user->device, &user->config, &user->net) == HVK_OK);
	user->netdev = hvk_virtio_net_netdev(user->net);
	user->netdev->hooks = (struct hvk_netdev_hooks){.input = input, .gone = gone, .context = user};
	hvk_virtio_net_attach(user->net, &user->attach);
}

static void end(struct user *user)
{
	struct hvk_counters counters;
	uint32_t left;

	user->device->port.fail_allocation = 0;
	if (user->device->interrupt_withheld)
		vd_interrupt_answer(user->device);
	user->device->withholds_interrupts = false;
	await(user, &user->detach); /* an attach may have begun between its end and its answer */
	hvk_virtio_net_detach(user->net, &user->detach);
	await(user, &user->detach);
	await(user, &user->attach);
	for (uint32_t i = 0; i < 12; i++)
		await(user, &user->requests[i]);
	for (uint32_t i = 0; i < SLOTS; i++)
		FUZZ_CHECK(user->slots[i].memory == NULL);
	for (uint32_t i = 0; i < 100 && hvk_virtio_net_destroy(user->net) != HVK_OK; i++)
		vd_poll(user->device);
	FUZZ_CHECK(user->device->released);
	FUZZ_CHECK(!user->device->freed_early || user->rings_forged);
	if (!user->rings_forged && user->device->violation[0] != 0) {
		(void)fprintf(stderr, "%s\n", user->device->violation);
		abort();
	}
	hvk_get_counters(user->device->hvk, &counters);
	left = vd_destroy(user->device);
	FUZZ_CHECK(left == counters.quarantined_pages);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const operations[])(struct user *, struct fuzz_input *) = {
		op_transmit, op_turn, op_frame, op_used, op_word, op_register, op_habit, op_request, op_life};
	struct fuzz_input input_bytes = {data, size}, arguments;
	uint8_t code;

	current = calloc(1, sizeof(*current));
	FUZZ_CHECK(current != NULL);
	begin(current, &input_bytes);
	for (uint32_t i = 0; i < FUZZ_OPERATIONS_MAX && fuzz_operation(&input_bytes, &code, &arguments); i++)
		operations[code % (sizeof(operations) / sizeof(operations[0]))](current, &arguments);
	end(current);
	free(current);
	current = NULL;
	return 0;
}
