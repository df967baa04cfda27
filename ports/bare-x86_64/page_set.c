/* SPDX-License-Identifier: MIT */
#include "ports/bare-x86_64/page_set.h"

static uint64_t end_of(const struct page_run *run)
{
	return run->first + run->count;
}

static void delete_runs(struct page_set *set, uint32_t at, uint32_t count)
{
	for (uint32_t i = at; i + count < set->count; i++)
		set->runs[i] = set->runs[i + count];
	set->count -= count;
}

static void insert_run(struct page_set *set, uint32_t at, uint64_t first, uint64_t count)
{
	for (uint32_t i = set->count; i > at; i--)
		set->runs[i] = set->runs[i - 1];
	set->runs[at] = (struct page_run){first, count};
	set->count++;
}

/* Page numbers have at most 52 bits, so sums do not wrap; what does is cut off. */
static uint64_t safe_end(uint64_t first, uint64_t count)
{
	return count > UINT64_MAX - first ? UINT64_MAX : first + count;
}

bool page_set_add(struct page_set *set, uint64_t first, uint64_t count)
{
	uint64_t end = safe_end(first, count);
	uint32_t at = 0, merged = 0;

	if (count == 0)
		return true;
	while (at < set->count && end_of(&set->runs[at]) < first)
		at++;
	for (; at + merged < set->count && set->runs[at + merged].first <= end; merged++) {
		const struct page_run *run = &set->runs[at + merged];

		first = run->first < first ? run->first : first;
		end = end_of(run) > end ? end_of(run) : end;
	}
	if (merged == 0) {
		if (set->count == PAGE_RUNS_MAX)
			return false;
		insert_run(set, at, first, end - first);
		return true;
	}
	set->runs[at] = (struct page_run){first, end - first};
	delete_runs(set, at + 1, merged - 1);
	return true;
}

/* Cuts [first, end) out of run number at, which reaches beyond it on both sides. */
static bool cut_in_two(struct page_set *set, uint32_t at, uint64_t first, uint64_t end)
{
	struct page_run *run = &set->runs[at];
	uint64_t before = first - run->first, behind = end_of(run) - end;

	if (set->count < PAGE_RUNS_MAX) {
		run->count = before;
		insert_run(set, at + 1, end, behind);
		return true;
	}
	*run = before >= behind ? (struct page_run){run->first, before} : (struct page_run){end, behind};
	return false;
}

bool page_set_remove(struct page_set *set, uint64_t first, uint64_t count)
{
	uint64_t end = safe_end(first, count);
	uint32_t at = 0;

	while (count != 0 && at < set->count && set->runs[at].first < end) {
		struct page_run *run = &set->runs[at];

		if (end_of(run) <= first) {
			at++;
		} else if (run->first >= first && end_of(run) <= end) {
			delete_runs(set, at, 1);
		} else if (run->first < first && end_of(run) > end) {
			return cut_in_two(set, at, first, end);
		} else if (run->first < first) {
			run->count = first - run->first;
			at++;
		} else {
			*run = (struct page_run){end, end_of(run) - end};
			at++;
		}
	}
	return true;
}

bool page_set_overlaps(const struct page_set *set, uint64_t first, uint64_t count)
{
	uint64_t end = safe_end(first, count);

	for (uint32_t i = 0; i < set->count; i++) {
		if (set->runs[i].first < end && first < end_of(&set->runs[i]))
			return true;
	}
	return false;
}

bool page_set_contains(const struct page_set *set, uint64_t first, uint64_t count)
{
	uint64_t end = safe_end(first, count);

	for (uint32_t i = 0; i < set->count; i++) {
		if (set->runs[i].first <= first && end <= end_of(&set->runs[i]))
			return true;
	}
	return false;
}

bool page_set_take(struct page_set *set, uint64_t count, uint64_t floor, uint64_t limit, uint64_t *first)
{
	for (uint32_t i = 0; count != 0 && i < set->count; i++) {
		uint64_t start = set->runs[i].first, end = end_of(&set->runs[i]);

		start = start > floor ? start : floor;
		end = end < limit ? end : limit;
		if (start >= end || end - start < count)
			continue;
		*first = start;
		(void)page_set_remove(set, start, count); /* at worst more goes than was asked for */
		return true;
	}
	return false;
}

uint64_t page_set_total(const struct page_set *set)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < set->count; i++)
		total += set->runs[i].count;
	return total;
}
