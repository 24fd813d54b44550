/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_mountinfo.c - cgroup hierarchies in /proc/self/mountinfo: others choose mount points */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "sys/cgroup_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_(cgroup_host_free) struct cgroup_host *host = xcalloc(1, sizeof(*host));
	auto_free char *text = xstrndup((const char *)data, size);

	cgroup_host_parse(host, text);
	for (size_t i = 0; i < cgroup_host_count(host); i++) {
		const struct cgroup_hierarchy *h = cgroup_host_get(host, i);

		if (!h->name || !h->mount_data || (h->is_v2 && *h->mount_data))
			abort();
	}
	(void)cgroup_host_has(host, "memory");
	return 0;
}
