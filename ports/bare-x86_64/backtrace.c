/* SPDX-License-Identifier: MIT */
/* Who called whom: along the frame pointers, as long as they lie in a stack. */
#include "guest/core/core.h"
#include "ports/bare-x86_64/private.h"

#define FRAMES_MAX 32u

struct symbol {
	uint64_t address;
	const char *name;
};

/* Sorted by address; only there once the image has been linked a second time with them. */
extern const struct symbol bare_symbols[] __attribute__((weak));
extern const struct symbol bare_symbols_end[] __attribute__((weak));

static const struct symbol *find(uint64_t address)
{
	size_t low = 0, high;

	if (!bare_symbols)
		return NULL;
	high = (size_t)(bare_symbols_end - bare_symbols);
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (bare_symbols[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &bare_symbols[low - 1] : NULL;
}

static bool in_text(uint64_t address)
{
	return address >= (uintptr_t)bare_text_start && address < (uintptr_t)bare_rodata_start;
}

/* What stands behind a call belongs to the call, which may be a function's last instruction. */
static void print_frame(const char *number, uint64_t address, bool returns)
{
	const struct symbol *symbol = in_text(address) ? find(address - returns) : NULL;

	if (symbol)
		bare_print("  #%s 0x%llx %s+0x%llx\n", number, (unsigned long long)address, symbol->name,
			   (unsigned long long)(address - symbol->address));
	else
		bare_print("  #%s 0x%llx\n", number, (unsigned long long)address);
}

/* A function that calls nobody may have no frame, and what was jumped to by mistake has none: its
 * return address is then on top of the stack. Perhaps: it may be a leftover. */
static void print_guess(uint64_t rsp, uint64_t certain)
{
	uint64_t low, high, value;

	if (rsp % 8 != 0 || !bare_stack_of(rsp, &low, &high))
		return;
	value = *(const uint64_t *)(uintptr_t)rsp;
	if (in_text(value) && value != certain)
		print_frame("?", value, true);
}

void backtrace_print(uint64_t rip, uint64_t rbp, uint64_t rsp)
{
	uint64_t low = 0, high = 0;
	char number[8];

	print_frame("0", rip, false);
	for (uint32_t i = 1; i < FRAMES_MAX; i++) {
		const uint64_t *frame = (const uint64_t *)(uintptr_t)rbp;

		if (rbp % 8 != 0 || !bare_stack_of(rbp, &low, &high) || rbp + 16 > high)
			return;
		if (i == 1)
			print_guess(rsp, frame[1]);
		if (frame[1] == 0)
			return;
		print_frame(hvk_format(number, sizeof(number), "%u", i), frame[1], true);
		if (frame[0] <= rbp) /* callers lie above */
			return;
		rbp = frame[0];
	}
	bare_print("  ... and so on\n");
}
