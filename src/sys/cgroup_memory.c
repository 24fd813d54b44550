/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/cgroup_memory.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "sys/cgroup_internal.h"
#include "sys/cgroup_usage.h"

#define FILE_MAX 16384 /* memory.stat has some fifty lines */

/* A file of one number, or "max"; `otherwise` when it is not there. */
static uint64_t read_number(int dir_fd, const char *file, uint64_t otherwise)
{
	char text[32];
	uint64_t value = 0;

	if (cgroup_read_file(dir_fd, file, text, sizeof(text)) < 0)
		return otherwise;
	if (strcmp(text, "max") == 0)
		return CGROUP_NO_LIMIT;
	return parse_u64(text, &value) < 0 ? otherwise : value;
}

static uint64_t read_stat(int dir_fd, const char *file, const char *key)
{
	char text[FILE_MAX];

	return cgroup_read_file(dir_fd, file, text, sizeof(text)) < 0
		       ? 0
		       : cgroup_stat_number(text, key, 0);
}

/* `kind`: "", "memsw.", "kmem." or "kmem.tcp.". */
static void read_v1_entry(int dir_fd, const char *kind, struct cgroup_memory_entry *entry)
{
	const struct {
		const char *name;
		uint64_t *value;
	} files[] = {
		{"usage_in_bytes", &entry->bytes},
		{"max_usage_in_bytes", &entry->peak_bytes},
		{"limit_in_bytes", &entry->limit_bytes},
		{"failcnt", &entry->limit_hits},
	};
	char file[64];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		(void)snprintf(file, sizeof(file), "memory.%s%s", kind, files[i].name);
		*files[i].value = read_number(dir_fd, file, 0);
	}
}

/* v2 counts swap by itself; whoever asks for both knows v1, where the sum is counted. */
static void read_v2(int dir_fd, struct cgroup_memory *m)
{
	m->cache_bytes = read_stat(dir_fd, "memory.stat", "file");
	m->memory = (struct cgroup_memory_entry){
		.bytes = read_number(dir_fd, "memory.current", 0),
		.peak_bytes = read_number(dir_fd, "memory.peak", 0),
		.limit_bytes = read_number(dir_fd, "memory.max", CGROUP_NO_LIMIT),
		.limit_hits = read_stat(dir_fd, "memory.events", "max"),
	};
	m->with_swap = (struct cgroup_memory_entry){
		.bytes = m->memory.bytes + read_number(dir_fd, "memory.swap.current", 0),
		.limit_bytes = read_number(dir_fd, "memory.swap.max", CGROUP_NO_LIMIT),
		.limit_hits = read_stat(dir_fd, "memory.swap.events", "max"),
	};
	if (m->with_swap.limit_bytes == CGROUP_NO_LIMIT || m->memory.limit_bytes == CGROUP_NO_LIMIT)
		m->with_swap.limit_bytes = CGROUP_NO_LIMIT;
	else
		m->with_swap.limit_bytes += m->memory.limit_bytes;
}

void cgroup_memory_read(const struct cgroup *group, struct cgroup_memory *ret_memory)
{
	bool is_v2 = false;
	int fd = cgroup_controller_dir(group, "memory", &is_v2);

	*ret_memory = (struct cgroup_memory){0};
	if (fd < 0)
		return;
	if (is_v2) {
		read_v2(fd, ret_memory);
		return;
	}
	ret_memory->cache_bytes = read_stat(fd, "memory.stat", "cache");
	read_v1_entry(fd, "", &ret_memory->memory);
	read_v1_entry(fd, "memsw.", &ret_memory->with_swap);
	read_v1_entry(fd, "kmem.", &ret_memory->kernel);
	read_v1_entry(fd, "kmem.tcp.", &ret_memory->kernel_tcp);
}
