/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fish.c - completion for fish
 *
 * fish wants one line per candidate, with a condition. __skiff_at tells whether the words typed so
 * far lead to a command; options before the command are skipped by a fixed function.
 */
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/cli.h"
#include "docs.h"

static const char fixed_part[] =
	"# The words before the cursor without the global options: command and what follows.\n"
	"function __skiff_words\n"
	"\tset -l words (commandline -opc)\n"
	"\tset -e words[1]\n"
	"\twhile set -q words[1]\n"
	"\t\tswitch $words[1]\n"
	"\t\t\tcase --root --state\n"
	"\t\t\t\tset -e words[1]\n"
	"\t\t\tcase '-*'\n"
	"\t\t\tcase '*'\n"
	"\t\t\t\tbreak\n"
	"\t\tend\n"
	"\t\tset -e words[1]\n"
	"\tend\n"
	"\tstring join \\n -- $words\n"
	"end\n\n"
	"# Nothing but the words given.\n"
	"function __skiff_only\n"
	"\tset -l words (__skiff_words)\n"
	"\ttest \"$words\" = \"$argv\"\n"
	"end\n\n"
	"# The words given, and perhaps more.\n"
	"function __skiff_at\n"
	"\tset -l words (__skiff_words)\n"
	"\tset -l count (count $argv)\n"
	"\ttest (count $words) -ge $count; and test \"$words[1..$count]\" = \"$argv\"\n"
	"end\n\n"
	"# Names from the store that --root and --state choose.\n"
	"function __skiff_ask\n"
	"\tset -l words (commandline -opc)\n"
	"\tset -l skiff $words[1]\n"
	"\tset -e words[1]\n"
	"\twhile set -q words[1]\n"
	"\t\tswitch $words[1]\n"
	"\t\t\tcase --root --state\n"
	"\t\t\t\tset -q words[2]; and set -a skiff $words[1..2]\n"
	"\t\t\t\tset -e words[1]\n"
	"\t\t\tcase '--root=*' '--state=*'\n"
	"\t\t\t\tset -a skiff $words[1]\n"
	"\t\t\tcase '-*'\n"
	"\t\t\tcase '*'\n"
	"\t\t\t\tbreak\n"
	"\t\tend\n"
	"\t\tset -e words[1]\n"
	"\tend\n"
	"\t$skiff __complete $argv[1] 2>/dev/null\n"
	"end\n\n"
	"complete -c skiff -f\n";

static void put_quoted(const char *text, FILE *out)
{
	(void)fputc('\'', out);
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			(void)fputc('\\', out);
		(void)fputc(*text, out);
	}
	(void)fputc('\'', out);
}

static void put_condition(const char *function, const char *words, FILE *out)
{
	(void)fprintf(out, "complete -c skiff -n '%s%s%s'", function, *words ? " " : "", words);
}

static bool takes_file(enum complete_kind kind)
{
	return kind == COMPLETE_FILE || kind == COMPLETE_DIRECTORY;
}

static void put_candidates(enum complete_kind kind, FILE *out)
{
	const char *word = complete_word(kind);

	if (word)
		(void)fprintf(out, " -a '(__skiff_ask %s)'", word);
	else if (takes_file(kind))
		(void)fputs(" -F", out);
}

static void put_option(const char *function, const char *words, const struct option_spec *spec,
		       FILE *out)
{
	put_condition(function, words, out);
	if (spec->short_name)
		(void)fprintf(out, " -s %c", spec->short_name);
	(void)fprintf(out, " -l %s -d ", spec->long_name);
	put_quoted(spec->help, out);
	if (spec->type != OPTION_FLAG) /* a value is needed: a file only where one is meant */
		(void)fputs(takes_file(spec->complete) ? " -r" : " -x", out);
	if (spec->choices)
		(void)fprintf(out, " -a '%s'", spec->choices);
	else
		put_candidates(spec->complete, out);
	(void)fputc('\n', out);
}

static void put_options(const char *function, const char *words, const struct option_spec *table,
			FILE *out)
{
	auto_(option_list_release) struct option_list list = {0};

	option_list_collect(table, /* hidden= */ false, &list);
	for (size_t i = 0; i < list.count; i++)
		put_option(function, words, &list.items[i], out);
	put_condition(function, words, out);
	(void)fputs(" -l help -d 'Print usage'\n", out);
}

static void put_path(const struct command_path *path, FILE *out)
{
	const struct command *command = path->command;
	auto_free char *words = path_text(path);

	put_condition("__skiff_only", path->group ? path->group : "", out);
	(void)fprintf(out, " -a %s -d ", path->name);
	put_quoted(command->summary, out);
	(void)fputc('\n', out);
	put_options("__skiff_at", words, command->options, out);
	if (complete_word(command->args)) {
		put_condition("__skiff_at", words, out);
		put_candidates(command->args, out);
		(void)fputc('\n', out);
	}
}

void fish_write(FILE *out)
{
	size_t count;
	const struct command_path *paths = command_paths(&count);
	size_t group_count;
	const struct command_group *groups = command_groups(&group_count);

	(void)fputs("# fish completion for skiff; generated from the command tables\n\n", out);
	(void)fputs(fixed_part, out);
	put_options("__skiff_only", "", global_options, out);
	for (size_t i = 0; i < group_count; i++) {
		put_condition("__skiff_only", "", out);
		(void)fprintf(out, " -a %s -d '%s'\n", groups[i].name, groups[i].summary);
	}
	for (size_t i = 0; i < count; i++)
		if (!paths[i].command->hidden)
			put_path(&paths[i], out);
}
