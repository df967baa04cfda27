/* SPDX-License-Identifier: MIT */
/* Writing dumps: the tree of lines that hvkit.h describes. */
#ifndef HVK_CORE_DUMP_H
#define HVK_CORE_DUMP_H

#include "guest/core/core.h"

struct hvk_dump {
	hvk_dump_line line;
	void *context;
	uint32_t depth;
};

/* "name:", and what follows is one level deeper until hvk_dump_end. name is a format. */
void hvk_dump_begin(struct hvk_dump *dump, const char *name, ...) __attribute__((format(printf, 2, 3)));
void hvk_dump_end(struct hvk_dump *dump);
/* "name: value". name is a word, value a format; both by the conversions of hvk_log. */
void hvk_dump_value(struct hvk_dump *dump, const char *name, const char *value, ...)
	__attribute__((format(printf, 3, 4)));
static inline void hvk_dump_number(struct hvk_dump *dump, const char *name, uint64_t number)
{
	hvk_dump_value(dump, name, "%llu", (unsigned long long)number);
}
static inline void hvk_dump_flag(struct hvk_dump *dump, const char *name, bool flag)
{
	hvk_dump_value(dump, name, "%s", flag ? "yes" : "no");
}

/* The value of number n of a table of names. */
static inline const char *hvk_dump_name(const char *const *names, uint32_t count, uint32_t n)
{
	return n < count ? names[n] : "unknown";
}

#endif
