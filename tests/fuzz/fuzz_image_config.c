/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_image_config.c - configurations of images */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "image/image_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct image_config *config)
{
	auto_(strv_release) struct strv ids = {0};

	if (!config->os || !config->architecture)
		abort();
	for (size_t i = 0; i < config->env.count; i++)
		if (!strchr(config->env.items[i], '=') || config->env.items[i][0] == '=')
			abort();
	for (size_t i = 0; i < config->volumes.count; i++)
		if (config->volumes.items[i][0] != '/')
			abort();
	image_config_chain_ids(config, &ids);
	if (ids.count != config->diff_ids.count)
		abort();
	for (size_t i = 0; i < ids.count; i++)
		if (!digest_is_valid(ids.items[i]))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_(image_config_release) struct image_config config = {0};
	auto_(error_release) struct error err = {0};

	if (image_config_parse((const char *)data, size, &config, &err) >= 0)
		check(&config);
	return 0;
}
