/* SPDX-License-Identifier: MIT */
/* ELF files: by the note that PVH asks for (Xen, elfnote.h), or by their 64-bit entry. */
#include <elf.h>
#include <string.h>

#include "vmm/loaders/loader.h"

#define SEGMENTS_MAX 64u
#define NOTES_MAX 0x1000u /* bytes of one segment that are looked through */
#define NOTE_PHYS32_ENTRY 18u
#define NOTE_OWNER "Xen"

/* Either class, as the wider one. */
struct elf {
	bool wide;
	uint64_t entry;
	uint32_t count;
	Elf64_Phdr segments[SEGMENTS_MAX];
};

bool vmm_elf_is(const struct vmm_image *image)
{
	unsigned char ident[SELFMAG];

	return vmm_image_read(image, 0, ident, sizeof(ident)) && memcmp(ident, ELFMAG, SELFMAG) == 0;
}

static bool check_ident(const struct vmm_loading *loading, const unsigned char *ident, uint16_t type,
			uint16_t machine)
{
	if (ident[EI_DATA] != ELFDATA2LSB || (machine != EM_X86_64 && machine != EM_386))
		return vmm_loading_failed(loading, "is an ELF file for another processor");
	if (type != ET_EXEC && type != ET_DYN)
		return vmm_loading_failed(loading, "is an ELF file, but no program");
	return true;
}

static Elf64_Phdr widened(const Elf32_Phdr *segment)
{
	return (Elf64_Phdr){.p_type = segment->p_type,
			    .p_flags = segment->p_flags,
			    .p_offset = segment->p_offset,
			    .p_vaddr = segment->p_vaddr,
			    .p_paddr = segment->p_paddr,
			    .p_filesz = segment->p_filesz,
			    .p_memsz = segment->p_memsz,
			    .p_align = segment->p_align};
}

static bool read_segments(const struct vmm_loading *loading, struct elf *elf, uint64_t offset,
			  uint32_t entry_size)
{
	uint32_t right_size = elf->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);

	if (elf->count == 0 || elf->count > SEGMENTS_MAX || entry_size != right_size)
		return vmm_loading_failed(loading, "has %u program headers of %u bytes; there may be 1 to %u",
					  elf->count, entry_size, SEGMENTS_MAX);
	for (uint32_t n = 0; n < elf->count; n++) {
		Elf32_Phdr narrow;
		bool right;

		if (elf->wide)
			right = vmm_image_read(&loading->kernel, offset + (uint64_t)n * right_size,
					       &elf->segments[n], right_size);
		else
			right = vmm_image_read(&loading->kernel, offset + (uint64_t)n * right_size, &narrow,
					       right_size);
		if (!right)
			return vmm_loading_failed(loading, "ends before its program headers do");
		if (!elf->wide)
			elf->segments[n] = widened(&narrow);
	}
	return true;
}

static bool read_headers(const struct vmm_loading *loading, struct elf *elf)
{
	Elf64_Ehdr header = {0};
	Elf32_Ehdr narrow;

	if (!vmm_image_read(&loading->kernel, 0, &narrow, sizeof(narrow)))
		return vmm_loading_failed(loading, "is too short for an ELF file");
	elf->wide = narrow.e_ident[EI_CLASS] == ELFCLASS64;
	if (!elf->wide) {
		if (narrow.e_ident[EI_CLASS] != ELFCLASS32)
			return vmm_loading_failed(loading, "is an ELF file of no known class");
		elf->entry = narrow.e_entry;
		elf->count = narrow.e_phnum;
		return check_ident(loading, narrow.e_ident, narrow.e_type, narrow.e_machine) &&
		       read_segments(loading, elf, narrow.e_phoff, narrow.e_phentsize);
	}
	if (!vmm_image_read(&loading->kernel, 0, &header, sizeof(header)))
		return vmm_loading_failed(loading, "is too short for an ELF file");
	elf->entry = header.e_entry;
	elf->count = header.e_phnum;
	return check_ident(loading, header.e_ident, header.e_type, header.e_machine) &&
	       read_segments(loading, elf, header.e_phoff, header.e_phentsize);
}

/* --- Segments --------------------------------------------------------------------------------- */

static bool load_segment(struct vmm_loading *loading, const Elf64_Phdr *segment)
{
	uint8_t *to;

	if (segment->p_memsz == 0)
		return true;
	if (segment->p_filesz > segment->p_memsz)
		return vmm_loading_failed(loading, "has a segment that is larger in the file than in memory");
	if (segment->p_paddr < VMM_PROGRAM_GPA)
		return vmm_loading_failed(
			loading, "has a segment at %#llx; programs lie at 1 MiB or above (link it so)",
			(unsigned long long)segment->p_paddr);
	to = vmm_memory_at(loading->memory, segment->p_paddr, segment->p_memsz);
	if (!to)
		return vmm_loading_failed(
			loading, "has a segment of %llu bytes at %#llx, beyond the guest's memory: see --mem",
			(unsigned long long)segment->p_memsz, (unsigned long long)segment->p_paddr);
	if (!vmm_image_read(&loading->kernel, segment->p_offset, to, segment->p_filesz))
		return vmm_loading_failed(loading, "ends before its segments do");
	memset(to + segment->p_filesz, 0, segment->p_memsz - segment->p_filesz);
	loading->loaded = true;
	/* What lies above 4 GiB is in nobody's way. */
	if (segment->p_paddr < VMM_HOLE_BEGIN && segment->p_paddr + segment->p_memsz > loading->end)
		loading->end = segment->p_paddr + segment->p_memsz;
	return true;
}

