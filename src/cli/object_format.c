/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/object_format.h"

#include <string.h>

#include "base/strbuf.h"
#include "template/template.h"

#define STATUS_BAD_TEMPLATE 64

int object_format_print(const struct command_call *call, const char *format, const json_t *object,
			const struct template_type *type)
{
	const struct template_data data = {.value = object, .type = type};
	auto_(template_free) struct template *t = NULL;
	auto_(strbuf_release) struct strbuf text = {0};
	auto_(error_release) struct error err = {0};

	if (strcmp(format, "json") == 0)
		format = "{{json .}}";
	if (template_parse(format, &t, &err) < 0) {
		(void)cli_refuse(call, "template parsing error: %s", err_message(&err));
		return STATUS_BAD_TEMPLATE;
	}
	if (template_run(t, &data, &text, &err) < 0)
		return cli_fail(call, &err);
	(void)fprintf(call->cli->out, "%s\n", strbuf_text(&text));
	return 0;
}
