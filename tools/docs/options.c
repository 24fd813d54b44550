/* SPDX-License-Identifier: Apache-2.0 */
/* options.c - every command and option in a table, for tools/check-parity */
#include <stdlib.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "docs.h"

static const char *type_name(enum option_type type)
{
	switch (type) {
	case OPTION_FLAG:
		return "bool";
	case OPTION_STRING:
		return "string";
	case OPTION_INT:
		return "int";
	case OPTION_LIST:
		return "list";
	case OPTION_INCLUDE:
		break;
	}
	return "";
}

static void write_options(const char *path, const struct option_spec *table, FILE *out)
{
	auto_(option_list_release) struct option_list list = {0};

	(void)fprintf(out, "%s\t\t\t\n", path);
	option_list_collect(table, /* hidden= */ true, &list);
	for (size_t i = 0; i < list.count; i++) {
		const struct option_spec *o = &list.items[i];
		char letter[] = {'-', o->short_name, '\0'};

		(void)fprintf(out, "%s\t--%s\t%s\t%s\n", path, o->long_name,
			      o->short_name ? letter : "", type_name(o->type));
	}
}

void options_write(FILE *out)
{
	size_t count;
	const struct command_group *groups = command_groups(&count);
	const struct command_path *paths;

	write_options("", global_options, out);
	(void)fputs("help\t\t\t\n", out); /* is no command: cli.c */
	for (size_t i = 0; i < count; i++)
		(void)fprintf(out, "%s\t\t\t\n", groups[i].name);
	paths = command_paths(&count);
	for (size_t i = 0; i < count; i++) {
		auto_free char *path = path_text(&paths[i]);

		write_options(path, paths[i].command->options, out);
	}
}
