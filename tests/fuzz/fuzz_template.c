/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_template.c - --format: the template, then, after a NUL, its data as JSON */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "template/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char fallback[] =
	"{\"Name\":\"x\",\"List\":[1,\"a\",null,[2]],\"Map\":{\"k\":{\"n\":1.5}},\"Yes\":true}";

static void run(const struct template *t, const json_t *value, bool strict, bool header)
{
	const struct template_data template_data = {
		.value = value,
		.missing_is_error = strict,
		.header = header,
	};
	auto_(strbuf_release) struct strbuf text = {0};
	auto_(error_release) struct error err = {0};

	if (template_run(t, &template_data, &text, &err) < 0 && !header && text.len > 0)
		abort(); /* a failure prints nothing */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *copy = xstrndup((const char *)data, size);
	size_t len = strlen(copy);
	const char *json = len < size ? (const char *)data + len + 1 : fallback;
	size_t json_len = len < size ? size - len - 1 : strlen(fallback);
	auto_(template_free) struct template *t = NULL;
	auto_(json_decref) json_t *value = NULL;
	auto_(error_release) struct error err = {0}, json_err = {0};

	if (template_parse(copy, &t, &err) < 0)
		return 0;
	(void)json_parse(json, json_len, "data", &value, &json_err);
	run(t, value, /* strict= */ false, /* header= */ false);
	run(t, value, /* strict= */ true, /* header= */ false);
	run(t, value, /* strict= */ false, /* header= */ true);
	(void)template_uses(t, "Name");
	return 0;
}
