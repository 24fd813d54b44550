/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/prune_text.h"

#include "cli/human.h"

#define SIZE_DIGITS 4

void print_pruned(FILE *out, const char *title, const struct strv *lines)
{
	if (lines->count == 0)
		return;
	(void)fprintf(out, "%s:\n", title);
	for (size_t i = 0; i < lines->count; i++)
		(void)fprintf(out, "%s\n", lines->items[i]);
	(void)fputc('\n', out);
}

void print_reclaimed(FILE *out, uint64_t bytes)
{
	auto_(strbuf_release) struct strbuf size = {0};

	human_size(bytes, SIZE_DIGITS, &size);
	(void)fprintf(out, "Total reclaimed space: %s\n", strbuf_text(&size));
}
