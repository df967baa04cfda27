/* SPDX-License-Identifier: MIT */
/* Two CPUs make hypercalls of all kinds at once, each with its input where the other writes it anew
 * all the time, or where no memory is. Ends with 0. */
#include "hypercall.inc"
#include "rubbish.inc"
#include "second_cpu.inc"

#define CALLS 800u

static volatile uint32_t done;

static uint64_t any_control(uint64_t number)
{
	uint64_t control = number >> 8;

	switch (number & 7) {
	case 0:
		return control;
	case 1: /* repetitions */
		return (control & 0x0fff0fff00000000ull) | HV_CALL_POST_MESSAGE;
	case 2:
		return HV_CALL_SIGNAL_EVENT;
	case 3:
		return HV_CALL_SIGNAL_EVENT | HV_CALL_FAST;
	case 4:
		return control & HV_CALL_CODE_MASK;
	case 5:
		return (control & 0xfffe0000u) | HV_CALL_POST_MESSAGE;
	default:
		return HV_CALL_POST_MESSAGE;
	}
}

/* A message that is nearly right, in that nearly right place. */
static void write_input(uint64_t gpa)
{
	volatile uint32_t *input = (volatile uint32_t *)gpa;

	if (gpa < SPARE_BEGIN || gpa > SPARE_END - 256)
		return;
	input[0] = rubbish() & 1 ? (uint32_t)rubbish_below(8) : (uint32_t)rubbish();
	input[1] = rubbish() & 1 ? 0 : (uint32_t)rubbish();
	input[2] = 1 + (uint32_t)rubbish_below(3);
	input[3] = (uint32_t)rubbish_below(300);
	for (uint32_t n = 4; n < 64; n++)
		input[n] = (uint32_t)rubbish_below(n & 1 ? 32 : 1ull << 32);
}

static void call_away(uint32_t calls)
{
	for (uint32_t n = 0; n < calls; n++) {
		uint64_t input = rubbish_address();

		if (input & 2)
			input &= ~7ull;
		write_input(input);
		(void)hypercall(any_control(rubbish()), input, rubbish_address());
	}
}

/* rubbish() is shared and unlocked: all the better. */
void second_main(void)
{
	ready = 1;
	call_away(CALLS);
	done = 1;
}

int guest_main(const void *zero_page)
{
	seed_rubbish(zero_page);
	enable_hypercalls();
	start_second_cpu();
	call_away(CALLS);
	while (!done)
		__asm__ volatile("pause");
	return 0;
}
