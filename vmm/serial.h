/* SPDX-License-Identifier: MIT */
/* A 16550 serial port: as much of it as an operating system's console driver looks at. */
#ifndef VMM_SERIAL_H
#define VMM_SERIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VMM_SERIAL_PORT 0x3f8u
#define VMM_SERIAL_PORTS 8u
#define VMM_SERIAL_QUEUE 4096u /* bytes that wait for the guest */

struct vmm_serial {
	uint8_t interrupt_enable, line_control, modem_control, scratch, fifo_control;
	uint16_t divisor;
	bool empty_pending; /* the transmitter became empty, and nobody has looked */
	char queue[VMM_SERIAL_QUEUE];
	uint32_t head, count;
};

void vmm_serial_init(struct vmm_serial *serial);
/* Returns true if a byte was sent, in *sent. */
bool vmm_serial_write(struct vmm_serial *serial, uint32_t offset, uint8_t value, char *sent);
uint8_t vmm_serial_read(struct vmm_serial *serial, uint32_t offset);
size_t vmm_serial_receive(struct vmm_serial *serial, const char *bytes, size_t count);
/* What its interrupt line is to be. */
bool vmm_serial_interrupts(const struct vmm_serial *serial);

#endif
