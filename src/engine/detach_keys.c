/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/detach_keys.h"

#include <string.h>

#include "base/strv.h"
#include "engine/monitor_link.h"

static int parse_key(const char *text, uint8_t *ret_key)
{
	static const char controls[] = "@abcdefghijklmnopqrstuvwxyz[\\]^_";
	const char *found;

	if (strlen(text) == 1) {
		*ret_key = (uint8_t)text[0];
		return 0;
	}
	if (strcmp(text, "DEL") == 0) {
		*ret_key = 127;
		return 0;
	}
	if (strncmp(text, "ctrl-", 5) != 0 || strlen(text) != 6)
		return -EINVAL;
	found = strchr(controls, text[5]);
	if (!found)
		return -EINVAL;
	*ret_key = (uint8_t)(found - controls);
	return 0;
}

/* Knuth, Morris and Pratt: the longest beginning of the keys that ends just before each place. */
static void compute_fallback(struct detach_keys *keys)
{
	size_t matched = 0;

	for (size_t i = 1; i < keys->count; i++) {
		keys->fallback[i] = (uint8_t)matched;
		while (matched > 0 && keys->keys[i] != keys->keys[matched])
			matched = keys->fallback[matched];
		if (keys->keys[i] == keys->keys[matched])
			matched++;
	}
}

int detach_keys_parse(const char *text, struct detach_keys *ret_keys, struct error *err)
{
	auto_(strv_release) struct strv parts = {0};
	struct detach_keys keys = {0};

	if (text)
		strv_split(&parts, text, ',');
	if (parts.count > DETACH_KEYS_MAX)
		return err_set(err, ERR_INVALID, 0, "Invalid detach keys (%s) provided", text);
	for (size_t i = 0; i < parts.count; i++)
		if (parse_key(parts.items[i], &keys.keys[keys.count++]) < 0)
			return err_set(err, ERR_INVALID, 0, "Invalid detach keys (%s) provided",
				       text);
	compute_fallback(&keys);
	*ret_keys = keys;
	return 0;
}

int detach_keys_check(const char *text, struct error *err)
{
	struct detach_keys keys;

	return detach_keys_parse(text, &keys, err);
}

bool detach_keys_filter(struct detach_keys *keys, const uint8_t *typed, size_t len, uint8_t *out,
			size_t *ret_len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		while (keys->matched > 0 && typed[i] != keys->keys[keys->matched]) {
			size_t still = keys->fallback[keys->matched];

			memcpy(out + n, keys->keys, keys->matched - still);
			n += keys->matched - still;
			keys->matched = still;
		}
		if (keys->count == 0 || typed[i] != keys->keys[keys->matched]) {
			out[n++] = typed[i];
			continue;
		}
		if (++keys->matched == keys->count) {
			keys->matched = 0;
			*ret_len = n;
			return true;
		}
	}
	*ret_len = n;
	return false;
}

size_t detach_keys_flush(struct detach_keys *keys, uint8_t *out)
{
	size_t n = keys->matched;

	memcpy(out, keys->keys, n);
	keys->matched = 0;
	return n;
}
