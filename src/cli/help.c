/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/help.h"

#include <string.h>

#include "base/alloc.h"
#include "cli/cli.h"

#define NAME_INDENT 2  /* before command names */
#define NAME_GAP 2     /* after the longest name */
#define OPTION_GAP 3   /* after the longest option */
#define WRAP_SLACK 5   /* a last line may be this much longer: better than one lonely word */
#define WRAP_NARROW 24 /* below this many columns the help text starts on a line of its own */

static void pad(struct strbuf *text, size_t count)
{
	while (count-- > 0)
		strbuf_addc(text, ' ');
}

/* ---- lists of commands ---- */

static size_t max_size(size_t a, size_t b)
{
	return a > b ? a : b;
}

static size_t longest_name(void)
{
	size_t path_count, group_count, longest = 0;
	const struct command_path *paths = command_paths(&path_count);
	const struct command_group *groups = command_groups(&group_count);

	for (size_t i = 0; i < path_count; i++)
		if (!paths[i].alias)
			longest = max_size(longest, strlen(paths[i].name));
	for (size_t i = 0; i < group_count; i++)
		longest = max_size(longest, strlen(groups[i].name));
	return longest;
}

static void add_name(struct strbuf *text, const char *name, const char *summary)
{
	pad(text, NAME_INDENT);
	strbuf_adds(text, name);
	pad(text, longest_name() + NAME_GAP - strlen(name));
	strbuf_addf(text, "%s\n", summary);
}

