/* SPDX-License-Identifier: MIT */
/*
 * The machine around a virtio device: hvk_pci_* as the driver sees them, CPUs, time. Included by one file of
 * a program, in place of virtio_device.h; guest/pci must not be linked.
 */
#ifndef TESTS_VIRTIO_MACHINE_H
#define TESTS_VIRTIO_MACHINE_H

#include "tests/support/virtio_device.h"

/* --- PCI --------------------------------------------------------------------------------------------- */

hvk_status hvk_pci_claim(struct hvk_pci_function *device, const struct hvk_pci_hooks *hooks)
{
	if (device->claimed || device->gone)
		return device->gone ? HVK_EGONE : HVK_EBUSY;
	device->claimed = true;
	device->hooks = *hooks;
	return HVK_OK;
}

void hvk_pci_release(struct hvk_pci_function *device)
{
	vd_check(device, device->claimed, "released twice");
	for (uint32_t i = 0; i < VD_INTERRUPTS; i++)
		vd_check(device, !device->interrupts[i].created, "released with an interrupt");
	device->claimed = false;
	device->released = true;
}

const struct hvk_pci_info *hvk_pci_get_info(const struct hvk_pci_function *device)
{
	return &device->info;
}

struct hvk *hvk_pci_instance(struct hvk_pci_function *device)
{
	return device->hvk;
}

uint32_t hvk_pci_config_read(struct hvk_pci_function *device, uint32_t offset, unsigned width)
{
	uint32_t value = 0;

	if (device->gone || offset + width > sizeof(device->config))
		return UINT32_MAX;
	memcpy(&value, device->config + offset, width);
	return value;
}

uint32_t hvk_pci_find_capability(struct hvk_pci_function *device, uint8_t id, uint32_t n)
{
	uint32_t at = device->config[PCI_CAPABILITIES];

	for (uint32_t i = 0; at != 0 && i < 48; i++, at = device->config[at + 1]) {
		if (device->config[at] == id && n-- == 0)
			return device->gone ? 0 : at;
	}
	return 0;
}

hvk_status hvk_pci_enable(struct hvk_pci_function *device, bool memory, bool master)
{
	if (device->gone)
		return device->enable_lies ? HVK_OK : HVK_EGONE;
	device->memory = memory;
	device->master = master;
	return HVK_OK;
}

void hvk_pci_interrupt_create(struct hvk_pci_function *device, uint32_t index, uint32_t cpu,
			      void (*handler)(void *context, struct hvk_pci_function *function,
					      uint32_t index),
			      void *context, struct hvk_request *request)
{
	struct vd_interrupt *interrupt = &device->interrupts[index % VD_INTERRUPTS];
	hvk_status status = HVK_OK;

	hvk_request_begin(request);
	if (device->gone)
		status = HVK_EGONE;
	else if (index >= device->info.interrupts)
		status = HVK_ELIMIT;
	else if (interrupt->created)
		status = HVK_EBUSY;
	else if (device->interrupt_status != HVK_OK && device->interrupt_refused == index)
		status = device->interrupt_status;
	if (status == HVK_OK) {
		interrupt->created = true;
		interrupt->cpu = cpu;
		interrupt->handler = handler;
		interrupt->context = context;
		interrupt->poller = (struct hvk_poller){.run = vd_fire, .context = device, .cpu = cpu};
		status = hvk_poller_add(device->hvk, &interrupt->poller);
	}
	if (device->withholds_interrupts)
		device->interrupt_withheld = request;
	else
		hvk_request_finish(device->hvk, request, status, 0);
}

void hvk_pci_interrupt_delete(struct hvk_pci_function *device, uint32_t index, struct hvk_request *request)
{
	struct vd_interrupt *interrupt = &device->interrupts[index % VD_INTERRUPTS];

	vd_check(device, interrupt->created, "an interrupt deleted that is not there");
	interrupt->created = false;
	hvk_poller_remove(device->hvk, &interrupt->poller, request, 0);
}

/* --- The machine -------------------------------------------------------------------------------------- */

static inline uint32_t vd_cpu_index(void *context)
{
	const struct polled_port *port = context;

	return ((const vd *)port->owner)->cpu;
}

static inline uint32_t vd_add_capability(vd *device, uint32_t at, uint8_t kind, uint32_t offset,
					 uint32_t size)
{
	struct virtio_pci_notify_capability capability = {
		.capability = {.id = PCI_CAPABILITY_VENDOR,
			       .length = kind == VIRTIO_PCI_NOTIFY ? 20 : 16,
			       .kind = kind,
			       .bar = VD_BAR,
			       .offset = offset,
			       .size = size},
		.multiplier = VD_NOTIFY_MULTIPLIER};
	uint32_t next = at + 20;

	capability.capability.next = (uint8_t)next;
	memcpy(device->config + at, &capability, capability.capability.length);
	return next;
}

