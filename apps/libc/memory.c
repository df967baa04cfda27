/* SPDX-License-Identifier: MIT */
/* What compilers call by name. Eight bytes at a time by the instructions made for it: short, and
 * also right for an emulator, which pays for each step. */
#if defined(__GNUC__) && !defined(__clang__) /* its loops must not become calls of themselves */
#pragma GCC optimize("no-tree-loop-distribute-patterns")
#endif

#include <stdint.h>
#include <string.h>

#define WORD sizeof(uint64_t)

/* One step after the other, so that a target that begins before an overlapping source is right. */
static void copy_forwards(void *to, const void *from, size_t size)
{
	size_t count = size / WORD;

	__asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
	count = size % WORD;
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	copy_forwards(to, from, size);
	return to;
}

static void copy_backwards(void *to, const void *from, size_t size)
{
	unsigned char *at = to;
	const unsigned char *source = from;

	for (; size % WORD != 0; size--)
		at[size - 1] = source[size - 1];
	while (size) {
		uint64_t word;

		size -= WORD;
		__builtin_memcpy(&word, source + size, WORD);
		__builtin_memcpy(at + size, &word, WORD);
	}
}

void *memmove(void *to, const void *from, size_t size)
{
	if ((uintptr_t)to - (uintptr_t)from >= size)
		copy_forwards(to, from, size);
	else /* the target begins inside of the source */
		copy_backwards(to, from, size);
	return to;
}

void *memset(void *to, int value, size_t size)
{
	uint64_t word = (unsigned char)value * 0x0101010101010101ull;
	void *at = to;
	size_t count = size / WORD;

	__asm__ volatile("rep stosq" : "+D"(at), "+c"(count) : "a"(word) : "memory");
	count = size % WORD;
	__asm__ volatile("rep stosb" : "+D"(at), "+c"(count) : "a"(word) : "memory");
	return to;
}

int memcmp(const void *left, const void *right, size_t size)
{
	const unsigned char *a = left, *b = right;

	for (size_t i = 0; i < size; i++) {
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	}
	return 0;
}

void *memchr(const void *at, int value, size_t size)
{
	const unsigned char *bytes = at;

	for (size_t i = 0; i < size; i++) {
		if (bytes[i] == (unsigned char)value)
			return (void *)(size_t)(bytes + i);
	}
	return NULL;
}
