/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_image_change.c - Dockerfile instructions, one a line, for a configuration with something in it */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/image_change.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_(json_decref) json_t *config = json_pack("{s:[s, s], s:{s:s}, s:n}", "Env", "A=1", "B",
						      "Labels", "k", "v", "Volumes");
	auto_free char *text = xstrndup((const char *)data, size);
	auto_(strv_release) struct strv changes = {0};
	auto_(error_release) struct error err = {0};

	strv_split(&changes, text, '\n');
	(void)image_changes_apply(config, &changes, &err);
	return 0;
}
