/* SPDX-License-Identifier: Apache-2.0 */
#include "unpack/link_table.h"

#include <stdint.h>

#include "base/alloc.h"

void link_table_release(struct link_table *table)
{
	for (size_t i = 0; i < table->capacity; i++)
		free(table->places[i].name);
	free(table->places);
	*table = (struct link_table){0};
}

/* The place of that file, or the free one where it belongs. */
static struct linked_file *find(struct linked_file *places, size_t capacity, dev_t dev, ino_t ino)
{
	uint64_t hash = ((uint64_t)ino ^ (uint64_t)dev << 32) * 0x9e3779b97f4a7c15U;
	size_t at = (size_t)(hash >> 32) & (capacity - 1);

	while (places[at].name && (places[at].dev != dev || places[at].ino != ino))
		at = (at + 1) & (capacity - 1);
	return &places[at];
}

/* Never more than half full, so that a free place is near. */
static void make_room(struct link_table *table)
{
	size_t capacity = table->capacity ? table->capacity * 2 : 64;
	struct linked_file *places;

	if (table->count * 2 < table->capacity)
		return;
	places = xcalloc(capacity, sizeof(*places));
	for (size_t i = 0; i < table->capacity; i++)
		if (table->places[i].name)
			*find(places, capacity, table->places[i].dev, table->places[i].ino) =
				table->places[i];
	free(table->places);
	table->places = places;
	table->capacity = capacity;
}

const char *link_table_meet(struct link_table *table, dev_t dev, ino_t ino, const char *name)
{
	struct linked_file *place;

	make_room(table);
	place = find(table->places, table->capacity, dev, ino);
	if (place->name)
		return place->name;
	*place = (struct linked_file){.dev = dev, .ino = ino, .name = xstrdup(name)};
	table->count++;
	return NULL;
}
