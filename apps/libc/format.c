/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define DIGITS_MAX 20u /* of 2^64, in decimal */
#define WIDTH_MAX 4095

struct output {
	char *to;
	size_t size, length; /* length: what there would be, with room */
};

struct conversion {
	bool left, zero;
	int width, precision; /* -1: not said */
	unsigned longs;       /* number of l; 3 for z */
};

static void put(struct output *out, char c)
{
	if (out->length + 1 < out->size)
		out->to[out->length] = c;
	out->length++;
}

static void pad(struct output *out, char c, int count)
{
	for (; count > 0; count--)
		put(out, c);
}

static void put_text(struct output *out, const struct conversion *c, const char *text)
{
	int length = 0;

	if (!text)
		text = "(null)";
	while ((c->precision < 0 || length < c->precision) && text[length])
		length++;
	if (!c->left)
		pad(out, ' ', c->width - length);
	for (int i = 0; i < length; i++)
		put(out, text[i]);
	if (c->left)
		pad(out, ' ', c->width - length);
}

static void put_number(struct output *out, const struct conversion *c, unsigned long long value,
		       unsigned base, bool capital, bool negative)
{
	const char *digits = capital ? "0123456789ABCDEF" : "0123456789abcdef";
	char text[DIGITS_MAX];
	int count = 0, length;

	do {
		text[count++] = digits[value % base];
		value /= base;
	} while (value != 0);
	length = count + negative;
	if (!c->left && !c->zero)
		pad(out, ' ', c->width - length);
	if (negative)
		put(out, '-');
	if (!c->left && c->zero)
		pad(out, '0', c->width - length);
	while (count > 0)
		put(out, text[--count]);
	if (c->left)
		pad(out, ' ', c->width - length);
}

static int parse_number(const char **at)
{
	int value = 0;

	for (; **at >= '0' && **at <= '9'; (*at)++) {
		value = value * 10 + (**at - '0');
		value = value > WIDTH_MAX ? WIDTH_MAX : value;
	}
	return value;
}

/* A number, or '*': then it is the next argument. */
static int take_number(const char **at, va_list *arguments)
{
	int value;

	if (**at != '*')
		return parse_number(at);
	(*at)++;
	value = va_arg(*arguments, int);
	return value > WIDTH_MAX ? WIDTH_MAX : value;
}

static const char *parse(const char *at, struct conversion *c, va_list *arguments)
{
	*c = (struct conversion){.precision = -1};
	for (; *at == '-' || *at == '0'; at++) {
		c->left = c->left || *at == '-';
		c->zero = c->zero || *at == '0';
	}
	c->width = take_number(&at, arguments);
	if (c->width < 0) {
		c->left = true;
		c->width = c->width < -WIDTH_MAX ? WIDTH_MAX : -c->width;
	}
	if (*at == '.') {
		at++;
		c->precision = take_number(&at, arguments); /* below 0: none */
	}
	while (*at == 'h') /* promoted to int all the same */
		at++;
	for (; *at == 'l'; at++)
		c->longs++;
	if (*at == 'z') {
		c->longs = 3;
		at++;
	}
	return at;
}

static void put_signed(struct output *out, const struct conversion *c, va_list *arguments)
{
	long long value = c->longs == 0   ? va_arg(*arguments, int)
			  : c->longs == 2 ? va_arg(*arguments, long long)
					  : va_arg(*arguments, long);

	put_number(out, c, value < 0 ? 0ull - (unsigned long long)value : (unsigned long long)value, 10,
		   false, value < 0);
}

static void put_unsigned(struct output *out, const struct conversion *c, char type, va_list *arguments)
{
	unsigned long long value = c->longs == 0   ? va_arg(*arguments, unsigned)
				   : c->longs == 2 ? va_arg(*arguments, unsigned long long)
						   : va_arg(*arguments, unsigned long);

	put_number(out, c, value, type == 'u' ? 10 : 16, type == 'X', false);
}

static void convert(struct output *out, const struct conversion *c, char type, va_list *arguments)
{
	switch (type) {
	case 's':
		put_text(out, c, va_arg(*arguments, const char *));
		break;
	case 'c':
		put(out, (char)va_arg(*arguments, int));
		break;
	case 'd':
	case 'i':
		put_signed(out, c, arguments);
		break;
	case 'u':
	case 'x':
	case 'X':
		put_unsigned(out, c, type, arguments);
		break;
	case 'p':
		put_number(out, c, (uintptr_t)va_arg(*arguments, void *), 16, false, false);
		break;
	case '%':
		put(out, '%');
		break;
	default: /* nobody here asks for more */
		put(out, '?');
		break;
	}
}

int vsnprintf(char *to, size_t size, const char *format, va_list arguments)
{
	struct output out = {to, size, 0};
	struct conversion conversion;
	va_list copy;

	va_copy(copy, arguments);
	for (; *format; format++) {
		if (*format != '%') {
			put(&out, *format);
			continue;
		}
		format = parse(format + 1, &conversion, &copy);
		if (!*format)
			break;
		convert(&out, &conversion, *format, &copy);
	}
	va_end(copy);
	if (size)
		to[out.length < size ? out.length : size - 1] = '\0';
	return out.length > INT_MAX ? -1 : (int)out.length;
}

int snprintf(char *to, size_t size, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(to, size, format, arguments);
	va_end(arguments);
	return length;
}
