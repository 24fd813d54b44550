/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/residency.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#define SEGMENTS_MAX 8

struct segment {
	uintptr_t begin, end; /* page-aligned */
};

/*
 * The loaded, never written segments of the program itself, by its own headers. What is writable, or was
 * until relocation made it read-only, is not a copy of the file and stays.
 */
static size_t find_segments(struct segment *segments)
{
	const ElfW(Phdr) *header = (const ElfW(Phdr) *)getauxval(AT_PHDR);
	size_t header_count = getauxval(AT_PHNUM), count = 0;
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), base = 0;

	if (!header)
		return 0;
	for (size_t i = 0; i < header_count; i++)
		if (header[i].p_type == PT_PHDR)
			base = (uintptr_t)header - header[i].p_vaddr;
	for (size_t i = 0; i < header_count && count < SEGMENTS_MAX; i++) {
		const ElfW(Phdr) *h = &header[i];

		if (h->p_type != PT_LOAD || (h->p_flags & PF_W))
			continue;
		segments[count++] = (struct segment){
			.begin = (base + h->p_vaddr) & ~(page - 1),
			.end = (base + h->p_vaddr + h->p_memsz + page - 1) & ~(page - 1),
		};
	}
	return count;
}

int residency_wait_readable(int fd)
{
	struct segment segments[SEGMENTS_MAX];
	struct pollfd p = {.fd = fd, .events = POLLIN};
	size_t count = find_segments(segments);

	/* The pages that run this loop and poll() come back at once; the rest stays away. */
	for (size_t i = 0; i < count; i++)
		(void)madvise((void *)segments[i].begin, segments[i].end - segments[i].begin,
			      MADV_DONTNEED);
	return poll(&p, 1, -1) < 0 ? -errno : 0;
}