static bool load_segments(struct vmm_loading *loading, const struct elf *elf)
{
	for (uint32_t n = 0; n < elf->count; n++) {
		if (elf->segments[n].p_type == PT_LOAD && !load_segment(loading, &elf->segments[n]))
			return false;
	}
	return loading->loaded || vmm_loading_failed(loading, "has nothing to load");
}

/* --- Entries ------------------------------------------------------------------------------------ */

static uint64_t aligned(uint64_t size, uint64_t alignment)
{
	return (size + alignment - 1) & ~(alignment - 1);
}

/* Looks through notes (Linux and Xen both align them to 4) for the PVH entry. */
static bool find_entry_in(const uint8_t *notes, uint64_t size, uint64_t *entry)
{
	uint64_t at = 0;

	while (size - at >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr note;
		uint64_t name, body, end;

		memcpy(&note, notes + at, sizeof(note));
		name = at + sizeof(note);
		body = name + aligned(note.n_namesz, 4);
		end = body + aligned(note.n_descsz, 4);
		if (body > size || note.n_descsz > size - body)
			return false;
		if (note.n_type == NOTE_PHYS32_ENTRY && note.n_namesz == sizeof(NOTE_OWNER) &&
		    memcmp(notes + name, NOTE_OWNER, sizeof(NOTE_OWNER)) == 0 &&
		    (note.n_descsz == 4 || note.n_descsz == 8)) {
			*entry = 0;
			memcpy(entry, notes + body, note.n_descsz);
			return true;
		}
		if (end > size)
			return false;
		at = end;
	}
	return false;
}

static bool find_pvh_entry(const struct vmm_loading *loading, const struct elf *elf, uint64_t *entry)
{
	uint8_t notes[NOTES_MAX];

	for (uint32_t n = 0; n < elf->count; n++) {
		uint64_t size = elf->segments[n].p_filesz;

		if (elf->segments[n].p_type != PT_NOTE || size > sizeof(notes))
			continue;
		if (vmm_image_read(&loading->kernel, elf->segments[n].p_offset, notes, size) &&
		    find_entry_in(notes, size, entry))
			return true;
	}
	return false;
}

static bool is_loaded(const struct elf *elf, uint64_t gpa)
{
	for (uint32_t n = 0; n < elf->count; n++) {
		const Elf64_Phdr *segment = &elf->segments[n];

		if (segment->p_type == PT_LOAD && gpa >= segment->p_paddr &&
		    gpa - segment->p_paddr < segment->p_memsz)
			return true;
	}
	return false;
}

/* e_entry is a virtual address; kernels give it as that or as the physical one. */
static uint64_t physical_entry(const struct elf *elf)
{
	for (uint32_t n = 0; n < elf->count; n++) {
		const Elf64_Phdr *segment = &elf->segments[n];

		if (segment->p_type == PT_LOAD && elf->entry >= segment->p_vaddr &&
		    elf->entry - segment->p_vaddr < segment->p_memsz)
			return elf->entry - segment->p_vaddr + segment->p_paddr;
	}
	return elf->entry;
}

static bool choose_entry(struct vmm_loading *loading, const struct elf *elf)
{
	bool pvh = loading->entry != VMM_ENTRY_ELF64 && find_pvh_entry(loading, elf, &loading->start->entry);

	if (!pvh && loading->entry == VMM_ENTRY_PVH)
		return vmm_loading_failed(loading, "has no PVH entry (ELF note Xen, type 18)");
	if (!pvh && !elf->wide)
		return vmm_loading_failed(loading, "is a 32-bit ELF file without a PVH entry (ELF note Xen, "
						   "type 18): nobody knows how to start it");
	loading->start->mode = pvh ? VMM_PROTECTED_MODE : VMM_LONG_MODE;
	loading->start->argument = pvh ? VMM_START_INFO_GPA : VMM_ZERO_PAGE_GPA;
	if (!pvh)
		loading->start->entry = physical_entry(elf);
	if (!is_loaded(elf, loading->start->entry))
		return vmm_loading_failed(loading, "has its entry at %#llx, where nothing of it is loaded",
					  (unsigned long long)loading->start->entry);
	if (loading->start->entry >= VMM_HOLE_BEGIN)
		return vmm_loading_failed(loading,
					  "has its entry at %#llx; what is mapped at the start ends "
					  "at 4 GiB (link it lower)",
					  (unsigned long long)loading->start->entry);
	return true;
}

bool vmm_elf_load(struct vmm_loading *loading)
{
	struct elf elf = {0};

	if (!read_headers(loading, &elf) || !load_segments(loading, &elf) || !choose_entry(loading, &elf) ||
	    !vmm_place_initrd(loading))
		return false;
	if (loading->start->mode == VMM_LONG_MODE)
		return vmm_write_zero_page(loading, NULL, 0);
	vmm_write_start_info(loading);
	return true;
}
