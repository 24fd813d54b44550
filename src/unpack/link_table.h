/* SPDX-License-Identifier: Apache-2.0 */
/* link_table.h - under which name a file with several names was written first */
#ifndef SKIFF_UNPACK_LINK_TABLE_H
#define SKIFF_UNPACK_LINK_TABLE_H

#include <stddef.h>
#include <sys/types.h>

#include "base/cleanup.h"

struct linked_file {
	dev_t dev;
	ino_t ino;
	char *name; /* owned; NULL: a free place */
};

struct link_table {
	struct linked_file *places; /* by hash, open addressing */
	size_t count, capacity;
};

/* The first name of the file, borrowed; NULL when this one is it, which is remembered then. */
const char *link_table_meet(struct link_table *table, dev_t dev, ino_t ino, const char *name);
void link_table_release(struct link_table *table);

DEFINE_CLEANUP_VALUE(struct link_table, link_table_release);

#endif
