/* SPDX-License-Identifier: MIT */
/*
 * HID report descriptors (HID 1.11, 6.2.2), as far as an absolute mouse needs them: where its buttons, X, Y
 * and wheel are in a report. Items are read in one pass with bounds on all that they can name.
 */
#include "guest/input/input.h"

#define ITEMS_MAX 1024u
#define GLOBALS_MAX 4u /* PUSH within PUSH */
#define USAGES_MAX 16u
#define FIELD_BITS_MAX 32u
#define REPORT_BITS_MAX (HVK_MOUSE_REPORT_MAX * 8u)
#define LONG_ITEM 0xfeu

/* Prefixes without their two bits of size. */
#define ITEM_INPUT 0x80u
#define ITEM_USAGE_PAGE 0x04u
#define ITEM_LOGICAL_MINIMUM 0x14u
#define ITEM_LOGICAL_MAXIMUM 0x24u
#define ITEM_REPORT_SIZE 0x74u
#define ITEM_REPORT_ID 0x84u
#define ITEM_REPORT_COUNT 0x94u
#define ITEM_PUSH 0xa4u
#define ITEM_POP 0xb4u
#define ITEM_USAGE 0x08u
#define ITEM_USAGE_MINIMUM 0x18u
#define ITEM_USAGE_MAXIMUM 0x28u
#define ITEM_TYPE_MAIN 0x00u

#define INPUT_CONSTANT 1u
#define INPUT_VARIABLE 2u
#define INPUT_RELATIVE 4u

#define USAGE_X 0x00010030u
#define USAGE_Y 0x00010031u
#define USAGE_WHEEL 0x00010038u
#define USAGE_BUTTON_1 0x00090001u

struct globals {
	uint32_t page, size, count;
	int32_t minimum, maximum;
};

struct reader {
	struct globals now, saved[GLOBALS_MAX];
	uint32_t saved_count;
	uint32_t usages[USAGES_MAX], usage_count;
	uint32_t usage_minimum, usage_maximum;
	struct mouse_layout layout;
	bool found; /* the layout is whole */
};

static bool has_position(const struct mouse_layout *layout)
{
	return layout->x.bits != 0 && layout->y.bits != 0;
}

static uint32_t usage_of(const struct reader *reader, uint32_t index)
{
	uint32_t last = reader->usage_count;

	if (reader->usage_maximum != 0) /* a range */
		return index <= reader->usage_maximum - reader->usage_minimum ? reader->usage_minimum + index
									      : reader->usage_maximum;
	if (last == 0)
		return 0;
	return reader->usages[index < last ? index : last - 1]; /* the last one stands for the rest */
}

static void place(struct mouse_layout *layout, uint32_t usage, uint32_t flags,
		  const struct mouse_field *field)
{
	bool absolute = (flags & INPUT_RELATIVE) == 0;

	if (usage == USAGE_X && absolute && layout->x.bits == 0)
		layout->x = *field;
	else if (usage == USAGE_Y && absolute && layout->y.bits == 0)
		layout->y = *field;
	else if (usage == USAGE_WHEEL && !absolute && layout->wheel.bits == 0)
		layout->wheel = *field;
	else if (usage >= USAGE_BUTTON_1 && usage < USAGE_BUTTON_1 + 3 &&
		 layout->buttons[usage - USAGE_BUTTON_1].bits == 0)
		layout->buttons[usage - USAGE_BUTTON_1] = *field;
}

static bool add_input(struct reader *reader, uint32_t flags)
{
	const struct globals *now = &reader->now;
	struct mouse_layout *layout = &reader->layout;

	if (now->size > REPORT_BITS_MAX || now->count > REPORT_BITS_MAX ||
	    now->size * now->count > REPORT_BITS_MAX - layout->bits)
		return false;
	if ((flags & INPUT_CONSTANT) == 0 && (flags & INPUT_VARIABLE) != 0 && now->size > 0 &&
	    now->size <= FIELD_BITS_MAX) {
		for (uint32_t i = 0; i < now->count; i++) {
			const struct mouse_field field = {layout->bits + i * now->size, now->size,
							  now->minimum, now->maximum};

			place(layout, usage_of(reader, i), flags, &field);
		}
	}
	layout->bits += now->size * now->count;
	return true;
}

/* Each report has its own bits. The first that tells a position is the mouse's. */
static bool begin_report(struct reader *reader, uint32_t id)
{
	if (id == 0 || id > 255)
		return false;
	reader->found = has_position(&reader->layout);
	if (!reader->found)
		reader->layout = (struct mouse_layout){.id = (uint8_t)id, .bits = 8};
	return true;
}

static void add_usage(struct reader *reader, uint32_t usage, uint32_t size)
{
	if (size < 4)
		usage |= reader->now.page << 16;
	if (reader->usage_count < USAGES_MAX)
		reader->usages[reader->usage_count++] = usage;
}

static bool push(struct reader *reader)
{
	if (reader->saved_count == GLOBALS_MAX)
		return false;
	reader->saved[reader->saved_count++] = reader->now;
	return true;
}

