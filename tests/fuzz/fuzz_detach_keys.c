/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_detach_keys.c - key sequences, and what is typed
 *
 * Input: the sequence, a NUL, what is typed. Nothing that is typed may be lost or invented.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/detach_keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_(error_release) struct error err = {0};
	auto_free char *text = xstrndup((const char *)data, size);
	auto_free uint8_t *out = NULL;
	const uint8_t *typed;
	struct detach_keys keys;
	size_t len, n = 0, held;
	bool detached;

	if (detach_keys_parse(text, &keys, &err) < 0 || strlen(text) == size)
		return 0;
	typed = data + strlen(text) + 1;
	len = size - strlen(text) - 1;
	out = xmalloc(len + 2 * DETACH_KEYS_MAX);
	detached = detach_keys_filter(&keys, typed, len, out, &n);
	if (n > len || memcmp(out, typed, n) != 0)
		abort();
	if (detached) {
		if (n + keys.count > len || memcmp(typed + n, keys.keys, keys.count) != 0)
			abort();
		return 0;
	}
	held = detach_keys_flush(&keys, out + n);
	if (n + held != len || memcmp(out, typed, len) != 0)
		abort();
	return 0;
}
