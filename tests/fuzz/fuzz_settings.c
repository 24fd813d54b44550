/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_settings.c - configuration files
 *
 * Input: one file, a NUL, the one that is read over it. Whatever is accepted says where it came from.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_(error_release) struct error err = {0};
	auto_(settings_release) struct settings settings = {0};
	auto_free char *text = xstrndup((const char *)data, size);
	auto_free char *second = NULL;
	size_t first = strlen(text);

	if (settings_parse(text, "first", &settings, &err) < 0)
		return 0;
	if (first == size)
		return 0;
	second = xstrndup((const char *)data + first + 1, size - first - 1);
	if (settings_parse(second, "second", &settings, &err) < 0)
		return 0;
	if ((settings.shm_size || settings.dns.count) && settings.origins.count == 0)
		abort();
	return 0;
}
