/* SPDX-License-Identifier: MIT */
/* The registers' names and bits are those of the PC16550D's data sheet. */
#include "vmm/serial.h"

enum {
	DATA,
	INTERRUPT_ENABLE,
	INTERRUPT_ID,
	LINE_CONTROL,
	MODEM_CONTROL,
	LINE_STATUS,
	MODEM_STATUS,
	SCRATCH
};

#define IER_RECEIVED 0x01u
#define IER_EMPTY 0x02u
#define IER_BITS 0x0fu
#define IIR_NONE 0x01u
#define IIR_EMPTY 0x02u
#define IIR_RECEIVED 0x04u
#define IIR_FIFO 0xc0u
#define FCR_ENABLE 0x01u
#define FCR_CLEAR_RECEIVED 0x02u
#define LCR_DIVISOR 0x80u
#define MCR_DTR 0x01u
#define MCR_RTS 0x02u
#define MCR_OUT1 0x04u
#define MCR_OUT2 0x08u /* on a PC it gates the interrupt */
#define MCR_LOOP 0x10u
#define MCR_BITS 0x1fu
#define LSR_READY 0x01u
#define LSR_EMPTY 0x60u /* holding register and transmitter */
#define MSR_CTS 0x10u
#define MSR_DSR 0x20u
#define MSR_RI 0x40u
#define MSR_DCD 0x80u

#define DIVISOR_115200 1u

void vmm_serial_init(struct vmm_serial *serial)
{
	*serial = (struct vmm_serial){.divisor = DIVISOR_115200};
}

bool vmm_serial_interrupts(const struct vmm_serial *serial)
{
	bool received = serial->count != 0 && (serial->interrupt_enable & IER_RECEIVED) != 0;
	bool empty = serial->empty_pending && (serial->interrupt_enable & IER_EMPTY) != 0;

	return (received || empty) && (serial->modem_control & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2;
}

size_t vmm_serial_receive(struct vmm_serial *serial, const char *bytes, size_t count)
{
	size_t taken = 0;

	for (; taken < count && serial->count < VMM_SERIAL_QUEUE; taken++)
		serial->queue[(serial->head + serial->count++) % VMM_SERIAL_QUEUE] = bytes[taken];
	return taken;
}

static uint8_t take_byte(struct vmm_serial *serial)
{
	char byte;

	if (serial->count == 0)
		return 0;
	byte = serial->queue[serial->head];
	serial->head = (serial->head + 1) % VMM_SERIAL_QUEUE;
	serial->count--;
	return (uint8_t)byte;
}

static bool write_data(struct vmm_serial *serial, uint8_t value, char *sent)
{
	if (serial->line_control & LCR_DIVISOR) {
		serial->divisor = (uint16_t)((serial->divisor & 0xff00u) | value);
		return false;
	}
	serial->empty_pending = true; /* it is sent at once */
	*sent = (char)value;
	if (!(serial->modem_control & MCR_LOOP))
		return true;
	(void)vmm_serial_receive(serial, sent, 1);
	return false;
}

static void write_interrupt_enable(struct vmm_serial *serial, uint8_t value)
{
	if (serial->line_control & LCR_DIVISOR) {
		serial->divisor = (uint16_t)((serial->divisor & 0xffu) | (uint16_t)(value << 8));
		return;
	}
	/* Enabled while empty, it interrupts. */
	if ((value & IER_EMPTY) && !(serial->interrupt_enable & IER_EMPTY))
		serial->empty_pending = true;
	serial->interrupt_enable = value & IER_BITS;
}

bool vmm_serial_write(struct vmm_serial *serial, uint32_t offset, uint8_t value, char *sent)
{
	switch (offset) {
	case DATA:
		return write_data(serial, value, sent);
	case INTERRUPT_ENABLE:
		write_interrupt_enable(serial, value);
		break;
	case INTERRUPT_ID: /* the FIFO control register */
		serial->fifo_control = value;
		if (value & FCR_CLEAR_RECEIVED)
			serial->count = 0;
		break;
	case LINE_CONTROL:
		serial->line_control = value;
		break;
	case MODEM_CONTROL:
		serial->modem_control = value & MCR_BITS;
		break;
	case SCRATCH:
		serial->scratch = value;
		break;
	default: /* both status registers are for reading */
		break;
	}
	return false;
}

static uint8_t interrupt_id(struct vmm_serial *serial)
{
	uint8_t fifo = serial->fifo_control & FCR_ENABLE ? IIR_FIFO : 0;

	if (serial->count && (serial->interrupt_enable & IER_RECEIVED))
		return fifo | IIR_RECEIVED;
	if (serial->empty_pending && (serial->interrupt_enable & IER_EMPTY)) {
		serial->empty_pending = false;
		return fifo | IIR_EMPTY;
	}
	return fifo | IIR_NONE;
}

/* Looped back, its outputs are its inputs. */
static uint8_t modem_status(const struct vmm_serial *serial)
{
	uint8_t control = serial->modem_control, status = 0;

	if (!(control & MCR_LOOP))
		return MSR_CTS | MSR_DSR | MSR_DCD;
	status |= control & MCR_RTS ? MSR_CTS : 0;
	status |= control & MCR_DTR ? MSR_DSR : 0;
	status |= control & MCR_OUT1 ? MSR_RI : 0;
	status |= control & MCR_OUT2 ? MSR_DCD : 0;
	return status;
}

uint8_t vmm_serial_read(struct vmm_serial *serial, uint32_t offset)
{
	bool divisor = (serial->line_control & LCR_DIVISOR) != 0;

	switch (offset) {
	case DATA:
		return divisor ? (uint8_t)serial->divisor : take_byte(serial);
	case INTERRUPT_ENABLE:
		return divisor ? (uint8_t)(serial->divisor >> 8) : serial->interrupt_enable;
	case INTERRUPT_ID:
		return interrupt_id(serial);
	case LINE_CONTROL:
		return serial->line_control;
	case MODEM_CONTROL:
		return serial->modem_control;
	case LINE_STATUS:
		return LSR_EMPTY | (serial->count ? LSR_READY : 0);
	case MODEM_STATUS:
		return modem_status(serial);
	case SCRATCH:
		return serial->scratch;
	default:
		return 0xff;
	}
}
