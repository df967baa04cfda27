/* SPDX-License-Identifier: MIT */
#if defined(__GNUC__) && !defined(__clang__) /* its loops must not become calls of themselves */
#pragma GCC optimize("no-tree-loop-distribute-patterns")
#endif

#include <ctype.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

size_t strlen(const char *text)
{
	const char *end = text;

	while (*end)
		end++;
	return (size_t)(end - text);
}

int strcmp(const char *left, const char *right)
{
	return strncmp(left, right, (size_t)-1);
}

int strncmp(const char *left, const char *right, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char a = (unsigned char)left[i], b = (unsigned char)right[i];

		if (a != b || a == 0)
			return a - b;
	}
	return 0;
}

char *strchr(const char *text, int c)
{
	for (;; text++) {
		if (*text == (char)c)
			return (char *)(size_t)text;
		if (!*text)
			return NULL;
	}
}

size_t strspn(const char *text, const char *set)
{
	size_t length = 0;

	while (text[length] && strchr(set, text[length]))
		length++;
	return length;
}

size_t strcspn(const char *text, const char *set)
{
	size_t length = 0;

	while (text[length] && !strchr(set, text[length]))
		length++;
	return length;
}

char *strstr(const char *text, const char *part)
{
	size_t length = strlen(part);

	for (; strncmp(text, part, length) != 0; text++) {
		if (!*text)
			return NULL;
	}
	return (char *)(size_t)text;
}

int isdigit(int c)
{
	return c >= '0' && c <= '9';
}

int isxdigit(int c)
{
	return isdigit(c) || (tolower(c) >= 'a' && tolower(c) <= 'f');
}

int islower(int c)
{
	return c >= 'a' && c <= 'z';
}

int isspace(int c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

int tolower(int c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

int toupper(int c)
{
	return islower(c) ? c - ('a' - 'A') : c;
}

int atoi(const char *text)
{
	long long value = 0;
	bool negative;

	while (isspace((unsigned char)*text))
		text++;
	negative = *text == '-';
	if (*text == '-' || *text == '+')
		text++;
	for (; isdigit((unsigned char)*text) && value <= INT_MAX; text++)
		value = value * 10 + (*text - '0');
	if (negative)
		return value > INT_MAX ? INT_MIN : (int)-value;
	return value > INT_MAX ? INT_MAX : (int)value;
}
