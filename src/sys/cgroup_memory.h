/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_memory.h - memory of a group in the terms of an OCI runtime's `events`
 *
 * More than cgroup_usage.h reads, which is asked once a second for many groups. What the kernel does
 * not tell is 0, or CGROUP_NO_LIMIT for the limit of a group with the memory controller.
 *
 *	                v1                            v2
 *	cache           memory.stat: cache            memory.stat: file
 *	memory          memory.*_in_bytes, failcnt    memory.current, .peak, .max, memory.events: max
 *	with_swap       memory.memsw.*                memory.swap.*, with memory added as v1 has it
 *	kernel          memory.kmem.*                 -
 *	kernel_tcp      memory.kmem.tcp.*             -
 */
#ifndef SKIFF_SYS_CGROUP_MEMORY_H
#define SKIFF_SYS_CGROUP_MEMORY_H

#include <stdint.h>

#include "sys/cgroup.h"

struct cgroup_memory_entry {
	uint64_t bytes, peak_bytes;
	uint64_t limit_bytes; /* as the file has it: v1 writes a number near 2^63 for none */
	uint64_t limit_hits;  /* how often the limit was met, which need not kill anything */
};

struct cgroup_memory {
	uint64_t cache_bytes;
	struct cgroup_memory_entry memory, with_swap, kernel, kernel_tcp;
};

void cgroup_memory_read(const struct cgroup *group, struct cgroup_memory *ret_memory);

#endif
