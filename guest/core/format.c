/* SPDX-License-Identifier: MIT */
/* The few conversions that log lines and dumps need, without a libc. */
#include <stdarg.h>

#include "guest/core/format.h"

struct output {
	char *to;
	size_t size, used;
};

static void put(struct output *out, char c)
{
	if (out->used + 1 < out->size)
		out->to[out->used++] = c;
}

static void put_number(struct output *out, unsigned long long value, unsigned base, unsigned width, char fill,
		       bool negative)
{
	char digits[20]; /* 2^64 has 20 decimal digits */
	unsigned count = 0;

	do {
		digits[count++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value != 0);
	if (negative && fill == '0')
		put(out, '-');
	for (unsigned i = count + (negative ? 1u : 0u); i < width; i++)
		put(out, fill);
	if (negative && fill != '0')
		put(out, '-');
	while (count > 0)
		put(out, digits[--count]);
}

static void put_string(struct output *out, const char *text, unsigned width)
{
	unsigned length = 0;

	for (text = text ? text : "(null)"; *text; text++, length++)
		put(out, *text);
	for (; length < width; length++)
		put(out, ' ');
}

struct conversion {
	char fill;
	unsigned width;
	unsigned longs; /* number of l, or 3 for z */
	char type;
};

static const char *parse(const char *at, struct conversion *conversion)
{
	*conversion = (struct conversion){.fill = ' '};
	if (*at == '-') /* strings are padded on the right anyway */
		at++;
	if (*at == '0')
		conversion->fill = *at++;
	for (; *at >= '0' && *at <= '9'; at++)
		conversion->width = (conversion->width * 10 + (unsigned)(*at - '0')) % 100;
	for (; *at == 'l'; at++)
		conversion->longs++;
	if (*at == 'z') {
		conversion->longs = 3;
		at++;
	}
	conversion->type = *at;
	return *at ? at + 1 : at;
}

static void convert(struct output *out, const struct conversion *c, va_list *arguments)
{
	unsigned long long value;

	switch (c->type) {
	case 's':
		put_string(out, va_arg(*arguments, const char *), c->width);
		return;
	case 'c':
		put(out, (char)va_arg(*arguments, int));
		return;
	case '%':
		put(out, '%');
		return;
	case 'd': {
		long long number = c->longs >= 2   ? va_arg(*arguments, long long)
				   : c->longs == 1 ? va_arg(*arguments, long)
						   : va_arg(*arguments, int);
		bool negative = number < 0;

		value = negative ? 0ull - (unsigned long long)number : (unsigned long long)number;
		put_number(out, value, 10, c->width, c->fill, negative);
		return;
	}
	case 'u':
	case 'x':
		value = c->longs == 3   ? va_arg(*arguments, size_t)
			: c->longs == 2 ? va_arg(*arguments, unsigned long long)
			: c->longs == 1 ? va_arg(*arguments, unsigned long)
					: va_arg(*arguments, unsigned);
		put_number(out, value, c->type == 'x' ? 16 : 10, c->width, c->fill, false);
		return;
	default:
		put(out, '?');
	}
}

void hvk_vformat(char *to, size_t size, const char *format, va_list arguments)
{
	struct output out = {to, size, 0};
	struct conversion conversion;
	va_list copy;

	if (size == 0)
		return;
	va_copy(copy, arguments);
	while (*format && out.used + 1 < size) {
		if (*format != '%') {
			put(&out, *format++);
			continue;
		}
		format = parse(format + 1, &conversion);
		convert(&out, &conversion, &copy);
	}
	va_end(copy);
	to[out.used] = 0;
}

const char *hvk_format(char *to, size_t size, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	hvk_vformat(to, size, format, arguments);
	va_end(arguments);
	return to;
}
