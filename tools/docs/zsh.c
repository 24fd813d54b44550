/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zsh.c - completion for zsh
 *
 * One function per command calls _arguments with a specification made of its option table.
 */
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "cli/cli.h"
#include "docs.h"

/* Inside single quotes, and inside an _arguments specification: brackets and colons are escaped. */
static void put_spec_text(const char *text, FILE *out)
{
	for (; *text; text++) {
		if (*text == '\'')
			(void)fputs("'\\''", out);
		else if (strchr("[]:\\", *text))
			(void)fprintf(out, "\\%c", *text);
		else
			(void)fputc(*text, out);
	}
}

static void put_action(enum complete_kind kind, FILE *out)
{
	const char *word = complete_word(kind);

	if (word)
		(void)fprintf(out, "{__skiff_ask %s}", word);
	else if (kind == COMPLETE_FILE)
		(void)fputs("_files", out);
	else if (kind == COMPLETE_DIRECTORY)
		(void)fputs("_files -/", out);
	else
		(void)fputc(' ', out);
}

static void put_value(const struct option_spec *spec, FILE *out)
{
	if (spec->type == OPTION_FLAG)
		return;
	(void)fprintf(out, ":%s:", spec->value_name);
	if (spec->choices)
		(void)fprintf(out, "(%s)", spec->choices);
	else
		put_action(spec->complete, out);
}

static void put_option(const struct option_spec *spec, FILE *out)
{
	const char *repeat = spec->type == OPTION_LIST ? "*" : "";
	const char *equals = spec->type == OPTION_FLAG ? "" : "=";

	(void)fputs(" \\\n\t\t", out);
	if (spec->short_name && *repeat)
		(void)fprintf(out, "'*'{-%c+,--%s=}'[", spec->short_name, spec->long_name);
	else if (spec->short_name)
		(void)fprintf(out, "'(-%c --%s)'{-%c%s,--%s%s}'[", spec->short_name,
			      spec->long_name, spec->short_name, *equals ? "+" : "",
			      spec->long_name, equals);
	else
		(void)fprintf(out, "'%s--%s%s[", repeat, spec->long_name, equals);
	put_spec_text(spec->help, out);
	(void)fputc(']', out);
	put_value(spec, out);
	(void)fputc('\'', out);
}

static void put_options(const struct option_spec *table, FILE *out)
{
	auto_(option_list_release) struct option_list list = {0};

	option_list_collect(table, /* hidden= */ false, &list);
	for (size_t i = 0; i < list.count; i++)
		put_option(&list.items[i], out);
	(void)fputs(" \\\n\t\t'--help[Print usage]'", out);
}

static void put_argument_specs(const struct command *command, FILE *out)
{
	if (command->max_args == 0)
		return;
	(void)fputs(" \\\n\t\t'1: :", out);
	put_action(command->args, out);
	(void)fputc('\'', out);
	if (command->max_args == 1)
		return;
	(void)fputs(" \\\n\t\t'*: :", out);
	put_action(command->rest_args, out);
	(void)fputc('\'', out);
}

/* "run", "container run": one case each. */
static void put_cases(const char *group, FILE *out)
{
	size_t count;
	const struct command_path *paths = command_paths(&count);

	for (size_t i = 0; i < count; i++) {
		const struct command *command = paths[i].command;
		bool here = group ? paths[i].group && strcmp(paths[i].group, group) == 0
				  : paths[i].group == NULL;

		if (!here || command->hidden)
			continue;
		(void)fprintf(out, "\t%s)\n\t\t_arguments -s%s", paths[i].name,
			      command->stop_at_first_arg ? " -A '-*'" : "");
		put_options(command->options, out);
		put_argument_specs(command, out);
		(void)fputs("\n\t\t;;\n", out);
	}
}

static void put_descriptions(const char *group, FILE *out)
{
	size_t count;
	const struct command_path *paths = command_paths(&count);

	for (size_t i = 0; i < count; i++) {
		bool here = group ? paths[i].group && strcmp(paths[i].group, group) == 0
				  : paths[i].group == NULL;

		if (!here || paths[i].command->hidden)
			continue;
		(void)fprintf(out, "\t\t\t'%s:", paths[i].name);
		put_spec_text(paths[i].command->summary, out);
		(void)fputs("'\n", out);
	}
}

static void put_function(const char *group, FILE *out)
{
	size_t count;
	const struct command_group *groups = command_groups(&count);

	(void)fprintf(out, "_skiff_%s() {\n\tlocal -a names\n\tlocal context state line\n\n",
		      group ? group : "top");
	if (group)
		(void)fputs("\t_arguments -A '-*' '--help[Print usage]' ", out);
	else {
		(void)fputs("\t_arguments -s -A '-*'", out);
		put_options(global_options, out);
		(void)fputs(" \\\n\t\t", out);
	}
	(void)fputs("'1: :->name' '*:: :->rest'\n"
		    "\tcase $state in\n\tname)\n\t\tnames=(\n",
		    out);
	put_descriptions(group, out);
	for (size_t i = 0; !group && i < count; i++)
		(void)fprintf(out, "\t\t\t'%s:%s'\n", groups[i].name, groups[i].summary);
	(void)fputs("\t\t)\n\t\t_describe command names\n\t\treturn\n\t\t;;\n"
		    "\trest) ;;\n\t*) return ;;\n\tesac\n"
		    "\tcase $words[1] in\n",
		    out);
	put_cases(group, out);
	for (size_t i = 0; !group && i < count; i++)
		(void)fprintf(out, "\t%s) _skiff_%s ;;\n", groups[i].name, groups[i].name);
	(void)fputs("\tesac\n}\n\n", out);
}

static const char helper[] =
	"# Names from the store. A colon would end a name in _describe's syntax.\n"
	"__skiff_ask() {\n"
	"\tlocal -a names\n"
	"\tnames=(${(f)\"$(_call_program names ${(q)skiff} __complete $1 2>/dev/null)\"})\n"
	"\tcompadd -a names\n"
	"}\n\n";

/* --root and --state say whose containers are meant. */
static const char entry[] = "_skiff() {\n"
			    "\tlocal -a skiff=($words[1])\n"
			    "\tlocal -i i\n"
			    "\tfor ((i = 2; i < CURRENT; i++)); do\n"
			    "\t\tcase $words[i] in\n"
			    "\t\t--root=*|--state=*) skiff+=($words[i]) ;;\n"
			    "\t\t--root|--state) skiff+=($words[i] $words[i+1]); ((i++)) ;;\n"
			    "\t\t-*) ;;\n"
			    "\t\t*) break ;;\n"
			    "\t\tesac\n"
			    "\tdone\n"
			    "\t_skiff_top\n"
			    "}\n\n"
			    "_skiff \"$@\"\n";

void zsh_write(FILE *out)
{
	size_t count;
	const struct command_group *groups = command_groups(&count);

	(void)fputs("#compdef skiff\n# generated from the command tables\n\n", out);
	(void)fputs(helper, out);
	for (size_t i = 0; i < count; i++)
		put_function(groups[i].name, out);
	put_function(NULL, out);
	(void)fputs(entry, out);
}
