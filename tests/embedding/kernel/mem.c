/* SPDX-License-Identifier: MIT */
/* The four functions that hvkit asks of its surroundings. Never built with LTO, as compilers
 * call them by name. */
#include <stddef.h>

void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *left, const void *right, size_t size);

void *memcpy(void *to, const void *from, size_t size)
{
	for (size_t i = 0; i < size; i++)
		((unsigned char *)to)[i] = ((const unsigned char *)from)[i];
	return to;
}

void *memmove(void *to, const void *from, size_t size)
{
	if ((const unsigned char *)to <= (const unsigned char *)from)
		return memcpy(to, from, size);
	for (size_t i = size; i-- > 0;)
		((unsigned char *)to)[i] = ((const unsigned char *)from)[i];
	return to;
}

void *memset(void *to, int value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		((unsigned char *)to)[i] = (unsigned char)value;
	return to;
}

int memcmp(const void *left, const void *right, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		int difference = ((const unsigned char *)left)[i] - ((const unsigned char *)right)[i];

		if (difference != 0)
			return difference;
	}
	return 0;
}
