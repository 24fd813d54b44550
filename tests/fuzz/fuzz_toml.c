/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_toml.c - TOML, and registries.conf made of it */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/toml.h"
#include "trust/registries_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever was configured: at least one to ask, and nobody twice the same way for nothing. */
static void ask(const struct registries_conf *conf, const char *text)
{
	auto_(registry_endpoints_release) struct registry_endpoints endpoints = {0};
	auto_(reference_release) struct reference reference = {0};
	auto_(error_release) struct error err = {0};
	auto_(strv_release) struct strv names = {0};

	if (registries_conf_complete(conf, text, false, &names, &err) < 0 || names.count == 0)
		return;
	if (reference_parse(names.items[0], &reference, &err) < 0)
		abort();
	if (registries_conf_endpoints(conf, &reference, &endpoints, &err) >= 0 &&
	    endpoints.count == 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_(registries_conf_free) struct registries_conf *conf = xcalloc(1, sizeof(*conf));
	auto_(error_release) struct error err = {0};
	auto_(json_decref) json_t *root = NULL;
	/* Exactly as long: nothing to read behind it. */
	auto_free char *text = xmemdup(data, size);

	if (toml_parse(text, size, "fuzz", &root, &err) >= 0 && !json_is_object(root))
		abort();
	if (registries_conf_merge(conf, text, size, "fuzz", &err) >= 0) {
		ask(conf, "a.com/x:1");
		ask(conf, "short");
	}
	return 0;
}