static inline void vd_fill_capabilities(vd *device)
{
	uint32_t at = 0x40, last;

	device->config[PCI_CAPABILITIES] = (uint8_t)at;
	at = vd_add_capability(device, at, VIRTIO_PCI_COMMON, 0, 60);
	at = vd_add_capability(device, at, VIRTIO_PCI_ISR, 0x1000, 1);
	at = vd_add_capability(device, at, VIRTIO_PCI_DEVICE_CONFIG, VD_CONFIG_AT, sizeof(device->net));
	last = at;
	(void)vd_add_capability(device, at, VIRTIO_PCI_NOTIFY, VD_NOTIFY_AT, 0x1000);
	device->config[last + 1] = 0;
}

/* A device with four pairs, MTU to 9000 and every feature of VD_FEATURES; change it before attach. */
static inline vd *vd_create(uint32_t cpus)
{
	static const uint8_t mac[6] = {0x00, 0x15, 0x5d, 1, 2, 3};
	struct hvk_config config = {.cpus = cpus, .log_level = HVK_LOG_DEBUG};
	vd *device = (vd *)calloc(1, sizeof(*device));

	if (!device)
		abort();
	polled_port_init(&device->port, device, 100000);
	polled_port_locks(&device->port);
	device->port.port.cpu_index = vd_cpu_index;
	device->port.freed = vd_freed;
	device->cpus = cpus;
	if (hvk_create(&device->port.port, &config, &device->hvk) != HVK_OK ||
	    hvk_start(device->hvk) != HVK_OK)
		abort();
	for (device->cpu = cpus; device->cpu-- > 0;) {
		device->port.registers[HVK_REG_VP_INDEX] = device->cpu;
		if (hvk_cpu_start(device->hvk) != HVK_OK)
			abort();
	}
	device->cpu = 0;
	device->info = (struct hvk_pci_info){.vendor_id = VIRTIO_PCI_VENDOR,
					     .device_id = VIRTIO_PCI_DEVICE_NET,
					     .interrupts = VD_INTERRUPTS};
	device->info.bars[VD_BAR] = (struct hvk_pci_bar){0x100000000ull, VD_BAR_SIZE, true, true};
	vd_fill_capabilities(device);
	device->features = VD_FEATURES;
	memcpy(device->net.mac, mac, sizeof(mac));
	device->net.status = VIRTIO_NET_STATUS_LINK_UP;
	device->net.queue_pairs_max = 4;
	device->net.mtu = 9000;
	device->net.speed = 10000;
	device->net.duplex = 1;
	device->queue_max = 256;
	device->queue_count = 9;
	vd_reset(device);
	return device;
}

/* Pages that were not given back. */
static inline uint32_t vd_destroy(vd *device)
{
	uint32_t left;

	for (uint32_t n = device->cpus; n-- > 0;) {
		device->cpu = n;
		if (hvk_cpu_stop(device->hvk) != HVK_OK)
			abort();
	}
	device->gone = true; /* what is given back now is not the device's any more */
	if (hvk_stop(device->hvk) != HVK_OK || hvk_destroy(device->hvk) != HVK_OK)
		abort();
	left = polled_port_end(&device->port);
	free(device);
	return left;
}

/* Each CPU polls once. */
static inline void vd_poll(vd *device)
{
	for (uint32_t n = device->cpus; n-- > 0;) {
		device->cpu = n;
		(void)hvk_poll(device->hvk, n);
	}
	device->cpu = 0;
	vd_turn(device);
}

static inline uint64_t vd_deadline(vd *device)
{
	uint64_t deadline = HVK_NEVER;

	for (uint32_t n = 0; n < device->cpus; n++) {
		uint64_t own = hvk_next_deadline(device->hvk, n);

		deadline = own < deadline ? own : deadline;
	}
	return deadline;
}

/* CPUs poll only when they must: what nobody was told of stays undone. */
static inline void vd_settle(vd *device)
{
	vd_turn(device);
	for (uint32_t i = 0; i < VD_TURNS && vd_deadline(device) <= device->port.now; i++)
		vd_poll(device);
}

static inline void vd_pass_ms(vd *device, uint32_t ms)
{
	for (uint32_t i = 0; i < ms; i++) {
		device->port.now += HVK_TIME_PER_MS;
		vd_poll(device);
		vd_settle(device);
	}
}

/* Until the request is finished; time passes where nothing else happens. */
static inline hvk_status vd_wait(vd *device, const struct hvk_request *request)
{
	for (uint32_t i = 0; i < VD_TURNS * 4 && request->status == HVK_EINPROGRESS; i++) {
		uint64_t deadline = vd_deadline(device);

		if (deadline > device->port.now && deadline != HVK_NEVER)
			device->port.now = deadline;
		vd_turn(device);
		vd_poll(device);
	}
	return request->status;
}

static inline void vd_interrupt_answer(vd *device)
{
	struct hvk_request *request = device->interrupt_withheld;

	device->interrupt_withheld = NULL;
	device->withholds_interrupts = false;
	hvk_request_finish(device->hvk, request, HVK_OK, 0);
}

#endif