static bool same_group(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static void add_commands(struct strbuf *text, const char *title, const char *group, bool common)
{
	size_t count;
	const struct command_path *paths = command_paths(&count);

	strbuf_addf(text, "\n%s:\n", title);
	for (size_t i = 0; i < count; i++)
		if (same_group(paths[i].group, group) && !paths[i].alias &&
		    !paths[i].command->hidden && paths[i].common == common)
			add_name(text, paths[i].name, paths[i].command->summary);
}

static void add_groups(struct strbuf *text)
{
	size_t count;
	const struct command_group *groups = command_groups(&count);

	strbuf_adds(text, "\nManagement Commands:\n");
	for (size_t i = 0; i < count; i++)
		add_name(text, groups[i].name, groups[i].summary);
}

void help_format_top(struct strbuf *ret_text, size_t columns)
{
	strbuf_adds(ret_text, "Usage:  " PROGRAM_NAME " [OPTIONS] COMMAND\n\n"
			      "A container engine without a daemon\n");
	add_commands(ret_text, "Common Commands", NULL, /* common= */ true);
	add_groups(ret_text);
	add_commands(ret_text, "Commands", NULL, /* common= */ false);
	strbuf_adds(ret_text, "\nGlobal Options:\n");
	help_format_options(global_options, columns, ret_text);
	strbuf_adds(ret_text,
		    "\nRun '" PROGRAM_NAME " COMMAND --help' for more information on a command.\n");
}

void help_format_group(const struct command_group *group, struct strbuf *ret_text)
{
	strbuf_addf(ret_text, "Usage:  " PROGRAM_NAME " %s COMMAND\n\n%s\n", group->name,
		    group->summary);
	add_commands(ret_text, "Commands", group->name, /* common= */ false);
	strbuf_addf(ret_text,
		    "\nRun '" PROGRAM_NAME
		    " %s COMMAND --help' for more information on a command.\n",
		    group->name);
}

/* ---- options ---- */

void help_format_option(const struct option_spec *spec, struct strbuf *ret_text)
{
	if (spec->short_name)
		strbuf_addf(ret_text, "-%c, ", spec->short_name);
	else
		strbuf_adds(ret_text, "    ");
	strbuf_addf(ret_text, "--%s", spec->long_name);
	if (spec->value_name)
		strbuf_addf(ret_text, " %s", spec->value_name);
}

/* How many bytes of `text` go on a line of `width`. */
static size_t line_length(const char *text, size_t width)
{
	size_t len = strlen(text), cut = width;

	if (len < width + WRAP_SLACK)
		return len;
	while (cut > 0 && text[cut] != ' ')
		cut--;
	return cut > 0 ? cut : strcspn(text, " ");
}

static void add_wrapped(struct strbuf *text, const char *help, size_t indent, size_t columns)
{
	size_t width;

	if (columns < indent + WRAP_NARROW) {
		indent = 16;
		strbuf_addc(text, '\n');
		pad(text, indent);
	}
	width = columns > indent + WRAP_NARROW ? columns - indent - WRAP_SLACK : WRAP_NARROW;
	for (;;) {
		size_t len = line_length(help, width);

		strbuf_add(text, help, len);
		strbuf_addc(text, '\n');
		help += len;
		if (!*help)
			return;
		help++;
		pad(text, indent);
	}
}

static size_t widest_option(const struct option_list *list)
{
	size_t widest = 0;

	for (size_t i = 0; i < list->count; i++) {
		auto_(strbuf_release) struct strbuf name = {0};

		help_format_option(&list->items[i], &name);
		if (name.len > widest)
			widest = name.len;
	}
	return widest;
}

void help_format_options(const struct option_spec *table, size_t columns, struct strbuf *ret_text)
{
	auto_(option_list_release) struct option_list list = {0};
	size_t indent;

	option_list_collect(table, /* hidden= */ false, &list);
	indent = NAME_INDENT + widest_option(&list) + OPTION_GAP;
	for (size_t i = 0; i < list.count; i++) {
		const struct option_spec *spec = &list.items[i];
		auto_(strbuf_release) struct strbuf name = {0};
		auto_(strbuf_release) struct strbuf help = {0};

		help_format_option(spec, &name);
		strbuf_adds(&help, spec->help);
		if (spec->default_text)
			strbuf_addf(&help, " (default %s)", spec->default_text);

		pad(ret_text, NAME_INDENT);
		strbuf_adds(ret_text, strbuf_text(&name));
		pad(ret_text, indent - NAME_INDENT - name.len);
		add_wrapped(ret_text, strbuf_text(&help), indent, columns > 0 ? columns - 1 : 79);
	}
}

/* ---- one command ---- */

void help_format_usage(const struct command *command, const char *typed, struct strbuf *ret_text)
{
	strbuf_addf(ret_text, "Usage:  " PROGRAM_NAME " %s", typed);
	if (*command->usage)
		strbuf_addf(ret_text, " %s", command->usage);
}

/* The names of a command that are, or are not, at the top level and aliases. */
static void add_names(const struct command *command, bool at_top, bool alias, struct strv *names)
{
	size_t count;
	const struct command_path *paths = command_paths(&count);

	for (size_t i = 0; i < count; i++) {
		const struct command_path *p = &paths[i];
		bool is_top = p->group == NULL;

		if (p->command != command || is_top != at_top || p->alias != alias)
			continue;
		if (is_top)
			strv_addf(names, PROGRAM_NAME " %s", p->name);
		else
			strv_addf(names, PROGRAM_NAME " %s %s", p->group, p->name);
	}
}

void help_format_aliases(const struct command *command, struct strbuf *ret_text)
{
	auto_(strv_release) struct strv names = {0};
	auto_free char *joined = NULL;

	add_names(command, /* at_top= */ false, /* alias= */ false, &names);
	add_names(command, /* at_top= */ false, /* alias= */ true, &names);
	add_names(command, /* at_top= */ true, /* alias= */ false, &names);
	if (names.count < 2)
		return;
	joined = strv_join(&names, ", ");
	strbuf_adds(ret_text, joined);
}

void help_format_command(const struct command *command, const char *typed, size_t columns,
			 struct strbuf *ret_text)
{
	auto_(strbuf_release) struct strbuf aliases = {0};

	help_format_usage(command, typed, ret_text);
	strbuf_addf(ret_text, "\n\n%s\n", command->summary);
	help_format_aliases(command, &aliases);
	if (aliases.len > 0)
		strbuf_addf(ret_text, "\nAliases:\n  %s\n", strbuf_text(&aliases));
	if (command->options) {
		strbuf_adds(ret_text, "\nOptions:\n");
		help_format_options(command->options, columns, ret_text);
	}
}
