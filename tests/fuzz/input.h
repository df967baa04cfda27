/* SPDX-License-Identifier: MIT */
/*
 * What a fuzzer's bytes mean: a header of the target's, then operations, each one byte
 * that says which, one byte of length, and so many bytes of arguments. An operation
 * that is cut out or put in leaves the others as they were, so that mutations keep what
 * they have reached.
 */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUZZ_OPERATIONS_MAX 512u

/* What must hold whatever the other side does. */
#define FUZZ_CHECK(condition)                                                                          \
	do {                                                                                           \
		if (!(condition)) {                                                                    \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                       \
		}                                                                                      \
	} while (0)

struct fuzz_input {
	const uint8_t *bytes;
	size_t left;
};

/* Past the end everything is zero. */
static inline uint8_t fuzz_u8(struct fuzz_input *input)
{
	if (input->left == 0)
		return 0;
	input->left--;
	return *input->bytes++;
}

static inline uint16_t fuzz_u16(struct fuzz_input *input)
{
	uint16_t low = fuzz_u8(input);

	return (uint16_t)(low | (uint16_t)(fuzz_u8(input) << 8));
}

static inline uint32_t fuzz_u32(struct fuzz_input *input)
{
	uint32_t low = fuzz_u16(input);

	return low | (uint32_t)fuzz_u16(input) << 16;
}

static inline uint64_t fuzz_u64(struct fuzz_input *input)
{
	uint64_t low = fuzz_u32(input);

	return low | (uint64_t)fuzz_u32(input) << 32;
}

/* Takes the next operation's arguments as an input of their own. */
static inline bool fuzz_operation(struct fuzz_input *input, uint8_t *code, struct fuzz_input *arguments)
{
	size_t length;

	if (input->left == 0)
		return false;
	*code = fuzz_u8(input);
	length = fuzz_u8(input);
	if (length > input->left)
		length = input->left;
	*arguments = (struct fuzz_input){input->bytes, length};
	input->bytes += length;
	input->left -= length;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
