/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_oci_config.c - config.json of a bundle */
#include <stddef.h>
#include <stdint.h>

#include "runtime/spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_(error_release) struct error err = {0};
	auto_(spec_release) struct spec spec = {0};
	auto_(json_decref) json_t *config = NULL;

	if (json_parse((const char *)data, size, "fuzz", &config, &err) == 0)
		(void)spec_parse(config, &spec, &err);
	return 0;
}
