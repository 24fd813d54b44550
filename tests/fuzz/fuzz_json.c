/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_json.c - bounded JSON, read and written again */
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_(error_release) struct error err = {0};
	auto_(json_decref) json_t *value = NULL;
	auto_free char *text = NULL;

	if (json_parse((const char *)data, size, "fuzz", &value, &err) == 0)
		text = json_text_pretty(value, 4);
	return 0;
}
