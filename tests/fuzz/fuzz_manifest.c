/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_manifest.c - manifests, indexes, and manifest.json of docker archives */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "image/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_path(const char *path)
{
	if (path[0] == '/' || path[0] == '\0' || strstr(path, "//") ||
	    strncmp(path, "../", 3) == 0 || strstr(path, "/../") || strcmp(path, "..") == 0)
		abort();
}

static void check_save(const struct docker_save *save)
{
	for (size_t i = 0; i < save->count; i++) {
		check_path(save->items[i].config);
		for (size_t k = 0; k < save->items[i].layers.count; k++)
			check_path(save->items[i].layers.items[k]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_(manifest_release) struct manifest manifest = {0};
	auto_(docker_save_release) struct docker_save save = {0};
	auto_(error_release) struct error err = {0};

	if (manifest_parse((const char *)data, size, NULL, &manifest, &err) >= 0)
		for (size_t i = 0; i < manifest.count; i++)
			if (!digest_is_valid(manifest.items[i].digest))
				abort();
	if (docker_save_parse((const char *)data, size, &save, &err) >= 0)
		check_save(&save);
	return 0;
}
