/* SPDX-License-Identifier: MIT */
/* What is behind ports. All others read as ones, and writes to them go nowhere. */
#include <sys/ioctl.h>

#include "vmm/private.h"

#define DEBUG_EXIT_PORT 0xf4u /* as QEMU's isa-debug-exit */
#define MARK_PORT 0xf5u
#define KEYBOARD_PORT 0x64u
#define KEYBOARD_RESET 0xfeu
#define CMOS_INDEX_PORT 0x70u
#define CMOS_DATA_PORT 0x71u
#define CMOS_INDEX_MASK 0x7fu

#define PM1_SCI_ENABLED 0x0001u
#define PM1_SLEEP_TYPE_SHIFT 10
#define PM1_SLEEP_TYPE_MASK 7u
#define PM1_SLEEP (1u << 13)
#define RESET_CPU (1u << 2)

struct access {
	struct vmm_vcpu *vcpu;
	uint16_t port, offset; /* offset from the device's first */
	uint32_t size, value;
};

/* --- The serial port ------------------------------------------------------------------------ */

/* Under devices_lock. */
static void update_serial_line(struct vmm *vmm)
{
	struct kvm_irq_level line = {.irq = VMM_SERIAL_IRQ, .level = vmm_serial_interrupts(&vmm->serial)};

	(void)ioctl(vmm->kvm.vm, KVM_IRQ_LINE, &line);
}

static void serial_write(struct access *access)
{
	struct vmm *vmm = access->vcpu->vmm;
	bool before, sends;
	char sent;

	(void)pthread_mutex_lock(&vmm->devices_lock);
	before = vmm_serial_interrupts(&vmm->serial);
	sends = vmm_serial_write(&vmm->serial, access->offset, (uint8_t)access->value, &sent);
	if (vmm_serial_interrupts(&vmm->serial) != before)
		update_serial_line(vmm);
	(void)pthread_mutex_unlock(&vmm->devices_lock);
	if (sends && vmm->config.serial)
		vmm->config.serial(vmm->config.context, &sent, 1);
}

static void serial_read(struct access *access)
{
	struct vmm *vmm = access->vcpu->vmm;
	bool before;

	(void)pthread_mutex_lock(&vmm->devices_lock);
	before = vmm_serial_interrupts(&vmm->serial);
	access->value = vmm_serial_read(&vmm->serial, access->offset);
	if (vmm_serial_interrupts(&vmm->serial) != before)
		update_serial_line(vmm);
	(void)pthread_mutex_unlock(&vmm->devices_lock);
}

size_t vmm_serial_input(struct vmm *vmm, const char *bytes, size_t count)
{
	size_t taken;

	(void)pthread_mutex_lock(&vmm->devices_lock);
	taken = vmm_serial_receive(&vmm->serial, bytes, count);
	if (taken)
		update_serial_line(vmm);
	(void)pthread_mutex_unlock(&vmm->devices_lock);
	return taken;
}

/* --- Ending ------------------------------------------------------------------------------------ */

static void debug_exit(struct access *access)
{
	vmm_end_with_status(access->vcpu, (uint8_t)access->value);
}

static void reset(struct access *access)
{
	vmm_end(access->vcpu->vmm, VMM_RESET, access->vcpu->index, "vCPU %u: the guest asked for a reset",
		access->vcpu->index);
}

static void reset_write(struct access *access)
{
	if (access->value & RESET_CPU)
		reset(access);
}

static void keyboard_write(struct access *access)
{
	if ((access->value & 0xffu) == KEYBOARD_RESET)
		reset(access);
}

/* --- Marks ------------------------------------------------------------------------------------- */

static void mark(struct access *access)
{
	const struct vmm_config *config = &access->vcpu->vmm->config;

	if (config->mark)
		config->mark(config->context, (uint8_t)access->value);
}

/* --- ACPI's fixed registers ---------------------------------------------------------------------- */

static void pm1_event_write(struct access *access)
{
	struct vmm *vmm = access->vcpu->vmm;

	(void)pthread_mutex_lock(&vmm->devices_lock);
	if (access->offset == 0)
		vmm->pm1_status &= (uint16_t)~access->value; /* ones clear */
	else if (access->offset == 2)
		vmm->pm1_enable = (uint16_t)access->value;
	(void)pthread_mutex_unlock(&vmm->devices_lock);
}

static void pm1_event_read(struct access *access)
{
	struct vmm *vmm = access->vcpu->vmm;
	uint32_t both;

	(void)pthread_mutex_lock(&vmm->devices_lock);
	both = vmm->pm1_status | (uint32_t)vmm->pm1_enable << 16;
	(void)pthread_mutex_unlock(&vmm->devices_lock);
	access->value = both >> (8u * access->offset);
}

