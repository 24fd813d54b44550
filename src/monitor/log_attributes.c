/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "monitor/log_remote.h"

char *log_attributes_text(const struct strv *attributes)
{
	auto_(json_decref) json_t *object = NULL;

	if (attributes->count == 0)
		return NULL;
	object = json_object();
	for (size_t i = 0; i < attributes->count; i++) {
		const char *item = attributes->items[i];
		size_t len = strcspn(item, "=");
		auto_free char *key = xstrndup(item, len);

		json_set_string(object, key, item[len] ? item + len + 1 : "");
	}
	return json_text(object);
}
