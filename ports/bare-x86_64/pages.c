/* SPDX-License-Identifier: MIT */
/* Which pages are free. */
#include "ports/bare-x86_64/private.h"

static struct page_set ram; /* all that may ever be given out */
static struct page_set free_pages;
static struct spin lock;
static bool prefer_high;

void pages_init(const struct page_set *usable)
{
	ram = *usable;
	free_pages = *usable;
}

void bare_prefer_high_memory(void)
{
	prefer_high = true;
}

uint64_t pages_take(uint32_t count, uint64_t limit)
{
	uint64_t first;
	bool taken;

	spin_lock(&lock);
	taken = (prefer_high &&
		 page_set_take(&free_pages, count, LOW_LIMIT >> PAGE_SHIFT, limit >> PAGE_SHIFT, &first)) ||
		page_set_take(&free_pages, count, 0, limit >> PAGE_SHIFT, &first);
	spin_unlock(&lock);
	return taken ? first << PAGE_SHIFT : 0;
}

void pages_give(uint64_t address, uint32_t count)
{
	uint64_t first = address >> PAGE_SHIFT;
	bool ours;

	spin_lock(&lock);
	ours = page_set_contains(&ram, first, count) && !page_set_overlaps(&free_pages, first, count);
	if (ours)
		(void)page_set_add(&free_pages, first, count); /* no room for the run: lost, no harm */
	spin_unlock(&lock);
	if (!ours)
		bare_fatal("pages given back that were not given out");
}

bool bare_memory_take(uint64_t limit, uint64_t keep, uint64_t *address, uint64_t *length)
{
	uint64_t last = limit >> PAGE_SHIFT, most = 0, at = 0, first;

	spin_lock(&lock);
	for (uint32_t i = 0; i < free_pages.count; i++) {
		const struct page_run *run = &free_pages.runs[i];
		uint64_t end = run->first + run->count < last ? run->first + run->count : last;

		if (run->first < end && end - run->first > most) {
			most = end - run->first;
			at = run->first;
		}
	}
	at += keep >> PAGE_SHIFT;
	most = most > keep >> PAGE_SHIFT ? most - (keep >> PAGE_SHIFT) : 0;
	if (most && !page_set_take(&free_pages, most, at, at + most, &first))
		most = 0;
	spin_unlock(&lock);
	*address = at << PAGE_SHIFT;
	*length = most << PAGE_SHIFT;
	return most != 0;
}
