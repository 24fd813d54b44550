/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "base/alloc.h"
#include "template/template_internal.h"

#define BLOCK_BYTES ((size_t)4096)

struct arena_block {
	struct arena_block *next;
	json_t *kept; /* this block is only here to keep it */
	size_t used, size;
	max_align_t data[];
};

static struct arena_block *add_block(struct arena *arena, size_t size)
{
	struct arena_block *block = xcalloc(1, sizeof(*block) + size);

	block->size = size;
	block->next = arena->blocks;
	arena->blocks = block;
	return block;
}

static void account(struct arena *arena, size_t size)
{
	arena->used += size;
	if (arena->limit && arena->used > arena->limit)
		arena->full = true;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	struct arena_block *block = arena->blocks;
	char *data;

	size = (size + align - 1) / align * align;
	account(arena, size);
	if (!block || block->size - block->used < size)
		block = add_block(arena, size > BLOCK_BYTES ? size : BLOCK_BYTES);
	data = (char *)block->data + block->used;
	block->used += size;
	return data;
}

char *arena_copy(struct arena *arena, const char *text, size_t len)
{
	char *copy = arena_alloc(arena, len + 1);

	if (len)
		memcpy(copy, text, len);
	return copy;
}

struct text arena_take(struct arena *arena, struct strbuf *b)
{
	struct text text = {arena_copy(arena, strbuf_text(b), b->len), b->len};

	strbuf_clear(b);
	return text;
}

json_t *arena_keep(struct arena *arena, json_t *value)
{
	add_block(arena, 0)->kept = value;
	account(arena, sizeof(struct arena_block));
	return value;
}

void arena_release(struct arena *arena)
{
	while (arena->blocks) {
		struct arena_block *block = arena->blocks;

		arena->blocks = block->next;
		json_decref(block->kept);
		free(block);
	}
	*arena = (struct arena){0};
}

struct text text_of(const char *s)
{
	return (struct text){s, strlen(s)};
}

bool text_is(struct text text, const char *s)
{
	return text_equal(text, text_of(s));
}

bool text_equal(struct text a, struct text b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}
