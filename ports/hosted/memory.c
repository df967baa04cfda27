/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/mman.h>
#include <stdlib.h>

#include "ports/hosted/machine.h"

#define POISON 0xa5

static uint64_t next_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static void shuffle(struct memory *memory, uint64_t seed)
{
	for (uint32_t i = 0; i < memory->pages; i++)
		memory->gpa_of_page[i] = i;
	for (uint32_t i = memory->pages; i-- > 1;) {
		uint32_t j = (uint32_t)(next_random(&seed) % (i + 1));
		uint32_t swap = memory->gpa_of_page[i];

		memory->gpa_of_page[i] = memory->gpa_of_page[j];
		memory->gpa_of_page[j] = swap;
	}
	for (uint32_t i = 0; i < memory->pages; i++)
		memory->page_of_gpa[memory->gpa_of_page[i]] = i;
}

bool memory_create(struct memory *memory, uint32_t pages, uint64_t seed)
{
	memory->pages = pages;
	memory->fail_in = UINT32_MAX;
	memory->base = mmap(NULL, (size_t)pages * HVK_PAGE_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	memory->use = calloc(pages, sizeof(*memory->use));
	memory->gpa_of_page = calloc(pages, sizeof(*memory->gpa_of_page));
	memory->page_of_gpa = calloc(pages, sizeof(*memory->page_of_gpa));
	(void)pthread_mutex_init(&memory->lock, NULL);
	if (memory->base == MAP_FAILED || !memory->use || !memory->gpa_of_page || !memory->page_of_gpa)
		return false;
	shuffle(memory, seed);
	return true;
}

void memory_destroy(struct memory *memory)
{
	if (memory->base && memory->base != MAP_FAILED)
		(void)munmap(memory->base, (size_t)memory->pages * HVK_PAGE_SIZE);
	free(memory->use);
	free(memory->gpa_of_page);
	free(memory->page_of_gpa);
	(void)pthread_mutex_destroy(&memory->lock);
}

/* Number of the first of count free pages in a row, from first on; pages if there are
 * none. */
static uint32_t find_run(const struct memory *memory, uint32_t first, uint32_t count)
{
	uint32_t run = 0;

	for (uint32_t i = first; i < memory->pages; i++) {
		run = memory->use[i] == 0 ? run + 1 : 0;
		if (run == count)
			return i + 1 - count;
	}
	return memory->pages;
}

/* Under the lock; memory_translate looks without it. */
static void set_use(struct memory *memory, uint32_t page, uint32_t count, uint8_t use)
{
	for (uint32_t i = page; i < page + count; i++)
		__atomic_store_n(&memory->use[i], use, __ATOMIC_RELEASE);
}

static bool fails_now(struct memory *memory)
{
	if (memory->fail_in == UINT32_MAX)
		return false;
	return memory->fail_in-- == 0;
}

hvk_status memory_alloc(struct memory *memory, uint32_t count, enum hvk_page_use use, struct hvk_pages *out)
{
	uint32_t page;

	(void)pthread_mutex_lock(&memory->lock);
	page = find_run(memory, memory->hint, count);
	if (page == memory->pages)
		page = find_run(memory, 0, count);
	if (page == memory->pages || fails_now(memory)) {
		(void)pthread_mutex_unlock(&memory->lock);
		return HVK_ENOMEM;
	}
	/* A page given back is not given out again soon: whoever still writes to it is seen. */
	memory->hint = page + count;
	set_use(memory, page, count, (uint8_t)(1 + use));
	memory->in_use += count;
	(void)pthread_mutex_unlock(&memory->lock);
	*out = (struct hvk_pages){memory->base + (size_t)page * HVK_PAGE_SIZE, count, use, NULL};
	memset(out->address, 0, (size_t)count * HVK_PAGE_SIZE);
	return HVK_OK;
}

static uint32_t page_number(const struct memory *memory, const void *address)
{
	return (uint32_t)((size_t)((const uint8_t *)address - memory->base) / HVK_PAGE_SIZE);
}

void memory_free(struct memory *memory, const struct hvk_pages *pages)
{
	uint32_t page = page_number(memory, pages->address);

	memset(pages->address, POISON, (size_t)pages->count * HVK_PAGE_SIZE);
	(void)pthread_mutex_lock(&memory->lock);
	set_use(memory, page, pages->count, 0);
	memory->in_use -= pages->count;
	(void)pthread_mutex_unlock(&memory->lock);
}

uint64_t memory_gpa(const struct memory *memory, const void *address)
{
	return GUEST_MEMORY_BASE +
	       (uint64_t)memory->gpa_of_page[page_number(memory, address)] * HVK_PAGE_SIZE;
}

/* The host may write what was shared with it and not given back, and nothing else. */
static bool may_write(uint8_t use)
{
	return use == 1 + HVK_PAGE_HOST_WRITES || use == 1 + HVK_PAGE_EXECUTE;
}

/* On the host's every access: no lock. Which page an address means never changes; what it
 * is used for is read as it stands, and a page given back while the host still reaches for
 * it is the fault that is looked for, before or after. */
void *memory_translate(struct memory *memory, uint64_t gpa, uint32_t length, bool write)
{
	uint64_t offset = gpa - GUEST_MEMORY_BASE;
	uint32_t page;

	if (gpa < GUEST_MEMORY_BASE || offset / HVK_PAGE_SIZE >= memory->pages ||
	    offset % HVK_PAGE_SIZE + length > HVK_PAGE_SIZE)
		return NULL;
	page = memory->page_of_gpa[offset / HVK_PAGE_SIZE];
	if (write && !may_write(__atomic_load_n(&memory->use[page], __ATOMIC_ACQUIRE)))
		(void)__atomic_fetch_add(&memory->bad_writes, 1, __ATOMIC_RELAXED);
	return memory->base + (size_t)page * HVK_PAGE_SIZE + offset % HVK_PAGE_SIZE;
}
