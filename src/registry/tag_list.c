/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/tag_list.h"

#include <stdbool.h>
#include <string.h>

#define TAG_MAX_LEN 128

/* Letters, digits and "_.-": anything else is no tag, and would not be one line. */
static bool is_tag(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && len <= TAG_MAX_LEN &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") ==
		       len;
}

size_t tag_list_collect(const json_t *root, struct strbuf *lines)
{
	const json_t *tags = json_object_get(root, "tags");
	const json_t *tag;
	size_t i, count = 0;

	json_array_foreach (tags, i, tag) {
		const char *text = json_string_value(tag);

		if (text && is_tag(text)) {
			strbuf_addf(lines, "%s\n", text);
			count++;
		}
	}
	return count;
}
