/* SPDX-License-Identifier: Apache-2.0 */
/* object_format.h - --format of commands that print one object: info, version */
#ifndef SKIFF_CLI_OBJECT_FORMAT_H
#define SKIFF_CLI_OBJECT_FORMAT_H

#include <jansson.h>

#include "cli/cli.h"
#include "template/type.h"

/* "json" or a template, and a line end. Returns the exit status; docker's 64 for what is no template. */
int object_format_print(const struct command_call *call, const char *format, const json_t *object,
			const struct template_type *type);

#endif
