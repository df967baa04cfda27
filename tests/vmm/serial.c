/* SPDX-License-Identifier: MIT */
/* The 16550, as a console driver finds and uses it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vmm/serial.h"

enum { DATA, ENABLE, ID, LINE, MODEM, LINE_STATUS, MODEM_STATUS, SCRATCH };
#define OUT2 0x08u

static struct vmm_serial serial;
static char sent;

static bool out(uint32_t offset, uint8_t value)
{
	return vmm_serial_write(&serial, offset, value, &sent);
}

static uint8_t in(uint32_t offset)
{
	return vmm_serial_read(&serial, offset);
}

static int set_up(void **state)
{
	(void)state;
	vmm_serial_init(&serial);
	return 0;
}

static void bytes_are_sent_and_received(void **state)
{
	(void)state;
	assert_int_equal(in(LINE_STATUS), 0x60);
	assert_true(out(DATA, 'a'));
	assert_int_equal(sent, 'a');
	assert_int_equal(vmm_serial_receive(&serial, "xy", 2), 2);
	assert_int_equal(in(LINE_STATUS), 0x61);
	assert_int_equal(in(DATA), 'x');
	assert_int_equal(in(DATA), 'y');
	assert_int_equal(in(LINE_STATUS), 0x60);
}

static void the_divisor_hides_behind_its_latch(void **state)
{
	(void)state;
	assert_false(out(LINE, 0x83));
	assert_false(out(DATA, 0x0c));
	assert_false(out(ENABLE, 0x01));
	assert_int_equal(in(DATA), 0x0c);
	assert_int_equal(in(ENABLE), 0x01);
	assert_false(out(LINE, 0x03));
	assert_int_equal(in(ENABLE), 0);
}

/* Linux's driver waits for this interrupt after each FIFO that it has filled. */
static void an_empty_transmitter_interrupts_once(void **state)
{
	(void)state;
	(void)out(MODEM, OUT2);
	assert_false(vmm_serial_interrupts(&serial));
	(void)out(ENABLE, 0x02);
	assert_true(vmm_serial_interrupts(&serial));
	assert_int_equal(in(ID)&0x0f, 0x02);
	assert_false(vmm_serial_interrupts(&serial));
	assert_int_equal(in(ID)&0x0f, 0x01);
	assert_true(out(DATA, 'a'));
	assert_true(vmm_serial_interrupts(&serial));
	(void)out(MODEM, 0);
	assert_false(vmm_serial_interrupts(&serial));
}

static void received_bytes_interrupt_until_they_are_read(void **state)
{
	(void)state;
	(void)out(MODEM, OUT2);
	(void)out(ENABLE, 0x01);
	(void)vmm_serial_receive(&serial, "z", 1);
	assert_true(vmm_serial_interrupts(&serial));
	assert_int_equal(in(ID)&0x0f, 0x04);
	assert_true(vmm_serial_interrupts(&serial));
	assert_int_equal(in(DATA), 'z');
	assert_false(vmm_serial_interrupts(&serial));
}

/* How a driver finds out that there is one, and which. */
static void probing_finds_a_16550(void **state)
{
	(void)state;
	(void)out(SCRATCH, 0xa5);
	assert_int_equal(in(SCRATCH), 0xa5);
	(void)out(ENABLE, 0xff);
	assert_int_equal(in(ENABLE), 0x0f);
	(void)out(ENABLE, 0);
	(void)out(ID, 0x01);
	assert_int_equal(in(ID), 0xc1);
	(void)out(MODEM, 0x1a); /* looped: RTS and OUT2 come back as CTS and DCD */
	assert_int_equal(in(MODEM_STATUS)&0xf0, 0x90);
	assert_false(out(DATA, 'q'));
	assert_int_equal(in(DATA), 'q');
}

static void a_full_queue_takes_no_more(void **state)
{
	static const char many[VMM_SERIAL_QUEUE + 10];

	(void)state;
	assert_int_equal(vmm_serial_receive(&serial, many, sizeof(many)), VMM_SERIAL_QUEUE);
	assert_int_equal(vmm_serial_receive(&serial, many, 1), 0);
	(void)in(DATA);
	assert_int_equal(vmm_serial_receive(&serial, many, 2), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(bytes_are_sent_and_received, set_up),
		cmocka_unit_test_setup(the_divisor_hides_behind_its_latch, set_up),
		cmocka_unit_test_setup(an_empty_transmitter_interrupts_once, set_up),
		cmocka_unit_test_setup(received_bytes_interrupt_until_they_are_read, set_up),
		cmocka_unit_test_setup(probing_finds_a_16550, set_up),
		cmocka_unit_test_setup(a_full_queue_takes_no_more, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
