/* SPDX-License-Identifier: MIT */
/* Sets of pages, as sorted runs that neither overlap nor touch: memory maps, and what is free. */
#ifndef BARE_PAGE_SET_H
#define BARE_PAGE_SET_H

#include <stdbool.h>
#include <stdint.h>

#define PAGE_RUNS_MAX 512u

struct page_run {
	uint64_t first, count; /* page numbers */
};

struct page_set {
	uint32_t count;
	struct page_run runs[PAGE_RUNS_MAX];
};

/* Both may overlap what is there in any way. add: false if there is no room for another run,
 * and nothing has changed. remove: false if a run could not be cut in two for want of room;
 * the smaller part is gone too, and all that was to go is gone. */
bool page_set_add(struct page_set *set, uint64_t first, uint64_t count);
bool page_set_remove(struct page_set *set, uint64_t first, uint64_t count);
bool page_set_overlaps(const struct page_set *set, uint64_t first, uint64_t count);
bool page_set_contains(const struct page_set *set, uint64_t first, uint64_t count);
/* Takes count pages in a row out, the lowest there are from floor on, all below limit (page numbers). */
bool page_set_take(struct page_set *set, uint64_t count, uint64_t floor, uint64_t limit, uint64_t *first);
uint64_t page_set_total(const struct page_set *set);

#endif
