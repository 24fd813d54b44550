/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/residency.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#define SEGMENTS_MAX 8

#define PAGEMAP_BATCH 64
#define PAGE_PRESENT (UINT64_C(1) << 63)
#define PAGE_OF_FILE (UINT64_C(1) << 61)

struct segment {
	uintptr_t begin, end; /* page-aligned */
	bool is_writable;     /* or was, until relocation was done */
};

/* The loaded segments of the program itself that come from its file, by its own headers. */
static size_t find_segments(uintptr_t page, struct segment *segments)
{
	const ElfW(Phdr) *header = (const ElfW(Phdr) *)getauxval(AT_PHDR);
	size_t header_count = getauxval(AT_PHNUM), count = 0;
	uintptr_t base = 0;

	if (!header)
		return 0;
	for (size_t i = 0; i < header_count; i++)
		if (header[i].p_type == PT_PHDR)
			base = (uintptr_t)header - header[i].p_vaddr;
	for (size_t i = 0; i < header_count && count < SEGMENTS_MAX; i++) {
		const ElfW(Phdr) *h = &header[i];

		if (h->p_type != PT_LOAD)
			continue;
		segments[count++] = (struct segment){
			.begin = (base + h->p_vaddr) & ~(page - 1),
			.end = (base + h->p_vaddr + h->p_filesz + page - 1) & ~(page - 1),
			.is_writable = h->p_flags & PF_W,
		};
	}
	return count;
}

static void drop(uintptr_t begin, uintptr_t end)
{
	if (begin < end)
		(void)madvise((void *)begin, end - begin, MADV_DONTNEED);
}

/*
 * Of what may be written, and of what relocation wrote to, a page that was is ours alone and must stay; the
 * others are copies of the file still. /proc/self/pagemap tells them apart (pagemap(5)): it is asked for
 * a page's kind only, for which it needs no privilege.
 */
static void drop_unwritten(int pagemap_fd, uintptr_t page, const struct segment *segment)
{
	uint64_t entries[PAGEMAP_BATCH];

	for (uintptr_t at = segment->begin; at < segment->end;) {
		ssize_t n = pread(pagemap_fd, entries, sizeof(entries),
				  (off_t)(at / page * sizeof(entries[0])));

		if (n < (ssize_t)sizeof(entries[0]))
			return;
		for (size_t i = 0; i < (size_t)n / sizeof(entries[0]) && at < segment->end; i++) {
			if ((entries[i] & PAGE_PRESENT) && (entries[i] & PAGE_OF_FILE))
				drop(at, at + page);
			at += page;
		}
	}
}

int residency_wait_readable(int fd)
{
	struct segment segments[SEGMENTS_MAX];
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	size_t count = find_segments(page, segments);
	int pagemap_fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	for (size_t i = 0; pagemap_fd >= 0 && i < count; i++)
		if (segments[i].is_writable)
			drop_unwritten(pagemap_fd, page, &segments[i]);
	if (pagemap_fd >= 0)
		(void)close(pagemap_fd);
	/* The pages that run this loop and poll() come back at once; the rest stays away. */
	for (size_t i = 0; i < count; i++)
		if (!segments[i].is_writable)
			drop(segments[i].begin, segments[i].end);
	return poll(&p, 1, -1) < 0 ? -errno : 0;
}