static void pm1_control_write(struct access *access)
{
	struct vmm *vmm = access->vcpu->vmm;
	uint32_t value = access->value;

	if (access->offset != 0)
		return;
	(void)pthread_mutex_lock(&vmm->devices_lock);
	vmm->pm1_control = (uint16_t)(value & ~PM1_SLEEP);
	(void)pthread_mutex_unlock(&vmm->devices_lock);
	if ((value & PM1_SLEEP) &&
	    (value >> PM1_SLEEP_TYPE_SHIFT & PM1_SLEEP_TYPE_MASK) == VMM_SLEEP_TYPE_OFF)
		vmm_end(vmm, VMM_POWERED_OFF, access->vcpu->index, "vCPU %u: the guest powered off",
			access->vcpu->index);
}

static void pm1_control_read(struct access *access)
{
	struct vmm *vmm = access->vcpu->vmm;
	uint32_t value;

	(void)pthread_mutex_lock(&vmm->devices_lock);
	value = vmm->pm1_control | PM1_SCI_ENABLED;
	(void)pthread_mutex_unlock(&vmm->devices_lock);
	access->value = value >> (8u * access->offset);
}

/* --- The clock of day ------------------------------------------------------------------------------ */

static void cmos_write(struct access *access)
{
	struct vmm *vmm = access->vcpu->vmm;

	if (access->port != CMOS_INDEX_PORT)
		return;
	(void)pthread_mutex_lock(&vmm->devices_lock);
	vmm->cmos_index = (uint8_t)(access->value & CMOS_INDEX_MASK);
	(void)pthread_mutex_unlock(&vmm->devices_lock);
}

static void cmos_read(struct access *access)
{
	struct vmm *vmm = access->vcpu->vmm;
	uint8_t index;

	(void)pthread_mutex_lock(&vmm->devices_lock);
	index = vmm->cmos_index;
	(void)pthread_mutex_unlock(&vmm->devices_lock);
	access->value = access->port == CMOS_DATA_PORT ? vmm_cmos_read(index) : 0xff;
}

static void nothing_set(struct access *access)
{
	access->value = 0;
}

/* --- All of them ------------------------------------------------------------------------------------ */

static const struct device {
	enum vmm_device kind;
	uint16_t first, count;
	void (*write)(struct access *access);
	void (*read)(struct access *access); /* fills value */
} devices[] = {
	{VMM_DEVICE_SERIAL, VMM_SERIAL_PORT, VMM_SERIAL_PORTS, serial_write, serial_read},
	{VMM_DEVICE_END, DEBUG_EXIT_PORT, 1, debug_exit, NULL},
	{VMM_DEVICE_ACPI, VMM_PM1_EVENT_PORT, 4, pm1_event_write, pm1_event_read},
	{VMM_DEVICE_ACPI, VMM_PM1_CONTROL_PORT, 2, pm1_control_write, pm1_control_read},
	{VMM_DEVICE_END, VMM_RESET_PORT, 1, reset_write, nothing_set},
	{VMM_DEVICE_END, KEYBOARD_PORT, 1, keyboard_write, NULL}, /* no keyboard: reads as ones */
	{VMM_DEVICE_CMOS, CMOS_INDEX_PORT, 2, cmos_write, cmos_read},
	{VMM_DEVICE_MARK, MARK_PORT, 1, mark, NULL},
};

static const struct device *find(uint16_t port)
{
	for (size_t n = 0; n < sizeof(devices) / sizeof(devices[0]); n++) {
		if (port >= devices[n].first && port - devices[n].first < devices[n].count)
			return &devices[n];
	}
	return NULL;
}

static void count(struct vmm_vcpu *vcpu, const struct device *device)
{
	vmm_count(&vcpu->counters.ports[device ? device->kind : VMM_DEVICE_NONE]);
}

void vmm_port_write(struct vmm_vcpu *vcpu, uint16_t port, uint32_t size, uint32_t value)
{
	const struct device *device = find(port);
	struct access access = {.vcpu = vcpu, .port = port, .size = size, .value = value};

	count(vcpu, device);
	if (!device || !device->write)
		return;
	access.offset = (uint16_t)(port - device->first);
	device->write(&access);
}

uint32_t vmm_port_read(struct vmm_vcpu *vcpu, uint16_t port, uint32_t size)
{
	const struct device *device = find(port);
	struct access access = {.vcpu = vcpu, .port = port, .size = size, .value = UINT32_MAX};

	count(vcpu, device);
	if (!device || !device->read)
		return UINT32_MAX;
	access.offset = (uint16_t)(port - device->first);
	device->read(&access);
	return access.value;
}