static bool pop(struct reader *reader)
{
	if (reader->saved_count == 0)
		return false;
	reader->now = reader->saved[--reader->saved_count];
	return true;
}

static int32_t sign_extend(uint32_t value, uint32_t bits)
{
	uint32_t sign = 1u << (bits - 1);

	if (bits < 32)
		value &= (1u << bits) - 1;
	return (int32_t)((value ^ sign) - sign);
}

static bool take_item(struct reader *reader, uint32_t item, uint32_t value, uint32_t size)
{
	uint32_t page = size < 4 ? reader->now.page << 16 : 0;

	switch (item) {
	case ITEM_INPUT:
		return add_input(reader, value);
	case ITEM_USAGE_PAGE:
		reader->now.page = value & 0xffffu;
		return true;
	case ITEM_LOGICAL_MINIMUM:
		reader->now.minimum = size == 0 ? 0 : sign_extend(value, 8 * size);
		return true;
	case ITEM_LOGICAL_MAXIMUM:
		reader->now.maximum = size == 0 ? 0 : sign_extend(value, 8 * size);
		return true;
	case ITEM_REPORT_SIZE:
		reader->now.size = value;
		return true;
	case ITEM_REPORT_COUNT:
		reader->now.count = value;
		return true;
	case ITEM_REPORT_ID:
		return begin_report(reader, value);
	case ITEM_PUSH:
		return push(reader);
	case ITEM_POP:
		return pop(reader);
	case ITEM_USAGE:
		add_usage(reader, value, size);
		return true;
	case ITEM_USAGE_MINIMUM:
		reader->usage_minimum = page | value;
		return true;
	case ITEM_USAGE_MAXIMUM:
		reader->usage_maximum = page | value;
		return reader->usage_maximum >= reader->usage_minimum;
	default:
		return true;
	}
}

static void forget_locals(struct reader *reader)
{
	reader->usage_count = 0;
	reader->usage_minimum = reader->usage_maximum = 0;
}

/* One item. Returns its bytes, 0: it does not fit, or says what cannot be. */
static uint32_t read_item(struct reader *reader, const uint8_t *item, uint32_t left)
{
	uint32_t size = item[0] & 3u, value = 0;

	if (item[0] == LONG_ITEM) /* reserved by the standard: passed over */
		return left >= 3 && item[1] + 3u <= left ? item[1] + 3u : 0;
	size = size == 3 ? 4 : size;
	if (size >= left)
		return 0;
	for (uint32_t i = 0; i < size; i++)
		value |= (uint32_t)item[1 + i] << 8 * i;
	if (!take_item(reader, item[0] & 0xfcu, value, size))
		return 0;
	if ((item[0] & 0x0cu) == ITEM_TYPE_MAIN)
		forget_locals(reader);
	return 1 + size;
}

bool hvk_mouse_parse_descriptor(const uint8_t *descriptor, uint32_t length, struct mouse_layout *out)
{
	struct reader reader = {.found = false};
	uint32_t at = 0;

	for (uint32_t i = 0; i < ITEMS_MAX && at < length && !reader.found; i++) {
		uint32_t bytes = read_item(&reader, descriptor + at, length - at);

		if (bytes == 0)
			return false;
		at += bytes;
	}
	*out = reader.layout;
	return has_position(out) && out->x.minimum < out->x.maximum && out->y.minimum < out->y.maximum;
}

/* --- Reports ---------------------------------------------------------------------------------------- */

static int32_t get_field(const struct mouse_field *field, const uint8_t *report)
{
	uint32_t value = 0;

	for (uint32_t i = 0; i < field->bits; i++) {
		uint32_t bit = field->offset + i;

		value |= (uint32_t)(report[bit / 8] >> bit % 8 & 1) << i;
	}
	if (field->minimum < 0)
		return sign_extend(value, field->bits);
	return value > INT32_MAX ? INT32_MAX : (int32_t)value;
}

/* 0 to 32767 between the field's limits, whatever the report says. */
static uint16_t scale(const struct mouse_field *field, const uint8_t *report)
{
	int64_t value = get_field(field, report), range = (int64_t)field->maximum - field->minimum;

	value -= field->minimum;
	if (value < 0)
		value = 0;
	if (value > range)
		value = range;
	return (uint16_t)((uint64_t)value * 32767u / (uint64_t)range);
}

bool hvk_mouse_parse_report(const struct mouse_layout *layout, const uint8_t *report, uint32_t length,
			    struct hvk_mouse_event *out)
{
	if (length < (layout->bits + 7) / 8 || (layout->id != 0 && report[0] != layout->id))
		return false;
	*out = (struct hvk_mouse_event){.x = scale(&layout->x, report), .y = scale(&layout->y, report)};
	for (uint32_t i = 0; i < 3; i++) {
		if (layout->buttons[i].bits != 0 && get_field(&layout->buttons[i], report) != 0)
			out->buttons |= 1u << i;
	}
	if (layout->wheel.bits != 0)
		out->wheel = get_field(&layout->wheel, report);
	return true;
}
