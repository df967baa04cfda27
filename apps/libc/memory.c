/* SPDX-License-Identifier: MIT */
/* What compilers call by name. Bytes are moved by the instructions made for it, which are fast
 * on any CPU of the last ten years, and in an emulator. */
#include <string.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	void *at = to;

	__asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(size) : : "memory");
	return to;
}

static void copy_backwards(void *to, const void *from, size_t size)
{
	void *last_to = (char *)to + size - 1;
	const void *last_from = (const char *)from + size - 1;

	__asm__ volatile("std\n\trep movsb\n\tcld"
			 : "+D"(last_to), "+S"(last_from), "+c"(size)
			 :
			 : "memory", "cc");
}

void *memmove(void *to, const void *from, size_t size)
{
	if ((size_t)((char *)to - (const char *)from) >= size)
		return memcpy(to, from, size);
	copy_backwards(to, from, size);
	return to;
}

void *memset(void *to, int value, size_t size)
{
	void *at = to;

	__asm__ volatile("rep stosb" : "+D"(at), "+c"(size) : "a"(value) : "memory");
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
