/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_container_config.c - the record of a container, and what a start makes of it
 *
 * Records are ours, but a damaged database must not do more than give an error.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/container_config.h"
#include "engine/oci_config.h"
#include "runtime/spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const struct container_config *config)
{
	auto_(container_config_release) struct container_config again = {0};
	auto_(error_release) struct error err = {0};
	auto_free char *text = container_config_format(config);
	auto_free char *second = NULL;

	if (container_config_parse(text, &again, &err) < 0)
		abort();
	second = container_config_format(&again);
	if (strcmp(text, second) != 0)
		abort();
}

/* Devices are looked up on the host, which is not what is tested here. */
static void build(struct container_config *config)
{
	auto_(spec_release) struct spec spec = {0};
	auto_(error_release) struct error err = {0};
	auto_(json_decref) json_t *document = NULL;
	const struct oci_input input = {
		.config = config,
		.id = "0123456789abcdef",
		.root_path = "/root",
		.files_path = "/files",
		.capabilities = 0xff,
		.limit_swap = true,
	};

	strv_release(&config->devices);
	config->privileged = false;
	if (oci_config_build(&input, &document, &err) >= 0)
		(void)spec_parse(document, &spec, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_(container_config_release) struct container_config config = {0};
	auto_(strv_release) struct strv labels = {0};
	auto_(error_release) struct error err = {0};
	auto_free char *text = xstrndup((const char *)data, size);

	container_config_labels(text, &labels);
	if (container_config_parse(text, &config, &err) < 0)
		return 0;
	check_round_trip(&config);
	build(&config);
	return 0;
}
